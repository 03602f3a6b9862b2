"""The values of each group in order, one group behind the other in one array, and the places of other values among them."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Positions = NDArray[np.int64]


@numba.njit(cache=True, nogil=True)
def sorted_groups(values: Floats, codes: Positions, n: int) -> tuple[Floats, Positions]:
    """The known values sorted within each group.

    Parameters
    ----------
    values
        Shape (n_rows,), missing as NaN.
    codes
        Each row's group, 0 to ``n - 1``; -1 for a row without one.

    Returns
    -------
    grouped : ndarray of shape (n_known,)
        Group after group; the values without a group come last.
    starts : ndarray of shape (n + 1,)
        Where each group begins and the last one ends.
    """
    starts = np.zeros(n + 2, np.int64)
    for i in range(len(values)):
        if not np.isnan(values[i]):
            starts[(codes[i] if codes[i] >= 0 else n) + 1] += 1
    for group in range(n + 1):
        starts[group + 1] += starts[group]
    grouped, ends = np.empty(starts[n + 1]), starts[:-1].copy()
    for i in range(len(values)):
        if not np.isnan(values[i]):
            group = codes[i] if codes[i] >= 0 else n
            grouped[ends[group]] = values[i]
            ends[group] += 1
    for group in range(n + 1):
        if starts[group + 1] - starts[group] > 1:
            grouped[starts[group] : starts[group + 1]] = np.sort(grouped[starts[group] : starts[group + 1]])
    return grouped, starts[:-1]


@numba.njit(cache=True, nogil=True)
def ranks(grouped: Floats, starts: Positions, codes: Positions, asked: Floats) -> Floats:
    """The share of its group's values below each asked one, equal ones counted half; shape (n_asked,).

    NaN where the asked value is NaN, or its group is -1 or has no value.
    """
    out = np.full(len(asked), np.nan)
    for i in range(len(asked)):
        if codes[i] < 0 or np.isnan(asked[i]):
            continue
        first, last = starts[codes[i]], starts[codes[i] + 1]
        if first == last:
            continue
        below = _first(grouped, first, last, asked[i], False)
        above = below
        if below < last and grouped[below] == asked[i]:
            # most values are there once
            is_single = below + 1 == last or grouped[below + 1] != asked[i]
            above = below + 1 if is_single else _first(grouped, below, last, asked[i], True)
        out[i] = (below - first + (above - below) / 2) / (last - first)
    return out


@numba.njit(cache=True, nogil=True)
def _first(grouped: Floats, low: int, high: int, asked: float, beyond: bool) -> int:
    """The first place from ``low`` whose value is at least ``asked``, or more than it where ``beyond``; ``high`` for none."""
    while low < high:
        middle = (low + high) // 2
        if grouped[middle] < asked or (beyond and grouped[middle] == asked):
            low = middle + 1
        else:
            high = middle
    return low
