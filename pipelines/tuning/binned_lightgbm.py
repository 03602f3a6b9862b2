"""LightGBM over binned data: one ``Dataset`` for each fold and way of binning, shared by all trials of a worker."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipelines.metrics import Array
from pipelines.models.contract import Training
from pipelines.models.lightgbm import LightGBM
from pipelines.models.matrix import as_matrix
from pipelines.models.rounds import inner_cut, patience
from pipelines.objectives import OBJECTIVES
from pipelines.tuning.folds import TuningFold
from pipelines.tuning.trainers import Watch, checkpoints

_RATES = ("learning_rate", "eta", "shrinkage_rate")
_MOST_WAYS = 4
"""Ways of binning that are kept for a fold."""


@dataclass(frozen=True)
class _Bins:
    """Binned rows: fitted, held out to find the rounds (None where they are given), scored."""

    rows: Training
    fit: Any
    cut: Any
    scored: Any


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
    best, best_at, waits, n_rounds = np.inf, 0, patience(rate), rounds or fold.training.max_rounds
    if rounds is None:
        booster.add_valid(bins.cut, "cut")
    for done in range(1, n_rounds + 1):
        is_finished = booster.update()
        if watch is not None and done in marks:
            watch(marks[done], fold.score(_predictions(booster, bins.scored), params, bins.rows))
        if rounds is None:
            judged = booster.eval(bins.cut, "cut")[0]
            loss = -judged[2] if judged[3] else judged[2]
            best, best_at = (loss, done) if loss < best else (best, best_at)
        if is_finished or (rounds is None and done - best_at >= waits):
            break
    if rounds is None and best_at < booster.current_iteration():
        matrix, _ = as_matrix(fold.scored, own.name, allow_missing=True, allow_categories=True, compact=True)
        return np.asarray(booster.predict(matrix, num_iteration=max(1, best_at), num_threads=fold.training.threads), dtype=np.float64)
    return _predictions(booster, bins.scored)


def _binned(fold: TuningFold, settings: dict[str, Any], *, with_cut: bool) -> _Bins:
    import lightgbm

    # the library knows which settings binning reads
    way = json.dumps([lightgbm.Dataset(None, params=dict(settings)).get_params(), with_cut], sort_keys=True, default=str)
    if way not in fold.binned:
        while len(fold.binned) >= _MOST_WAYS:
            del fold.binned[next(iter(fold.binned))]
        fold.binned[way] = _bins(fold, settings, with_cut=with_cut)
    found: _Bins = fold.binned[way]
    return found


def _bins(fold: TuningFold, settings: dict[str, Any], *, with_cut: bool) -> _Bins:
    import lightgbm

    def matrix(X: Any) -> tuple[Any, list[int]]:
        return as_matrix(X, "lightgbm", allow_missing=True, allow_categories=True, compact=True)

    training, rows, held = fold.training, fold.fitted_rows, None
    if with_cut:
        fit, stop = inner_cut(training)
        rows, held = training.take(fit).resampled(), training.take(stop)
    X, categorical = matrix(rows.X)
    data = lightgbm.Dataset(X, rows.y, weight=rows.weights, categorical_feature=categorical, params=dict(settings)).construct()
    later: dict[str, Any] = {"reference": data, "categorical_feature": categorical, "params": dict(settings)}
    cut = None if held is None else lightgbm.Dataset(matrix(held.X)[0], held.y, **later).construct()
    scored = lightgbm.Dataset(matrix(fold.scored)[0], np.zeros(len(fold.scored)), **later).construct()
    return _Bins(rows, data, cut, scored)


def _predictions(booster: Any, data: Any) -> Array:
    """The booster's predictions of binned rows, which it keeps up to date as it grows."""
    kept: list[Any] = []

    def keep(predictions: Any, _: Any) -> tuple[str, float, bool]:
        kept.append(np.array(predictions, dtype=np.float64))
        return "kept", 0.0, True

    booster.eval(data, "scored", keep)
    return np.asarray(kept[0], dtype=np.float64)
