"""Metrics of the order of two classes' rows: all of them are read off one curve over the ranking."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from pipelines.metrics.metric import BINARY, Array, Judge, Metric
from pipelines.metrics.ranking import Ranking

Precision = Annotated[float, Field(gt=0, le=1, examples=[0.9])]
Recall = Annotated[float, Field(gt=0, le=1, examples=[0.8])]
# a share that ought to reach its floor may miss it by rounding
_EDGE = 1e-12


@dataclass(frozen=True)
class Curve:
    """Weight of the rows of class 1 and of the others, from the most probable row down to each step, shape (n_steps,)."""

    found: Array
    others: Array

    @property
    def taken(self) -> Array:
        """Weight of all rows down to each step."""
        return self.found + self.others

    @property
    def has_both(self) -> bool:
        """Whether both classes have weight."""
        return bool(self.found[-1] > 0 and self.others[-1] > 0)

    @property
    def precision(self) -> Array:
        """The share of class 1 down to each step; 0 where nothing has weight yet."""
        return np.divide(self.found, self.taken, out=np.zeros(len(self.found)), where=self.taken > 0)


def curve_of(is_positive: Array, prediction: Array) -> Callable[[Array | None], Curve]:
    """The curve as a function of weights; ``is_positive`` is 1 for the rows of class 1."""
    ranking = Ranking.of(prediction)
    positive = (is_positive == 1)[ranking.order]
    negative = ~positive

    def curve(weights: Array | None) -> Curve:
        arranged = ranking.arranged(weights)
        return Curve(ranking.summed(positive, arranged), ranking.summed(negative, arranged))

    return curve


def of_curve(score: Callable[[Curve], float]) -> Callable[[Array, Array], Judge]:
    """A metric's function from what it says of the curve; NaN where no row is of class 1."""

    def function(y: Array, prediction: Array) -> Judge:
        curve = curve_of(y, prediction)

        def judge(weights: Array | None) -> float:
            found = curve(weights)
            return score(found) if found.found[-1] > 0 else float("nan")

        return judge

    return function


def area(curve: Curve) -> float:
    """Area under the ROC curve: the share of pairs in the right order, ties by half; NaN where there is one class only."""
    if not curve.has_both:
        return float("nan")
    before = np.append(0.0, curve.found[:-1])
    pairs = np.sum(np.diff(curve.others, prepend=0.0) * (before + curve.found) / 2)
    return float(pairs / (curve.found[-1] * curve.others[-1]))


def mean_area(y: Array, prediction: Array) -> Judge:
    """The area; of more than two classes the mean of each against the rest, over those that are there.

    A fold may score no row of a rare class.
    """
    if prediction.ndim == 1:
        return of_curve(area)(y, prediction)
    curves = [curve_of(y == code, prediction[:, code]) for code in range(prediction.shape[1])]

    def judge(weights: Array | None) -> float:
        there = [curve for curve in (curve(weights) for curve in curves) if curve.has_both]
        return float(np.mean([area(curve) for curve in there])) if there else float("nan")

    return judge


def gini(curve: Curve) -> float:
    """Twice the area minus one: 0 is chance, 1 a perfect order."""
    return 2 * area(curve) - 1


def average_precision(curve: Curve) -> float:
    """The mean of the precision at each row of class 1, from the most probable row down."""
    return float(np.sum(np.diff(curve.found, prepend=0.0) * curve.precision) / curve.found[-1])


def kolmogorov_smirnov(curve: Curve) -> float:
    """The largest lead of the true over the false positive rate; unlike the two-sided statistic, a reversed order has 0."""
    if not curve.has_both:
        return float("nan")
    return float(max(np.max(curve.found / curve.found[-1] - curve.others / curve.others[-1]), 0.0))


def recall_at_precision(*, precision: Precision) -> Metric:
    """The largest recall of a threshold whose precision is at least ``precision``; 0 where none has it."""

    def score(curve: Curve) -> float:
        recalls = curve.found[curve.precision >= precision - _EDGE] / curve.found[-1]
        return float(recalls.max()) if len(recalls) else 0.0

    return Metric("recall_at_precision", of_curve(score), True, "probabilities", BINARY)


def precision_at_recall(*, recall: Recall) -> Metric:
    """The largest precision of a threshold whose recall is at least ``recall``."""

    def score(curve: Curve) -> float:
        return float(curve.precision[curve.found / curve.found[-1] >= recall - _EDGE].max())

    return Metric("precision_at_recall", of_curve(score), True, "probabilities", BINARY)
