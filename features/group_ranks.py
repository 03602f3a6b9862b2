"""A row's place in its group, its share of the group, and how many different values the group has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from features.columns import Selection, select
from features.errors import InputError
from features.keys import Codes, key_codes, learn_keys, levels_of, n_groups
from features.numbers import Numbers, as_numbers, bounded, refuse_all_missing
from features.step import Learns, Step, missing_safe_codes


class GroupRank(Step):
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

    learns = Learns.ROWS
    accepts = ("numeric",)
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"columns": ["LotFrontage"], "by": "Neighborhood"},
        {"columns": ["LotFrontage", "LotArea"], "by": ["PoolQC", "HasAir"]},
    )

    def __init__(self, columns: Selection, *, by: str | Sequence[str]) -> None:
        self.columns = columns
        self.by = by

    def check(self) -> None:
        """Check that there is a group column."""
        super().check()
        _check_by(self.name, self.by)

    def _beside(self, X: pd.DataFrame) -> list[str]:
        return select(X, self.by)

    def _learn(self, X: pd.DataFrame, y: pd.Series | None) -> None:
        self.keys_ = learn_keys(X, self._beside(X))
        codes, n = key_codes(X, self.keys_), n_groups(self.keys_)
        self.learnt_: dict[str, dict[str, np.ndarray]] = {}
        for column in self.selected_:
            values = as_numbers(X[column], self.name)
            refuse_all_missing(values, column, self.name, "Leave it out, or fill it first.")
            known = ~np.isnan(values)
            self.learnt_[column] = _sorted_cells(values[known], codes[known], n)

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        codes, suffix = key_codes(X, self.keys_), "_".join(self.keys_["by"])
        return pd.DataFrame({f"{column}__rank_by_{suffix}": self._ranks(X[column], codes) for column in self.selected_}, index=X.index)

    def _ranks(self, column: pd.Series, codes: Codes) -> Numbers:
        learnt, own = self.learnt_[str(column.name)], as_numbers(column, self.name)
        places = _positions(learnt["values"], own)
        sizes = np.diff(learnt["starts"])
        in_group = (codes >= 0) & (sizes[codes] > 0)
        # a cell is a group and a place among the distinct values; one that training lacks lies between two that it has
        cells = np.where(in_group, codes, 0) * (len(learnt["values"]) + 1) + places
        at = _positions(learnt["cells"], cells)
        below = learnt["rows"][at] - learnt["starts"][np.where(in_group, codes, 0)]
        is_there = np.append(learnt["values"], np.nan)[places] == own
        equal = np.where(is_there & (np.append(learnt["cells"], -1)[at] == cells), np.diff(learnt["rows"], append=0)[at], 0)
        everyone = learnt["all_rows"]
        all_equal = np.where(is_there, np.diff(everyone, append=0)[places], 0)
        among_group = (below + equal / 2) / np.where(in_group, sizes[codes], 1)
        among_all = (everyone[places] + all_equal / 2) / everyone[-1]
        return np.where(np.isnan(own), np.nan, np.where(in_group, among_group, among_all))


class GroupShare(Step):
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

    learns = Learns.ROWS
    accepts = ("numeric",)
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"columns": ["LotFrontage"], "by": "Neighborhood"},
        {"columns": ["LotFrontage", "LotArea"], "by": ["PoolQC", "HasAir"]},
    )

    def __init__(self, columns: Selection, *, by: str | Sequence[str]) -> None:
        self.columns = columns
        self.by = by

    def check(self) -> None:
        """Check that there is a group column."""
        super().check()
        _check_by(self.name, self.by)

    def _beside(self, X: pd.DataFrame) -> list[str]:
        return select(X, self.by)

    def _learn(self, X: pd.DataFrame, y: pd.Series | None) -> None:
        self.keys_ = learn_keys(X, self._beside(X))
        codes, n = key_codes(X, self.keys_), n_groups(self.keys_)
        self.totals_: dict[str, Numbers] = {}
        for column in self.selected_:
            values = as_numbers(X[column], self.name)
            refuse_all_missing(values, column, self.name, "Leave it out, or fill it first.")
            self.totals_[column] = _totals(values, codes, n)

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        codes, suffix = key_codes(X, self.keys_), "_".join(self.keys_["by"])
        return pd.DataFrame({f"{column}__share_by_{suffix}": self._shares(X[column], codes) for column in self.selected_}, index=X.index)

    def _shares(self, column: pd.Series, codes: Codes) -> Numbers:
        values, totals = as_numbers(column, self.name), self.totals_[str(column.name)][codes]
        with np.errstate(over="ignore"):
            return bounded(np.divide(values, totals, out=np.full(len(values), np.nan), where=totals != 0))


class GroupUnique(Step):
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

    learns = Learns.ROWS
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"columns": ["PoolQC"], "by": "Neighborhood"},
        {"columns": ["Neighborhood", "LotFrontage", "Sold", "HasAir", "Quarter"], "by": ["PoolQC", "Street"]},
    )

    def __init__(self, columns: Selection, *, by: str | Sequence[str]) -> None:
        self.columns = columns
        self.by = by

    def check(self) -> None:
        """Check that there is a group column."""
        super().check()
        _check_by(self.name, self.by)

    def _beside(self, X: pd.DataFrame) -> list[str]:
        return select(X, self.by)

    def _learn(self, X: pd.DataFrame, y: pd.Series | None) -> None:
        self.keys_ = learn_keys(X, self._beside(X))
        codes, n = key_codes(X, self.keys_), n_groups(self.keys_)
        self.counts_ = {column: _distinct(X[column], codes, n) for column in self.selected_}

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        codes, suffix = key_codes(X, self.keys_), "_".join(self.keys_["by"])
        # the last slot, where code -1 points, is 0
        return pd.DataFrame({f"{column}__unique_by_{suffix}": self.counts_[column][codes] for column in self.selected_}, index=X.index)


def _sorted_cells(values: Numbers, codes: Codes, n: int) -> dict[str, np.ndarray]:
    """The known values of all groups in one sorted array.

    Returns
    -------
    dict
        ``values``: the distinct values. ``all_rows``: rows before each of them, and all. ``cells``: group times number of
        values plus one, plus place of the value, for the pairs there are. ``rows``: grouped rows before each cell, and all.
        ``starts``: grouped rows before each group, and all.
    """
    distinct, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    grouped = codes >= 0
    cells, rows = np.unique(codes[grouped] * (len(distinct) + 1) + places[grouped], return_counts=True)
    return {
        "values": distinct,
        "all_rows": np.append(0, np.cumsum(counts)),
        "cells": cells,
        "rows": np.append(0, np.cumsum(rows)),
        "starts": np.append(0, np.cumsum(np.bincount(codes[grouped], minlength=n))),
    }


def _positions(known: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """``searchsorted`` with the questions asked in order: neighbouring searches read the same memory, which is much faster for many."""
    order = np.argsort(asked)
    found = np.empty(len(asked), dtype=np.int64)
    found[order] = np.searchsorted(known, asked[order])
    return found


def _totals(values: Numbers, codes: Codes, n: int) -> Numbers:
    """The sum of each group's known values, then the mean of these sums, which also stands for groups without a value."""
    known = (codes >= 0) & ~np.isnan(values)
    # in the order of the values, so that the sums do not hang on the order of the rows
    order = np.flatnonzero(known)[np.argsort(values[known], kind="stable")]
    sums = np.bincount(codes[order], weights=values[order], minlength=n)
    rows = np.bincount(codes[order], minlength=n)
    mean = float(sums[rows > 0].mean()) if (rows > 0).any() else 0.0
    return bounded(np.append(np.where(rows > 0, sums, mean), mean))


def _distinct(column: pd.Series, codes: Codes, n: int) -> Numbers:
    levels = levels_of(column)
    own = missing_safe_codes(column, levels)
    known = (codes >= 0) & (own >= 0)
    pairs = np.unique(codes[known] * len(levels) + own[known])
    return np.append(np.bincount(pairs // max(len(levels), 1), minlength=n), 0).astype(np.float64)


def _check_by(step: str, by: object) -> None:
    if not by:
        raise InputError(f"Step {step!r} needs at least one column in 'by'.")
