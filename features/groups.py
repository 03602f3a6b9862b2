"""Statistics of a number within groups of rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd

from features.columns import Selection
from features.errors import InputError
from features.grouping import GroupStep
from features.keys import Codes
from features.numbers import Numbers, as_numbers, refuse_all_missing

_PLAIN = ("mean", "median", "sd", "min", "max", "count")
_RELATIVE = ("difference", "ratio")


class GroupStatistics(GroupStep):
    """Statistics of numeric columns within groups: ``<column>__<statistic>_by_<by>``.

    Learnt from the training rows. A row whose group was not seen, or had no value, gets the statistic of all training
    rows (a count of 0). The source columns stay.

    Parameters
    ----------
    columns
        The numeric columns to summarise.
    by
        The columns that together name a group.
    statistics
        ``mean``, ``median``, ``sd`` (of the population: 0 for a single row), ``min``, ``max``, ``count`` (of known
        values), ``difference`` (the row's value less its group's mean) and ``ratio`` (the value over that mean; missing
        where the mean is 0).

    Examples
    --------
    >>> X = pd.DataFrame({"area": [1.0, 3.0, 8.0], "street": ["a", "a", "b"]})
    >>> GroupStatistics("area", by="street").fit_transform(X)["area__mean_by_street"].tolist()
    [2.0, 2.0, 8.0]
    """

    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"columns": ["LotFrontage"], "by": "Neighborhood"},
        {"columns": ["LotFrontage", "LotArea"], "by": ["Neighborhood", "Street"], "statistics": [*_PLAIN, *_RELATIVE]},
    )

    def __init__(
        self,
        columns: Selection,
        *,
        by: str | Sequence[str],
        statistics: Sequence[Literal["mean", "median", "sd", "min", "max", "count", "difference", "ratio"]] = ("mean",),
    ) -> None:
        super().__init__(columns, by=by)
        self.statistics = statistics

    def check(self) -> None:
        """Check that there are a group column and a statistic."""
        super().check()
        if not self.statistics:
            raise InputError("Step 'group_statistics' needs at least one of 'statistics'.")

    def _learnt(self, column: pd.Series, codes: Codes, n: int) -> dict[str, np.ndarray]:
        values = as_numbers(column, self.name)
        refuse_all_missing(values, str(column.name), self.name, "Leave it out, or fill it first.")
        # a difference and a ratio need the mean
        needed = dict.fromkeys("mean" if statistic in _RELATIVE else statistic for statistic in self.statistics)
        return by_group(values, codes, n, list(needed))

    def _made(self, column: pd.Series, codes: Codes, learnt: dict[str, np.ndarray]) -> dict[str, Numbers]:
        # the last slot, where code -1 points, is that of all rows
        made = {statistic: learnt[statistic][codes] for statistic in learnt if statistic in self.statistics}
        if relative := [statistic for statistic in dict.fromkeys(self.statistics) if statistic in _RELATIVE]:
            values, means = as_numbers(column, self.name), made["mean"] if "mean" in made else learnt["mean"][codes]
            made |= {statistic: _relative(values, means, statistic) for statistic in relative}
        return {statistic: made[statistic] for statistic in dict.fromkeys(self.statistics)}


def by_group(values: Numbers, codes: Codes, n: int, statistics: Sequence[str]) -> dict[str, Numbers]:
    """Statistics of each group's known values, then of all of them (0 for a count), each of shape (n + 1,)."""
    # codes say already which group a row is in: told so, pandas need not look for the groups
    everyone = pd.Series(values, copy=False)
    groups = everyone.groupby(pd.CategoricalIndex(pd.Categorical.from_codes(codes, categories=pd.RangeIndex(n))), observed=False)
    found: dict[str, Numbers] = {}
    for statistic in statistics:
        by_code = _summary(groups, statistic).to_numpy(dtype=np.float64)
        of_all = 0.0 if statistic == "count" else float(_summary(everyone, statistic))
        found[statistic] = np.append(np.where(np.isnan(by_code), of_all, by_code), of_all)
    return found


def _summary(values: Any, statistic: str) -> Any:
    return values.std(ddof=0) if statistic == "sd" else values.agg(statistic)


def _relative(values: Numbers, means: Numbers, statistic: str) -> Numbers:
    if statistic == "difference":
        return np.asarray(values - means)
    return np.asarray(np.divide(values, means, out=np.full(len(values), np.nan), where=means != 0))
