"""Logarithmic opinion pools: probabilities multiplied, each to a power of its own that says how much it is trusted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from features.errors import InputError
from pipelines.calibration import soft_log
from pipelines.ensembles import Problem, drawn_rows
from pipelines.known import NOTHING_KNOWN, Known
from pipelines.metrics import Array
from pipelines.oof import OnOof

AtLeast0 = Annotated[float, Field(ge=0)]
_MOST_JUDGED = 200_000
"""Of more rows times classes, so many judge."""


@dataclass
class LogPool:
    """Classes' shares, each times exp(sum of weight * log(probability / share)), brought to a sum of 1 (Genest and Zidek, 1986).

    Weights are at least 0 and need not sum to 1: members that agree make the pool surer than each of them, as a weighted mean
    never is, and forests, which say too little, can be trusted more. They have the least log loss on the rows they are fitted
    on (Heskes, 1998), with a penalty of ``alpha`` times their squares beside the sum over the rows.
    """

    problem: Problem
    alpha: float
    weights: Array | None = None
    shares: Array | None = None
    """Of each class in the rows it is fitted on, one more row of each counted; shape (n_classes,)."""
    edge: float = 1e-4
    """A probability below it counts hardly more than this: one row of which a member was sure, wrongly, would decide everything."""
    learns: bool = True
    takes_gaps: bool = False

    def fit(self, members: Array, known: Known) -> None:
        """Find the weights on out-of-fold members of shape (n_rows, n_members[, n_classes])."""
        from scipy.optimize import minimize
        from scipy.special import log_softmax

        n_classes = members.shape[2] if members.ndim == 3 else 2
        if len(members) * n_classes > _MOST_JUDGED:
            rows = drawn_rows(members, known, _MOST_JUDGED // n_classes, np.random.default_rng(0))
            members, known = members[rows], known.take(rows)
        y, n = known.y.astype(np.intp), len(members)
        counted = np.ones(n) if known.weights is None else np.asarray(known.weights, dtype=np.float64)
        counted = counted / counted.mean()
        is_class = np.eye(n_classes)[y]
        totals = counted @ is_class + 1
        self.shares, self.edge = totals / totals.sum(), min(1e-4, 1 / (n + 2))
        # members first: each one's values then lie side by side in memory
        beyond = np.ascontiguousarray(np.moveaxis(self._beyond(members, self.shares), 1, 0)).reshape(members.shape[1], -1)
        before = np.log(self.shares)

        def loss(weights: Array) -> tuple[float, Array]:
            said = log_softmax(before + (weights @ beyond).reshape(n, n_classes), axis=1)
            wrong = counted[:, None] * (np.exp(said) - is_class)
            value = self.alpha * weights @ weights - float(counted @ said[np.arange(n), y])
            return float(value / n), (2 * self.alpha * weights + beyond @ wrong.ravel()) / n

        start = np.full(len(beyond), 1 / len(beyond))
        self.weights = np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(0, None)] * len(start)).x, dtype=np.float64)

    def predict(self, members: Array, known: Known = NOTHING_KNOWN) -> Array:
        """The pool's probabilities; the members' mean before any fit."""
        from scipy.special import softmax

        if self.weights is None or self.shares is None:
            return np.asarray(members.mean(axis=1), dtype=np.float64)
        pooled = softmax(np.log(self.shares) + np.tensordot(self._beyond(members, self.shares), self.weights, axes=([1], [0])), axis=1)
        return np.asarray(pooled if members.ndim == 3 else pooled[:, 1], dtype=np.float64)

    def _beyond(self, members: Array, shares: Array) -> Array:
        """What members say beyond the classes' shares, on the logarithmic scale; shape (n_rows, n_members, n_classes)."""
        every = members if members.ndim == 3 else np.stack([1 - members, members], axis=2)
        return np.asarray(soft_log(every, self.edge) - np.log(shares), dtype=np.float64)

    def describe(self) -> dict[str, Any]:
        """The weights, the classes' shares and the edge."""
        if self.weights is None or self.shares is None:
            return {"weights": None}
        return {"weights": self.weights.tolist(), "shares": self.shares.tolist(), "edge": self.edge}

    def restore(self, described: dict[str, Any]) -> None:
        """Take them back."""
        if described["weights"] is not None:
            self.weights, self.shares = np.array(described["weights"]), np.array(described["shares"])
            self.edge = float(described["edge"])


def log_pool(problem: Problem, *, of: list[str] | None = None, alpha: AtLeast0 = 2.0) -> OnOof:
    """Probabilities multiplied, each to a power of its own, found by the log loss; ``alpha`` draws the powers to 0.

    Raises
    ------
    InputError
        When the task has no classes.
    """
    if problem.task == "regression":
        raise InputError("'log_pool' multiplies probabilities; the task is 'regression'. Use 'blend'.")
    return LogPool(problem, alpha)
