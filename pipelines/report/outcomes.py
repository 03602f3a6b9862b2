"""What happened and what was said of it: outcomes of class 1 with their probabilities, and what each threshold makes of them."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from pipelines.metrics import Array, Metric
from pipelines.metrics.ordering import Curve
from pipelines.metrics.ranking import Ranking
from pipelines.report.evidence import Evidence


@dataclass(frozen=True)
class Outcomes:
    """Outcome 0 or 1, probability and weight of some rows, each of shape (n_rows,); no weights where all rows count the same."""

    y: Array
    p: Array
    weights: Array | None = None

    @property
    def has_both(self) -> bool:
        """Whether both classes are there."""
        return bool(len(self.y) and self.y.min() < self.y.max())

    @property
    def rate(self) -> float:
        """The share of class 1."""
        return self._mean(self.y)

    @property
    def mean(self) -> float:
        """The mean probability."""
        return self._mean(self.p)

    def _mean(self, values: Array) -> float:
        """The weighted mean; NaN where nothing has weight."""
        weighted = values if self.weights is None else values * self.weights
        return float(np.sum(weighted)) / self.total if self.total > 0 else float("nan")

    @property
    def total(self) -> float:
        """The weight of all rows."""
        return float(len(self.y) if self.weights is None else self.weights.sum())

    @property
    def rows_per_weight(self) -> float:
        """How many rows of equal weight tell as much as a weight of one (Kish, 1965)."""
        return 1.0 if self.weights is None or self.total == 0 else self.total / float(np.sum(self.weights**2))

    @functools.cached_property
    def thresholds(self) -> Thresholds:
        """The thresholds that make a difference, one for each distinct probability."""
        ranking = Ranking.of(self.p)
        arranged, positive = ranking.arranged(self.weights), (self.y == 1)[ranking.order]
        found, others = (ranking.summed(rows, arranged) for rows in (positive, ~positive))
        return Thresholds(self.p[ranking.order][ranking.ends], Curve(found, others))

    def score(self, metric: Metric) -> float:
        """A metric that needs no other columns."""
        return metric.score(self.y, self.p, self.weights)


def outcomes_of(evidence: Evidence, name: str) -> Outcomes:
    """All rows that the final predicts and that a model or entry predicts, too."""
    p, weights = evidence.oof[name], evidence.known.weights
    there = np.isfinite(p)
    return Outcomes(evidence.y[there], p[there], None if weights is None else weights[there])


def outcomes_by_fold(evidence: Evidence, name: str) -> list[Outcomes]:
    """The rows of each fold that has both classes among them."""
    known, parts = evidence.prepared.known, list[Outcomes]()
    for fold, p in enumerate(evidence.combined.predictions[name].folds):
        there = np.isfinite(p)
        rows = evidence.folds.scored_rows(fold)[there]
        parts.append(Outcomes(known.y[rows], p[there], None if known.weights is None else known.weights[rows]))
    return [part for part in parts if part.has_both]


@dataclass(frozen=True)
class Thresholds:
    """What deciding for class 1 from each of the probabilities on finds, falling; each array has shape (n_thresholds,).

    Of ``curve`` the last point holds the weights of all rows of class 1 and of class 0.
    """

    threshold: Array
    curve: Curve

    @property
    def totals(self) -> tuple[float, float]:
        """Weight of all rows of class 1, and of class 0."""
        return float(self.curve.found[-1]), float(self.curve.others[-1])

    @property
    def recall(self) -> Array:
        """The share of class 1 that is found."""
        return self.curve.found / self.totals[0]

    @property
    def false_positive_rate(self) -> Array:
        """The share of class 0 that is decided for."""
        return self.curve.others / self.totals[1]

    @property
    def precision(self) -> Array:
        """The share of class 1 among what is decided for."""
        return self.curve.precision

    @property
    def share(self) -> Array:
        """The share of all rows that is decided for."""
        return self.curve.taken / sum(self.totals)

    def at(self, thresholds: Array) -> Decisions:
        """The decisions at given thresholds: class 1 where the probability lies above them."""
        above = np.searchsorted(-self.threshold, -thresholds, side="left")
        found, others = (np.append(0.0, sums)[above] for sums in (self.curve.found, self.curve.others))
        positive, negative = self.totals
        return Decisions(found, others, positive - found, negative - others)


@dataclass(frozen=True)
class Decisions:
    """Weights of the four kinds of decided rows at some thresholds, each of shape (n_thresholds,)."""

    tp: Array
    fp: Array
    fn: Array
    tn: Array

    @property
    def precision(self) -> Array:
        """The share of class 1 among what is decided for; NaN where that is nothing."""
        taken = self.tp + self.fp
        return np.asarray(np.divide(self.tp, taken, out=np.full(len(taken), np.nan), where=taken > 0), dtype=np.float64)

    @property
    def recall(self) -> Array:
        """The share of class 1 that is found."""
        return self.tp / (self.tp + self.fn)

    @property
    def f1(self) -> Array:
        """The harmonic mean of precision and recall."""
        return np.asarray(2 * self.tp / (2 * self.tp + self.fp + self.fn), dtype=np.float64)

    def cost(self, false_positive: float, false_negative: float) -> Array:
        """The mean cost of a row."""
        total = false_positive * self.fp + false_negative * self.fn
        return np.asarray(total / (self.tp + self.fp + self.fn + self.tn), dtype=np.float64)
