"""Fewer points for the same picture."""

from __future__ import annotations

import numpy as np

from pipelines.metrics import Array
from pipelines.splits import Rows


def subsample(n: int, most: int) -> Rows:
    """At most ``most`` of ``n`` positions, in order; the same ones each time."""
    if n <= most:
        return np.arange(n)
    return np.sort(np.random.default_rng(0).choice(n, most, replace=False))


def along(x: Array, y: Array, most: int = 250) -> tuple[Array, Array]:
    """At most ``most`` points of a curve, evenly spread along its length, the ends included."""
    if len(x) <= most:
        return x, y
    length = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))])
    at = np.unique(np.searchsorted(length, np.linspace(0, length[-1], most)).clip(0, len(x) - 1))
    at[-1] = len(x) - 1
    return x[at], y[at]


def equal_count(values: Array, groups: int, *, most: int) -> list[Rows]:
    """Positions in groups of about equal count, by ascending value: from 2 to ``most`` groups, none of them empty."""
    order = np.argsort(values, kind="stable")
    return [group for group in np.array_split(order, int(np.clip(groups, 2, most))) if len(group)]
