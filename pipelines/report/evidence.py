"""What a report tells of, in the form its parts ask for it."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipelines.ensembles import Problem
from pipelines.metrics import Array, Metric
from pipelines.oof import pooled, scored_rows
from pipelines.prepare import Prepared
from pipelines.report.numbers import decimals_of
from pipelines.session import Session
from pipelines.splits import Folds, Rows
from pipelines.stages import Combined
from pipelines.store import read_json
from pipelines.targets import TRANSFORMS


@dataclass(frozen=True)
class Evidence:
    """A finished run: its session, its rows and its predictions."""

    session: Session
    prepared: Prepared
    combined: Combined
    timings: dict[str, float]
    """Seconds of each stage."""

    @property
    def metrics(self) -> dict[str, Any]:
        """What ``metrics.json`` holds."""
        return self.combined.metrics

    @property
    def metric(self) -> Metric:
        """The declared metric."""
        return self.session.metric

    @property
    def folds(self) -> Folds:
        """The folds."""
        return self.prepared.folds

    @property
    def final(self) -> str:
        """The name of the final prediction."""
        return str(self.metrics["final"]["name"])

    @property
    def decimals(self) -> int | None:
        """Digits behind the point of the final score, which all scores of the report are shown with."""
        return decimals_of(float(self.metrics["final"]["score"]))

    @property
    def scores(self) -> dict[str, dict[str, Any]]:
        """The score table of every model and ensemble entry, in declared order."""
        return {**self.metrics["models"], **self.metrics["ensemble"]}

    @functools.cached_property
    def rows(self) -> Rows:
        """Rows that some fold scores."""
        return scored_rows(self.folds)

    @functools.cached_property
    def y(self) -> Array:
        """The truth of the scored rows."""
        return self.prepared.y[self.rows]

    @functools.cached_property
    def oof(self) -> dict[str, Array]:
        """Each model's and entry's pooled predictions of the scored rows, shape (n_scored,) or (n_scored, n_classes)."""
        return {name: pooled(part, self.folds)[self.rows] for name, part in self.combined.predictions.items()}

    @functools.cached_property
    def facts(self) -> dict[str, list[dict[str, Any]]]:
        """What each model's fold fits noted, by fold."""
        session = self.session

        def noted(name: str, fold: int) -> dict[str, Any]:
            return dict(read_json(session.store.path(session.keys.fit(name, fold)) / "facts.json"))

        return {name: [noted(name, fold) for fold in range(self.folds.n_folds)] for name in self.metrics["models"]}

    @functools.cached_property
    def plans(self) -> dict[str, dict[str, Any]]:
        """The plan of each view that a model used."""
        session = self.session
        views = dict.fromkeys(session.spec.models[name].keys.view for name in self.metrics["models"])
        return {view: read_json(session.store.path(session.keys.view(view)) / "plan.json") for view in views}

    def scaled(self, values: Array) -> Array:
        """A regression's values on the transformed scale."""
        transform = TRANSFORMS[self.session.spec.target.transform]
        problem = Problem(self.session.spec.task, self.metric, transform)
        with np.errstate(invalid="ignore"):
            return problem.to_scale(values, "transformed")

    @property
    def scale_note(self) -> str:
        """How the transformed scale is called, to be put behind a name."""
        name = self.session.spec.target.transform
        return "" if name == "none" else f" ({name})"
