"""Rows from the most to the least probable, and sums along them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.metrics.metric import Array

Positions = NDArray[np.intp]
_MANY = 5_000_000
"""From here on a compiled radix sort, in a quarter of the time, earns back the second and a half that numba takes to load."""


@dataclass(frozen=True)
class Ranking:
    """Rows from the most to the least probable; rows with one prediction are one step, whatever their order.

    ``order`` has shape (n_rows,); ``ends`` holds the rank of the last row of each step, shape (n_steps,).
    """

    order: Positions
    ends: Positions

    @classmethod
    def of(cls, prediction: Array) -> Ranking:
        """The ranking of predictions of shape (n_rows,) without gaps."""
        order = descending(prediction)
        ranked = prediction[order]
        return cls(order, np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True)))

    def arranged(self, weights: Array | None) -> Array | None:
        """Weights in the order of the ranking."""
        return None if weights is None else weights[self.order]

    def summed(self, values: NDArray[np.bool_] | Array, arranged: Array | None) -> Array:
        """Weighted sum, down to each step, of values in the order of the ranking."""
        sums: Array = np.cumsum(values if arranged is None else values * arranged, dtype=np.float64)[self.ends]
        return sums


def descending(values: Array) -> Positions:
    """Rows from the largest value to the smallest, equal ones in their order."""
    if len(values) < _MANY:
        return np.argsort(-values, kind="stable")
    from pipelines.metrics import kernels

    return kernels.descending(np.ascontiguousarray(values, dtype=np.float64))
