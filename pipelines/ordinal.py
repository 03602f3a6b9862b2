"""Classes in an order (grades, stars, stages): cuts of the expected class, chosen for the metric on out-of-fold rows.

The most probable class is the best decision for accuracy, not for a metric that minds how far off a decision is: quadratic weighted
kappa is best served near the expected class, with cuts of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from features.errors import InputError
from pipelines.ensembles import Problem
from pipelines.known import NOTHING_KNOWN, Known
from pipelines.metrics import Array
from pipelines.oof import OnOof

_ROUNDS = 4
_TRIED = 25
"""Places tried for a cut between its neighbours in each round; a round looks at a quarter of the span of the one before."""
_PLACES = 2_000
"""Different expected classes that cuts are told apart by: hundreds of cuts are tried, and each would look at every row."""


@dataclass
class Cuts:
    """The class whose cuts hold a row's expected class; as codes, which follow the order of the sorted labels."""

    problem: Problem
    cuts: list[float] = field(default_factory=list)
    learns: bool = True
    takes_gaps: bool = False

    def fit(self, members: Array, known: Known) -> None:
        """Move one cut after the other to where the metric is best, from those that give each class its share of the rows."""
        n_classes, judged = members.shape[2], self.problem.metric
        expected, y, weights = _counted(_expected(members), known)

        def loss(cuts: list[float]) -> float:
            score = judged.score(y, _decided(expected, cuts, n_classes), weights=weights)
            return judged.loss_of(score) if np.isfinite(score) else np.inf

        shares = np.cumsum([np.average(known.y == code, weights=known.weights) for code in range(n_classes - 1)])
        starts = [[float(cut) for cut in np.quantile(_expected(members), shares)], [code + 0.5 for code in range(n_classes - 1)]]
        self.cuts = min((_moved(start, loss, n_classes) for start in starts), key=loss)

    def predict(self, members: Array, known: Known = NOTHING_KNOWN) -> Array:
        """1 for the decided class and 0 for the others, shape (n_rows, n_classes); cuts half-way between classes before any fit."""
        n_classes = members.shape[2]
        return _decided(_expected(members), self.cuts or [code + 0.5 for code in range(n_classes - 1)], n_classes)

    def describe(self) -> dict[str, Any]:
        """The cuts, in codes of classes."""
        return {"cuts": self.cuts}

    def restore(self, described: dict[str, Any]) -> None:
        """Take the cuts back."""
        self.cuts = [float(cut) for cut in described["cuts"]]


def ordinal_cuts(problem: Problem, *, of: list[str]) -> OnOof:
    """Decide for the class whose cuts hold the expected class: for classes in an order and a metric that minds how far off a decision is."""
    if problem.task != "multiclass" or problem.metric.needs != "labels":
        raise InputError(
            f"'ordinal_cuts' is for multiclass targets and metrics of decided classes, such as quadratic_weighted_kappa; the task is "
            f"{problem.task!r}, the metric {problem.metric.name!r}. Remove it."
        )
    if len(of) != 1:
        raise InputError(f"'ordinal_cuts' takes one member; 'of' names {len(of)}. Blend them in an entry of its own first.")
    return Cuts(problem)


def _expected(members: Array) -> Array:
    """The mean class of each row, shape (n_rows,), of probabilities of shape (n_rows, 1, n_classes)."""
    return np.asarray(members[:, 0] @ np.arange(members.shape[2]), dtype=np.float64)


def _counted(expected: Array, known: Known) -> tuple[Array, Array, Array]:
    """Expected and true classes that occur together, and how often (by weight): what a metric of decided classes hangs on."""
    places, at = np.unique(expected, return_inverse=True)
    if len(places) > _PLACES:
        edges = np.quantile(expected, np.linspace(0, 1, _PLACES + 1)[1:-1])
        at = np.searchsorted(edges, expected)
        places = np.bincount(at, expected, minlength=_PLACES) / np.maximum(np.bincount(at, minlength=_PLACES), 1)
    classes, true = np.unique(known.y, return_inverse=True)
    weights = np.bincount(at * len(classes) + true, known.weights, minlength=len(places) * len(classes)).astype(np.float64)
    there = np.flatnonzero(weights)
    return places[there // len(classes)], classes[there % len(classes)], weights[there]


def _decided(expected: Array, cuts: list[float], n_classes: int) -> Array:
    return np.eye(n_classes)[np.searchsorted(np.asarray(cuts), expected, side="left")]


def _moved(cuts: list[float], loss: Callable[[list[float]], float], n_classes: int) -> list[float]:
    """Coordinate descent: each cut in turn between its neighbours, round by round in smaller steps."""
    cuts, best = list(cuts), loss(cuts)
    for number in range(_ROUNDS):
        for at in range(len(cuts)):
            low = cuts[at - 1] if at else 0.0
            high = cuts[at + 1] if at + 1 < len(cuts) else n_classes - 1.0
            reach = (high - low) / 4**number
            for place in np.linspace(max(low, cuts[at] - reach), min(high, cuts[at] + reach), _TRIED):
                tried = [*cuts[:at], float(place), *cuts[at + 1 :]]
                if (found := loss(tried)) < best:
                    cuts, best = tried, found
    return cuts
