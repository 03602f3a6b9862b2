"""What a report tells of probabilities: lift by parts of the rows, and how far they can be believed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.metrics.metric import Array, check_probabilities
from pipelines.metrics.shares import Bands


@dataclass(frozen=True)
class LiftTable:
    """Parts of equal weight, the most probable rows first; each array has shape (bins,)."""

    top: Array
    """Share of all rows down to the end of the part."""
    weight: Array
    predicted: Array
    """Mean probability."""
    rate: Array
    """Observed share of class 1 (the click-through rate, say)."""
    lift: Array
    """The rate over that of all rows; NaN where no row is of class 1."""
    gain: Array
    """Share of class 1's rows down to the end of the part; NaN where there is none."""


@dataclass(frozen=True)
class CalibrationCurve:
    """Bins of equal weight, the least probable rows first; each array has shape (bins,)."""

    predicted: Array
    observed: Array
    weight: Array


@dataclass(frozen=True)
class CalibrationLine:
    """Log odds of the outcome = intercept + slope * log odds predicted; slope 1 and intercept 0 are perfect.

    A slope below 1 says that probabilities are too extreme.
    """

    slope: float
    intercept: float


def lift_table(y: Array, p: Array, weights: Array | None = None, *, bins: int = 10) -> LiftTable:
    """Rate, lift and cumulative gain by tenths of the rows; a tie over the end of a part is shared by its parts.

    Parameters
    ----------
    y, p, weights
        Outcome 0 or 1, probability and weight of each row, shape (n_rows,).
    bins
        Number of parts.
    """
    weight, predicted, positive = _parts(y, p, weights, bins)
    total, rate = positive.sum(), positive / weight
    known = total if total > 0 else np.nan
    return LiftTable(
        top=np.arange(1, bins + 1) / bins,
        weight=weight,
        predicted=predicted / weight,
        rate=rate,
        lift=rate * weight.sum() / known,
        gain=np.cumsum(positive) / known,
    )


def calibration_curve(y: Array, p: Array, weights: Array | None = None, *, bins: int = 10) -> CalibrationCurve:
    """Observed rate over mean probability in bins of equal weight; the parameters are those of ``lift_table``."""
    weight, predicted, positive = (part[::-1] for part in _parts(y, p, weights, bins))
    return CalibrationCurve(predicted / weight, positive / weight, weight)


def _parts(y: Array, p: Array, weights: Array | None, bins: int) -> tuple[Array, Array, Array]:
    """Weight, and weighted sums of probability and outcome, in parts of equal weight from the most probable row down."""
    check_probabilities(p)
    weight, predicted, positive = np.diff(Bands.of(p).sums(np.linspace(0, 1, bins + 1), weights, p, y))
    return weight, predicted, positive


def calibration_slope_intercept(y: Array, p: Array, weights: Array | None = None) -> CalibrationLine:
    """Logistic regression of the outcome on the predicted log odds (Cox, 1958).

    NaN where the line is not determined: one class, one probability, or classes that the probabilities part completely.
    """
    from scipy.special import logit
    from sklearn.linear_model import LogisticRegression

    check_probabilities(p)
    seen = np.ones(len(y), dtype=bool) if weights is None else weights > 0
    outcome = y[seen] == 1
    odds = logit(np.clip(p[seen], np.finfo(np.float64).eps, 1 - np.finfo(np.float64).eps))
    if not _overlap(odds[outcome], odds[~outcome]):
        return CalibrationLine(float("nan"), float("nan"))
    line = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-10)
    line.fit(odds.reshape(-1, 1), outcome, sample_weight=None if weights is None else weights[seen])
    return CalibrationLine(float(line.coef_[0, 0]), float(line.intercept_[0]))


def _overlap(ups: Array, downs: Array) -> bool:
    return bool(len(ups) and len(downs) and ups.min() < downs.max() and downs.min() < ups.max())
