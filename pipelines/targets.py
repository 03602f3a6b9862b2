"""What is done to a target before a fit and undone after a prediction: a transform, and perhaps a scale.

All of them increase, there and back, and nothing is corrected for the mean: the median or another quantile on the scale that is
fitted on is that quantile in target units.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from features.errors import InputError
from pipelines.metrics import Array


@dataclass(frozen=True)
class Transform:
    """A function of the target applied before a fit, its inverse, and the least value it takes."""

    name: str
    forward: Callable[[Array], Array]
    inverse: Callable[[Array], Array]
    least: float
    least_allowed: bool = True

    def check(self, y: Array) -> None:
        """InputError when a target is outside the transform's domain."""
        low = float(np.min(y))
        if low < self.least or (low == self.least and not self.least_allowed):
            bound = f"at least {self.least:g}" if self.least_allowed else f"above {self.least:g}"
            raise InputError(
                f"target transform {self.name!r} needs values {bound}; the smallest is {low:g}. Use another transform or none."
            )


def _same(y: Array) -> Array:
    return y


def _square(root: Array) -> Array:
    # a prediction below zero is no root; its square would turn the order of predictions around, and a quantile with it
    return np.square(np.maximum(root, 0.0))


TRANSFORMS: dict[str, Transform] = {
    transform.name: transform
    for transform in (
        Transform("none", _same, _same, -np.inf),
        Transform("log1p", np.log1p, np.expm1, -1.0, least_allowed=False),
        Transform("log", np.log, np.exp, 0.0, least_allowed=False),
        Transform("sqrt", np.sqrt, _square, 0.0),
    )
}


_SKEWED = 1.0


def is_heavy_tailed(y: Array) -> bool:
    """Whether a target of shape (n_rows,) is at least 0 and its logarithm far less skewed than itself: prices, amounts, durations.

    Models of the logarithm then err in other ways than models of the target as it is, and both have their place in a blend.
    """
    from scipy.stats import skew

    if float(np.min(y)) < 0 or np.ptp(y) == 0:
        return False
    plain = float(skew(y))
    return plain > _SKEWED and abs(float(skew(np.log1p(y)))) < plain / 2


@dataclass(frozen=True)
class TargetScale:
    """The scale that a model is fitted on: the transformed target, less its mean and over its standard deviation where that is asked for."""

    transform: str
    mean: float = 0.0
    sd: float = 1.0

    @classmethod
    def of(cls, y: Array, transform: str, *, is_scaled: bool) -> TargetScale:
        """The scale for the target of a training part, shape (n_rows,); one that never varies keeps its unit."""
        if not is_scaled:
            return cls(transform)
        transformed = TRANSFORMS[transform].forward(y)
        return cls(transform, float(transformed.mean()), float(transformed.std()) or 1.0)

    def forward(self, y: Array) -> Array:
        """To the scale that is fitted on."""
        values = TRANSFORMS[self.transform].forward(y)
        return (values - self.mean) / self.sd if self._is_scaled else values

    def inverse(self, values: Array) -> Array:
        """Back to target units."""
        return TRANSFORMS[self.transform].inverse(values * self.sd + self.mean if self._is_scaled else values)

    @property
    def _is_scaled(self) -> bool:
        # probabilities of several classes pass through untouched
        return (self.mean, self.sd) != (0.0, 1.0)
