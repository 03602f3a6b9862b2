"""What a report tells of, in the form its parts ask for it."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.combiners import group_column
from pipelines.ensembles import Problem
from pipelines.known import Known
from pipelines.metrics import Array, Metric
from pipelines.oof import pooled, scored_rows
from pipelines.prepare import Prepared
from pipelines.report.numbers import decimals_of
from pipelines.session import Session
from pipelines.spec import Data, views_of
from pipelines.splits import Folds, Rows
from pipelines.stages import Combined
from pipelines.store import read_json
from pipelines.tables import Tables, read_tables
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

    @property
    def fitted(self) -> list[str]:
        """The models that the run fitted, in declared order; members made elsewhere are not among them."""
        return [name for name in self.metrics["models"] if name in self.session.spec.models]

    @functools.cached_property
    def rows(self) -> Rows:
        """Scored rows that the final predicts."""
        rows = scored_rows(self.folds)
        final = pooled(self.combined.predictions[self.final], self.folds)[rows]
        return rows[np.isfinite(final.reshape(len(rows), -1)).all(axis=1)]

    @functools.cached_property
    def known(self) -> Known:
        """Target, weights and asked columns of ``rows``."""
        return self.prepared.known.take(self.rows)

    @property
    def y(self) -> Array:
        """The truth of ``rows``."""
        return self.known.y

    @functools.cached_property
    def groups(self) -> NDArray[Any] | None:
        """What tells apart the groups that the folds keep together; None where they keep none."""
        column = group_column(self.session.spec)
        return None if column is None else self.known.columns[column].to_numpy()

    @functools.cached_property
    def raw(self) -> pd.DataFrame:
        """The raw columns of ``rows`` with target and id, as expressions name them."""
        session = self.session
        return raw_table(session.spec.data, read_tables(session.spec, session.data, sample=session.keys.sample)).iloc[self.rows]

    @functools.cached_property
    def oof(self) -> dict[str, Array]:
        """Each model's and entry's pooled predictions of ``rows``, shape (n_rows,) or (n_rows, n_classes); NaN where it has none."""
        return {name: pooled(part, self.folds)[self.rows] for name, part in self.combined.predictions.items()}

    @property
    def probable(self) -> str:
        """The name of the probabilities behind the final: itself, or what its threshold decides on."""
        learnt = self.combined.learnt.get(self.final, {})
        return str(learnt["of"][0]) if learnt.get("kind") == "threshold" else self.final

    @functools.cached_property
    def facts(self) -> dict[str, list[dict[str, Any]]]:
        """What each fitted model's fold fits noted, by fold."""
        session = self.session

        def noted(name: str, fold: int) -> dict[str, Any]:
            return dict(read_json(session.store.path(session.keys.fit(name, fold)) / "facts.json"))

        return {name: [noted(name, fold) for fold in range(self.folds.n_folds)] for name in self.fitted}

    @functools.cached_property
    def plans(self) -> dict[str, dict[str, Any]]:
        """The plan of each view that a model used."""
        session = self.session
        views = views_of(session.spec.models[name] for name in self.fitted)
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


def raw_table(data: Data, tables: Tables) -> pd.DataFrame:
    """The raw training rows with target and id."""
    n_train = tables.n_train
    target = np.asarray(tables.classes, dtype=object)[tables.y.astype(int)] if tables.classes else tables.y
    added = {data.target: target, **({data.id: tables.ids.iloc[:n_train].to_numpy()} if data.id else {})}
    named = {name: pd.Series(values).infer_objects() for name, values in added.items()}
    return pd.concat([tables.features.iloc[:n_train], tables.only_train], axis=1).assign(**named)
