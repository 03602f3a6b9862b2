"""Metrics of probabilities as numbers: how likely they make what happened, and whether they can be believed."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from pipelines.metrics.means import mean, mean_of
from pipelines.metrics.metric import BINARY, Array, Judge, Metric
from pipelines.metrics.shares import Bands

Bins = Annotated[int, Field(ge=2, examples=[15])]


def log_losses(y: Array, p: Array) -> Array:
    """Minus the log of the probability of what happened, for each row; clipped as scikit-learn does for float64."""
    of_true = np.where(y == 1, p, 1 - p) if p.ndim == 1 else p[np.arange(len(y)), y.astype(np.intp)]
    return np.asarray(-np.log(np.clip(of_true, np.finfo(np.float64).eps, 1.0)), dtype=np.float64)


def log_loss(y: Array, p: Array) -> Judge:
    """The mean of ``log_losses``."""
    return mean_of(log_losses(y, p))


def brier(y: Array, p: Array) -> Judge:
    """The mean squared distance of probability and outcome."""
    return mean_of((y - p) ** 2)


def normalised_entropy(y: Array, p: Array) -> Judge:
    """Log loss over that of always saying the base rate (He et al., 2014); NaN where there is one class only."""
    losses = log_losses(y, p)

    def judge(weights: Array | None) -> float:
        rate = mean(y, weights)
        if not 0 < rate < 1:
            return float("nan")
        return mean(losses, weights) / float(-rate * np.log(rate) - (1 - rate) * np.log1p(-rate))

    return judge


def relative_information_gain(y: Array, p: Array) -> Judge:
    """One minus the normalised entropy."""
    normalised = normalised_entropy(y, p)
    return lambda weights: 1 - normalised(weights)


def calibration_ratio(y: Array, p: Array) -> Judge:
    """Predicted over observed rows of class 1; NaN where there is none."""

    def judge(weights: Array | None) -> float:
        observed = mean(y, weights)
        return mean(p, weights) / observed if observed > 0 else float("nan")

    return judge


def ece(*, bins: Bins = 15, width: Literal["mass", "equal"] = "mass") -> Metric:
    """Expected calibration error: mean probability against observed rate in bins, the distances weighed by the bins' rows.

    Bins hold the same weight each (``mass``, ties by parts; Nixon et al., 2019) or are as wide as each other, each with its
    upper end (``equal``; Naeini et al., 2015).
    """
    return Metric("ece", lambda y, p: (_even_mass if width == "mass" else _even_width)(y, p, bins), False, "probabilities", BINARY)


def _even_mass(y: Array, p: Array, bins: int) -> Judge:
    bands, excess, ends = Bands.of(p), p - y, np.linspace(0, 1, bins + 1)

    def judge(weights: Array | None) -> float:
        taken, sums = bands.sums(ends, weights, excess)
        return float(np.sum(np.abs(np.diff(sums))) / taken[-1])

    return judge


def _even_width(y: Array, p: Array, bins: int) -> Judge:
    at = np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], p, side="left")
    excess = p - y

    def judge(weights: Array | None) -> float:
        total = float(len(y) if weights is None else np.sum(weights))
        if total <= 0:
            return float("nan")
        sums = np.bincount(at, excess if weights is None else excess * weights, minlength=bins)
        return float(np.sum(np.abs(sums)) / total)

    return judge
