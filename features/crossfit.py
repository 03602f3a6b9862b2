"""Cross-fitting: which folds a row belongs to, and sums of the target from which folds are left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def inner_folds(index: pd.Index, n_folds: int, random_state: int) -> NDArray[np.int64]:
    """The inner fold of each row, from a hash of its index label.

    A row's inner fold depends on nothing but its own label and the seed: not on the order of the rows, on which other
    rows are there, or on any target. So one partition serves every outer fold, and totals can be taken apart by it.

    Returns
    -------
    ndarray of shape (n_rows,), values 0 to ``n_folds - 1``
    """
    hashed = pd.util.hash_array(np.asarray(index), categorize=False)
    # a second round with the seed mixed in: neighbouring integers must not share their low bits
    mixed = pd.util.hash_array(hashed ^ np.uint64(0x9E3779B97F4A7C15 * (random_state + 1) % 2**64))
    return (mixed % np.uint64(n_folds)).astype(np.int64)


def outer_parts(fit: NDArray[np.bool_]) -> NDArray[np.int64] | None:
    """The fold that leaves a row out, for folds that take a table apart.

    Parameters
    ----------
    fit
        Shape (n_rows, n_folds): whether a fold fits on a row.

    Returns
    -------
    ndarray of shape (n_rows,), or None
        The number of the fold that does not fit on the row; ``n_folds`` where every fold does, -1 where none does. None
        when a row is left out by several folds but not by all (windows in time, say): then totals cannot be taken apart.
    """
    n_folds = fit.shape[1]
    left_out_by = n_folds - fit.sum(axis=1)
    if ((left_out_by > 1) & (left_out_by < n_folds)).any() or n_folds < 2:
        return None
    return np.where(left_out_by == 0, n_folds, np.where(left_out_by == 1, np.argmin(fit, axis=1), -1)).astype(np.int64)


@dataclass(frozen=True)
class Sums:
    """Sufficient statistics of a target: count, sum and sum of squares, arrays of one shape whose last axis is the groups."""

    count: NDArray[np.float64]
    total: NDArray[np.float64]
    squares: NDArray[np.float64]

    @classmethod
    def of(cls, codes: NDArray[np.int64], y: NDArray[np.float64], shape: tuple[int, ...]) -> Sums:
        """Sums of ``y`` by ``codes`` (positions in an array of that shape, counted flat), one pass over the rows."""
        size = int(np.prod(shape))
        parts = (
            np.bincount(codes, minlength=size),
            np.bincount(codes, weights=y, minlength=size),
            np.bincount(codes, weights=y * y, minlength=size),
        )
        return cls(*(part.astype(np.float64).reshape(shape) for part in parts))

    def added(self) -> Sums:
        """Summed over the first axis."""
        return Sums(self.count.sum(axis=0), self.total.sum(axis=0), self.squares.sum(axis=0))

    def without(self, fold: int) -> Sums:
        """Summed over the first axis without one entry.

        The others are added up; subtracting the entry from a total would leave the rounding of the very targets that are
        to be left out.
        """
        kept = np.arange(len(self.count)) != fold
        return Sums(self.count[kept].sum(axis=0), self.total[kept].sum(axis=0), self.squares[kept].sum(axis=0))

    def outside_each(self) -> Sums:
        """Entry k of the result is the sum of all entries of the first axis but k, added up, not subtracted."""
        return Sums(_outside(self.count), _outside(self.total), _outside(self.squares))

    def means(self, smooth: float | str) -> NDArray[np.float64]:
        """Means per group, drawn towards the mean of all groups.

        Parameters
        ----------
        smooth
            ``m`` in ``(sum + m * mean) / (count + m)``; ``"auto"`` takes the empirical Bayes estimate of Micci-Barreca
            (2001): ``m`` is the group's variance over the target's variance.
        """
        overall = self.overall_mean()
        if smooth == "auto":
            variance = np.square(self.overall_sd())
            within = np.maximum(self.squares / np.maximum(self.count, 1) - np.square(self.total / np.maximum(self.count, 1)), 0.0)
            # a group without spread (one row, say) tells nothing of its own variance: it takes the target's. Rounding can
            # leave a trace of a variance that is none
            has_spread = within > 1e-10 * np.maximum(variance, np.finfo(np.float64).tiny)
            m = np.where(has_spread, within / np.where(variance > 0, variance, 1.0), 1.0)
        else:
            m = np.full_like(self.count, float(smooth))
        weight = self.count + m
        return np.asarray(np.where(weight > 0, (self.total + m * overall) / np.where(weight > 0, weight, 1), overall), dtype=np.float64)

    def overall_mean(self) -> NDArray[np.float64]:
        """Mean over all groups, with the last axis kept at length 1; NaN without rows."""
        n = self.count.sum(axis=-1, keepdims=True)
        return np.asarray(np.where(n > 0, self.total.sum(axis=-1, keepdims=True) / np.maximum(n, 1), np.nan), dtype=np.float64)

    def overall_sd(self) -> NDArray[np.float64]:
        """Standard deviation (ddof 0) over all groups, with the last axis kept at length 1."""
        n = np.maximum(self.count.sum(axis=-1, keepdims=True), 1)
        mean = self.total.sum(axis=-1, keepdims=True) / n
        return np.asarray(np.sqrt(np.maximum(self.squares.sum(axis=-1, keepdims=True) / n - mean**2, 0.0)), dtype=np.float64)

    def sds(self) -> NDArray[np.float64]:
        """Standard deviations (ddof 0) per group; that of all rows where a group has fewer than two."""
        count = np.maximum(self.count, 1)
        own = np.sqrt(np.maximum(self.squares / count - np.square(self.total / count), 0.0))
        return np.asarray(np.where(self.count > 1, own, self.overall_sd()), dtype=np.float64)


def _outside(cells: NDArray[np.float64]) -> NDArray[np.float64]:
    """Entry k of the result is the sum of all entries of ``cells`` but k."""
    before, after = np.zeros_like(cells), np.zeros_like(cells)
    for k in range(1, len(cells)):
        before[k] = before[k - 1] + cells[k - 1]
        after[-k - 1] = after[-k] + cells[-k]
    return before + after
