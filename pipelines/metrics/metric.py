"""A metric as an object: its direction, what it needs, and its score as a function of the rows' weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from features.errors import InputError, closest, listed

if TYPE_CHECKING:
    import pandas as pd

Array: TypeAlias = NDArray[np.float64]
Judge: TypeAlias = Callable[[Array | None], float]
"""The score of some rows for weights of shape (n_rows,), or None where all rows count the same; NaN where it is not defined."""
Columns: TypeAlias = "Mapping[str, Any] | pd.DataFrame"
Needs = Literal["values", "probabilities", "labels"]
REGRESSION, CLASSIFICATION, BINARY = ("regression",), ("binary", "multiclass"), ("binary",)

_ROUNDING = 1e-6
"""How far a probability may lie outside 0..1: float32 models and weighted means round."""
_ROUNDED_SUM = 1e-4


@dataclass(frozen=True)
class Metric:
    """A metric.

    Attributes
    ----------
    function
        ``function(y, prediction, *columns)`` gives a ``Judge`` of these rows. An interval asks for a score hundreds of times,
        so what does not depend on weights (sorting, above all) is done once, and we count ourselves: scikit-learn takes a
        millisecond to check its input.
    needs
        What a submission holds; labels are taken at probability 0.5, or are the most probable class.
    least, least_allowed
        The smallest target that can be judged, and whether it may be reached.
    columns
        Raw columns that the function is given, in this order, after the prediction.
    drawn_by
        The one of them whose groups a bootstrap draws whole.
    target
        The best score of a metric that is neither the better the larger nor the better the smaller.
    quantile
        The quantile of the target, between 0 and 1, that a prediction must be to score best; None for metrics that ask for another thing.
    params
        The parameters it was built with, as a declaration says them.
    """

    name: str
    function: Callable[..., Judge] = field(compare=False)
    greater_is_better: bool
    needs: Needs
    tasks: tuple[str, ...]
    least: float = -np.inf
    least_allowed: bool = True
    columns: tuple[str, ...] = ()
    drawn_by: str | None = None
    target: float | None = None
    quantile: float | None = None
    params: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        """Name and parameters, for people."""
        said = ", ".join(f"{key} {value}" for key, value in self.params.items())
        return f"{self.name} ({said})" if said else self.name

    def check(self, y: Array) -> None:
        """InputError when a target is below what the metric can judge."""
        smallest = float(np.min(y))
        if smallest < self.least or (smallest == self.least and not self.least_allowed):
            needed = "of at least" if self.least_allowed else "above"
            raise InputError(
                f"metric {self.name!r} needs targets {needed} {self.least:g}; the smallest is {smallest:g}. Use another metric."
            )

    def judge(self, y: Array, prediction: Array, columns: Columns | None = None) -> Judge:
        """The score of some rows as a function of their weights; the parameters are those of ``score``."""
        if self.needs != "values":
            check_probabilities(prediction, whose=f"the prediction that metric {self.name!r} judges")
        self.check_columns(columns)
        if not len(y):
            return lambda weights: float("nan")
        return self.function(y, prediction, *(self._whole(name, columns[name], len(y)) for name in self.columns if columns is not None))

    def score(self, y: Array, prediction: Array, weights: Array | None = None, columns: Columns | None = None) -> float:
        """The metric on rows that have a prediction; NaN where it is not defined on them (one class only, say).

        Parameters
        ----------
        y
            The target of shape (n_rows,); codes 0, 1, ... for classes.
        prediction
            In target units, of shape (n_rows,); or probabilities, of shape (n_rows,) for class 1 of two, else (n_rows, n_classes).
        weights
            Of shape (n_rows,), 0 or more; all rows count the same without them.
        columns
            The raw columns of the same rows by name, for a metric that has ``columns``.

        Raises
        ------
        InputError
            When a column is absent or has gaps, or when probabilities are none.
        """
        return self.judge(y, prediction, columns)(weights)

    def loss_of(self, score: float) -> float:
        """A score turned so that smaller is better."""
        if self.target is not None:
            return abs(score - self.target)
        return -score if self.greater_is_better else score

    def loss(self, y: Array, prediction: Array, weights: Array | None = None, columns: Columns | None = None) -> float:
        """``loss_of`` the score."""
        return self.loss_of(self.score(y, prediction, weights, columns))

    def check_columns(self, columns: Columns | None) -> None:
        """InputError when a column that the metric needs is absent."""
        there = [] if columns is None else [*columns]
        for name in self.columns:
            if name not in there:
                raise InputError(
                    f"metric {self.name!r} needs column {name!r} of the scored rows; given: {listed(there) or 'none'}.{closest(name, there)} "
                    "Name a column of the raw table in the metric's parameters."
                )

    def _whole(self, name: str, values: Any, n_rows: int) -> Any:
        import pandas as pd

        if len(values) != n_rows:
            raise ValueError(f"column {name!r} has {len(values)} rows, the target {n_rows}")
        missing = int(pd.isna(values).sum())
        if missing:
            raise InputError(
                f"metric {self.name!r} needs a value of {name!r} in every scored row; {missing} of {n_rows} are missing. Complete the "
                f"column, or take these rows out of the score: 'rows: {{not_scored: [is_missing(`{name}`)]}}'."
            )
        return values


def as_labels(prediction: Array) -> Array:
    """Class codes from probabilities."""
    if prediction.ndim == 2:
        return np.asarray(np.argmax(prediction, axis=1), dtype=np.float64)
    return np.asarray(prediction > 0.5, dtype=np.float64)


def check_probabilities(prediction: Array, *, whose: str = "the prediction") -> None:
    """Check that all values lie in 0..1 and, of shape (n_rows, n_classes), that each row sums to 1; rounding is let pass.

    Raises
    ------
    InputError
        When they do not, or when one is missing; ``whose`` says whose they are.
    """
    if not prediction.size:
        return
    low, high = float(prediction.min()), float(prediction.max())
    if np.isnan(low):
        raise InputError(
            f"{whose} has {int(np.isnan(prediction).sum())} missing values of {prediction.size}; every row needs a probability."
        )
    if low < -_ROUNDING or high > 1 + _ROUNDING:
        raise InputError(
            f"{whose} lies between {low:g} and {high:g}, and probabilities lie in 0..1. Use a model of classes, calibrate it, or clip it."
        )
    off = float(np.abs(prediction.sum(axis=1) - 1).max()) if prediction.ndim == 2 else 0.0
    if off > _ROUNDED_SUM:
        raise InputError(f"{whose} has rows whose probabilities sum to 1 only up to {off:g}. Divide each row by its sum, or calibrate it.")
