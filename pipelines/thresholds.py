"""Thresholds: which rows are called positive, chosen on out-of-fold probabilities."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from features.errors import InputError
from pipelines.metrics import Array

Above0 = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(gt=0, le=1)]
Probability = Annotated[float, Field(ge=0, le=1)]
AtLeastOne = Annotated[int, Field(ge=1)]

_ROUNDING = 1e-12
EVERY_ROW = -1.0
"""A cut below every probability."""


class Threshold(Protocol):
    """A rule that turns probabilities of class 1 into labels."""

    @property
    def learns(self) -> bool:
        """Whether ``fit`` learns anything."""

    def fit(self, p: Array, y: Array, weights: Array | None = None, days: NDArray[Any] | None = None) -> None:
        """Learn from out-of-fold probabilities, a target of zeros and ones, weights and days, each of shape (n_rows,)."""

    def labels(self, p: Array, days: NDArray[Any] | None = None) -> NDArray[np.int64]:
        """0 or 1 for each row, shape (n_rows,)."""

    def describe(self) -> dict[str, Any]:
        """What was learnt, as plain data."""

    def restore(self, described: dict[str, Any]) -> None:
        """Take back what ``describe`` gave."""


@dataclass(frozen=True)
class Cuts:
    """Every cut that tells some rows apart, from calling no row positive to calling all so; arrays of shape (n_cuts,).

    ``true`` and ``false`` are the positives and the negatives above a cut, by weight.
    """

    cut: Array
    true: Array
    false: Array

    @property
    def positives(self) -> float:
        """All positives."""
        return float(self.true[-1])

    @property
    def recall(self) -> Array:
        """The share of the positives that is above a cut."""
        return np.asarray(self.true / self.true[-1], dtype=np.float64)

    @property
    def precision(self) -> Array:
        """The share of positives above a cut; 0 where no row is."""
        above = self.true + self.false
        return np.divide(self.true, above, out=np.zeros(len(above)), where=above > 0)

    @property
    def f1(self) -> Array:
        """The harmonic mean of precision and recall."""
        return np.asarray(2 * self.true / (self.true + self.false + self.true[-1]), dtype=np.float64)


def cuts_of(p: Array, y: Array, weights: Array | None = None) -> Cuts:
    """All cuts of some rows, in one sort; each lies in the middle between two probabilities that occur."""
    counted = np.ones(len(y)) if weights is None else weights
    order = np.argsort(-p, kind="stable")
    ranked, is_positive, counted = p[order], y[order] == 1, counted[order]
    last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
    upper, lower = np.append(1.0, ranked[last]), np.append(ranked[last], 0.0)
    middle = lower + (upper - lower) / 2
    # between neighbouring floats the middle may be the upper one, which must stay above the cut
    cut = np.where(middle < upper, middle, lower)
    cut[-1] = cut[-1] if ranked[-1] > 0 else EVERY_ROW
    true, false = (np.append(0.0, np.cumsum(np.where(which, counted, 0.0))[last]) for which in (is_positive, ~is_positive))
    return Cuts(cut, true, false)


Choose = Callable[[Cuts], tuple[int, dict[str, Any]]]
"""Cuts to the position of the best one, and what else is worth telling."""


@dataclass
class Cut:
    """Class 1 above one cut. Without rows of both classes to learn from, the cut stays where it was."""

    method: str
    cut: float
    choose: Choose | None
    facts: dict[str, Any] = field(default_factory=lambda: {"fitted": False})

    @property
    def learns(self) -> bool:
        """Whether the cut is chosen on rows."""
        return self.choose is not None

    def fit(self, p: Array, y: Array, weights: Array | None = None, days: NDArray[Any] | None = None) -> None:
        """Choose the cut, in the time of one sort; where several are equally good, the highest."""
        counted = np.ones(len(y)) if weights is None else weights
        if self.choose is None or len(np.unique(y[counted > 0])) < 2:
            return
        cuts = cuts_of(p, y, weights)
        best, told = self.choose(cuts)
        self.cut = float(cuts.cut[best])
        reached = {name: float(getattr(cuts, name)[best]) for name in ("recall", "precision", "f1")}
        self.facts = {"fitted": True, **reached, **told}

    def labels(self, p: Array, days: NDArray[Any] | None = None) -> NDArray[np.int64]:
        """1 where the probability is above the cut."""
        return (p > self.cut).astype(np.int64)

    def describe(self) -> dict[str, Any]:
        """The cut; recall, precision and F1 on the rows it was chosen on; whether a floor was met."""
        return {"method": self.method, "cut": self.cut, **(self.facts if self.learns else {})}

    def restore(self, described: dict[str, Any]) -> None:
        """Take the cut back, and what was told of it."""
        self.cut = float(described["cut"])
        self.facts = {name: value for name, value in described.items() if name not in ("method", "cut")}


@dataclass
class TopK:
    """The ``k`` most probable rows, of each day where ``per`` names the column of days; of equal ones the first."""

    k: int
    per: str | None
    learns: bool = False

    def fit(self, p: Array, y: Array, weights: Array | None = None, days: NDArray[Any] | None = None) -> None:
        """Nothing is learnt."""

    def labels(self, p: Array, days: NDArray[Any] | None = None) -> NDArray[np.int64]:
        """1 for the k most probable rows of each day among the rows given; InputError without the days that ``per`` names."""
        if self.per is not None and days is None:
            raise InputError(f"'top_k' per {self.per!r} needs the values of that column. Name a column of the table, or leave 'per' out.")
        day = np.zeros(len(p), dtype=np.intp) if self.per is None else pd.factorize(pd.Series(days))[0]
        order = np.lexsort((-p, day))
        place = np.arange(len(p)) - np.searchsorted(day[order], day[order])
        labels = np.zeros(len(p), dtype=np.int64)
        labels[order[place < self.k]] = 1
        return labels

    def describe(self) -> dict[str, Any]:
        """The rule."""
        return {"method": "top_k", "k": self.k, "per": self.per}

    def restore(self, described: dict[str, Any]) -> None:
        """Nothing was learnt."""


def fixed(*, value: Probability = 0.5) -> Threshold:
    """Class 1 above ``value``."""
    return Cut("fixed", value, None)


def f1() -> Threshold:
    """The cut with the greatest F1; 0.5 before any fit."""
    return Cut("f1", 0.5, lambda cuts: (int(np.argmax(cuts.f1)), {}))


def cost(*, false_positive: Above0 = 1.0, false_negative: Above0 = 1.0) -> Threshold:
    """The cut with the least total cost; before any fit the one that is best for calibrated probabilities (Elkan, 2001)."""

    def choose(cuts: Cuts) -> tuple[int, dict[str, Any]]:
        costs = false_positive * cuts.false + false_negative * (cuts.positives - cuts.true)
        best = int(np.argmin(costs))
        return best, {"cost": float(costs[best])}

    return Cut("cost", false_positive / (false_positive + false_negative), choose)


def recall_floor(*, recall: Share) -> Threshold:
    """The cut with the greatest precision among those that find at least this share of the positives; 0.5 before any fit."""
    return Cut("recall_floor", 0.5, lambda cuts: _best_above_floor(cuts.recall, recall, cuts.precision))


def precision_floor(*, precision: Share) -> Threshold:
    """The cut with the greatest recall among those with at least this precision; 0.5 before any fit.

    Where no cut has it, the one with the greatest precision is taken, and ``describe`` says that the floor is not met.
    """
    return Cut("precision_floor", 0.5, lambda cuts: _best_above_floor(cuts.precision, precision, cuts.recall))


def top_k(*, k: AtLeastOne, per: str | None = None) -> Threshold:
    """The ``k`` most probable rows, of each value of the column ``per``: as many as people can look into in a day."""
    return TopK(k, per)


THRESHOLDS: dict[str, Callable[..., Threshold]] = {
    factory.__name__: factory for factory in (f1, cost, recall_floor, precision_floor, top_k, fixed)
}


def _best_above_floor(bounded: Array, floor: float, wanted: Array) -> tuple[int, dict[str, Any]]:
    enough = bounded >= floor - _ROUNDING
    best = int(np.argmax(np.where(enough, wanted, -1.0))) if enough.any() else int(np.argmax(bounded))
    return best, {"floor": floor, "met": bool(enough.any())}
