"""Weighted means and medians, and entropy, as judges of fixed rows."""

from __future__ import annotations

import numpy as np

from pipelines.metrics.metric import Array, Judge

_EDGE = 1e-12


def mean(values: Array, weights: Array | None) -> float:
    """The mean of values of shape (n_rows,); NaN where nothing has weight."""
    if weights is None:
        return float(np.mean(values))
    total = float(np.sum(weights))
    # not np.dot: its last bits depend on the number of threads
    return float(np.sum(values * weights)) / total if total > 0 else float("nan")


def mean_of(losses: Array) -> Judge:
    """The mean of a loss of each row."""
    return lambda weights: mean(losses, weights)


def median_of(losses: Array) -> Judge:
    """The median of a loss of each row, halfway between two where the weight splits even."""
    order = np.argsort(losses, kind="stable")
    ranked = losses[order]

    def judge(weights: Array | None) -> float:
        below = np.cumsum(np.ones(len(ranked)) if weights is None else weights[order])
        if below[-1] <= 0:
            return float("nan")
        half = below[-1] / 2
        # a sum of weights that ought to be the half may miss it by rounding
        middle = np.searchsorted(below, half * (1 - _EDGE), side="left"), np.searchsorted(below, half * (1 + _EDGE), side="right")
        return float(ranked[list(middle)].mean())

    return judge
