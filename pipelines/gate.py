"""A gate: one of several predictions, the first unless another has shown on other folds that it is better."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from pipelines.ensembles import Problem
from pipelines.known import NOTHING_KNOWN, Known
from pipelines.metrics import Array
from pipelines.oof import OnOof

Share = Annotated[float, Field(ge=0, lt=1)]


@dataclass
class BestOf:
    """The member with the least loss on the rows it is fitted on; the first one before any fit."""

    problem: Problem
    least_gain: float
    chosen: int = 0
    losses: list[float] = field(default_factory=list)
    learns: bool = True
    takes_gaps: bool = False

    def fit(self, members: Array, known: Known) -> None:
        """Choose among out-of-fold members of shape (n_rows, n_members[, n_classes]) by the declared metric."""
        metric, n_members = self.problem.metric, members.shape[1]
        self.losses = [float(metric.loss(known.y, members[:, at], known.weights, known.columns)) for at in range(n_members)]
        best, first = int(np.argmin(self.losses)), self.losses[0]
        self.chosen = best if first - self.losses[best] > self.least_gain * abs(first) else 0

    def predict(self, members: Array, known: Known = NOTHING_KNOWN) -> Array:
        """The chosen member's predictions."""
        return members[:, self.chosen]

    def describe(self) -> dict[str, Any]:
        """Which member was chosen, and all losses."""
        return {"chosen": self.chosen, "losses": self.losses}

    def restore(self, described: dict[str, Any]) -> None:
        """Take the choice back."""
        self.chosen, self.losses = int(described["chosen"]), [float(loss) for loss in described["losses"]]


def best_of(problem: Problem, *, of: list[str] | None = None, least_gain: Share = 0.0) -> OnOof:
    """The first member, unless a later one has the smaller loss on the other folds, by more than ``least_gain`` as a share of the loss."""
    return BestOf(problem, least_gain)
