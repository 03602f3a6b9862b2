"""Compiled loops over many rows: imported when they are first needed, since numba takes more than a second to load."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Positions = NDArray[np.int64]

_BYTES, _LEVELS = 8, 256
_SIGN = np.uint64(1 << 63)
_FEW = 200
"""Rows up to which insertion is as fast as the radix sort with its eight times 256 counts."""


@numba.njit(cache=True, nogil=True)
def descending(values: Floats) -> Positions:
    """Rows from the largest value to the smallest, equal ones in their order: a radix sort by bytes, the lowest first.

    The bits of floats below zero, read as numbers, grow as the floats fall; those of the others are turned over, so that they
    do too and come first. Bytes that are the same in all rows are passed over. There may be 2 ** 32 rows.
    """
    n = len(values)
    keys, spare_keys = np.empty(n, np.uint64), np.empty(n, np.uint64)
    counts = np.zeros((_BYTES, _LEVELS), np.int64)
    bits = values.view(np.uint64)
    for i in range(n):
        # 0.0 and -0.0 are one value
        key = bits[i] if bits[i] != _SIGN else np.uint64(0)
        keys[i] = key if key & _SIGN else key ^ ~_SIGN
        for byte in range(_BYTES):
            counts[byte, (keys[i] >> np.uint64(8 * byte)) & np.uint64(255)] += 1
    order, spare_order = np.arange(n).astype(np.uint32), np.empty(n, np.uint32)
    for byte in range(_BYTES):
        if counts[byte].max() == n:
            continue
        places = np.cumsum(counts[byte]) - counts[byte]
        for i in range(n):
            level = (keys[i] >> np.uint64(8 * byte)) & np.uint64(255)
            spare_keys[places[level]], spare_order[places[level]] = keys[i], order[i]
            places[level] += 1
        keys, spare_keys = spare_keys, keys
        order, spare_order = spare_order, order
    return order.astype(np.int64)


@numba.njit(cache=True, nogil=True)
def grouped(values: Floats, codes: Positions, n_groups: int) -> tuple[Positions, Floats, Positions]:
    """Rows by group and, within it, from the largest value to the smallest; their values; where each group begins.

    A counting sort by group, then a sort of each group by itself: most are small. ``begins`` has shape (n_groups + 1,).
    """
    begins = np.zeros(n_groups + 1, np.int64)
    for code in codes:
        begins[code + 1] += 1
    begins = np.cumsum(begins)
    places = begins[:-1].copy()
    order, ranked = np.empty(len(codes), np.int64), np.empty(len(codes), np.float64)
    for row in range(len(codes)):
        place = places[codes[row]]
        order[place], ranked[place] = row, values[row]
        places[codes[row]] += 1
    for group in range(n_groups):
        first, last = begins[group], begins[group + 1]
        if last - first <= _FEW:
            _insert(order, ranked, first, last)
        else:
            place_of = descending(ranked[first:last])
            order[first:last], ranked[first:last] = order[first:last][place_of], ranked[first:last][place_of]
    return order, ranked, begins


@numba.njit(cache=True, nogil=True)
def _insert(order: Positions, ranked: Floats, first: int, last: int) -> None:
    """Sort one group in its place, by insertion."""
    for row in range(first + 1, last):
        value, which, place = ranked[row], order[row], row
        while place > first and ranked[place - 1] < value:
            ranked[place], order[place] = ranked[place - 1], order[place - 1]
            place -= 1
        ranked[place], order[place] = value, which


@numba.njit(cache=True, nogil=True)
def areas(begins: Positions, ranked: Floats, is_positive: NDArray[np.bool_], weights: Floats) -> tuple[Floats, Floats]:
    """Area under the ROC curve and weight of each group, 0 and 0 where it lacks a class; rows by group, the most probable first."""
    n_groups = len(begins) - 1
    area, weight = np.zeros(n_groups), np.zeros(n_groups)
    for group in range(n_groups):
        ups, downs, pairs = 0.0, 0.0, 0.0
        row, last = begins[group], begins[group + 1]
        while row < last:
            up, down, value = 0.0, 0.0, ranked[row]
            while row < last and ranked[row] == value:
                if is_positive[row]:
                    up += weights[row]
                else:
                    down += weights[row]
                row += 1
            pairs += down * (ups + up / 2)
            ups, downs = ups + up, downs + down
        if ups > 0 and downs > 0:
            area[group], weight[group] = pairs / (ups * downs), ups + downs
    return area, weight
