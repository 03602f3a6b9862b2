"""The edges of single metrics, beyond what all of them must keep to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from features.errors import InputError
from pipelines.metrics import METRICS, Array, metric_of


def test_rmsle_takes_a_prediction_below_zero_for_zero() -> None:
    assert METRICS["rmsle"].score(np.array([0.0, 3.0]), np.array([-5.0, 3.0])) == 0.0


def test_rmspe_leaves_zeros_out() -> None:
    y, p = np.array([0.0, 10.0]), np.array([7.0, 11.0])
    assert METRICS["rmspe"].score(y, p) == pytest.approx(0.1)
    assert np.isnan(METRICS["rmspe"].score(y[:1], p[:1]))


def test_r2_of_a_target_that_does_not_vary_is_unknown() -> None:
    y = np.array([3.0, 3.0, 3.3])
    assert np.isnan(METRICS["r2"].score(y[:2], y[:2]))
    assert np.isnan(METRICS["r2"].score(y, y, np.array([0.1, 0.7, 0.0])))


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), min_size=1, max_size=20))
def test_the_median_error_is_numpys(rows: list[tuple[int, int]]) -> None:
    errors, counts = (np.array(part) for part in zip(*rows, strict=True))
    if counts.any():
        found = METRICS["medae"].score(np.zeros(len(errors)), errors.astype(float), counts * 0.1)
        assert found == np.median(np.repeat(errors, counts))


@pytest.mark.parametrize("power", [1.0, 1.2, 1.9, 2.0])
def test_tweedie_is_scikit_learns(power: float) -> None:
    rng = np.random.default_rng(0)
    y, p = rng.gamma(2.0, 1.0, 50) * (rng.random(50) < 0.7), rng.gamma(2.0, 1.0, 50)
    y = y + 0.1 if power == 2 else y
    expected = sk.mean_tweedie_deviance(y, p, power=power)
    assert metric_of("tweedie_deviance", {"power": power}).score(y, p) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", ["poisson_deviance", "gamma_deviance", "tweedie_deviance"])
def test_deviances_need_predictions_above_zero(name: str) -> None:
    with pytest.raises(InputError, match=rf"metric '{name}' needs predictions above 0; the smallest is -0.2. Transform the target"):
        METRICS[name].score(np.ones(2), np.array([1.0, -0.2]))


def test_log_loss_of_a_sure_mistake_is_finite() -> None:
    assert METRICS["log_loss"].score(np.array([1.0, 0.0]), np.array([0.0, 0.0])) == pytest.approx(sk.log_loss([1, 0], [0.0, 0.0]))


def test_auc_of_a_fold_that_scores_no_row_of_a_class() -> None:
    rng = np.random.default_rng(0)
    y, p = (np.arange(60) % 2).astype(float), rng.dirichlet(np.ones(3), 60)
    by_class = [sk.roc_auc_score(y == code, p[:, code]) for code in (0, 1)]
    assert METRICS["roc_auc"].score(y, p) == pytest.approx(np.mean(by_class))


@pytest.mark.parametrize("name", ["f1", "precision", "recall"])
def test_a_fold_with_two_of_three_classes_is_still_of_three(name: str) -> None:
    """The number of classes is the prediction's, not what happens to be in the fold."""
    y, labels = np.array([0.0, 0.0, 0.0, 1.0]), np.array([0, 0, 1, 1])
    functions: dict[str, Any] = {"f1": sk.f1_score, "precision": sk.precision_score, "recall": sk.recall_score}
    macro, binary = (functions[name](y, labels, average=average) for average in ("macro", "binary"))
    assert METRICS[name].score(y, np.eye(3)[labels]) == pytest.approx(macro)
    assert METRICS[name].score(y, labels.astype(float)) == pytest.approx(binary)
    assert macro != pytest.approx(binary)


def test_a_reversed_order_has_no_ks() -> None:
    y = np.array([0.0, 0.0, 1.0, 1.0])
    assert METRICS["ks"].score(y, y) == 1.0 and METRICS["ks"].score(y, 1 - y) == 0.0


def test_a_precision_that_no_threshold_has() -> None:
    metric = metric_of("recall_at_precision", {"precision": 0.9})
    assert metric.score(np.array([0.0, 1.0]), np.array([0.9, 0.1])) == 0.0


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        # the two most probable are one hit and one miss; the next three cannot be told apart
        (0.2, 1 / 2),
        (0.3, (1 + 1 / 3) / 2),
        (0.5, 1.0),
        (1.0, 1.0),
    ],
)
def test_a_tie_is_taken_by_parts(share: float, expected: float) -> None:
    y = np.array([1.0, 0, 1, 0, 0, 0, 0, 0, 0, 0])
    p = np.array([0.9, 0.8, 0.5, 0.5, 0.5, 0.1, 0.1, 0.1, 0.0, 0.0])
    assert metric_of("gain", {"share": share}).score(y, p) == pytest.approx(expected)
    assert metric_of("lift", {"share": share}).score(y, p) == pytest.approx(expected / share)


def test_lift_cannot_be_above_one_over_the_share() -> None:
    y = (np.arange(1000) < 5).astype(float)
    assert METRICS["lift"].score(y, y) == pytest.approx(10.0) and METRICS["gain"].score(y, y) == 1.0


@pytest.mark.parametrize("ratio", [0.5, 1.0, 1.5])
def test_the_calibration_ratio_is_judged_by_its_distance_from_one(ratio: float) -> None:
    y = np.array([1.0, 1.0, 0.0, 0.0])
    metric = METRICS["calibration_ratio"]
    assert metric.score(y, np.full(4, ratio / 2)) == ratio
    assert metric.loss(y, np.full(4, ratio / 2)) == metric.loss_of(ratio) == abs(ratio - 1)


def test_the_base_rate_has_a_normalised_entropy_of_one() -> None:
    y = np.array([1.0, 0.0, 0.0, 0.0])
    assert METRICS["normalised_entropy"].score(y, np.full(4, 0.25)) == pytest.approx(1.0)
    assert METRICS["rig"].score(y, np.full(4, 0.25)) == pytest.approx(0.0)


@pytest.mark.parametrize("y", [np.array([0.0, 1.0, 0.0, 1.0])])
def test_an_honest_constant_has_no_calibration_error(y: Array) -> None:
    assert METRICS["ece"].score(y, np.full(4, 0.5)) == 0.0
    assert metric_of("ece", {"bins": 3, "width": "equal"}).score(y, np.full(4, 0.25)) == 0.25
