"""Sums over the most probable share of the rows, exact, without sorting all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pipelines.metrics.metric import BINARY, Array, Judge, Metric

Share = Annotated[float, Field(gt=0, le=1, examples=[0.1])]

# a float32 has 23 bits of mantissa; without the last 14 of its bits there are 512 bands from any probability to its double
_DROPPED = 14
_LAST = int(np.float32(1.0).view(np.int32)) >> _DROPPED


@dataclass(frozen=True)
class Bands:
    """Rows in bands of nearby probabilities, the most probable first; ``band`` is that of each row, none is empty.

    A share of the rows ends within one band, and only the rows of such bands need to be sorted: for ten million rows that
    takes a tenth of the time.
    """

    probability: Array
    band: NDArray[np.intp]
    n_bands: int

    @classmethod
    def of(cls, probability: Array) -> Bands:
        """The bands of probabilities of shape (n_rows,) without gaps."""
        # the bits of floats above zero are in the order of the floats, and rounding to float32 keeps it
        bits = np.maximum(probability, 0).astype(np.float32).view(np.int32)
        band = _LAST - (bits >> _DROPPED).astype(np.intp)
        is_there = np.bincount(band, minlength=_LAST + 1) > 0
        return cls(probability, (np.cumsum(is_there) - 1)[band], int(is_there.sum()))

    def sums(self, shares: Array, weights: Array | None, *values: Array) -> Array:
        """The weight of the most probable rows, and weighted sums of values of shape (n_rows,) over them.

        Rows with one probability cannot be told apart, and their order is no merit of the model: a share that ends among them
        takes the same part of each.

        Returns
        -------
        array of shape (1 + n_values, n_shares)
            NaN where nothing has weight.
        """
        even = np.ones(len(self.band)) if weights is None else weights
        terms = (even, *(value if weights is None else value * weights for value in values))
        by_band = np.stack([np.bincount(self.band, term, self.n_bands) for term in terms], dtype=np.float64)
        taken = np.cumsum(by_band[0])
        if taken[-1] <= 0:
            return np.full((len(terms), len(shares)), np.nan)
        wanted = shares * taken[-1]
        is_cut = np.zeros(self.n_bands, dtype=bool)
        is_cut[np.minimum(np.searchsorted(taken, wanted), self.n_bands - 1)] = True
        knots = self._knots(terms, by_band, is_cut)
        return np.stack([np.interp(wanted, knots[0], knot) for knot in knots])

    def _knots(self, terms: tuple[Array, ...], by_band: Array, is_cut: NDArray[np.bool_]) -> Array:
        """Sums of the terms down to the end of each whole band, and of each probability in a band that is cut."""
        rows = np.flatnonzero(is_cut[self.band])
        rows = rows[np.argsort(-self.probability[rows], kind="stable")]
        whole = np.flatnonzero(~is_cut)
        band, level = np.append(whole, self.band[rows]), np.append(np.full(len(whole), -1.0), self.probability[rows])
        place = np.argsort(band, kind="stable")
        steps = np.concatenate([by_band[:, whole], np.stack([term[rows] for term in terms])], axis=1)
        ends = np.append((np.diff(band[place]) != 0) | (np.diff(level[place]) != 0), True)
        return np.pad(np.cumsum(steps[:, place], axis=1)[:, ends], ((0, 0), (1, 0)))


def gain(*, share: Share = 0.1) -> Metric:
    """The share of class 1's rows that is in the most probable ``share`` of all rows; ties are taken by parts."""
    return Metric("gain", _gain(share, 1.0), True, "probabilities", BINARY)


def lift(*, share: Share = 0.1) -> Metric:
    """How many times as frequent class 1 is in the most probable ``share`` of the rows as in all; ties are taken by parts."""
    return Metric("lift", _gain(share, share), True, "probabilities", BINARY)


def _gain(share: float, over: float) -> Callable[[Array, Array], Judge]:
    def function(y: Array, prediction: Array) -> Judge:
        bands = Bands.of(prediction)

        def judge(weights: Array | None) -> float:
            found, positives = bands.sums(np.array([share, 1.0]), weights, y)[1]
            return float(found / positives / over) if positives > 0 else float("nan")

        return judge

    return function
