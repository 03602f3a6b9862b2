"""What the nearest training rows say of a row: how far away they are, and what their target was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from features.columns import Selection
from features.crossfit import inner_folds
from features.design import by_label, learn_scales, on_one_scale, refuse_too_few
from features.errors import InputError
from features.numbers import Numbers
from features.step import Learns, Step
from features.target import target_columns


class Neighbours(Step):
    """Say how lonely a row is: ``<into>__distance``, the mean distance to the nearest training rows.

    Columns are standardised; missing counts as the mean. One training row that equals the row in every column is left out,
    so that training rows do not count themselves. Where fewer rows are there, all of them count; with none it is 0. The
    source columns stay.

    Parameters
    ----------
    columns
        The columns that say how near rows are.
    k
        How many neighbours.
    into
        What the new column's name begins with.

    Examples
    --------
    >>> Neighbours(k=1).fit_transform(pd.DataFrame({"a": [0.0, 0.0, 1.0, 3.0]}))["neighbours__distance"].round(2).tolist()
    [0.0, 0.0, 0.82, 1.63]
    """

    learns = Learns.ROWS
    accepts = ("numeric",)
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = ({}, {"columns": ["LotFrontage", "Slope"], "k": 3, "into": "plot"})

    def __init__(self, columns: Selection = "numeric", *, k: int = 10, into: str = "neighbours") -> None:
        self.columns = columns
        self.k = k
        self.into = into

    def check(self) -> None:
        """Check the number of neighbours."""
        super().check()
        _check_k(self.name, self.k)

    def _learn(self, X: pd.DataFrame, y: pd.Series | None) -> None:
        refuse_too_few(self.selected_, 1, self.name)
        X, _ = by_label(X)
        self.scales_ = learn_scales(X, self.name)
        self.rows_ = on_one_scale(X, self.scales_, self.name)

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        asked = on_one_scale(X, self.scales_, self.name)
        distances, _ = nearest(self.rows_, asked, self.k + 1)
        return pd.DataFrame({f"{self.into}__distance": _mean_of_others(distances, self.k)}, index=X.index)


class NeighbourTarget(Step):
    """Take the mean target of the nearest training rows: ``<into>__target``.

    Columns are standardised; missing counts as the mean. A training row asks only rows of the inner folds it is not in,
    every other row all training rows: ``fit_transform`` is not ``fit`` then ``transform``. Where fewer rows are there, all
    of them count. A target of several classes gives a column for each (``<into>__target_<class>``).

    Parameters
    ----------
    columns
        The columns that say how near rows are.
    k
        How many neighbours.
    into
        What the new column's name begins with.
    inner_folds
        Folds of the cross-fitting inside the training part.
    random_state
        Seed of the inner folds.
    """

    learns = Learns.TARGET_VALUES
    accepts = ("numeric",)
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = ({"k": 5}, {"columns": ["LotFrontage", "LotArea"], "k": 2, "inner_folds": 3})

    def __init__(
        self, columns: Selection = "numeric", *, k: int = 20, into: str = "neighbours", inner_folds: int = 5, random_state: int = 0
    ) -> None:
        self.columns = columns
        self.k = k
        self.into = into
        self.inner_folds = inner_folds
        self.random_state = random_state

    def check(self) -> None:
        """Check the number of neighbours and of inner folds."""
        super().check()
        _check_k(self.name, self.k)
        if self.inner_folds < 2:
            raise InputError(f"Step 'neighbour_target' needs at least 2 inner folds, found {self.inner_folds!r}.")

    def _learn(self, X: pd.DataFrame, y: pd.Series | None) -> None:
        refuse_too_few(self.selected_, 1, self.name)
        X, y = by_label(X, y)
        assert y is not None
        self.scales_ = learn_scales(X, self.name)
        self.rows_ = on_one_scale(X, self.scales_, self.name)
        self.targets_ = target_columns(y)

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        asked = on_one_scale(X, self.scales_, self.name)
        return pd.DataFrame(self._named(_mean_targets(self.rows_, self.targets_, asked, self.k)), index=X.index)

    def write_training(self, X: pd.DataFrame, y: pd.Series | None) -> pd.DataFrame:
        """The training rows' values, each from the inner folds the row is not in."""
        ordered, target = by_label(X[self.reads_], y)
        assert target is not None
        rows, targets = on_one_scale(ordered, self.scales_, self.name), target_columns(target)
        inner = inner_folds(ordered.index, self.inner_folds, self.random_state)
        found = {label: np.empty(len(rows)) for label in targets}
        for fold in np.unique(inner):
            inside = inner == fold
            if inside.all():
                raise InputError(f"Step 'neighbour_target' has {len(rows)} training row(s), all in one inner fold: it needs more rows.")
            outside = {label: values[~inside] for label, values in targets.items()}
            for label, means in _mean_targets(rows[~inside], outside, rows[inside], self.k).items():
                found[label][inside] = means
        return pd.DataFrame(self._named(found), index=ordered.index).loc[X.index]

    def _named(self, means: dict[str, Numbers]) -> dict[str, Numbers]:
        """The means by the names of their columns; a target of numbers has no class in its name."""
        return {"_".join([f"{self.into}__target", *([label] if label else [])]): values for label, values in means.items()}


def nearest(rows: Numbers, asked: Numbers, k: int) -> tuple[Numbers, np.ndarray]:
    """Distances to, and positions of, the k nearest of ``rows`` (all of them when there are fewer), each (n_asked, k)."""
    k = min(k, len(rows))
    if k == 0 or len(asked) == 0:
        return np.empty((len(asked), k)), np.empty((len(asked), k), dtype=np.int64)
    distances, at = cKDTree(rows).query(asked, k=range(1, k + 1))
    return distances, at


def _mean_targets(rows: Numbers, targets: dict[str, Numbers], asked: Numbers, k: int) -> dict[str, Numbers]:
    """The mean of each target over the k nearest of ``rows``, each of shape (n_asked,)."""
    _, at = nearest(rows, asked, k)
    return {label: np.asarray(values[at].mean(axis=1)) for label, values in targets.items()}


def _mean_of_others(distances: Numbers, k: int) -> Numbers:
    """The mean of the k smallest distances of each row, a first one of 0 left out."""
    has_twin = distances[:, :1] == 0 if distances.shape[1] else np.empty((len(distances), 0), dtype=bool)
    place = np.arange(distances.shape[1])
    counts = (place >= has_twin) & (place < k + has_twin)
    return np.asarray((distances * counts).sum(axis=1) / np.maximum(counts.sum(axis=1), 1))


def _check_k(step: str, k: int) -> None:
    if k < 1:
        raise InputError(f"Step {step!r} needs k of at least 1, found {k!r}.")
