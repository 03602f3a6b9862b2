"""Searches in the sorted times of many keys, one key behind the other in one array (see ``sorted_groups``)."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Positions = NDArray[np.int64]


@njit(cache=True, nogil=True)
def count_before(times: Floats, starts: Positions, keys: Positions, asked: Floats, including: bool) -> Positions:
    """How many of its key's times lie before each asked one, or up to it where ``including``; shape (n_asked,), 0 without a key."""
    out = np.zeros(len(asked), np.int64)
    for i in range(len(asked)):
        if keys[i] >= 0:
            own = times[starts[keys[i]] : starts[keys[i] + 1]]
            out[i] = np.searchsorted(own, asked[i], side="right") if including else np.searchsorted(own, asked[i], side="left")
    return out


@njit(cache=True, nogil=True)
def nearest(times: Floats, starts: Positions, keys: Positions, asked: Floats, later: bool) -> Floats:
    """The last of its key's times before each asked one, or the first after it where ``later``; NaN where there is none."""
    out = np.full(len(asked), np.nan)
    for i in range(len(asked)):
        if keys[i] < 0 or np.isnan(asked[i]):
            continue
        own = times[starts[keys[i]] : starts[keys[i] + 1]]
        at = np.searchsorted(own, asked[i], side="right") if later else np.searchsorted(own, asked[i], side="left") - 1
        if 0 <= at < len(own):
            out[i] = own[at]
    return out
