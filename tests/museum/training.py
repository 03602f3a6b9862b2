"""Breaks of the framework itself: what a careless change would let models and ensembles see."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipelines import combiners, frames, oof, training
from pipelines.audit import exact

from .exhibit import Exhibit


def _nested(rows_of):
    """``oof.nested`` that fits a fold on other rows than it should."""

    def patch(monkeypatch: pytest.MonkeyPatch) -> None:
        def nested(entries, models, known, test, folds):
            done = {}
            for entry in entries:
                members = [done[name].predictions if name in done else models[name] for name in entry.of]
                table, parts, made = oof.stacked([oof.pooled(member, folds) for member in members]), [], []
                for fold in range(folds.n_folds):
                    made.append(entry.make())
                    rows = rows_of(folds, fold)
                    made[-1].fit(table[rows], known.take(rows))
                    parts.append(made[-1].predict(table[folds.scored_rows(fold)], known))
                done[entry.name] = oof.Fitted(oof.Predictions(parts, members[0].test), made, made[0])
            return done

        monkeypatch.setattr("pipelines.oof.nested", nested)

    return patch


def _scored_target(job):
    return np.load(job.table / "y.npy")[np.load(job.fold_block / "rows.npz")["scored"]]


def _rounds_by_scored_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    def fit_seeds(job, part, declared, test):
        y, X, tried = _scored_target(job), training.read_matrices(job.view, job.fold_block).scored, {}
        for rounds in (5, 10, 20, 40, 80):
            model = training.kinds()[job.kind].fit({**job.params, "n_estimators": rounds}, part)
            tried[float(np.mean((model.predict(X) - y) ** 2))] = model
        return [training.Seeded(tried[min(tried)], None)]

    monkeypatch.setattr(training, "_fit_seeds", fit_seeds)


def _fit_on_scored_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    true = training.read_matrices

    def read(view, fold_block):
        import pandas as pd

        matrices = true(view, fold_block)
        both = np.concatenate([matrices.rows.fit, matrices.rows.scored])
        return replace(matrices, fit=pd.concat([matrices.fit, matrices.scored]), rows=replace(matrices.rows, fit=both))

    monkeypatch.setattr(training, "read_matrices", read)


def _layer_on_scored_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    true = training.matrices_of

    def read(job):
        import pandas as pd

        matrices = true(job)
        both = np.concatenate([matrices.rows.fit, matrices.rows.scored])
        return replace(matrices, fit=pd.concat([matrices.fit, matrices.scored]), rows=replace(matrices.rows, fit=both))

    monkeypatch.setattr(training, "matrices_of", read)


def _weights_of_all_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    true = training._training

    def make(job, matrices, y, weights, threads):
        share = np.load(job.table / "y.npy").mean()
        return replace(true(job, matrices, y, weights, threads), weights=np.where(y == 1, 1 - share, share))

    monkeypatch.setattr(training, "_training", make)


def _centred_by_all_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    true = training._training

    def make(job, matrices, y, weights, threads):
        return true(job, matrices, y - np.load(job.table / "y.npy").mean(), weights, threads)

    monkeypatch.setattr(training, "_training", make)


def _encoded_before_the_split(monkeypatch: pytest.MonkeyPatch) -> None:
    true = frames.run_in_fold

    def run(event, bound, rows, target, shared_totals=None):
        return true(event, bound, replace(rows, fit=np.concatenate([rows.fit, rows.scored]), scored=rows.scored[:0]), target)

    monkeypatch.setattr(frames, "run_in_fold", run)


def _calibrated_by_all_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A calibrator that keeps the rows of every fit it was given."""
    seen: list[tuple[float, float]] = []

    class Calibrated:
        learns, takes_gaps = True, False

        def fit(self, members, known):
            seen.extend(zip(members[:, 0].tolist(), known.y.tolist(), strict=True))

        def predict(self, members, known):
            said = dict(seen)
            return np.array([said.get(value, 0.5) for value in members[:, 0].tolist()])

        def describe(self):
            return {}

    monkeypatch.setitem(combiners.COMBINERS, "blend", lambda problem, **_: Calibrated())


