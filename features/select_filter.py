"""Filters: a column is judged by itself, by what it says of the target."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd

from features.bins import binned, quantile_edges
from features.classes import is_classes
from features.columns import Selection
from features.design import coded, learn_codes
from features.errors import InputError
from features.numbers import Numbers, bounded, is_constant
from features.selection import LINEAR, Selector
from features.step import Learns

_MANY = 200
"""Rows a cell from which the bias of mutual information is that of Miller and Madow."""


class SelectMutualInformation(Selector):
    """Keep the columns that share the most information with the target, of whatever form the relation is.

    The mutual information, in nats, of the column's levels or quantile bins (missing is one of its own) and the target's
    classes or quantile bins, less what chance alone would give levels of these sizes, so that a key that never repeats has
    none. The kept columns stay as they are.

    Parameters
    ----------
    columns
        The columns to choose from; all of them by default.
    keep
        How many columns stay at most.
    threshold
        The score a column needs to stay; 0 is what chance gives. The best one always stays.
    bins
        How many quantile bins numbers are put in.
    task
        Whether the target is numbers or classes; ``auto`` takes at most 20 distinct whole numbers for classes.
    """

    learns = Learns.TARGET_STRUCTURE
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = ({"keep": 3}, {"columns": "numeric", "threshold": 0.0, "task": "regression"})

    def __init__(
        self,
        columns: Selection = None,
        *,
        keep: int | None = None,
        threshold: float | None = None,
        bins: int = 10,
        task: Literal["auto", "regression", "classification"] = "auto",
    ) -> None:
        self.columns = columns
        self.keep = keep
        self.threshold = threshold
        self.bins = bins
        self.task = task

    def check(self) -> None:
        """Check the budget and the number of bins."""
        super().check()
        if self.bins < 2:
            raise InputError(f"Step 'select_mutual_information' needs at least 2 bins, found {self.bins!r}.")

    def _scores(self, X: pd.DataFrame, y: pd.Series) -> Numbers:
        target = y.to_numpy(dtype=np.float64)
        classes = np.unique(target, return_inverse=True)[1] if is_classes(y, self.task) else _cells(target, self.bins)
        return np.array([mutual_information(cells, classes) for cells in _all_cells(X, self.bins, self.name)])


class SelectUnivariate(Selector):
    """Keep the columns that by themselves tell the target best, by a classical statistic.

    The kept columns stay as they are.

    Parameters
    ----------
    columns
        The numeric and flag columns to choose from; ``information_value`` takes columns of any kind.
    how
        ``f``: the F statistic, of a straight line for numbers, of the classes' means for classes, among the known values.
        ``ks`` (two classes): the largest distance between the distributions in the two classes, 0 to 1, among the known
        values. ``chi2`` (classes): the chi-squared statistic of how the column's known values, taken as counts, fall to the
        classes; it grows with the column's unit and wants counts or flags, none below 0. ``information_value`` (two classes): that of the column's levels or ten quantile bins, missing being one of
        its own; below 0.02 is called useless, above 0.3 strong.
    keep
        How many columns stay at most.
    threshold
        The score a column needs to stay. The best one always stays.
    task
        Whether the target is numbers or classes; ``auto`` takes at most 20 distinct whole numbers for classes.
    """

    learns = Learns.TARGET_STRUCTURE
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"keep": 2},
        {"keep": 2, "how": "ks"},
        {"columns": ["MSSubClass", "LotArea", "HasAir"], "keep": 2, "how": "chi2"},
        {"columns": None, "threshold": 0.1, "how": "information_value"},
        {"threshold": 4.0, "task": "regression"},
    )

    def __init__(
        self,
        columns: Selection = LINEAR,
        *,
        how: Literal["f", "ks", "chi2", "information_value"] = "f",
        keep: int | None = None,
        threshold: float | None = None,
        task: Literal["auto", "regression", "classification"] = "auto",
    ) -> None:
        self.columns = columns
        self.how = how
        self.keep = keep
        self.threshold = threshold
        self.task = task

    @property
    def accepts(self) -> tuple[str, ...]:  # type: ignore[override]
        """Numbers and flags; any kind for the information value."""
        return (*LINEAR, "categorical", "text", "dates") if self.how == "information_value" else LINEAR

    def _scores(self, X: pd.DataFrame, y: pd.Series) -> Numbers:
        target, are_classes = y.to_numpy(dtype=np.float64), is_classes(y, self.task)
        if self.how in ("ks", "information_value") and len(np.unique(target)) != 2:
            raise InputError(f"Step 'select_univariate' with how={self.how!r} needs a target of two classes. Take 'how: f'.")
        if self.how == "chi2" and not are_classes:
            raise InputError("Step 'select_univariate' with how='chi2' needs a target of classes. Take 'how: f'.")
        is_high = target == target.max()
        if self.how == "information_value":
            return np.array([information_value(cells, is_high) for cells in _all_cells(X, 10, self.name)])
        columns = dict(zip(X.columns, coded(X, learn_codes(X), self.name).T, strict=True))
        if self.how == "ks":
            return np.array([ks_distance(values, is_high) for values in columns.values()])
        if self.how == "chi2":
            return np.array([chi_squared(_as_counts(values, name), target) for name, values in columns.items()])
        return np.array([f_statistic(values, target, are_classes=are_classes) for values in columns.values()])


def mutual_information(one: np.ndarray, other: np.ndarray) -> float:
    """Mutual information in nats of two columns of codes from 0, less what two unrelated columns of such levels would have.

    >>> mutual_information(np.tile([0, 1], 500), np.tile([0, 1], 500)) > 0.69
    True
    """
    from sklearn.metrics import mutual_info_score
    from sklearn.metrics.cluster import contingency_matrix, expected_mutual_information

    table = contingency_matrix(one, other, sparse=True)
    found = float(mutual_info_score(None, None, contingency=table))
    n_cells = table.shape[0] * table.shape[1]
    if len(one) > _MANY * n_cells:
        # here the two agree, and the exact one takes time for every row
        return found - float((table.shape[0] - 1) * (table.shape[1] - 1)) / (2 * len(one))
    return found - float(expected_mutual_information(table, len(one)))


def f_statistic(values: Numbers, target: Numbers, *, are_classes: bool) -> float:
    """The F statistic of a column's known values; 0 where they or their targets are all the same."""
    from sklearn.feature_selection import f_classif, f_regression

    known = ~np.isnan(values)
    values, target = values[known], target[known]
    if len(values) < 3 or is_constant(values) or is_constant(target):
        return 0.0
    # the statistic does not hang on the unit, its sums of squares do
    unit = np.abs(values).max()
    statistic: Callable[..., tuple[Numbers, Numbers]] = f_classif if are_classes else f_regression
    with np.errstate(all="ignore"):
        found = statistic((values / unit).reshape(-1, 1), target)[0]
    return float(np.nan_to_num(bounded(np.maximum(found, 0.0)), nan=0.0)[0])


