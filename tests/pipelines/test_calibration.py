"""Calibrators: against scikit-learn, by their laws, and at the ends."""

from __future__ import annotations

import inspect
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import expit, logit, softmax
from sklearn.metrics import average_precision_score, log_loss

from pipelines.calibration import CALIBRATORS, Calibrator, rebuilt, soft_log
from pipelines.metrics import Array

every_method = pytest.mark.parametrize("name", CALIBRATORS)


def binary(n_rows: int = 4000, slope: float = 1.5, shift: float = 1.0, centre: float = -3.0, seed: int = 0) -> tuple[Array, Array, Array]:
    """Probabilities that are too sure and too high, the target, and the true probabilities."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(centre, 1.5, n_rows)
    y = (rng.random(n_rows) < expit(truth)).astype(np.float64)
    return expit(slope * truth + shift), y, expit(truth)


def frauds(seed: int, n_rows: int = 25_000) -> tuple[Array, Array]:
    """Probabilities of a good model of rare events, and the target."""
    rng = np.random.default_rng(seed)
    y = (rng.random(n_rows) < 0.015).astype(np.float64)
    return expit(np.where(y == 1, rng.normal(2.0, 4.0, n_rows), rng.normal(-8.0, 1.5, n_rows))), y


def multiclass(n_rows: int = 3000, slope: float = 2.0, seed: int = 0) -> tuple[Array, Array, Array]:
    """The same for three classes, of which the first is said too often."""
    rng = np.random.default_rng(seed)
    truth = softmax(rng.normal([0.0, 1.0, -1.0], 1.0, (n_rows, 3)), axis=1)
    y = (truth.cumsum(axis=1) < rng.random((n_rows, 1))).sum(axis=1).astype(np.float64)
    return softmax(slope * np.log(truth) + [1.0, 0.0, 0.0], axis=1), y, truth


def fitted(name: str, p: Array, y: Array, weights: Array | None = None) -> Calibrator:
    """A calibrator fitted on some rows."""
    calibrator = CALIBRATORS[name]()
    calibrator.fit(p, y, weights)
    return calibrator


# ---------------------------------------------------------------------- what all have in common


@every_method
def test_a_calibrator_has_a_name_and_no_positional_parameters(name: str) -> None:
    assert CALIBRATORS[name]().method == name
    assert all(parameter.kind is inspect.Parameter.KEYWORD_ONLY for parameter in inspect.signature(CALIBRATORS[name]).parameters.values())


@every_method
@pytest.mark.parametrize("rows", [binary(centre=-1.0), multiclass()], ids=["binary", "multiclass"])
def test_log_loss_falls_and_the_truth_comes_nearer(name: str, rows: tuple[Array, Array, Array]) -> None:
    p, y, truth = rows
    q = fitted(name, p[::2], y[::2]).predict(p)
    assert q.shape == p.shape and q.dtype == np.float64
    assert log_loss(y[1::2], q[1::2]) < log_loss(y[1::2], p[1::2]) - 0.005
    if name not in ("temperature", "prior_shift"):
        assert np.abs(q - truth).mean() < 0.4 * np.abs(p - truth).mean(), "these two bend one thing only"
    if p.ndim == 2:
        np.testing.assert_allclose(q.sum(axis=1), 1)


@every_method
@pytest.mark.parametrize("rows", [binary(600), multiclass(600)], ids=["binary", "multiclass"])
def test_a_description_is_plain_and_gives_the_calibrator_back(name: str, rows: tuple[Array, Array, Array]) -> None:
    p, y, _ = rows
    calibrator = fitted(name, p, y)
    described = json.loads(json.dumps(calibrator.describe()))
    assert described["method"] == name and described["curves"]
    np.testing.assert_array_equal(rebuilt(described).predict(p), calibrator.predict(p))
    assert rebuilt(described).describe() == described


@every_method
@pytest.mark.parametrize("rows", [binary(600), multiclass(600)], ids=["binary", "multiclass"])
def test_weights_count_as_copies_and_only_in_proportion(name: str, rows: tuple[Array, Array, Array]) -> None:
    p, y, _ = rows
    times = np.random.default_rng(1).integers(0, 3, len(y))
    copied = fitted(name, np.repeat(p, times, axis=0), np.repeat(y, times)).predict(p)
    # the number of rows decides on edges and on what one row more is worth, and is counted without weights
    assert np.abs(fitted(name, p, y, times.astype(float)).predict(p) - copied).mean() < 0.004
    np.testing.assert_allclose(fitted(name, p, y, 10.0 * times).predict(p), fitted(name, p, y, times / 7).predict(p), atol=1e-6)


@every_method
def test_a_second_fit_forgets_the_first(name: str) -> None:
    p, y, _ = binary(600)
    calibrator = fitted(name, p, 1 - y)
    calibrator.fit(p, y)
    assert calibrator.describe() == fitted(name, p, y).describe()
    calibrator.fit(p, np.zeros(len(y)))
    np.testing.assert_array_equal(calibrator.predict(p), p)


# ---------------------------------------------------------------------- ranks


@every_method
def test_no_two_probabilities_become_one_so_that_average_precision_stays(name: str) -> None:
    p, y, _ = binary(20_000, centre=-6.0, seed=3)
    q = fitted(name, p, y).predict(p)
    order = np.argsort(p)
    assert (np.diff(q[order])[np.diff(p[order]) > 1e-9] > 0).all()
    assert abs(average_precision_score(y, q) - average_precision_score(y, p)) < 1e-9


def test_isotonic_loses_no_average_precision_in_a_fold_and_little_over_folds_where_plateaus_lose_more() -> None:
    from sklearn.isotonic import IsotonicRegression

    lost, lost_by_plateaus = [], []
    for seed in range(4):
        p, y = frauds(seed)
        fold = np.random.default_rng(seed).integers(0, 5, len(y))
        ours, plain = np.empty(len(y)), np.empty(len(y))
        for k in range(5):
            fit, scored = fold != k, fold == k
            ours[scored] = fitted("isotonic", p[fit], y[fit]).predict(p[scored])
            plain[scored] = IsotonicRegression(out_of_bounds="clip").fit(p[fit], y[fit]).predict(p[scored])
            assert average_precision_score(y[scored], ours[scored]) == pytest.approx(
                average_precision_score(y[scored], p[scored]), abs=1e-9
            )
        before = average_precision_score(y, p)
        lost.append(before - average_precision_score(y, ours))
        lost_by_plateaus.append(before - average_precision_score(y, plain))
    # rows of different folds meet with curves of their own, which no calibrator avoids
    assert np.mean(lost) < 0.004 and np.mean(lost_by_plateaus) > 2 * np.mean(lost)


# ---------------------------------------------------------------------- against scikit-learn


def of_scikit_learn(method: str, scores: Array, y: Array) -> Array:
    """What ``CalibratedClassifierCV`` makes of scores."""
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.frozen import FrozenEstimator

    class Given(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
        """A classifier that was fitted before: its decisions are its columns."""

        classes_ = np.unique(y)

        def __sklearn_is_fitted__(self) -> bool:
            """It is."""
            return True

        def fit(self, X: Array, y: Array) -> Any:
            """There is nothing to learn."""
            return self

        def predict(self, X: Array) -> Array:
            """Not asked for; scikit-learn checks that it is there."""
            raise NotImplementedError

        def decision_function(self, X: Array) -> Array:
            """The columns."""
            return X[:, 0] if X.shape[1] == 1 else X

    columns = scores.reshape(len(scores), -1)
    reference = CalibratedClassifierCV(FrozenEstimator(Given()), method=method).fit(columns, y).predict_proba(columns)
    return np.asarray(reference[:, 1] if scores.ndim == 1 else reference)


@pytest.mark.parametrize(("name", "method"), [("platt", "sigmoid"), ("temperature", "temperature")])
def test_the_same_as_scikit_learn_on_log_odds(name: str, method: str) -> None:
    p, y, _ = binary(2000, shift=0.0, centre=-1.0)
    p = np.clip(p, 1e-3, 1 - 1e-3)
    np.testing.assert_allclose(fitted(name, p, y).predict(p), of_scikit_learn(method, logit(p), y), atol=2e-5)


def test_the_same_temperature_as_scikit_learn_for_several_classes() -> None:
    p, y, _ = multiclass()
    p = np.maximum(p, 1e-3) / np.maximum(p, 1e-3).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(fitted("temperature", p, y).predict(p), of_scikit_learn("temperature", np.log(p), y), atol=2e-5)


def test_beta_is_a_logistic_regression_on_both_logarithms() -> None:
    from sklearn.linear_model import LogisticRegression

    p, y, _ = binary(20_000, centre=-1.0)
    sides = np.column_stack([soft_log(p, 1 / 20_002), -soft_log(1 - p, 1 / 20_002)])
    reference = LogisticRegression(C=1e9, tol=1e-10, max_iter=5000).fit(sides, y).predict_proba(sides)[:, 1]
    np.testing.assert_allclose(fitted("beta", p, y).predict(p), reference, atol=1e-3)


def test_isotonic_blocks_are_those_of_scikit_learn() -> None:
    from sklearn.isotonic import IsotonicRegression

    p, y, _ = binary(3000)
    values = IsotonicRegression().fit_transform(p, y)
    (line,) = fitted("isotonic", p, y).describe()["curves"]
    negatives, positives = np.bincount(y.astype(int))
    np.testing.assert_allclose(line["q"], np.clip(np.unique(values), 1 / (negatives + 2), 1 - 1 / (positives + 2)))
    np.testing.assert_allclose(line["p"], [p[values == value].mean() for value in np.unique(values)])


# ---------------------------------------------------------------------- laws


@pytest.mark.parametrize("name", ["platt", "beta", "prior_shift"])
def test_the_mean_is_what_came_true(name: str) -> None:
    p, y, _ = binary()
    # one row more of each class moves Platt's targets a little
    tolerance = 1e-9 if name == "prior_shift" else 1e-3
    assert fitted(name, p, y).predict(p).mean() == pytest.approx(y.mean(), rel=tolerance)


def test_prior_shift_of_several_classes_meets_every_share() -> None:
    p, y, _ = multiclass()
    q = fitted("prior_shift", p, y).predict(p)
    np.testing.assert_allclose(q.mean(axis=0), np.bincount(y.astype(int)) / len(y), atol=1e-5)


@settings(max_examples=30, deadline=None)
@given(st.floats(-3, 3), st.integers(0, 100))
def test_prior_shift_undoes_a_change_of_the_class_shares(offset: float, seed: int) -> None:
    p, y, _ = binary(500, slope=1.0, shift=0.0, centre=-1.0, seed=seed)
    p = np.clip(p, 0.01, 0.99)
    moved = expit(logit(p) + offset)
    np.testing.assert_allclose(fitted("prior_shift", moved, y).predict(moved), fitted("prior_shift", p, y).predict(p), atol=1e-6)


@pytest.mark.parametrize("true_temperature", [0.3, 1.0, 2.0])
def test_temperature_finds_the_temperature(true_temperature: float) -> None:
    rng = np.random.default_rng(0)
    odds = rng.normal(0, 2, 50_000)
    y = (rng.random(50_000) < expit(odds)).astype(float)
    (curve,) = fitted("temperature", expit(odds * true_temperature), y).describe()["curves"]
    assert 1 / curve["a"] == pytest.approx(true_temperature, rel=0.03)
    assert curve["a"] == curve["b"] and curve["c"] == 0


@given(arrays(np.float64, st.integers(1, 20), elements=st.floats(0, 1)), st.floats(1e-6, 1e-4))
def test_soft_log_is_the_logarithm_above_the_edge_and_rises_below(p: Array, edge: float) -> None:
    values = soft_log(p, edge)
    np.testing.assert_array_equal(values[p >= edge], np.log(p[p >= edge]))
    assert (np.diff(soft_log(np.sort(p), edge)) >= 0).all() and np.isfinite(values).all()
    assert (values >= np.log(edge) * 1.0 - 0.1 * 30).all()


# ---------------------------------------------------------------------- ends, tiny samples, one class


@every_method
def test_exact_zeros_and_ones_stay_finite(name: str) -> None:
    p, y, _ = binary(2000, centre=0.0)
    p = np.round(p, 1)
    assert (p == 0).any() and (p == 1).any()
    q = fitted(name, p, y).predict(np.array([0.0, 1e-300, 0.5, 1 - 1e-16, 1.0]))
    assert ((q > 0) & (q < 1)).all() and (np.diff(q) >= 0).all()
    assert np.isfinite(log_loss(y, fitted(name, p, y).predict(p)))


@every_method
def test_exact_zeros_of_classes_stay_finite(name: str) -> None:
    p, y, _ = multiclass(2000, slope=12.0)
    p = np.round(p, 2)
    q = fitted(name, p / p.sum(axis=1, keepdims=True), y).predict(p / p.sum(axis=1, keepdims=True))
    assert (p == 0).any() and (q > 0).all()
    np.testing.assert_allclose(q.sum(axis=1), 1)


TINY = st.integers(2, 6).flatmap(
    lambda n: st.tuples(
        arrays(np.float64, n, elements=st.floats(0, 1)),
        arrays(np.float64, n, elements=st.sampled_from([0.0, 1.0])),
        st.sampled_from([*CALIBRATORS]),
    )
)


@settings(max_examples=150, deadline=None)
@given(TINY)
def test_tiny_samples_give_probabilities(rows: tuple[Array, Array, str]) -> None:
    p, y, name = rows
    grid = np.linspace(0, 1, 11)
    q = fitted(name, p, y).predict(grid)
    assert ((q >= 0) & (q <= 1)).all()
    if len(np.unique(y)) < 2:
        np.testing.assert_array_equal(q, grid)


@pytest.mark.parametrize("name", CALIBRATORS)
@pytest.mark.parametrize(
    ("p", "y", "weights", "why"),
    [
        (np.array([0.1, 0.9]), np.zeros(2), None, "no row of class 1"),
        (np.array([0.1, 0.9]), np.ones(2), None, "no row of class 0"),
        (np.array([0.1, 0.9]), np.array([0.0, 1.0]), np.array([1.0, 0.0]), "no row of class 1"),
        (np.full((4, 3), 1 / 3), np.array([0.0, 1.0, 0.0, 1.0]), None, "no row of class 2"),
        (np.empty(0), np.empty(0), None, "no row of class 0"),
    ],
)
def test_without_rows_of_a_class_it_stays_the_identity_and_says_so(name: str, p: Array, y: Array, weights: Array | None, why: str) -> None:
    calibrator = fitted(name, p, y, weights)
    np.testing.assert_array_equal(calibrator.predict(p), p)
    assert calibrator.describe() == {"method": name, "identity": why}
    assert rebuilt(calibrator.describe()).describe() == calibrator.describe()
    assert CALIBRATORS[name]().describe() == {"method": name, "identity": "not fitted"}


@pytest.mark.parametrize(("name", "bounds"), [("platt", (0.05, 0.95)), ("beta", (0.05, 0.95)), ("isotonic", (0.05, 0.95))])
def test_perfect_separation_is_not_taken_for_certainty(name: str, bounds: tuple[float, float]) -> None:
    p, y = np.repeat([0.2, 0.8], 10), np.repeat([0.0, 1.0], 10)
    q = fitted(name, p, y).predict(p)
    assert bounds[0] < q[0] < 0.1 and 0.9 < q[-1] < bounds[1]
