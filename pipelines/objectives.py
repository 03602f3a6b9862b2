"""Losses that boosters minimise besides their libraries' own, as gradient, Hessian and value."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.metrics import Array


@dataclass(frozen=True)
class Rmspe:
    """Squared percentage error of a target on a log scale.

    With f the prediction and y the target on that scale, r = exp(f - y) is the ratio of the two in target units and the
    loss (r - 1)^2 / 2. Its gradient is r^2 - r; for the Hessian r^2 is taken, flatter than the exact 2 r^2 - r and never
    negative. (Fourth place of the Rossmann competition, 2015.)
    """

    name: str = "rmspe"
    transforms: tuple[str, ...] = ("log1p", "log")

    def gradients(self, f: Array, y: Array) -> tuple[Array, Array]:
        """Gradient and Hessian for each row, shape (n_rows,)."""
        ratio = _ratio(f, y)
        return ratio**2 - ratio, ratio**2

    def value(self, f: Array, y: Array) -> float:
        """The root of the mean squared percentage error."""
        return float(np.sqrt(np.mean((_ratio(f, y) - 1) ** 2)))


def _ratio(f: Array, y: Array) -> Array:
    # far off, in the first rounds, an unbounded ratio would drown all other rows
    return np.asarray(np.exp(np.clip(f - y, -3.0, 3.0)), dtype=np.float64)


OBJECTIVES = {objective.name: objective for objective in (Rmspe(),)}