def chi_squared(counts: Numbers, classes: Numbers) -> float:
    """The chi-squared statistic of how counts fall to the classes, against the classes' shares of the rows; missing left out."""
    from sklearn.feature_selection import chi2

    known = ~np.isnan(counts)
    counts, classes = counts[known], classes[known]
    if not counts.any() or is_constant(classes):
        return 0.0
    # in units of the largest count: a sum of counts is then finite, and the statistic is proportional to the unit
    unit = counts.max()
    with np.errstate(over="ignore"):
        return float(bounded(np.asarray(chi2((counts / unit).reshape(-1, 1), classes)[0] * unit))[0])


def ks_distance(values: Numbers, is_high: np.ndarray) -> float:
    """The largest distance between the two classes' distribution functions; 0 where a class has no known value."""
    known = ~np.isnan(values)
    values, is_high = values[known], is_high[known]
    if is_high.all() or not is_high.any():
        return 0.0
    distinct = np.unique(values)
    high, low = np.sort(values[is_high]), np.sort(values[~is_high])
    return float(np.abs(np.searchsorted(high, distinct, "right") / len(high) - np.searchsorted(low, distinct, "right") / len(low)).max())


def information_value(cells: np.ndarray, is_high: np.ndarray) -> float:
    """The information value of a column of codes for two classes; half a row is added to each cell of each class."""
    high = np.bincount(cells[is_high], minlength=cells.max() + 1) + 0.5
    low = np.bincount(cells[~is_high], minlength=cells.max() + 1) + 0.5
    is_used = high + low > 1
    high, low = high[is_used] / high[is_used].sum(), low[is_used] / low[is_used].sum()
    return float(((high - low) * np.log(high / low)).sum())


def _as_counts(values: Numbers, column: str) -> Numbers:
    if (values < 0).any():
        raise InputError(
            f"Step 'select_univariate' with how='chi2' takes values as counts and found {np.nanmin(values):g} in column {column!r}. "
            "Leave the column out with 'except', or take 'how: f'."
        )
    return values


def _all_cells(X: pd.DataFrame, bins: int, step: str) -> list[np.ndarray]:
    """Every column as codes from 0: levels as they are, numbers and dates in quantile bins, missing one of its own."""
    codes = learn_codes(X)
    matrix = coded(X, codes, step)
    return [_cells(values, None if levels is not None else bins) for values, levels in zip(matrix.T, codes.values(), strict=True)]


def _cells(values: Numbers, bins: int | None) -> np.ndarray:
    known = values[~np.isnan(values)]
    if len(known) == 0:
        return np.zeros(len(values), dtype=np.int64)
    cells = values if bins is None else binned(values, quantile_edges(known, bins))
    return np.where(np.isnan(cells), np.nanmax(cells) + 1, cells).astype(np.int64)
