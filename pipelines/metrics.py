"""Metrics as objects: direction, what they need, and the tasks they fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from features.errors import InputError

Array: TypeAlias = NDArray[np.float64]
Needs = Literal["values", "probabilities", "labels"]
REGRESSION, CLASSIFICATION, BINARY = ("regression",), ("binary", "multiclass"), ("binary",)


@dataclass(frozen=True)
class Metric:
    """A metric.

    ``function(y, prediction, weights)`` takes the target (codes for classification) of shape (n_rows,), predictions in
    target units or probabilities of shape (n_rows,) or (n_rows, n_classes), and weights of shape (n_rows,) or None.
    ``needs`` says what a submission holds; labels are taken at probability 0.5 or the most probable class. ``least`` is the
    smallest target it can judge.
    """

    name: str
    function: Callable[[Array, Array, Array | None], float]
    greater_is_better: bool
    needs: Needs
    tasks: tuple[str, ...]
    least: float = -np.inf

    def check(self, y: Array) -> None:
        """InputError when a target is below what the metric can judge."""
        if float(np.min(y)) < self.least:
            raise InputError(
                f"metric {self.name!r} needs targets of at least {self.least:g}; the smallest is {np.min(y):g}. Use another metric."
            )

    def score(self, y: Array, prediction: Array, weights: Array | None = None) -> float:
        """The metric on rows that have a prediction."""
        return float(self.function(y, as_labels(prediction) if self.needs == "labels" else prediction, weights))

    def loss(self, y: Array, prediction: Array, weights: Array | None = None) -> float:
        """The score with its sign turned so that smaller is better."""
        return -self.score(y, prediction, weights) if self.greater_is_better else self.score(y, prediction, weights)


def as_labels(prediction: Array) -> Array:
    """Class codes from probabilities."""
    if prediction.ndim == 2:
        return np.asarray(np.argmax(prediction, axis=1), dtype=np.float64)
    return np.asarray(prediction > 0.5, dtype=np.float64)


def _mean_squared(y: Array, p: Array, weights: Array | None) -> float:
    return float(np.average((y - p) ** 2, weights=weights))


def _rmse(y: Array, p: Array, weights: Array | None) -> float:
    return float(np.sqrt(_mean_squared(y, p, weights)))


def _rmsle(y: Array, p: Array, weights: Array | None) -> float:
    # as the competitions do: a prediction below zero counts as zero
    return _rmse(np.log1p(y), np.log1p(np.maximum(p, 0)), weights)


def _mae(y: Array, p: Array, weights: Array | None) -> float:
    return float(np.average(np.abs(y - p), weights=weights))


def _wmae(y: Array, p: Array, weights: Array | None) -> float:
    return _mae(y, p, weights)


def _rmspe(y: Array, p: Array, weights: Array | None) -> float:
    # rows with a zero target are not scored, as in the Rossmann competition
    scored = y != 0
    if not scored.any():
        return float("nan")
    return float(np.sqrt(np.average(((y - p)[scored] / y[scored]) ** 2, weights=None if weights is None else weights[scored])))


def _r2(y: Array, p: Array, weights: Array | None) -> float:
    from sklearn.metrics import r2_score

    return float(r2_score(y, p, sample_weight=weights))


def _accuracy(y: Array, labels: Array, weights: Array | None) -> float:
    return float(np.average(y == labels, weights=weights))


# Counted here, because an interval asks for a score hundreds of times and scikit-learn takes a millisecond to check its input.


def _f1(y: Array, labels: Array, weights: Array | None) -> float:
    """F1 of class 1; with more than two classes the mean over those that are there or predicted."""
    present, w = np.unique(np.concatenate([y, labels])), _filled(weights, y)
    codes = present if present[-1] > 1 else np.ones(1)
    return float(np.mean([_f1_of(y == code, labels == code, w) for code in codes]))


def _f1_of(is_true: NDArray[np.bool_], is_said: NDArray[np.bool_], weights: Array) -> float:
    marked = weights[is_true].sum() + weights[is_said].sum()
    return float(2 * weights[is_true & is_said].sum() / marked) if marked else 0.0


def _roc_auc(y: Array, p: Array, weights: Array | None) -> float:
    present, w = np.unique(y).astype(int), _filled(weights, y)
    if len(present) < 2:
        return float("nan")
    if p.ndim == 1:
        return _area(y == 1, p, w)
    # each class against the rest, over the classes that are there: a fold may score no row of a rare one
    return float(np.mean([_area(y == code, p[:, code], w) for code in present]))


def _area(is_positive: NDArray[np.bool_], p: Array, weights: Array) -> float:
    """Area under the ROC curve: the share of pairs in the right order, ties by half."""
    up, down = _by_prediction(is_positive, p, weights)
    below = np.cumsum(down) - down
    return float(np.sum(up * (below + down / 2)) / (up.sum() * down.sum()))


def _average_precision(y: Array, p: Array, weights: Array | None) -> float:
    """The mean of the precision at each positive row, from the most probable row down."""
    if not np.any(y == 1):
        return float("nan")
    up, down = (part[::-1] for part in _by_prediction(y == 1, p, _filled(weights, y)))
    found, taken = np.cumsum(up), np.cumsum(up + down)
    return float(np.sum(up * np.divide(found, taken, out=np.zeros(len(up)), where=taken > 0)) / up.sum())


def _by_prediction(is_positive: NDArray[np.bool_], p: Array, weights: Array) -> tuple[Array, Array]:
    """Weight of the positive and of the other rows at each distinct prediction, the smallest first."""
    order = np.argsort(p, kind="stable")
    ranked, positive, w = p[order], is_positive[order], weights[order]
    starts = np.flatnonzero(np.append(True, ranked[1:] != ranked[:-1]))
    return np.add.reduceat(np.where(positive, w, 0.0), starts), np.add.reduceat(np.where(positive, 0.0, w), starts)


def _filled(weights: Array | None, y: Array) -> Array:
    return np.ones(len(y)) if weights is None else weights


def _log_loss(y: Array, p: Array, weights: Array | None) -> float:
    # the same clipping as scikit-learn, for float64
    of_true = np.where(y == 1, p, 1 - p) if p.ndim == 1 else p[np.arange(len(y)), y.astype(int)]
    return float(np.average(-np.log(np.clip(of_true, np.finfo(np.float64).eps, 1.0)), weights=weights))


def _brier(y: Array, p: Array, weights: Array | None) -> float:
    return _mean_squared(y, p, weights)


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("rmse", _rmse, False, "values", REGRESSION),
        Metric("rmsle", _rmsle, False, "values", REGRESSION, least=0.0),
        Metric("mae", _mae, False, "values", REGRESSION),
        Metric("rmspe", _rmspe, False, "values", REGRESSION),
        Metric("wmae", _wmae, False, "values", REGRESSION),
        Metric("r2", _r2, True, "values", REGRESSION),
        Metric("accuracy", _accuracy, True, "labels", CLASSIFICATION),
        Metric("f1", _f1, True, "labels", CLASSIFICATION),
        Metric("roc_auc", _roc_auc, True, "probabilities", CLASSIFICATION),
        Metric("average_precision", _average_precision, True, "probabilities", BINARY),
        Metric("log_loss", _log_loss, False, "probabilities", CLASSIFICATION),
        Metric("brier", _brier, False, "probabilities", BINARY),
    )
}
