"""Statistics of many slices of one array: slice i holds the values from ``first[i]`` up to, not including, ``last[i]``.

Every slice is gone through anew instead of taking differences of running sums: a spread of nothing is then nothing, and the
cost is bounded by rows times days, since a row lies in at most one slice for each group and cutoff.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Positions = NDArray[np.int64]

COUNT, MEAN, SD, LEAST, MOST, HARMONIC, SKEW, KURTOSIS = range(8)
"""Columns of the table that ``moments`` gives."""

_ROUNDING = 10 * np.finfo(np.float64).eps
_VANISHING = 1e-150


@numba.njit(cache=True, nogil=True)
def moments(values: Floats, first: Positions, last: Positions) -> Floats:
    """Count, mean, deviation, extremes, harmonic mean, skewness and excess kurtosis of each slice, shape (n_slices, 8).

    All are of the population and missing for an empty slice, whose count is 0. Slices without spread have neither skewness
    nor kurtosis (0); a skewness needs three values and a kurtosis four; a harmonic mean needs values above 0.
    """
    out = np.full((len(first), 8), np.nan)
    for i in range(len(first)):
        n = last[i] - first[i]
        out[i, COUNT] = max(n, 0)
        if n <= 0:
            continue
        total, inverse = 0.0, 0.0
        least, most = np.inf, -np.inf
        for value in values[first[i] : last[i]]:
            total += value
            inverse += 1.0 / value if value > 0.0 else np.inf
            least, most = min(least, value), max(most, value)
        mean = total / n
        out[i, MEAN], out[i, LEAST], out[i, MOST] = mean, least, most
        if least > 0.0:
            out[i, HARMONIC] = n / inverse
        if most - least <= max(_ROUNDING * max(abs(least), abs(most)), _VANISHING):
            out[i, SD] = 0.0
            out[i, SKEW : KURTOSIS + 1] = 0.0
        else:
            _spread(values[first[i] : last[i]], mean, out[i])
        if n < 3:
            out[i, SKEW] = np.nan
        if n < 4:
            out[i, KURTOSIS] = np.nan
    return out


@numba.njit(cache=True, nogil=True)
def _spread(part: Floats, mean: float, out: Floats) -> None:
    second, third, fourth = 0.0, 0.0, 0.0
    for value in part:
        square = (value - mean) ** 2
        second += square
        third += square * (value - mean)
        fourth += square * square
    variance = second / len(part)
    out[SD] = np.sqrt(variance)
    out[SKEW] = third / len(part) / variance**1.5
    out[KURTOSIS] = fourth / len(part) / variance**2 - 3.0


@numba.njit(cache=True, nogil=True)
def quantiles(values: Floats, first: Positions, last: Positions, shares: Floats) -> Floats:
    """Quantiles of each slice, between the two nearest values in proportion; shape (n_slices, n_shares), missing for an empty one.

    Slices in ascending order are fast: the sorted values of one are the next one's, less those that left, with those that
    came, in one pass over both.
    """
    out = np.full((len(first), len(shares)), np.nan)
    longest = max(np.max(last - first), 0) if len(first) else 0
    kept, spare = np.empty(longest), np.empty(longest)
    begin, end = 0, 0
    for i in range(len(first)):
        n = last[i] - first[i]
        if n <= 0:
            continue
        stays = min(end, last[i]) - max(begin, first[i])
        is_next = begin <= first[i] < end and end <= last[i]
        if is_next and 2 * stays > n:
            _merged(kept[: end - begin], np.sort(values[begin : first[i]]), np.sort(values[end : last[i]]), spare)
            kept, spare = spare, kept
        else:
            kept[:n] = np.sort(values[first[i] : last[i]])
        begin, end = first[i], last[i]
        for j in range(len(shares)):
            place = shares[j] * (n - 1)
            below = min(int(place), n - 1)
            part = place - below
            above = min(below + 1, n - 1)
            out[i, j] = kept[below] * (1.0 - part) + kept[above] * part
    return out


@numba.njit(cache=True, nogil=True)
def _merged(kept: Floats, gone: Floats, come: Floats, out: Floats) -> None:
    """The sorted ``kept`` less the sorted ``gone``, which are among them, with the sorted ``come``, into ``out``."""
    left, new, place = 0, 0, 0
    for value in kept:
        if left < len(gone) and gone[left] == value:
            left += 1
            continue
        while new < len(come) and come[new] < value:
            out[place] = come[new]
            new, place = new + 1, place + 1
        out[place] = value
        place += 1
    out[place : place + len(come) - new] = come[new:]


@numba.njit(cache=True, nogil=True)
def means(values: Floats, first: Positions, last: Positions) -> Floats:
    """The mean of each slice; missing for an empty one."""
    out = np.full(len(first), np.nan)
    for i in range(len(first)):
        if last[i] > first[i]:
            total = 0.0
            for value in values[first[i] : last[i]]:
                total += value
            out[i] = total / (last[i] - first[i])
    return out


@numba.njit(cache=True, nogil=True)
def decayed_means(days: Positions, values: Floats, first: Positions, last: Positions, half_life: float) -> Floats:
    """Means of slices with weights that halve every ``half_life`` days; slices that share their ``first`` stand together in ascending order.

    A mean does not hang on the day that weights are counted from: it is the last one of the slice, so that none vanishes.
    """
    out = np.full(len(first), np.nan)
    begin, place, total, weight = -1, 0, 0.0, 0.0
    for i in range(len(first)):
        if first[i] != begin or last[i] < place:
            begin, place, total, weight = first[i], first[i], 0.0, 0.0
        while place < last[i]:
            passed = days[place] - days[place - 1] if place > begin else 0
            share = 0.5 ** (passed / half_life)
            total, weight = total * share + values[place], weight * share + 1.0
            place += 1
        if weight > 0.0:
            out[i] = total / weight
    return out


@numba.njit(cache=True, nogil=True)
def lines(days: Positions, values: Floats, first: Positions, last: Positions, ridge: float) -> Floats:
    """A ridge line through each slice: mean day, mean value and slope a day, shape (n_slices, 3).

    The slope is the sum of the products of deviations over the sum of the squared deviations of the days plus ``ridge``
    (in days squared); it is 0 where all values are of one day.
    """
    out = np.full((len(first), 3), np.nan)
    for i in range(len(first)):
        n = last[i] - first[i]
        if n <= 0:
            continue
        day, value = 0.0, 0.0
        for place in range(first[i], last[i]):
            day += days[place] - days[first[i]]
            value += values[place]
        day, value = days[first[i]] + day / n, value / n
        squares, products = 0.0, 0.0
        for place in range(first[i], last[i]):
            squares += (days[place] - day) ** 2
            products += (days[place] - day) * (values[place] - value)
        out[i, 0], out[i, 1] = day, value
        out[i, 2] = products / (squares + ridge) if squares > 0.0 else 0.0
    return out
