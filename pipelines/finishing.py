"""What is done to finished predictions, fitted on the out-of-fold table like a blend: calibrate, correct, decide, route, rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from features.errors import InputError
from features.expressions import as_text
from pipelines.calibration import CALIBRATORS, Calibrator, rebuilt
from pipelines.ensembles import Problem
from pipelines.known import NOTHING_KNOWN, Known
from pipelines.metrics import Array
from pipelines.oof import OnOof
from pipelines.thresholds import THRESHOLDS, Threshold

NotNegative = Annotated[float, Field(ge=0)]
_WEIGHTS_OF: dict[str, Callable[[Array], Array]] = {"rmspe": lambda y: 1 / y**2, "rmse": np.ones_like}
"""Metrics whose best factor is a weighted least squares fit, with the weights of a target."""


@dataclass
class Route:
    """The first member that has a prediction for a row: subset models first, one for all rows last."""

    learns: bool = False
    takes_gaps: bool = True

    def fit(self, members: Array, known: Known) -> None:
        """Nothing is learnt."""

    def predict(self, members: Array, known: Known = NOTHING_KNOWN) -> Array:
        """The first prediction that is there; NaN where no member has one."""
        gaps = (
            np.isnan(members.reshape(*members.shape[:2], -1)).any(axis=2) if len(members) else np.empty((0, members.shape[1]), dtype=bool)
        )
        return np.asarray(members[np.arange(len(members)), np.argmin(gaps, axis=1)], dtype=np.float64)

    def describe(self) -> dict[str, Any]:
        """There is nothing to tell."""
        return {}

    def restore(self, described: dict[str, Any]) -> None:
        """Nothing was learnt."""


@dataclass
class Calibrate:
    """One member's probabilities, calibrated."""

    calibrator: Calibrator
    method: str
    learns: bool = True
    takes_gaps: bool = False

    def fit(self, members: Array, known: Known) -> None:
        """Fit the calibrator on out-of-fold probabilities."""
        self.calibrator.fit(members[:, 0], known.y, known.weights)

    def predict(self, members: Array, known: Known = NOTHING_KNOWN) -> Array:
        """Calibrated probabilities; as they were before any fit."""
        return self.calibrator.predict(members[:, 0])

    def describe(self) -> dict[str, Any]:
        """The method and what it learnt."""
        return {"method": self.method, **self.calibrator.describe()}

    def restore(self, described: dict[str, Any]) -> None:
        """Take the curves back."""
        self.calibrator = rebuilt(described)


@dataclass
class Decide:
    """Class 1 where a probability lies above a threshold."""

    threshold: Threshold
    method: str
    day: str | None = None
    takes_gaps: bool = False

    @property
    def learns(self) -> bool:
        """Whether the rule looks for a threshold."""
        return self.threshold.learns

    def fit(self, members: Array, known: Known) -> None:
        """Choose the threshold on out-of-fold probabilities."""
        self.threshold.fit(members[:, 0], known.y, known.weights, self._days(known))

    def predict(self, members: Array, known: Known = NOTHING_KNOWN) -> Array:
        """0 or 1 for each row."""
        return np.asarray(self.threshold.labels(members[:, 0], self._days(known)), dtype=np.float64)

    def describe(self) -> dict[str, Any]:
        """The rule and the threshold it chose."""
        return {"method": self.method, **self.threshold.describe()}

    def restore(self, described: dict[str, Any]) -> None:
        """Take the threshold back."""
        self.threshold.restore(described)

    def _days(self, known: Known) -> Array | None:
        return None if self.day is None else known.columns[self.day].to_numpy()


@dataclass
class Correct:
    """One member times a factor, for all rows or by a key; a key with few rows is drawn to the factor of all."""

    problem: Problem
    method: Literal["fitted", "theory"]
    by: str | None
    shrink: float
    factor: float = 1.0
    factors: dict[str, float] = field(default_factory=dict)
    learns: bool = True
    takes_gaps: bool = False

    def fit(self, members: Array, known: Known) -> None:
        """Find the factor with the least loss, or take it from the spread of the log residuals."""
        p, y = members[:, 0], known.y
        there = (p > 0) & ((y > 0) | (self.method == "fitted" and self.problem.metric.name == "rmse"))
        if not there.any():
            return
        if self.method == "theory":
            # the RMSPE of a log-normal target is least at exp(-1.5 s^2) times its median (Wilhelm, 2019)
            self.factor = float(np.exp(-1.5 * np.var(np.log(y[there]) - np.log(p[there]))))
            return
        weights = _WEIGHTS_OF[self.problem.metric.name](y[there]) * (1.0 if known.weights is None else known.weights[there])
        table = pd.DataFrame({"top": weights * y[there] * p[there], "bottom": weights * p[there] ** 2})
        self.factor = float(table["top"].sum() / table["bottom"].sum())
        if self.by is not None:
            sums = table.groupby(as_text(known.columns[self.by]).to_numpy()[there]).agg(["sum", "size"])
            pull = self.shrink * table["bottom"].mean()
            found = (sums[("top", "sum")] + pull * self.factor) / (sums[("bottom", "sum")] + pull)
            self.factors = {str(key): float(value) for key, value in found.items()}

    def predict(self, members: Array, known: Known = NOTHING_KNOWN) -> Array:
        """The member times its factor; 1 before any fit, the factor of all rows for an unknown key."""
        if not self.factors or self.by is None:
            return members[:, 0] * self.factor
        keys = as_text(known.columns[self.by])
        return np.asarray(members[:, 0] * keys.map(self.factors).fillna(self.factor).to_numpy(dtype=np.float64), dtype=np.float64)

    def describe(self) -> dict[str, Any]:
        """The factors."""
        return {"method": self.method, "factor": self.factor, **({"by": self.by, "factors": self.factors} if self.by else {})}

    def restore(self, described: dict[str, Any]) -> None:
        """Take the factors back."""
        self.factor, self.factors = float(described["factor"]), dict(described.get("factors", {}))


