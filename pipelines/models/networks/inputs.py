"""Columns and targets on the scales that networks learn on; both are learnt from the rows that are fitted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipelines.metrics import Array
from pipelines.models.matrix import as_matrix

_FAR = 1e6
"""Spreads from the median beyond which values are the same to a network."""


@dataclass(frozen=True)
class Inputs:
    """Robust scaling with a smooth clip to -3 ... 3 (Holzmüller et al., 2024, Better by default, section 3).

    ``centres`` are medians, ``spreads`` the distances of the quartiles, or half the range where those are equal; 0 where a
    column is constant, which then says nothing. Both have shape (n_columns,).
    """

    centres: Array
    spreads: Array

    @classmethod
    def of(cls, X: Array) -> Inputs:
        """Learn the scales of columns, of shape (n_rows, n_columns)."""
        low, centres, high = np.quantile(X, [0.25, 0.5, 0.75], axis=0)
        with np.errstate(over="ignore"):
            spreads, half = high - low, 0.5 * X.max(axis=0) - 0.5 * X.min(axis=0)
        return cls(centres, np.where(spreads > 0, spreads, half))

    def scaled(self, X: Array) -> Array:
        """The columns on these scales."""
        constant = self.spreads == 0
        with np.errstate(over="ignore", invalid="ignore"):
            far = (X - self.centres) / np.where(constant, 1.0, self.spreads)
        far = np.clip(far, -_FAR, _FAR)
        far[:, constant] = 0.0
        return np.asarray(far / np.sqrt(1.0 + (far / 3.0) ** 2))


@dataclass(frozen=True)
class Target:
    """Mean and spread of a target that is a number; classes are left as they are (0 and 1). ``low`` and ``high`` are its range."""

    mean: float = 0.0
    spread: float = 1.0
    low: float = 0.0
    high: float = 0.0

    @classmethod
    def of(cls, y: Array, task: str) -> Target:
        """Learn the scale of a target, of shape (n_rows,)."""
        if task != "regression":
            return cls()
        return cls(float(y.mean()), float(y.std()) or 1.0, float(y.min()), float(y.max()))

    def scaled(self, y: Array) -> Array:
        """The target on this scale."""
        return (y - self.mean) / self.spread


def numbers(X: pd.DataFrame, model: str) -> Array:
    """The columns as a matrix; gaps, text, dates and categories are refused in the model's name."""
    return as_matrix(X, model, allow_missing=False, allow_categories=False)[0]
