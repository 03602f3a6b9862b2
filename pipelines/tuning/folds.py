"""One tuning fold in memory: the rows a trial fits on, those it is scored on, and the score of its predictions."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from pipelines.combiners import asked_columns
from pipelines.fitted_rows import resampler_of, shift_of, weights_of
from pipelines.known import Known
from pipelines.metrics import Array, Metric
from pipelines.models.contract import Training
from pipelines.prepare import Prepared
from pipelines.resample import correct_prior
from pipelines.session import Session
from pipelines.targets import TargetScale
from pipelines.training import read_column, read_matrices, take_rows

_THREADED_FROM = 1_000_000
"""Cells of a training part from which a fit has several threads; in smaller ones they wait for each other more than they do."""


@dataclass
class TuningFold:
    """A fold's training part, its scored rows, and what they are judged by; trainers keep here what they build once."""

    training: Training
    """The training part before it is resampled."""
    scored: pd.DataFrame
    """Columns of the scored rows, shape (n_scored, n_columns)."""
    known: Known
    """Of the scored rows."""
    metric: Metric
    scale: TargetScale
    declared_weights: Array | None
    """Of the training part, shape (n_fit,)."""
    corrects_prior: bool
    binned: dict[Any, Any] = field(default_factory=dict)
    """Binned data by what it was made with; gone when the fold is."""

    @functools.cached_property
    def fitted_rows(self) -> Training:
        """The rows that are really fitted: the training part, resampled where that is asked for."""
        return self.training.resampled()

    def score(self, values: Array, params: dict[str, Any], fitted: Training | None = None) -> float:
        """The metric on the scored rows; NaN where it is not defined on them.

        Parameters
        ----------
        values
            Predictions on the scale that is fitted on, or probabilities, shape (n_scored,) or (n_scored, n_classes).
        params
            The library parameters, which may weigh classes.
        fitted
            The rows that were fitted; ``fitted_rows`` by default.
        """
        if self.corrects_prior:
            shift = shift_of(fitted or self.fitted_rows, self.training.y, self.declared_weights, params)
            values = values if shift is None else correct_prior(values, np.asarray(shift))
        values = self.scale.inverse(values)
        bad = int((~np.isfinite(values)).sum())
        if bad:
            raise ArithmeticError(f"{bad} of {values.size} predictions are not finite")
        columns = {name: self.known.columns[name].to_numpy() for name in self.metric.columns}
        return self.metric.score(self.known.y, values, weights=self.known.weights, columns=columns)


def read_fold(session: Session, prepared: Prepared, model: str, fold: int, threads: int) -> TuningFold:
    """Read a fold of a model from the store; the first of the model's seeds stands for all."""
    spec, keys, store = session.spec.models[model], session.keys, session.store
    matrices = read_matrices(store.path(keys.view(spec.keys.view)), store.path(keys.fold(spec.keys.view, fold)))
    asked = asked_columns(session.spec)
    columns = store.path(keys.columns(asked)) if asked else None
    if spec.keys.rows is not None and columns is not None:
        matrices, _ = take_rows(matrices, read_column(columns, spec.keys.rows).astype(bool))
    rows, weight = matrices.rows, session.spec.data.weight
    declared = None if weight is None or columns is None else read_column(columns, weight)[rows.fit].astype(np.float64)
    resample = None if spec.resample is None else (spec.resample.name, spec.resample.params)
    y, times = prepared.y[rows.fit], store.path(keys.table) / "times.npy"
    scale = TargetScale.of(y, spec.transform, is_scaled=spec.keys.scale_target)
    training = Training(
        matrices.fit,
        scale.forward(y),
        weights_of(spec.keys, y, declared, is_resampled=resample is not None),
        session.spec.task,
        len(prepared.classes),
        spec.keys.seed,
        threads if matrices.fit.size >= _THREADED_FROM else 1,
        session.keys.device(model),
        rounds_cut=spec.keys.rounds_cut,
        max_rounds=spec.keys.max_rounds,
        times=np.load(times)[rows.fit] if times.is_file() else None,
        resample=resampler_of(spec.keys, resample),
    )
    known = prepared.known.take(rows.scored)
    return TuningFold(training, matrices.scored, known, session.metric, scale, declared, spec.keys.correct_prior)