Rule = Callable[[Array, Known], Array]


@dataclass
class Apply:
    """Fixed rules on one member: clip, round, forced values."""

    rules: list[Rule]
    learns: bool = False
    takes_gaps: bool = False

    def fit(self, members: Array, known: Known) -> None:
        """Nothing is learnt."""

    def predict(self, members: Array, known: Known = NOTHING_KNOWN) -> Array:
        """The member after all rules, in declared order."""
        values = members[:, 0]
        for rule in self.rules:
            values = rule(values, known)
        return values

    def describe(self) -> dict[str, Any]:
        """There is nothing to tell."""
        return {}

    def restore(self, described: dict[str, Any]) -> None:
        """Nothing was learnt."""


def clip(*, low: float | None = None, high: float | None = None) -> Rule:
    """Predictions between two ends."""
    if low is None and high is None:
        raise InputError("'clip' needs 'low', 'high' or both.")
    return lambda values, known: np.clip(values, low, high)


def round_to(*, decimals: int = 0) -> Rule:
    """Predictions rounded to some digits behind the point."""
    return lambda values, known: np.round(values, decimals)


def force(*, where: str, value: float) -> Rule:
    """A value for the rows where an expression holds (sales of closed days, say)."""
    return lambda values, known: np.where(known.columns[where].to_numpy(dtype=bool), value, values)


RULES: dict[str, Callable[..., Rule]] = {"clip": clip, "round": round_to, "force": force}


def route(problem: Problem, *, of: list[str]) -> OnOof:
    """The first of the members that has a prediction for a row: models of some rows first, one of all rows last."""
    return Route()


def calibrate(problem: Problem, *, of: list[str], method: str = "platt", params: dict[str, Any] | None = None) -> OnOof:
    """One member's probabilities, calibrated."""
    _only_for(problem, "calibrate", ("binary", "multiclass"))
    _one(of, "calibrate")
    if method not in CALIBRATORS:
        raise InputError(f"no calibration {method!r}; there are {', '.join(CALIBRATORS)}.")
    return Calibrate(CALIBRATORS[method](**params or {}), method)


def threshold(problem: Problem, *, of: list[str], method: str = "f1", params: dict[str, Any] | None = None) -> OnOof:
    """Class 1 where a member's probability lies above a threshold that out-of-fold rows have chosen."""
    _only_for(problem, "threshold", ("binary",))
    _one(of, "threshold")
    if method not in THRESHOLDS:
        raise InputError(f"no threshold {method!r}; there are {', '.join(THRESHOLDS)}.")
    return Decide(THRESHOLDS[method](**params or {}), method, (params or {}).get("per"))


def correct(
    problem: Problem, *, of: list[str], method: Literal["fitted", "theory"] = "fitted", by: str | None = None, shrink: NotNegative = 50.0
) -> OnOof:
    """One member times a factor with the least loss, for all rows or ``by`` a key; ``shrink`` is the rows that draw a key to all.

    ``theory`` takes exp(-1.5 s^2), s the standard deviation of the log residuals.
    """
    _only_for(problem, "correct", ("regression",))
    _one(of, "correct")
    if problem.metric.quantile is not None:
        raise InputError(
            f"a factor would take predictions off the quantile that metric '{problem.metric}' asks for. Write stack: {{of: {of}}}."
        )
    if method == "fitted" and problem.metric.name not in _WEIGHTS_OF:
        raise InputError(f"a fitted correction is there for the metrics {', '.join(_WEIGHTS_OF)}; found {problem.metric.name!r}.")
    if method == "theory" and by is not None:
        raise InputError("a correction by theory has one factor for all rows. Remove 'by', or take method: fitted.")
    return Correct(problem, method, by, shrink)


def postprocess(problem: Problem, *, of: list[str], rules: list[tuple[str, dict[str, Any]]]) -> OnOof:
    """Fixed rules on one member."""
    _one(of, "postprocess")
    return Apply([RULES[name](**params) for name, params in rules])


def _one(of: list[str], name: str) -> None:
    if len(of) != 1:
        raise InputError(f"{name!r} takes one member; 'of' names {len(of)}. Blend them in an entry of its own first.")


def _only_for(problem: Problem, name: str, tasks: tuple[str, ...]) -> None:
    if problem.task not in tasks:
        raise InputError(f"{name!r} is for {' and '.join(tasks)} targets; the task is {problem.task!r}. Remove it.")
