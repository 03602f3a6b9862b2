"""Lift tables, calibration curves and lines."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.calibration import calibration_curve as sk_curve
from sklearn.linear_model import LogisticRegression

from features.errors import InputError
from pipelines.metrics import METRICS, Array, metric_of
from pipelines.metrics.calibration import calibration_curve, calibration_slope_intercept, lift_table


def clicks(n_rows: int = 1000, seed: int = 0) -> tuple[Array, Array]:
    """Clicks, and probabilities that are right."""
    rng = np.random.default_rng(seed)
    p = rng.beta(1.0, 5.0, n_rows)
    return (rng.random(n_rows) < p).astype(float), p


def test_a_lift_table_is_the_sorted_rows_cut_in_ten() -> None:
    y, p = clicks()
    parts = np.argsort(-p).reshape(10, 100)
    found = lift_table(y, p)
    np.testing.assert_allclose(found.top, np.arange(1, 11) / 10)
    np.testing.assert_allclose(found.weight, 100)
    np.testing.assert_allclose(found.predicted, p[parts].mean(axis=1), rtol=1e-10)
    np.testing.assert_allclose(found.rate, y[parts].mean(axis=1), rtol=1e-10)
    np.testing.assert_allclose(found.lift, y[parts].mean(axis=1) / y.mean(), rtol=1e-10)
    np.testing.assert_allclose(found.gain, np.cumsum(y[parts].sum(axis=1)) / y.sum(), rtol=1e-10)


def test_its_first_line_is_the_metric() -> None:
    y, p = clicks(333)
    weights = np.random.default_rng(1).random(333)
    found = lift_table(y, p, weights, bins=7)
    for name, values in (("lift", found.lift), ("gain", found.gain)):
        assert values[0] == pytest.approx(metric_of(name, {"share": 1 / 7}).score(y, p, weights))
    assert found.gain[-1] == pytest.approx(1.0) and found.weight.sum() == pytest.approx(weights.sum())


def test_a_lift_table_without_clicks() -> None:
    found = lift_table(np.zeros(20), np.linspace(0, 1, 20))
    assert np.isnan(found.lift).all() and np.isnan(found.gain).all() and not found.rate.any()


def test_a_calibration_curve_is_scikit_learns() -> None:
    y, p = clicks()
    observed, predicted = sk_curve(y, p, n_bins=10, strategy="quantile")
    found = calibration_curve(y, p)
    np.testing.assert_allclose(found.observed, observed, rtol=1e-10)
    np.testing.assert_allclose(found.predicted, predicted, rtol=1e-10)
    np.testing.assert_allclose(found.weight, 100)


def test_the_calibration_error_is_that_of_the_curve() -> None:
    y, p = clicks(500)
    weights = np.random.default_rng(1).random(500)
    found = calibration_curve(y, p, weights, bins=15)
    error = np.average(np.abs(found.predicted - found.observed), weights=found.weight)
    assert METRICS["ece"].score(y, p, weights) == pytest.approx(error)


@pytest.mark.parametrize(("slope", "intercept"), [(1.0, 0.0), (0.5, 0.0), (1.0, -0.7), (2.0, 0.4)])
def test_a_line_finds_how_probabilities_were_bent(slope: float, intercept: float) -> None:
    y, true = clicks(200_000)
    bent = expit((logit(true) - intercept) / slope)
    found = calibration_slope_intercept(y, bent)
    assert found.slope == pytest.approx(slope, rel=0.03) and found.intercept == pytest.approx(intercept, abs=0.06)


def test_a_line_is_the_maximum_of_likelihood_and_takes_weights() -> None:
    y, p = clicks(400)
    counts = np.random.default_rng(2).integers(0, 4, 400)
    repeated = np.repeat(np.arange(400), counts)
    expected = LogisticRegression(C=np.inf, tol=1e-12, max_iter=10_000).fit(logit(p[repeated])[:, None], y[repeated])
    for found in (calibration_slope_intercept(y, p, counts.astype(float)), calibration_slope_intercept(y[repeated], p[repeated])):
        assert found.slope == pytest.approx(expected.coef_[0, 0], rel=1e-4)
        assert found.intercept == pytest.approx(expected.intercept_[0], rel=1e-4)


@pytest.mark.parametrize(
    ("y", "p"),
    [
        ([0, 0, 0], [0.1, 0.2, 0.3]),
        ([1, 1], [0.1, 0.2]),
        ([0, 1, 0], [0.3, 0.3, 0.3]),
        ([0, 0, 1, 1], [0.1, 0.2, 0.2, 0.9]),
        ([1, 0], [0.0, 1.0]),
    ],
    ids=["no click", "clicks only", "one probability", "parted", "parted the wrong way"],
)
def test_lines_that_are_not_determined(y: list[int], p: list[float]) -> None:
    found = calibration_slope_intercept(np.array(y, dtype=float), np.array(p))
    assert np.isnan(found.slope) and np.isnan(found.intercept)


@pytest.mark.parametrize("function", [lift_table, calibration_curve, calibration_slope_intercept])
def test_what_is_no_probability(function: object) -> None:
    with pytest.raises(InputError, match=r"the prediction lies between 0 and 3, and probabilities lie in 0\.\.1"):
        function(np.array([0.0, 1.0]), np.array([0.0, 3.0]))  # type: ignore[operator]
