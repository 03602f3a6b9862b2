"""Numbers in bins: fixed borders, borders learnt from the values, borders learnt from the target."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from features.classes import is_classes
from features.columns import Selection
from features.design import by_label
from features.errors import InputError
from features.numbers import Numbers, as_numbers, refuse_all_missing
from features.step import Learns, Step


class Bins(Step):
    """Number the bin a value falls into, between fixed borders: ``<column>__bin``.

    The number is how many borders lie at or below the value, so a value on a border belongs to the bin above it. Missing
    stays missing. The source columns stay.

    Parameters
    ----------
    columns
        The numeric columns to bin.
    edges
        The borders, in rising order.

    Examples
    --------
    >>> Bins("age", edges=[13, 65]).fit_transform(pd.DataFrame({"age": [12.0, 13.0, None, 80.0]}))["age__bin"].tolist()
    [0.0, 1.0, nan, 2.0]
    """

    accepts = ("numeric",)
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = ({"columns": ["LotFrontage", "Slope"], "edges": [0, 40.0, 80.0]},)

    def __init__(self, columns: Selection, *, edges: Sequence[float]) -> None:
        self.columns = columns
        self.edges = edges

    def check(self) -> None:
        """Check the borders."""
        super().check()
        edges = [float(edge) for edge in self.edges]
        if not edges or not np.isfinite(edges).all() or any(low >= high for low, high in pairwise(edges)):
            raise InputError(f"Step 'bins' needs finite edges in rising order, such as [13, 65]; found {list(self.edges)!r}.")

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        edges = np.array([float(edge) for edge in self.edges])
        return pd.DataFrame({f"{column}__bin": binned(as_numbers(X[column], self.name), edges) for column in self.selected_}, index=X.index)


class QuantileBins(Step):
    """Number the bin a value falls into, each with about as many training rows: ``<column>__quantile``.

    Equal borders count once, so a column with few values has fewer bins. Missing stays missing. The source columns stay.

    Parameters
    ----------
    columns
        The numeric columns to bin.
    bins
        How many bins, at least 2.

    Examples
    --------
    >>> QuantileBins("fare", bins=2).fit_transform(pd.DataFrame({"fare": [1.0, 2.0, 3.0, 99.0]}))["fare__quantile"].tolist()
    [0.0, 0.0, 1.0, 1.0]
    """

    learns = Learns.ROWS
    accepts = ("numeric",)
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = ({}, {"columns": ["LotFrontage", "MSSubClass"], "bins": 4})

    def __init__(self, columns: Selection = "numeric", *, bins: int = 10) -> None:
        self.columns = columns
        self.bins = bins

    def check(self) -> None:
        """Check the number of bins."""
        super().check()
        _check_bins(self.name, self.bins)

    def _learn(self, X: pd.DataFrame, y: pd.Series | None) -> None:
        self.edges_ = {column: quantile_edges(_known(X[column], self.name), self.bins) for column in self.selected_}

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        return _all_binned(X, self.edges_, "quantile", self.name)


class KmeansBins(Step):
    """Number the bin a value falls into, the bins being clusters of the training values: ``<column>__cluster_bin``.

    Bins are numbered from the lowest. A column with fewer distinct values than bins has one bin for each. Missing stays
    missing. The source columns stay.

    Parameters
    ----------
    columns
        The numeric columns to bin.
    bins
        How many bins, at least 2.

    Examples
    --------
    >>> KmeansBins("fare", bins=2).fit_transform(pd.DataFrame({"fare": [1.0, 2.0, 3.0, 99.0]}))["fare__cluster_bin"].tolist()
    [0.0, 0.0, 0.0, 1.0]
    """

    learns = Learns.ROWS
    accepts = ("numeric",)
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = ({"columns": ["LotFrontage", "MSSubClass"], "bins": 4},)

    def __init__(self, columns: Selection = "numeric", *, bins: int = 5) -> None:
        self.columns = columns
        self.bins = bins

    def check(self) -> None:
        """Check the number of bins."""
        super().check()
        _check_bins(self.name, self.bins)

    def _learn(self, X: pd.DataFrame, y: pd.Series | None) -> None:
        self.edges_ = {column: kmeans_edges(_known(X[column], self.name), self.bins) for column in self.selected_}

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        return _all_binned(X, self.edges_, "cluster_bin", self.name)


class TreeBins(Step):
    """Number the bin a value falls into, with borders where the target changes most: ``<column>__target_bin``.

    The borders are those of a small decision tree of the column alone. Where no border helps, or the target has one value
    only, there is one bin, 0. Missing stays missing. The source columns stay.

    Parameters
    ----------
    columns
        The numeric columns to bin.
    bins
        How many bins at most, at least 2.
    min_share
        Which share of the known training rows, 0 to 0.5, a bin holds at least.
    task
        Whether the target is numbers or classes; ``auto`` takes at most 20 distinct whole numbers for classes.

    Examples
    --------
    >>> X, y = pd.DataFrame({"age": [1.0, 2.0, 30.0, 40.0]}), pd.Series([1, 1, 0, 0])
    >>> TreeBins("age").fit_transform(X, y)["age__target_bin"].tolist()
    [0.0, 0.0, 1.0, 1.0]
    """

    learns = Learns.TARGET_STRUCTURE
    accepts = ("numeric",)
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"columns": ["LotArea", "LotFrontage"]},
        {"columns": ["LotArea"], "bins": 3, "min_share": 0.2, "task": "regression"},
    )

    def __init__(
        self,
        columns: Selection = "numeric",
        *,
        bins: int = 5,
        min_share: float = 0.05,
        task: Literal["auto", "regression", "classification"] = "auto",
    ) -> None:
        self.columns = columns
        self.bins = bins
        self.min_share = min_share
        self.task = task

    def check(self) -> None:
        """Check the number of bins and their share."""
        super().check()
        _check_bins(self.name, self.bins)
        if not 0 <= self.min_share <= 0.5:
            raise InputError(f"Step 'tree_bins' needs a min_share from 0 to 0.5, found {self.min_share!r}.")

    def _learn(self, X: pd.DataFrame, y: pd.Series | None) -> None:
        X, y = by_label(X, y)
        assert y is not None
        target, are_classes = y.to_numpy(dtype=np.float64), is_classes(y, self.task)
        self.edges_ = {column: self._edges(as_numbers(X[column], self.name), target, are_classes) for column in self.selected_}

    def _edges(self, values: Numbers, target: Numbers, are_classes: bool) -> Numbers:
        from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

        known = ~np.isnan(values)
        if known.sum() < 2:
            return np.empty(0)
        # the tree reads single precision: ranks are exact there, and borders are put between values afterwards
        distinct, ranks = np.unique(values[known], return_inverse=True)
        kind = DecisionTreeClassifier if are_classes else DecisionTreeRegressor
        least = max(1, int(np.ceil(self.min_share * known.sum())))
        tree = kind(max_leaf_nodes=self.bins, min_samples_leaf=least, random_state=0).fit(ranks.reshape(-1, 1), target[known])
        above = np.unique(np.ceil(tree.tree_.threshold[tree.tree_.feature >= 0])).astype(np.int64)
        return np.asarray(_between(distinct[above - 1], distinct[above]))

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        return _all_binned(X, self.edges_, "target_bin", self.name)


class LogSquareBins(Step):
    """Turn counts into coarse categories, finer where they are small: ``<column>__log_square``, text.

    A value above 2 becomes the whole part of the square of its logarithm; one up to 2 becomes its own whole number behind
    an ``s``, as in the winning solution of the Criteo competition (2014). Missing stays missing. The source columns stay.

    Parameters
    ----------
    columns
        The numeric columns to bin.

    Examples
    --------
    >>> LogSquareBins("clicks").fit_transform(pd.DataFrame({"clicks": [-1, 2, 3, 1000]}))["clicks__log_square"].tolist()
    ['s-1', 's2', '1', '47']
    """

    accepts = ("numeric",)
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = ({}, {"columns": ["LotFrontage"]})

    def __init__(self, columns: Selection = "numeric") -> None:
        self.columns = columns

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        written = {f"{column}__log_square": _log_squares(as_numbers(X[column], self.name)) for column in self.selected_}
        return pd.DataFrame(written, index=X.index, dtype="str")


def binned(values: Numbers, edges: Numbers) -> Numbers:
    """How many borders lie at or below each value; NaN for NaN.

    >>> binned(np.array([0.5, 1.0, np.nan]), np.array([1.0])).tolist()
    [0.0, 1.0, nan]
    """
    found = np.searchsorted(edges, values, side="right").astype(np.float64)
    return np.where(np.isnan(values), np.nan, found)


def quantile_edges(known: Numbers, bins: int) -> Numbers:
    """The inner borders of ``bins`` bins with about as many known values each, equal ones once."""
    edges = np.unique(np.quantile(known, np.arange(1, bins) / bins))
    return np.asarray(edges[edges > known.min()])


def kmeans_edges(known: Numbers, bins: int) -> Numbers:
    """The inner borders of one-dimensional clusters: halfway between neighbouring centres."""
    from sklearn.preprocessing import KBinsDiscretizer

    distinct = np.unique(known)
    if len(distinct) <= bins:
        return np.asarray(_between(distinct[:-1], distinct[1:]))
    discretizer = KBinsDiscretizer(n_bins=bins, encode="ordinal", strategy="kmeans", subsample=None)
    # with several threads the order of their sums, and so the last bits, would be drawn by chance
    with threadpool_limits(1), warnings.catch_warnings():
        # values that are nearly equal make fewer clusters
        warnings.simplefilter("ignore")
        edges = discretizer.fit(np.sort(known).reshape(-1, 1)).bin_edges_[0]
    return np.unique(edges[1:-1])


def _between(low: Numbers, high: Numbers) -> Numbers:
    """A border above each lower and not above each higher value, halfway where floats allow it."""
    halfway = low / 2 + high / 2
    return np.where((halfway > low) & (halfway <= high), halfway, high)


def _log_squares(values: Numbers) -> list[str | None]:
    with np.errstate(invalid="ignore", divide="ignore"):
        squares = np.floor(np.log(np.maximum(values, 1.0)) ** 2)
    found = zip(values.tolist(), squares.tolist(), strict=True)
    return [None if np.isnan(value) else f"{square:.0f}" if value > 2 else f"s{np.floor(value):.0f}" for value, square in found]


def _known(column: pd.Series, step: str) -> Numbers:
    values = as_numbers(column, step)
    refuse_all_missing(values, str(column.name), step, "Leave it out, or drop it.")
    return np.asarray(values[~np.isnan(values)])


def _all_binned(X: pd.DataFrame, edges: Mapping[str, Numbers], what: str, step: str) -> pd.DataFrame:
    written = {f"{column}__{what}": binned(as_numbers(X[column], step), borders) for column, borders in edges.items()}
    return pd.DataFrame(written, index=X.index)


def _check_bins(step: str, bins: int) -> None:
    if bins < 2:
        raise InputError(f"Step {step!r} needs at least 2 bins, found {bins!r}.")
