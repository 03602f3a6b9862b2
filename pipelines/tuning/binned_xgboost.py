"""XGBoost over binned data: one ``QuantileDMatrix`` for each fold and number of bins, shared by all trials of a worker."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipelines.metrics import Array
from pipelines.models.contract import Training
from pipelines.models.matrix import as_matrix, as_prediction
from pipelines.models.rounds import patience
from pipelines.models.xgboost import XGBoost
from pipelines.objectives import OBJECTIVES
from pipelines.tuning.bins import Bins, Stopping, shared_bins
from pipelines.tuning.folds import TuningFold
from pipelines.tuning.trainers import Watch, checkpoints


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
    stopping = Stopping(patience(rate))
    for done in range(1, (rounds or fold.training.max_rounds) + 1):
        booster.update(bins.fit, done - 1)
        if watch is not None and done in marks:
            watch(marks[done], fold.score(_predictions(booster, bins, fold), params, bins.rows))
        if rounds is None and stopping.is_over(_loss(booster, bins.cut, done), done):
            break
    return _predictions(booster, bins, fold, None if rounds is not None else max(1, stopping.round))


def _loss(booster: Any, cut: Any, done: int) -> float:
    """The last metric on the rows held out, turned so that smaller is better; XGBoost says it as text."""
    name, _, value = booster.eval_set([(cut, "cut")], done).rsplit("\t", 1)[-1].rpartition(":")
    return -float(value) if any(word in name for word in ("auc", "map", "ndcg", "pre@")) else float(value)


def _binned(fold: TuningFold, max_bin: int, *, with_cut: bool) -> Bins:
    import xgboost

    def binned(X: Any, y: Array | None, weights: Array | None, reference: Any) -> Any:
        matrix, categorical = as_matrix(X, "xgboost", allow_missing=True, allow_categories=True, allow_infinite=False, compact=True)
        types = ["c" if at in categorical else "float" for at in range(matrix.shape[1])] if categorical else None
        more = {"feature_types": types, "enable_categorical": bool(categorical), "nthread": fold.training.threads}
        return xgboost.QuantileDMatrix(matrix, y, weight=weights, max_bin=max_bin, ref=reference, **more)

    def make(rows: Training, held: Training | None) -> Bins:
        data = binned(rows.X, rows.y, rows.weights, None)
        cut = None if held is None else binned(held.X, held.y, None, data)
        # the quantile objective asks for a target of everything that is predicted; it looks at none of this one
        return Bins(rows, data, cut, binned(fold.scored, np.zeros(len(fold.scored)), None, data))

    return shared_bins(fold, max_bin, make, with_cut=with_cut)


def _predictions(booster: Any, bins: Bins, fold: TuningFold, rounds: int | None = None) -> Array:
    """Predictions of the scored rows, by all rounds or the first ones."""
    return as_prediction(booster.predict(bins.scored, iteration_range=(0, rounds or 0)), fold.training.task)
