"""Arms of one model: which models form a family, what is compared, and which arm may be called better."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.arms import ALONGSIDE, Family, arm_lines, compare_arms, families, holm, treatment
from pipelines.known import Known
from pipelines.metrics import METRICS, Metric, metric_of
from pipelines.oof import Predictions
from pipelines.scores import paired_fold_test
from pipelines.spec import ModelKeys, ModelSpec, Part
from pipelines.splits import FIT, SCORED, Folds

_SMOTE = Part("smote", {"rate": 0.1, "neighbours": None}, ("models",))


def model(kind: str = "lightgbm", *, params: dict[str, Any] | None = None, resample: Part | None = None, **keys: Any) -> ModelSpec:
    """A declared model."""
    return ModelSpec("", kind, params or {}, ModelKeys(**keys), (), resample)


@pytest.mark.parametrize(
    ("models", "expected"),
    [
        ({}, []),
        ({"a": model(), "b": model("xgboost", weights="balanced")}, []),
        ({"a": model(), "b": model(params={"num_leaves": 7}, weights="balanced")}, []),
        ({"a": model(), "b": model(view="trees", weights="balanced")}, []),
        ({"a": model(), "b": model(seeds=3, weights="balanced")}, []),
        ({"a": model(weights="balanced"), "b": model(resample=_SMOTE)}, []),
        ({"b": model(weights="balanced"), "a": model()}, [Family("a", {"b": "balanced weights"})]),
        ({"a": model(), "b": model(resample=Part("none", {}, ()))}, []),
        (
            {"a": model(), "b": model(resample=_SMOTE), "c": model(resample=_SMOTE, weights="balanced", correct_prior=False)},
            [Family("a", {"b": "smote (rate 0.1)", "c": "smote (rate 0.1), balanced weights, probabilities as they come"})],
        ),
    ],
)
def test_families_differ_in_resampling_and_weights_only(models: dict[str, ModelSpec], expected: list[Family]) -> None:
    assert families(models) == expected


def test_treatment_of_rows_as_they_are_is_nothing() -> None:
    assert treatment(model(correct_prior=False)) == ""


@pytest.fixture
def folds() -> Folds:
    """Five folds of 2,000 rows."""
    status = np.full((2000, 5), FIT, dtype=np.int8)
    for fold in range(5):
        status[fold::5, fold] = SCORED
    return Folds(status)


@pytest.fixture
def known() -> Known:
    """Two classes, the first three times as frequent."""
    return Known((np.arange(2000) % 4 == 0).astype(float))


def predictions(known: Known, folds: Folds, *, noise: float, seed: int) -> Predictions:
    """Probabilities with more or less noise on the log odds."""
    rng = np.random.default_rng(seed)
    odds = 2 * (known.y - 0.5) + rng.normal(0, noise, len(known.y)) - 1
    p = 1 / (1 + np.exp(-odds))
    return Predictions([p[folds.scored_rows(fold)] for fold in range(folds.n_folds)], np.empty(0))


@pytest.mark.parametrize(
    ("noises", "best", "verdict"),
    [
        ((0.3, 3.0), "b", "b (smote) is better than a beyond chance"),
        ((3.0, 0.3), "c", "c (weights) is better than a beyond chance"),
        ((0.3, 0.5), "b", "b (smote) is better than a beyond chance"),
        ((1.0, 1.0), None, "no arm is better than a beyond chance"),
        ((9.0, 1.0), None, "no arm is better than a beyond chance; beyond chance worse: b"),
    ],
)
@pytest.mark.parametrize("metric", [METRICS["average_precision"], METRICS["log_loss"]])
def test_best_arm_is_named_by_the_declared_metric(
    known: Known, folds: Folds, noises: tuple[float, float], best: str | None, verdict: str, metric: Metric
) -> None:
    made = {
        name: predictions(known, folds, noise=noise, seed=seed)
        for seed, (name, noise) in enumerate(zip("abc", (1.0, *noises), strict=True))
    }
    (found,) = compare_arms([Family("a", {"b": "smote", "c": "weights"})], made, known, folds, metric)
    assert (found["base"], found["metric"], found["best"], found["verdict"]) == ("a", metric.name, best, verdict)
    assert list(found["arms"]["b"]["differences"]) == [metric.name, *(name for name in ALONGSIDE if name != metric.name)]
    json.dumps(found, allow_nan=False)


def test_differences_are_those_of_the_paired_test(known: Known, folds: Folds) -> None:
    made = {"a": predictions(known, folds, noise=2, seed=0), "b": predictions(known, folds, noise=1, seed=1)}
    (found,) = compare_arms([Family("a", {"b": "smote"})], made, known, folds, METRICS["roc_auc"])
    scores = {
        name: [METRICS["ece"].score(known.y[folds.scored_rows(fold)], part) for fold, part in enumerate(one.folds)]
        for name, one in made.items()
    }
    expected = paired_fold_test(scores["b"], scores["a"], folds_per_repeat=5)
    assert found["arms"]["b"]["differences"]["ece"] == {"base": np.mean(scores["a"]), "arm": np.mean(scores["b"]), **expected}


def test_rows_that_one_of_the_two_does_not_predict_are_left_out(known: Known, folds: Folds) -> None:
    whole = {"a": predictions(known, folds, noise=2, seed=0), "b": predictions(known, folds, noise=1, seed=1)}
    holey = {**whole, "b": Predictions([np.where(np.arange(len(part)) < 50, np.nan, part) for part in whole["b"].folds], np.empty(0))}
    cut = {name: Predictions([part[50:] for part in one.folds], np.empty(0)) for name, one in whole.items()}
    status = folds.status.copy()
    for fold in range(5):
        status[folds.scored_rows(fold)[:50], fold] = 0
    both = [
        compare_arms([Family("a", {"b": "smote"})], made, known, where, METRICS["log_loss"])
        for made, where in ((holey, folds), (cut, Folds(status)))
    ]
    assert both[0] == both[1]


def test_metric_with_a_target_is_compared_by_its_distance(known: Known, folds: Folds) -> None:
    honest = predictions(known, folds, noise=0.5, seed=0)
    halved = Predictions([part / 2 for part in honest.folds], np.empty(0))
    (found,) = compare_arms([Family("a", {"b": "smote"})], {"a": halved, "b": honest}, known, folds, metric_of("calibration_ratio"))
    assert found["best"] == "b"
    assert found["greater_is_better"]["calibration_ratio"] is False


def test_what_was_not_trained_is_left_out(known: Known, folds: Folds) -> None:
    made = {"a": predictions(known, folds, noise=1, seed=0)}
    assert compare_arms([Family("a", {"b": "smote"}), Family("x", {"a": "smote"})], made, known, folds, METRICS["roc_auc"]) == []
    assert compare_arms([], made, known, folds, METRICS["roc_auc"]) == []


def test_one_fold_cannot_tell(known: Known) -> None:
    status = np.full((2000, 1), FIT, dtype=np.int8)
    status[1000:] = SCORED
    made = {name: predictions(known, Folds(status), noise=1, seed=seed) for seed, name in enumerate("ab")}
    (found,) = compare_arms([Family("a", {"b": "smote"})], made, known, Folds(status), METRICS["roc_auc"])
    assert (found["best"], found["verdict"]) == (None, "too few folds to tell")
    assert found["arms"]["b"]["differences"]["roc_auc"]["low"] is None
    assert "n/a to n/a, adjusted p n/a" in arm_lines([found])[1]


def test_lines_name_base_arm_and_every_metric(known: Known, folds: Folds) -> None:
    made = {"a": predictions(known, folds, noise=2, seed=0), "b": predictions(known, folds, noise=1, seed=1)}
    first, second = arm_lines(compare_arms([Family("a", {"b": "smote"})], made, known, folds, METRICS["roc_auc"]))
    assert first == "arms of a (minus a, 95 % interval over folds): b (smote) is better than a beyond chance"
    assert second.startswith("  b, smote: roc_auc +0.")
    assert all(name in second for name in ALONGSIDE)


@given(st.lists(st.floats(0, 1) | st.none(), max_size=8))
def test_adjusted_p_values_keep_order_and_are_never_smaller(p_values: list[float | None]) -> None:
    pairs = [(p, q) for p, q in zip(p_values, holm(p_values), strict=True) if p is not None and q is not None]
    assert len(pairs) == sum(p is not None for p in p_values)
    assert all(p <= q <= 1 for p, q in pairs)
    assert [q for _, q in sorted(pairs)] == sorted(q for _, q in pairs)
    if pairs:
        assert min(q for _, q in pairs) == pytest.approx(min(1, len(pairs) * min(p for p, _ in pairs)))
