"""Binned data that trials share gives what a fit of its own gives, and decides nothing by the rows that are scored."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipelines.known import Known
from pipelines.metrics import METRICS
from pipelines.models import kinds
from pipelines.models.contract import Training
from pipelines.models.rounds import inner_cut
from pipelines.targets import TargetScale
from pipelines.tuning import trainers
from pipelines.tuning.folds import TuningFold
from pipelines.tuning.trainers import score_on

METRIC = {"regression": "rmse", "binary": "log_loss", "multiclass": "log_loss"}


def make_fold(task: str, *, n: int = 400, seed: int = 0) -> TuningFold:
    """A fold of a target that two columns and a category say something of."""
    rng = np.random.default_rng(seed)
    X = pd.DataFrame({"a": rng.normal(size=n), "b": rng.normal(size=n), "c": pd.Categorical(rng.choice(["x", "y", "z"], n))})
    X.loc[::11, "a"] = np.nan
    signal = X["a"].fillna(0).to_numpy() + (X["c"] == "x").to_numpy() + rng.normal(0, 0.5, n)
    y = signal if task == "regression" else np.digitize(signal, [0.3] if task == "binary" else [0.0, 0.9]).astype(np.float64)
    cut, n_classes = 3 * n // 4, {"regression": 0, "binary": 2, "multiclass": 3}[task]
    training = Training(X.iloc[:cut], y[:cut], None, task, n_classes, 0, max_rounds=400)
    known = Known(y[cut:])
    return TuningFold(training, X.iloc[cut:].reset_index(drop=True), known, METRICS[METRIC[task]], TargetScale("none"), None, True)


CONFIGURATIONS: list[tuple[str, dict[str, Any]]] = [
    ("lightgbm", {"num_leaves": 7, "learning_rate": 0.1}),
    ("lightgbm", {"num_leaves": 15, "learning_rate": 0.2, "min_data_in_leaf": 3, "max_bin": 31}),
    ("xgboost", {"max_depth": 3, "learning_rate": 0.1}),
    ("xgboost", {"max_depth": 4, "learning_rate": 0.2, "max_bin": 32, "subsample": 0.7}),
]


@pytest.mark.parametrize("task", METRIC)
@pytest.mark.parametrize("kind, params", CONFIGURATIONS)
def test_with_given_rounds_the_score_is_that_of_a_fit_as_in_a_run(kind: str, params: dict[str, Any], task: str) -> None:
    fold, given = make_fold(task), {**params, "n_estimators": 20}
    usual = fold.score(kinds()[kind].fit(given, fold.training).predict(fold.scored), given)
    score_on(kind, {**given, "learning_rate": 0.05}, fold)  # a trial before must not matter
    # XGBoost sketches the borders of its bins from other batches
    assert score_on(kind, given, fold).score == pytest.approx(usual, rel=1e-9 if kind == "lightgbm" else 2e-2)


@pytest.mark.parametrize("kind, params", CONFIGURATIONS[::2])
def test_without_rounds_they_come_from_the_inner_cut(kind: str, params: dict[str, Any]) -> None:
    fold = make_fold("binary")
    fit, stop = inner_cut(fold.training)
    part, held = fold.training.take(fit), fold.training.take(stop)
    found: Any = kinds()[kind]
    rounds = found.find_rounds(params, part, held)
    usual = fold.score(found.fit({**params, "n_estimators": rounds}, part).predict(fold.scored), params)
    assert score_on(kind, params, fold).score == pytest.approx(usual, rel=1e-9 if kind == "lightgbm" else 2e-2)


@pytest.mark.parametrize("kind, params", CONFIGURATIONS[::2])
def test_targets_of_scored_rows_change_no_prediction(kind: str, params: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    predicted = []

    def kept(self: TuningFold, values: Any, *_: Any) -> float:
        predicted.append(values)
        return 0.0

    monkeypatch.setattr(TuningFold, "score", kept)
    for flip in (False, True):
        fold = make_fold("binary")
        fold.known = Known(1 - fold.known.y if flip else fold.known.y)
        score_on(kind, params, fold, lambda at, score: None)
    half = len(predicted) // 2
    assert half > 1
    for one, other in zip(predicted[:half], predicted[half:], strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("kind, params", CONFIGURATIONS[:1] + CONFIGURATIONS[2:3])
@pytest.mark.parametrize("rounds, wanted", [({"n_estimators": 40}, [25, 50]), ({}, [10])])
def test_a_watch_is_told_scores_on_the_way_and_may_end_the_fit(
    kind: str, params: dict[str, Any], rounds: dict[str, int], wanted: list[int]
) -> None:
    told: list[int] = []
    score_on(kind, {**params, **rounds}, make_fold("binary"), lambda at, score: told.append(at))
    assert told[: len(wanted)] == wanted

    def stop(at: int, score: float) -> None:
        raise StopIteration(at)

    with pytest.raises(StopIteration, match=str(wanted[0])):
        score_on(kind, {**params, **rounds}, make_fold("binary"), stop)


def test_data_is_binned_once_for_all_trials_and_anew_for_another_way_of_binning() -> None:
    fold = make_fold("binary")
    for leaves in (4, 8, 16):
        score_on("lightgbm", {"num_leaves": leaves, "min_data_in_leaf": leaves, "n_estimators": 5}, fold)
    first = [*fold.binned.values()]
    assert len(first) == 1
    score_on("lightgbm", {"max_bin": 15, "n_estimators": 5}, fold)
    score_on("lightgbm", {"num_leaves": 5, "n_estimators": 5}, fold)
    assert len(fold.binned) == 2 and first[0] in fold.binned.values()


@pytest.mark.parametrize(
    "kind, params, task",
    [
        ("xgboost", {"booster": "gblinear", "n_estimators": 5}, "regression"),
        ("random_forest", {"n_estimators": 5, "max_depth": 3}, "regression"),
        ("catboost", {"iterations": 5, "depth": 3}, "binary"),
    ],
)
def test_what_has_no_bins_to_share_is_fitted_as_in_a_run(kind: str, params: dict[str, Any], task: str) -> None:
    fold = make_fold(task)
    if kind != "catboost":
        numbers = {"training": fold.training.X, "scored": fold.scored}
        plain = {name: X.drop(columns="c").fillna(0.0) for name, X in numbers.items()}
        fold.scored, fold.training = plain["scored"], Training(plain["training"], fold.training.y, None, task, 2, 0)
    usual = fold.score(kinds()[kind].fit(params, fold.training).predict(fold.scored), params)
    assert score_on(kind, params, fold).score == pytest.approx(usual, rel=1e-9)


def test_prediction_time_is_measured_on_request() -> None:
    found = score_on("lightgbm", {"n_estimators": 5}, make_fold("binary"), is_timed=True)
    assert 0 < found.seconds < 10
    assert np.isnan(score_on("lightgbm", {"n_estimators": 5}, make_fold("binary")).seconds)


def test_checkpoints_of_few_rounds() -> None:
    assert trainers.checkpoints(1, 0.1) == {}
    assert trainers.checkpoints(2, 0.1) == {1: 50}
    assert trainers.checkpoints(0, 0.1) == {}
