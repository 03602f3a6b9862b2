"""Metrics of decided classes: all of them are read off the confusion matrix."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import numpy as np
from pydantic import Field

from pipelines.metrics.metric import BINARY, Array, Judge, Metric, as_labels

Cost = Annotated[float, Field(ge=0, examples=[50.0])]


def of_confusion(score: Callable[[Array], float]) -> Callable[[Array, Array], Judge]:
    """A metric's function from what it says of a matrix of weights, true classes in its rows and decided ones in its columns.

    How many classes there are is told by the prediction's shape: the rows of a fold may lack one.
    """

    def function(y: Array, prediction: Array) -> Judge:
        n = 2 if prediction.ndim == 1 else prediction.shape[1]
        cells = (y * n + as_labels(prediction)).astype(np.intp)

        def judge(weights: Array | None) -> float:
            matrix = np.bincount(cells, weights, minlength=n * n).reshape(n, n).astype(np.float64)
            return score(matrix) if matrix.any() else float("nan")

        return judge

    return function


def accuracy(matrix: Array) -> float:
    """The share of rows that are decided right."""
    return float(np.trace(matrix) / matrix.sum())


def balanced_accuracy(matrix: Array) -> float:
    """The mean, over the classes that have rows, of the share of their rows that are decided right."""
    true = matrix.sum(axis=1)
    return float(np.mean(np.diag(matrix)[true > 0] / true[true > 0]))


def precision(matrix: Array) -> float:
    """The share of right decisions among those for a class."""
    return _of_classes(matrix, matrix.sum(axis=0))


def recall(matrix: Array) -> float:
    """The share of a class's rows that are decided for it."""
    return _of_classes(matrix, matrix.sum(axis=1))


def f1(matrix: Array) -> float:
    """The harmonic mean of precision and recall."""
    return _of_classes(2 * matrix, matrix.sum(axis=0) + matrix.sum(axis=1))


def _of_classes(matrix: Array, marked: Array) -> float:
    """Of class 1 of two, NaN where it has no row; of more, the mean over those that are there or decided for. 0 / 0 is 0."""
    shares = np.divide(np.diag(matrix), marked, out=np.zeros(len(matrix)), where=marked > 0)
    if len(matrix) == 2:
        return float(shares[1]) if matrix[1].any() else float("nan")
    return float(np.mean(shares[matrix.any(axis=0) | matrix.any(axis=1)]))


def matthews(matrix: Array) -> float:
    """The correlation of truth and decision (Matthews, 1975; for more classes Gorodkin, 2004); 0 where one of them is constant."""
    true, said = (matrix.sum(axis=axis) / matrix.sum() for axis in (1, 0))
    together = np.trace(matrix) / matrix.sum() - np.sum(true * said)
    # the variance of a constant, without the rounding that 1 - 1 would leave
    spread = np.sum(true * (1 - true)) * np.sum(said * (1 - said))
    is_constant = np.count_nonzero(true) == 1 or np.count_nonzero(said) == 1
    return 0.0 if is_constant else float(together / np.sqrt(spread))


def quadratic_weighted_kappa(matrix: Array) -> float:
    """Agreement above chance where a decision two classes off costs four times as much as one (Cohen, 1968); NaN where both are constant."""
    codes = np.arange(len(matrix))
    squared = (codes[:, None] - codes) ** 2
    by_chance = np.outer(matrix.sum(axis=1), matrix.sum(axis=0)) / matrix.sum()
    expected = np.sum(squared * by_chance)
    return float(1 - np.sum(squared * matrix) / expected) if expected > 0 else float("nan")


def cost(*, false_negative: Cost, false_positive: Cost = 1.0) -> Metric:
    """Mean cost of a row: what a missed row of class 1 costs, and what a false alarm does."""

    def of_matrix(matrix: Array) -> float:
        return float((false_positive * matrix[0, 1] + false_negative * matrix[1, 0]) / matrix.sum())

    return Metric("cost", of_confusion(of_matrix), False, "labels", BINARY)
