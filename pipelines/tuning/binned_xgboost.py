"""XGBoost over binned data: one ``QuantileDMatrix`` for each fold and number of bins, shared by all trials of a worker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pipelines.metrics import Array
from pipelines.models.contract import Training
from pipelines.models.matrix import as_matrix, as_prediction
from pipelines.models.rounds import inner_cut, patience
from pipelines.models.xgboost import XGBoost
from pipelines.objectives import OBJECTIVES
from pipelines.tuning.folds import TuningFold
from pipelines.tuning.trainers import Watch, checkpoints

_MOST_WAYS = 4
"""Numbers of bins that are kept for a fold."""


@dataclass(frozen=True)
class _Bins:
    """Binned rows: fitted, held out to find the rounds (None where they are given), scored."""

    rows: Training
    fit: Any
    cut: Any
    scored: Any


def train(kind: str, params: dict[str, Any], fold: TuningFold, watch: Watch | None) -> Array | None:
    """Fit a configuration; what does not work on bins of the whole training part is left to the usual way."""
    import xgboost

    own = XGBoost()
    settings = own._settings(params, fold.training)
    is_plain = settings.get("booster", "gbtree") == "gbtree" and settings["tree_method"] == "hist" and "process_type" not in settings
    if str(settings["objective"]) in OBJECTIVES or not is_plain:
        return None
    given = [int(settings.pop(name)) for name in own.rounds_names if settings.get(name) is not None]
    rounds, rate = given[0] if given else None, float(settings.get("eta", 0.3))
    bins = _binned(fold, int(settings.get("max_bin", 256)), with_cut=rounds is None)
    booster = xgboost.Booster(settings, [part for part in (bins.fit, bins.cut, bins.scored) if part is not None])
    marks = checkpoints(rounds, rate) if watch is not None else {}
    best, best_at, waits = np.inf, 0, patience(rate)
    for done in range(1, (rounds or fold.training.max_rounds) + 1):
        booster.update(bins.fit, done - 1)
        if watch is not None and done in marks:
            watch(marks[done], fold.score(_predictions(booster, bins, fold), params, bins.rows))
        if rounds is None:
            loss = _loss(booster, bins.cut, done)
            best, best_at = (loss, done) if loss < best else (best, best_at)
            if done - best_at >= waits:
                break
    return _predictions(booster, bins, fold, None if rounds is not None else max(1, best_at))


def _loss(booster: Any, cut: Any, done: int) -> float:
    """The last metric on the rows held out, turned so that smaller is better; XGBoost says it as text."""
    name, _, value = booster.eval_set([(cut, "cut")], done).rsplit("\t", 1)[-1].rpartition(":")
    return -float(value) if any(word in name for word in ("auc", "map", "ndcg", "pre@")) else float(value)


def _binned(fold: TuningFold, max_bin: int, *, with_cut: bool) -> _Bins:
    way = (max_bin, with_cut)
    if way not in fold.binned:
        while len(fold.binned) >= _MOST_WAYS:
            del fold.binned[next(iter(fold.binned))]
        fold.binned[way] = _bins(fold, max_bin, with_cut=with_cut)
    found: _Bins = fold.binned[way]
    return found


def _bins(fold: TuningFold, max_bin: int, *, with_cut: bool) -> _Bins:
    import xgboost

    def binned(X: Any, y: Array | None, weights: Array | None, reference: Any) -> Any:
        matrix, categorical = as_matrix(X, "xgboost", allow_missing=True, allow_categories=True, allow_infinite=False, compact=True)
        types = ["c" if at in categorical else "float" for at in range(matrix.shape[1])] if categorical else None
        more = {"feature_types": types, "enable_categorical": bool(categorical), "nthread": training.threads}
        return xgboost.QuantileDMatrix(matrix, y, weight=weights, max_bin=max_bin, ref=reference, **more)

    training, rows, held = fold.training, fold.fitted_rows, None
    if with_cut:
        fit, stop = inner_cut(training)
        rows, held = training.take(fit).resampled(), training.take(stop)
    data = binned(rows.X, rows.y, rows.weights, None)
    cut = None if held is None else binned(held.X, held.y, None, data)
    # the quantile objective asks for a target of everything that is predicted; it looks at none of this one
    return _Bins(rows, data, cut, binned(fold.scored, np.zeros(len(fold.scored)), None, data))


def _predictions(booster: Any, bins: _Bins, fold: TuningFold, rounds: int | None = None) -> Array:
    """Predictions of the scored rows, by all rounds or the first ones."""
    return as_prediction(booster.predict(bins.scored, iteration_range=(0, rounds or 0)), fold.training.task)
