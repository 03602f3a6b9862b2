"""LightGBM over binned data: one ``Dataset`` for each fold and way of binning, shared by all trials of a worker."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from pipelines.metrics import Array
from pipelines.models.contract import Training
from pipelines.models.lightgbm import LightGBM
from pipelines.models.matrix import as_matrix
from pipelines.models.rounds import patience
from pipelines.objectives import OBJECTIVES
from pipelines.tuning.bins import Bins, Stopping, shared_bins
from pipelines.tuning.folds import TuningFold
from pipelines.tuning.trainers import Watch, checkpoints

_RATES = ("learning_rate", "eta", "shrinkage_rate")


def train(kind: str, params: dict[str, Any], fold: TuningFold, watch: Watch | None) -> Array | None:
    """Fit a configuration; one with an objective of our own, which starts from the mean, is left to the usual way."""
    import lightgbm

    own = LightGBM()
    settings = own._settings(params, fold.training)
    if str(settings.get("objective")) in OBJECTIVES:
        return None
    given = [int(settings.pop(name)) for name in own.rounds_names if settings.get(name) is not None]
    rounds = given[0] if given else None
    # one Dataset serves every smallest leaf
    bins = _binned(fold, {**settings, "feature_pre_filter": False}, with_cut=rounds is None)
    booster = lightgbm.Booster({**settings, "feature_pre_filter": False}, bins.fit).add_valid(bins.scored, "scored")
    rate = float(next((settings[name] for name in _RATES if settings.get(name) is not None), 0.1))
    marks = checkpoints(rounds, rate) if watch is not None else {}
    stopping, n_rounds = Stopping(patience(rate)), rounds or fold.training.max_rounds
    if rounds is None:
        booster.add_valid(bins.cut, "cut")
    for done in range(1, n_rounds + 1):
        is_over = booster.update()
        if watch is not None and done in marks:
            watch(marks[done], fold.score(_predictions(booster, bins.scored), params, bins.rows))
        if rounds is None:
            judged = booster.eval(bins.cut, "cut")[0]
            is_over = stopping.is_over(-judged[2] if judged[3] else judged[2], done) or is_over
        if is_over:
            break
    if rounds is None and stopping.round < booster.current_iteration():
        matrix, _ = as_matrix(fold.scored, own.name, allow_missing=True, allow_categories=True, compact=True)
        return np.asarray(
            booster.predict(matrix, num_iteration=max(1, stopping.round), num_threads=fold.training.threads), dtype=np.float64
        )
    return _predictions(booster, bins.scored)


def _binned(fold: TuningFold, settings: dict[str, Any], *, with_cut: bool) -> Bins:
    import lightgbm

    def matrix(X: Any) -> tuple[Any, list[int]]:
        return as_matrix(X, "lightgbm", allow_missing=True, allow_categories=True, compact=True)

    def make(rows: Training, held: Training | None) -> Bins:
        X, categorical = matrix(rows.X)
        data = lightgbm.Dataset(X, rows.y, weight=rows.weights, categorical_feature=categorical, params=dict(settings)).construct()
        later: dict[str, Any] = {"reference": data, "categorical_feature": categorical, "params": dict(settings)}
        cut = None if held is None else lightgbm.Dataset(matrix(held.X)[0], held.y, **later).construct()
        scored = lightgbm.Dataset(matrix(fold.scored)[0], np.zeros(len(fold.scored)), **later).construct()
        return Bins(rows, data, cut, scored)

    # the library knows which settings binning reads
    way = json.dumps(lightgbm.Dataset(None, params=dict(settings)).get_params(), sort_keys=True, default=str)
    return shared_bins(fold, way, make, with_cut=with_cut)


def _predictions(booster: Any, data: Any) -> Array:
    """The booster's predictions of binned rows, which it keeps up to date as it grows."""
    kept: list[Any] = []

    def keep(predictions: Any, _: Any) -> tuple[str, float, bool]:
        kept.append(np.array(predictions, dtype=np.float64))
        return "kept", 0.0, True

    booster.eval(data, "scored", keep)
    return np.asarray(kept[0], dtype=np.float64)
