"""What every kind of model offers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.metrics import Array

Resample: TypeAlias = "Callable[[pd.DataFrame, Array, Array | None, int], tuple[pd.DataFrame, Array, Array | None]]"
"""Columns, target, weights and a seed to the resampled three."""


@dataclass(frozen=True)
class Training:
    """The training part of a fold and how to fit on it.

    ``X`` has shape (n_rows, n_columns); ``y`` (n_rows,) is on the transformed scale, or holds class codes; ``weights``
    (n_rows,) or None. ``threads`` is this fit's share of the cores. ``rounds_cut`` is the share of the training part held
    out to find a booster's rounds where the parameters do not give them; ``times`` (n_rows,) says when the rows happened,
    where the folds follow time: then the latest rows are held out. ``resample`` makes the rows that are really fitted.
    """

    X: pd.DataFrame
    y: Array
    weights: Array | None
    task: str
    n_classes: int
    seed: int
    threads: int = 1
    device: str = "cpu"
    rounds_cut: float = 0.15
    max_rounds: int = 5000
    times: Array | None = None
    resample: Resample | None = None

    def take(self, rows: NDArray[np.intp]) -> Training:
        """The same fit on some of the rows, by position."""
        weights, times = (None if values is None else values[rows] for values in (self.weights, self.times))
        return replace(self, X=self.X.iloc[rows], y=self.y[rows], weights=weights, times=times)

    def resampled(self) -> Training:
        """The same fit on the resampled rows."""
        if self.resample is None:
            return self
        X, y, weights = self.resample(self.X, self.y, self.weights, self.seed)
        return replace(self, X=X, y=y, weights=weights, times=None, resample=None)


class Fitted(Protocol):
    """A fitted model."""

    def predict(self, X: pd.DataFrame) -> Array:
        """Predictions of shape (n_rows,): values, or the probability of class 1; (n_rows, n_classes) for several classes."""

    def importances(self) -> Array | None:
        """How much each column matters to the model, shape (n_columns,), in the library's own terms; None where it has none."""

    def facts(self) -> dict[str, Any]:
        """What else is worth keeping: boosting rounds, say."""

    def save(self, folder: Path) -> None:
        """Write the model into a folder, without pickle."""


class Kind(Protocol):
    """A kind of model, as declarations name it."""

    @property
    def name(self) -> str:
        """Its name in a declaration."""

    @property
    def distributions(self) -> tuple[str, ...]:
        """The installed distributions it uses; their versions are part of a fit's key."""

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks it does."""

    def parameters(self, task: str) -> frozenset[str]:
        """The library parameters a declaration may give."""

    def value_faults(self, task: str, params: dict[str, Any]) -> list[str]:
        """Messages about parameter values the library refuses."""

    def fit(self, params: dict[str, Any], training: Training) -> Fitted:
        """Fit on a training part."""

    def load(self, folder: Path, task: str) -> Fitted:
        """The model that ``Fitted.save`` wrote."""
