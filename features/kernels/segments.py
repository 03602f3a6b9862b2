"""Statistics of many slices of one array: slice i holds the values from ``first[i]`` up to, not including, ``last[i]``.

All are of the population and missing for an empty slice. Every slice is gone through anew instead of taking differences of
running sums: a spread of nothing is then nothing, and the cost is bounded by rows times days, since a row lies in at most
one slice for each group and cutoff.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Positions = NDArray[np.int64]

_ROUNDING = 10 * np.finfo(np.float64).eps
_FEW = 8
"""Up to so many values are put into a sorted slice, or taken out of it, one by one."""


@numba.njit(cache=True, nogil=True)
def means(values: Floats, first: Positions, last: Positions) -> Floats:
    """The mean and the standard deviation of each slice, shape (n_slices, 2); no deviation where it is no more than rounding."""
    return nested_means(values, first.reshape(-1, 1), last)[:, 0]


@numba.njit(cache=True, nogil=True)
def nested_means(values: Floats, first: Positions, last: Positions) -> Floats:
    """Means and deviations of several slices with one end, shape (n_slices, n_starts, 2); ``first`` has the shape (n_slices, n_starts).

    A slice that holds the one before it adds the values in front of that to it (Chan, Golub and LeVeque, 1983).
    """
    out = np.full((first.shape[0], first.shape[1], 2), np.nan)
    for i in range(first.shape[0]):
        begin, mean, squares = last[i], 0.0, 0.0
        for j in range(first.shape[1]):
            if first[i, j] > begin:
                begin, mean, squares = last[i], 0.0, 0.0
            more, n = begin - first[i, j], last[i] - first[i, j]
            if more > 0:
                own, spread = _mean(values[first[i, j] : begin])
                squares += more * (spread * spread + (own - mean) ** 2 * ((n - more) / n))
                mean += (own - mean) * (more / n)
                begin = first[i, j]
            if n > 0:
                deviation = np.sqrt(squares / n)
                out[i, j, 0], out[i, j, 1] = mean, deviation if deviation > _ROUNDING * abs(mean) else 0.0
    return out


@numba.njit(cache=True, nogil=True)
def _mean(part: Floats) -> tuple[float, float]:
    """Mean and deviation in one pass, about the first value: being one of them, it is near enough for the difference of squares."""
    origin = part[0]
    # four sums go side by side: one alone waits for each addition to end
    a, b, c, d = 0.0, 0.0, 0.0, 0.0
    aa, bb, cc, dd = 0.0, 0.0, 0.0, 0.0
    even = len(part) // 4 * 4
    for i in range(0, even, 4):
        p, q, r, s = part[i] - origin, part[i + 1] - origin, part[i + 2] - origin, part[i + 3] - origin
        a, b, c, d = a + p, b + q, c + r, d + s
        aa, bb, cc, dd = aa + p * p, bb + q * q, cc + r * r, dd + s * s
    for i in range(even, len(part)):
        p = part[i] - origin
        a, aa = a + p, aa + p * p
    shift = ((a + b) + (c + d)) / len(part)
    mean = origin + shift
    deviation = np.sqrt(max(((aa + bb) + (cc + dd)) / len(part) - shift * shift, 0.0))
    return mean, deviation


@numba.njit(cache=True, nogil=True)
def extremes(values: Floats, first: Positions, last: Positions) -> Floats:
    """The smallest and the largest value of each slice, shape (n_slices, 2)."""
    out = np.full((len(first), 2), np.nan)
    for i in range(len(first)):
        if last[i] > first[i]:
            out[i, 0], out[i, 1] = values[first[i] : last[i]].min(), values[first[i] : last[i]].max()
    return out


@numba.njit(cache=True, nogil=True)
def harmonic_means(values: Floats, first: Positions, last: Positions) -> Floats:
    """The harmonic mean of each slice; missing unless all its values are above 0."""
    out = np.full(len(first), np.nan)
    for i in range(len(first)):
        total = 0.0
        for value in values[first[i] : last[i]]:
            total += 1.0 / value if value > 0.0 else np.inf
        if total > 0.0 and np.isfinite(total):
            out[i] = (last[i] - first[i]) / total
    return out


@numba.njit(cache=True, nogil=True)
def shapes(values: Floats, first: Positions, last: Positions) -> Floats:
    """Skewness and excess kurtosis of each slice, shape (n_slices, 2): of at least three and four values; 0 without spread."""
    out = np.full((len(first), 2), np.nan)
    for i in range(len(first)):
        n = last[i] - first[i]
        if n < 3:
            continue
        part = values[first[i] : last[i]]
        mean, deviation = _mean(part)
        deviation = deviation if deviation > _ROUNDING * abs(mean) else 0.0
        third, fourth = 0.0, 0.0
        for value in part:
            scaled = (value - mean) / deviation if deviation > 0.0 else 0.0
            third += scaled**3
            fourth += scaled**4
        out[i, 0] = third / n
        if n > 3:
            out[i, 1] = fourth / n - 3.0 if deviation > 0.0 else 0.0
    return out


@numba.njit(cache=True, nogil=True)
def quantiles(values: Floats, first: Positions, last: Positions, shares: Floats) -> Floats:
    """Quantiles of each slice, between the two nearest values in proportion; shape (n_slices, n_shares).

    Slices in ascending order are fast: the sorted values of one are the next one's, less those that left, with those that
    came, put in one by one where they are few and in one pass over both where they are many.
    """
    out = np.full((len(first), len(shares)), np.nan)
    longest = max(np.max(last - first), 0) if len(first) else 0
    kept, spare = np.empty(longest + _FEW), np.empty(longest + _FEW)
    begin, end = 0, 0
    for i in range(len(first)):
        n = last[i] - first[i]
        if n <= 0:
            continue
        is_next = begin <= first[i] < end and end <= last[i]
        moved = (first[i] - begin) + (last[i] - end)
        if is_next and moved <= _FEW:
            _moved(kept, end - begin, values[begin : first[i]], values[end : last[i]])
        elif is_next and moved < n:
            _merged(kept[: end - begin], np.sort(values[begin : first[i]]), np.sort(values[end : last[i]]), spare)
            kept, spare = spare, kept
        else:
            kept[:n] = np.sort(values[first[i] : last[i]])
        begin, end = first[i], last[i]
        for j in range(len(shares)):
            place = shares[j] * (n - 1)
            below = min(int(place), n - 1)
            above = min(below + 1, n - 1)
            out[i, j] = kept[below] * (1.0 - (place - below)) + kept[above] * (place - below)
    return out


@numba.njit(cache=True, nogil=True)
def _moved(kept: Floats, n: int, gone: Floats, come: Floats) -> None:
    """Take values out of the sorted first ``n`` of ``kept``, where they are, and put others in; one for one, what lies between moves up."""
    for k in range(max(len(gone), len(come))):
        free = np.searchsorted(kept[:n], gone[k]) if k < len(gone) else n
        wanted = np.searchsorted(kept[:n], come[k]) if k < len(come) else n
        n += (k >= len(gone)) - (k >= len(come))
        for i in range(free, wanted - 1):
            kept[i] = kept[i + 1]
        for i in range(free, wanted, -1):
            kept[i] = kept[i - 1]
        if k < len(come):
            kept[wanted - (free < wanted)] = come[k]


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
        day, value = 0.0, _mean(values[first[i] : last[i]])[0]
        for place in range(first[i], last[i]):
            day += days[place] - days[first[i]]
        day = days[first[i]] + day / n
        squares, products = 0.0, 0.0
        for place in range(first[i], last[i]):
            squares += (days[place] - day) ** 2
            products += (days[place] - day) * (values[place] - value)
        out[i, 0], out[i, 1] = day, value
        out[i, 2] = products / (squares + ridge) if squares > 0.0 else 0.0
    return out
