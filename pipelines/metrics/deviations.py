"""Metrics of numbers: how far predictions lie from the target."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated

import numpy as np
from pydantic import Field

from features.errors import InputError
from pipelines.metrics.means import mean, mean_of, median_of
from pipelines.metrics.metric import REGRESSION, Array, Judge, Metric

Quantile = Annotated[float, Field(gt=0, lt=1, examples=[0.9])]
Power = Annotated[float, Field(ge=1, le=2, examples=[1.5])]


def root_mean_square(y: Array, p: Array) -> Judge:
    """The root of the mean squared error."""
    squared = mean_of((y - p) ** 2)
    return lambda weights: float(np.sqrt(squared(weights)))


def root_mean_square_log(y: Array, p: Array) -> Judge:
    """The same on log(1 + value); a prediction below zero counts as zero, as in the competitions."""
    return root_mean_square(np.log1p(y), np.log1p(np.maximum(p, 0)))


def root_mean_square_share(y: Array, p: Array) -> Judge:
    """The same as a share of the target; rows with a zero target are not scored, as in the Rossmann competition."""
    scored = y != 0
    root = root_mean_square(np.ones(int(scored.sum())), p[scored] / y[scored])
    return lambda weights: root(None if weights is None else weights[scored]) if scored.any() else float("nan")


def mean_absolute(y: Array, p: Array) -> Judge:
    """The mean absolute error."""
    return mean_of(np.abs(y - p))


def median_absolute(y: Array, p: Array) -> Judge:
    """The median absolute error."""
    return median_of(np.abs(y - p))


def mean_absolute_share(y: Array, p: Array) -> Judge:
    """The mean absolute error as a share of the target; a zero target gives a huge one, as in scikit-learn."""
    return mean_of(np.abs(y - p) / np.maximum(np.abs(y), np.finfo(np.float64).eps))


def explained(y: Array, p: Array) -> Judge:
    """R2, the share of the target's variance that is explained; NaN where the target does not vary."""
    squared = (y - p) ** 2

    def judge(weights: Array | None) -> float:
        seen = y if weights is None else y[weights > 0]
        if not len(seen) or seen.min() == seen.max():
            return float("nan")
        return 1 - mean(squared, weights) / mean((y - mean(y, weights)) ** 2, weights)

    return judge


def mean_pinball_loss(*, alpha: Quantile) -> Metric:
    """The loss of the ``alpha`` quantile: a prediction too low costs ``alpha``, one too high 1 - ``alpha`` of its distance (Koenker and
    Bassett, 1978)."""

    def function(y: Array, p: Array) -> Judge:
        return mean_of(np.maximum(alpha * (y - p), (alpha - 1) * (y - p)))

    return Metric("mean_pinball_loss", function, False, "values", REGRESSION, quantile=alpha)


def pinball(*, quantile: Quantile) -> Metric:
    """``mean_pinball_loss`` by its short name."""
    return replace(mean_pinball_loss(alpha=quantile), name="pinball")


def tweedie_deviance(*, power: Power = 1.5) -> Metric:
    """Mean deviance of the Tweedie family, whose variance is mean ** ``power``: 1 is Poisson, 2 gamma, between them many zeros."""
    return _deviance("tweedie_deviance", power)


def _deviance(name: str, power: float) -> Metric:
    return Metric(name, _mean_deviance(name, power), False, "values", REGRESSION, least=0.0, least_allowed=power < 2)


def _mean_deviance(name: str, power: float) -> Callable[[Array, Array], Judge]:
    def function(y: Array, p: Array) -> Judge:
        if p.min() <= 0:
            raise InputError(
                f"metric {name!r} needs predictions above 0; the smallest is {p.min():g}. Transform the target ('target: {{transform: log1p}}'), "
                "use a model with a log link, or clip the predictions."
            )
        return mean_of(2 * _unit_deviance(y, p, power))

    return function


def _unit_deviance(y: Array, p: Array, power: float) -> Array:
    """Half the deviance of each row (Jorgensen, The Theory of Dispersion Models, 1997)."""
    if power == 1:
        return np.asarray(y * np.log(np.where(y > 0, y / p, 1.0)) - y + p, dtype=np.float64)
    if power == 2:
        return np.asarray(np.log(p / y) + y / p - 1, dtype=np.float64)
    rest = 2 - power
    return np.asarray(y**rest / ((1 - power) * rest) - y * p ** (1 - power) / (1 - power) + p**rest / rest, dtype=np.float64)


poisson_deviance, gamma_deviance = _deviance("poisson_deviance", 1), _deviance("gamma_deviance", 2)
