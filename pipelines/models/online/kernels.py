"""The loops of online learning, compiled: imported when a model is first fitted or asked."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

_FAR = 35.0
"""Log odds beyond this are no different from certainty in double precision."""


@njit(cache=True, nogil=True)
def place(left: int, right: int, mask: int) -> np.int64:
    """Where the cross of two hashes stands in a table of ``mask + 1`` places: the finaliser of MurmurHash3 over both."""
    mixed = (np.uint64(left) << np.uint64(32)) | np.uint64(right)
    mixed = (mixed ^ (mixed >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    mixed = (mixed ^ (mixed >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return np.int64((mixed ^ (mixed >> np.uint64(33))) & np.uint64(mask))


@njit(cache=True, nogil=True)
def row_terms(
    hashes: NDArray[Any], numbers: NDArray[Any], pairs: NDArray[Any], mask: int, places: NDArray[Any], values: NDArray[Any]
) -> None:
    """Write one row's places in the table, and its values there: its fields, then its crosses."""
    n_fields = len(hashes)
    n_tokens = n_fields - len(numbers)
    for field in range(n_fields):
        places[field] = np.int64(hashes[field] & np.uint32(mask))
        values[field] = 1.0 if field < n_tokens else numbers[field - n_tokens]
    for pair in range(len(pairs)):
        left, right = pairs[pair, 0], pairs[pair, 1]
        places[n_fields + pair] = place(hashes[left], hashes[right], mask)
        values[n_fields + pair] = values[left] * values[right]


@njit(cache=True, nogil=True)
def probability(log_odds: float) -> float:
    """The logistic function."""
    return float(1.0 / (1.0 + np.exp(-min(max(log_odds, -_FAR), _FAR))))


@njit(cache=True, nogil=True)
def weight_of(z: float, n: float, alpha: float, beta: float, l1: float, l2: float) -> float:
    """The weight in closed form (algorithm 1 of McMahan et al., 2013)."""
    if abs(z) <= l1:
        return 0.0
    return float(-(z - l1 * np.sign(z)) / ((beta + np.sqrt(n)) / alpha + l2))


@njit(cache=True, nogil=True)
def ftrl_pass(
    order: NDArray[Any],
    hashes: NDArray[Any],
    numbers: NDArray[Any],
    pairs: NDArray[Any],
    y: NDArray[Any],
    row_weights: NDArray[Any],
    table: NDArray[Any],
    bias: NDArray[Any],
    rates: tuple[float, float, float, float],
) -> None:
    """One pass over the rows, which changes ``table`` and ``bias``.

    ``table`` has shape (n_places, 2): the sum z and the sum of squared gradients n of each weight. ``bias`` is the start
    of the log odds, then z and n of what is learnt on top, which is not regularised. ``rates`` are alpha, beta, l1, l2.
    """
    alpha, beta, l1, l2 = rates
    mask, n_terms = len(table) - 1, hashes.shape[1] + len(pairs)
    places, values, weights = np.empty(n_terms, np.int64), np.empty(n_terms), np.empty(n_terms)
    for row in order:
        row_terms(hashes[row], numbers[row], pairs, mask, places, values)
        own = weight_of(bias[1], bias[2], alpha, beta, 0.0, 0.0)
        log_odds = bias[0] + own
        for term in range(n_terms):
            at = places[term]
            weights[term] = weight_of(table[at, 0], table[at, 1], alpha, beta, l1, l2)
            log_odds += weights[term] * values[term]
        slope = (probability(log_odds) - y[row]) * row_weights[row]
        bias[1] += slope - (np.sqrt(bias[2] + slope * slope) - np.sqrt(bias[2])) / alpha * own
        bias[2] += slope * slope
        for term in range(n_terms):
            at, gradient = places[term], slope * values[term]
            before = table[at, 1]
            after = before + gradient * gradient
            table[at, 0] += gradient - (np.sqrt(after) - np.sqrt(before)) / alpha * weights[term]
            table[at, 1] = after


@njit(cache=True, nogil=True)
def table_weights(table: NDArray[Any], rates: tuple[float, float, float, float]) -> NDArray[np.float64]:
    """The weight at each place of the table."""
    alpha, beta, l1, l2 = rates
    weights = np.empty(len(table))
    for at in range(len(table)):
        weights[at] = weight_of(table[at, 0], table[at, 1], alpha, beta, l1, l2)
    return weights


@njit(cache=True, nogil=True)
def linear_terms(
    hashes: NDArray[Any], numbers: NDArray[Any], pairs: NDArray[Any], weights: NDArray[Any], bias: float, sizes: NDArray[Any]
) -> NDArray[np.float64]:
    """The log odds of each row; ``sizes``, of shape (n_terms,), has the size of each term's share in them added to it."""
    mask, n_terms = len(weights) - 1, hashes.shape[1] + len(pairs)
    places, values = np.empty(n_terms, np.int64), np.empty(n_terms)
    found = np.empty(len(hashes))
    for row in range(len(hashes)):
        row_terms(hashes[row], numbers[row], pairs, mask, places, values)
        log_odds = bias
        for term in range(n_terms):
            share = weights[places[term]] * values[term]
            log_odds += share
            sizes[term] += abs(share)
        found[row] = log_odds
    return found