def _rare(table, rng):
    """One row in four is of class 1."""
    return table.assign(y=((table["y"] == 1) & (table["rooms"] > 3)).astype(int))


_TWO = {
    "models": {"linear": {"ridge": {}, "view": "plain"}, "tree": {"decision_tree": {"max_depth": 3}, "view": "plain"}},
    "ensemble": {"final": {"blend": {"method": "simplex"}}},
}
_TWO_OF_CLASSES = {
    "models": {"linear": {"logistic_regression": {}, "view": "plain"}, "tree": {"decision_tree": {"max_depth": 3}, "view": "plain"}},
    "ensemble": {"final": {"blend": {"method": "hill_climb"}}},
}
_STACKED = {
    **_TWO,
    "ensemble": {"stacked": {"stack": {"meta": "ridge"}}, "final": {"blend": {"of": ["stacked", "tree"], "method": "simplex"}}},
}
_BOOSTED = {
    "models": {"boosted": {"lightgbm": {"num_leaves": 4, "min_data_in_leaf": 5, "learning_rate": 0.2}, "view": "plain", "max_rounds": 60}}
}


_LAYERED = {
    "models": {
        **_TWO["models"],
        "top": {"decision_tree": {"max_depth": 2}, "view": "plain", "stack_on": ["linear", "tree"]},
        "roof": {"ridge": {}, "stack_on": ["linear", "top"], "passthrough": False},
    }
}
_LAYERED_CLASSES = {
    "models": {
        **_TWO_OF_CLASSES["models"],
        "roof": {"logistic_regression": {}, "stack_on": ["linear", "tree"], "passthrough": False},
    }
}


def _all_rows(folds, fold):
    return np.arange(len(folds.status))


def _only_scored(folds, fold):
    return folds.scored_rows(fold)


PLANTED = [
    Exhibit("stacked in-sample", exact.check, declared=_STACKED, patch=_nested(_all_rows)),
    Exhibit("blending weights fitted on the scored rows", exact.check, declared=_TWO, patch=_nested(_only_scored)),
    Exhibit("a calibrator that keeps what it was fitted on", exact.check, task="binary", patch=_calibrated_by_all_seen),
    Exhibit("rounds picked on the scored fold", exact.check, declared=_BOOSTED, patch=_rounds_by_scored_rows),
    Exhibit("a model fitted on the scored rows too", exact.check, patch=_fit_on_scored_rows),
    Exhibit("a layer fitted on the scored rows too", exact.check, declared=_LAYERED, patch=_layer_on_scored_rows),
    Exhibit("class weights counted on all rows", exact.check, task="binary", change=_rare, patch=_weights_of_all_rows),
    Exhibit("a target centred by the mean of all rows", exact.check, patch=_centred_by_all_rows),
    Exhibit(
        "an encoder fitted before the split",
        exact.check,
        declared={"features": [{"target_encode": {"columns": ["street"]}}]},
        patch=_encoded_before_the_split,
    ),
]

CLEAN = [
    Exhibit("stacked out of fold, then blended", declared=_STACKED),
    Exhibit("blending weights of classes", task="binary", declared=_TWO_OF_CLASSES),
    Exhibit("a stack of several classes", task="multiclass", declared={**_TWO_OF_CLASSES, "ensemble": {"final": {"stack": {}}}}),
    Exhibit("rounds from an inner cut", declared=_BOOSTED),
    Exhibit("layers on out-of-fold predictions", declared=_LAYERED),
    Exhibit("a layer of several classes", task="multiclass", declared=_LAYERED_CLASSES),
    Exhibit(
        "class weights counted on the training part",
        task="binary",
        declared={"models": {"linear": {"logistic_regression": {}, "view": "plain", "weights": "balanced"}}},
    ),
]
