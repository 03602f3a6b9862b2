"""What every metric must keep to; metrics are taken from the table, and each needs a reference in scikit-learn here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from features.errors import InputError
from pipelines.metrics import METRICS, Array, Metric, as_labels

N_ROWS, ROUNDING = 90, 1e-12
Reference = Callable[[Array, Array, Array | None], float]


def _auc(y: Array, p: Array, weights: Array | None) -> float:
    return float(sk.roc_auc_score(y, p, sample_weight=weights, multi_class="ovr"))


REFERENCES: dict[str, Reference] = {
    "rmse": lambda y, p, w: sk.root_mean_squared_error(y, p, sample_weight=w),
    "rmsle": lambda y, p, w: sk.root_mean_squared_log_error(y, p, sample_weight=w),
    "mae": lambda y, p, w: sk.mean_absolute_error(y, p, sample_weight=w),
    "wmae": lambda y, p, w: sk.mean_absolute_error(y, p, sample_weight=w),
    "rmspe": lambda y, p, w: sk.root_mean_squared_error(np.ones_like(y), p / y, sample_weight=w),
    "r2": lambda y, p, w: sk.r2_score(y, p, sample_weight=w),
    "accuracy": lambda y, p, w: sk.accuracy_score(y, as_labels(p), sample_weight=w),
    "f1": lambda y, p, w: sk.f1_score(y, as_labels(p), sample_weight=w, average="binary" if p.ndim == 1 else "macro"),
    "roc_auc": _auc,
    "average_precision": lambda y, p, w: sk.average_precision_score(y, p, sample_weight=w),
    "log_loss": lambda y, p, w: sk.log_loss(y, p, sample_weight=w),
    "brier": lambda y, p, w: sk.brier_score_loss(y, p, sample_weight=w),
}
"""What each metric agrees with; ``rmspe`` with the error of the ratio to the truth, for it is not in scikit-learn."""

CASES = [pytest.param(metric, task, id=f"{name}-{task}") for name, metric in METRICS.items() for task in metric.tasks]
every_case = pytest.mark.parametrize(("metric", "task"), CASES)


def example(task: str, seed: int = 0) -> tuple[Array, Array]:
    """A target, and predictions that know something of it: positive values, or probabilities."""
    rng = np.random.default_rng(seed)
    if task == "regression":
        y = rng.gamma(3.0, 10.0, N_ROWS)
        return y, y * rng.lognormal(0.0, 0.4, N_ROWS)
    n_classes = {"binary": 2, "multiclass": 3}[task]
    y = (np.arange(N_ROWS) % n_classes).astype(np.float64)
    raw = rng.random((N_ROWS, n_classes)) + 0.5 * np.eye(n_classes)[y.astype(int)]
    p = raw / raw.sum(axis=1, keepdims=True)
    return y, p[:, 1] if task == "binary" else p


def perfect(y: Array, task: str) -> Array:
    """The prediction that cannot be better."""
    return np.eye(3)[y.astype(int)] if task == "multiclass" else y.copy()


def test_every_metric_has_a_reference() -> None:
    assert set(METRICS) == set(REFERENCES)
    assert all(name == metric.name and metric.tasks for name, metric in METRICS.items())


@every_case
@pytest.mark.parametrize("weighted", [False, True], ids=["even", "weighted"])
def test_agrees_with_the_reference(metric: Metric, task: str, weighted: bool) -> None:
    for seed in range(5):
        y, p = example(task, seed)
        weights = np.random.default_rng(seed).gamma(2.0, 1.0, N_ROWS) if weighted else None
        np.testing.assert_allclose(metric.score(y, p, weights), REFERENCES[metric.name](y, p, weights), rtol=ROUNDING, atol=ROUNDING)


@pytest.mark.parametrize("name", ["roc_auc", "average_precision"])
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 4), st.integers(0, 3)), min_size=2, max_size=30))
def test_ties_and_rows_without_weight(name: str, rows: list[tuple[bool, int, int]]) -> None:
    y, p, weights = (np.array(part, dtype=float) for part in zip(*rows, strict=True))
    if len(np.unique(y[weights > 0])) == 2:
        expected = REFERENCES[name](y[weights > 0], p[weights > 0] / 4, weights[weights > 0])
        np.testing.assert_allclose(METRICS[name].score(y, p / 4, weights), expected, rtol=ROUNDING)


@every_case
def test_direction(metric: Metric, task: str) -> None:
    y, p = example(task)
    rng = np.random.default_rng(3)
    random = rng.permutation(p)
    best = metric.score(y, perfect(y, task))
    assert best in (0.0, 1.0) or metric.name == "log_loss"
    assert metric.loss(y, perfect(y, task)) <= metric.loss(y, p) < metric.loss(y, random)
    assert metric.loss(y, p) == (-metric.score(y, p) if metric.greater_is_better else metric.score(y, p))


@every_case
def test_whole_weights_are_repeated_rows(metric: Metric, task: str) -> None:
    y, p = example(task)
    counts = np.random.default_rng(4).integers(0, 4, N_ROWS)
    repeated = np.repeat(np.arange(N_ROWS), counts)
    np.testing.assert_allclose(metric.score(y, p, counts.astype(float)), metric.score(y[repeated], p[repeated]), rtol=1e-11)


@every_case
def test_equal_weights_are_no_weights(metric: Metric, task: str) -> None:
    y, p = example(task)
    np.testing.assert_allclose(metric.score(y, p, np.full(N_ROWS, 2.5)), metric.score(y, p), rtol=ROUNDING)


@every_case
@given(st.randoms(use_true_random=False))
def test_the_rows_order_does_not_matter(metric: Metric, task: str, random: Any) -> None:
    y, p = example(task)
    order = list(range(N_ROWS))
    random.shuffle(order)
    np.testing.assert_allclose(metric.score(y[order], p[order]), metric.score(y, p), rtol=ROUNDING)


@every_case
def test_input_is_not_changed(metric: Metric, task: str) -> None:
    y, p = example(task)
    copies = y.copy(), p.copy()
    metric.score(y, p, np.ones(N_ROWS))
    np.testing.assert_array_equal(y, copies[0])
    np.testing.assert_array_equal(p, copies[1])


@pytest.mark.parametrize("metric", [metric for metric in METRICS.values() if metric.needs == "labels"], ids=lambda metric: metric.name)
def test_labels_are_taken_from_probabilities(metric: Metric) -> None:
    y, p = example("binary")
    assert metric.score(y, p) == metric.score(y, as_labels(p))
    y, p = example("multiclass")
    assert metric.score(y, p) == metric.score(y, np.eye(3)[as_labels(p).astype(int)])


@pytest.mark.parametrize(
    ("prediction", "expected"),
    [([0.0, 0.5, 0.500001, 1.0], [0, 0, 1, 1]), ([[0.2, 0.5, 0.3], [0.4, 0.4, 0.2], [0.0, 0.0, 1.0]], [1, 0, 2])],
)
def test_as_labels(prediction: Any, expected: list[int]) -> None:
    assert as_labels(np.array(prediction)).tolist() == expected


# ---------------------------------------------------------------------- the edges of single metrics


def test_rmsle_takes_a_prediction_below_zero_for_zero() -> None:
    y = np.array([0.0, 3.0])
    assert METRICS["rmsle"].score(y, np.array([-5.0, 3.0])) == 0.0


def test_rmspe_leaves_zeros_out() -> None:
    y, p = np.array([0.0, 10.0]), np.array([7.0, 11.0])
    assert METRICS["rmspe"].score(y, p) == pytest.approx(0.1)
    assert np.isnan(METRICS["rmspe"].score(y[:1], p[:1]))


def test_log_loss_of_a_sure_mistake_is_finite() -> None:
    assert METRICS["log_loss"].score(np.array([1.0, 0.0]), np.array([0.0, 0.0])) == pytest.approx(sk.log_loss([1, 0], [0.0, 0.0]))


@pytest.mark.parametrize("name", ["roc_auc", "average_precision"])
@pytest.mark.parametrize("p", [np.array([0.3, 0.7])])
def test_ranking_of_one_class_is_unknown(name: str, p: Array) -> None:
    assert np.isnan(METRICS[name].score(np.zeros(2), p))


def test_auc_of_a_fold_that_scores_no_row_of_a_class() -> None:
    y, p = example("multiclass")
    there = y != 2
    by_class = [sk.roc_auc_score(y[there] == code, p[there, code]) for code in (0, 1)]
    assert METRICS["roc_auc"].score(y[there], p[there]) == pytest.approx(np.mean(by_class))


@pytest.mark.parametrize("metric", [metric for metric in METRICS.values() if np.isfinite(metric.least)], ids=lambda metric: metric.name)
def test_targets_a_metric_cannot_judge(metric: Metric) -> None:
    metric.check(np.array([metric.least, 5.0]))
    with pytest.raises(InputError, match=f"metric '{metric.name}' needs targets of at least {metric.least:g}; the smallest is"):
        metric.check(np.array([metric.least - 1, 5.0]))
