"""A row's place in its group, its share of the group, and how many different values the group has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from features.columns import KINDS
from features.grouping import GroupStep
from features.keys import Codes, levels_of
from features.numbers import Numbers, as_numbers, bounded, refuse_all_missing
from features.step import missing_safe_codes

_NO_VALUE = "Leave it out, or fill it first."


class GroupRank(GroupStep):
    """Rank a number among the training rows of its group: ``<column>__rank_by_<by>``, from 0 to 1.

    The rank is the share of the group's known training values below the row's own, equal ones counted half. A row whose
    group was not seen, or had no value, is ranked among all training rows; missing stays missing. The source columns stay.

    Parameters
    ----------
    columns
        The numeric columns to rank.
    by
        The columns that together name a group.

    Examples
    --------
    >>> X = pd.DataFrame({"area": [1.0, 3.0, 8.0], "street": ["a", "a", "b"]})
    >>> GroupRank("area", by="street").fit_transform(X)["area__rank_by_street"].tolist()
    [0.25, 0.75, 0.5]
    """

    def _learnt(self, column: pd.Series, codes: Codes, n: int) -> dict[str, np.ndarray]:
        # numba takes a second to load: only who ranks waits for it
        from features.kernels.sorted_groups import sorted_groups

        values = as_numbers(column, self.name)
        refuse_all_missing(values, str(column.name), self.name, _NO_VALUE)
        grouped, starts = sorted_groups(values, codes, n)
        return {"values": grouped, "starts": starts}

    def _made(self, column: pd.Series, codes: Codes, learnt: dict[str, np.ndarray]) -> dict[str, Numbers]:
        from features.kernels.sorted_groups import ranks

        own, values, starts = as_numbers(column, self.name), learnt["values"], learnt["starts"]
        found = ranks(values, starts, codes, own)
        rest = np.flatnonzero(np.isnan(found) & ~np.isnan(own))
        if len(rest):
            found[rest] = ranks(np.sort(values), np.array([0, len(values)]), np.zeros(len(rest), dtype=np.int64), own[rest])
        return {"rank": found}


class GroupShare(GroupStep):
    """Divide a number by its group's total over the training rows: ``<column>__share_by_<by>``.

    A row whose group was not seen, or had no value, is divided by the mean total of a group. The share is missing where the
    value is, or the total is 0. The source columns stay.

    Parameters
    ----------
    columns
        The numeric columns to divide.
    by
        The columns that together name a group.

    Examples
    --------
    >>> X = pd.DataFrame({"area": [1.0, 3.0, 8.0], "street": ["a", "a", "b"]})
    >>> GroupShare("area", by="street").fit_transform(X)["area__share_by_street"].tolist()
    [0.25, 0.75, 1.0]
    """

    def _learnt(self, column: pd.Series, codes: Codes, n: int) -> dict[str, np.ndarray]:
        values = as_numbers(column, self.name)
        refuse_all_missing(values, str(column.name), self.name, _NO_VALUE)
        return {"totals": _totals(values, codes, n)}

    def _made(self, column: pd.Series, codes: Codes, learnt: dict[str, np.ndarray]) -> dict[str, Numbers]:
        values, totals = as_numbers(column, self.name), learnt["totals"][codes]
        with np.errstate(over="ignore"):
            return {"share": bounded(np.divide(values, totals, out=np.full(len(values), np.nan), where=totals != 0))}


class GroupUnique(GroupStep):
    """Count the different values a column has in a group of training rows: ``<column>__unique_by_<by>``.

    Missing values are not counted; a group that was not seen has 0. The source columns stay.

    Parameters
    ----------
    columns
        The columns to count, of any kind.
    by
        The columns that together name a group.

    Examples
    --------
    >>> X = pd.DataFrame({"app": ["x", "y", "x"], "ip": [7, 7, 8]})
    >>> GroupUnique("app", by="ip").fit_transform(X)["app__unique_by_ip"].tolist()
    [2.0, 2.0, 1.0]
    """

    accepts = KINDS
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"columns": ["PoolQC"], "by": "Neighborhood"},
        {"columns": ["Neighborhood", "LotFrontage", "Sold", "HasAir", "Quarter"], "by": ["PoolQC", "Street"]},
    )

    def _learnt(self, column: pd.Series, codes: Codes, n: int) -> dict[str, np.ndarray]:
        levels = levels_of(column)
        own = missing_safe_codes(column, levels)
        known = (codes >= 0) & (own >= 0)
        pairs = np.unique(codes[known] * len(levels) + own[known])
        return {"counts": np.append(np.bincount(pairs // max(len(levels), 1), minlength=n), 0).astype(np.float64)}

    def _made(self, column: pd.Series, codes: Codes, learnt: dict[str, np.ndarray]) -> dict[str, Numbers]:
        # the last slot, where code -1 points, is 0
        return {"unique": learnt["counts"][codes]}


def _totals(values: Numbers, codes: Codes, n: int) -> Numbers:
    """The sum of each group's known values, then the mean of these sums, which also stands for groups without a value."""
    known = (codes >= 0) & ~np.isnan(values)
    # in the order of the values, so that the sums do not hang on the order of the rows
    order = np.flatnonzero(known)[np.argsort(values[known], kind="stable")]
    sums = np.bincount(codes[order], weights=values[order], minlength=n)
    rows = np.bincount(codes[order], minlength=n)
    mean = float(sums[rows > 0].mean()) if (rows > 0).any() else 0.0
    return bounded(np.append(np.where(rows > 0, sums, mean), mean))
