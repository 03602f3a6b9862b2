"""Target transforms and their inverses."""

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


TRANSFORMS: dict[str, Transform] = {
    transform.name: transform
    for transform in (
        Transform("none", _same, _same, -np.inf),
        Transform("log1p", np.log1p, np.expm1, -1.0, least_allowed=False),
        Transform("log", np.log, np.exp, 0.0, least_allowed=False),
        Transform("sqrt", np.sqrt, np.square, 0.0),
    )
}
