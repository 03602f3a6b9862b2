"""Scores with their uncertainty: pooled, by fold, bootstrap intervals and the paired fold test."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pipelines.metrics import METRICS, Array
from pipelines.oof import Predictions
from pipelines.scores import bootstrap_interval, paired_fold_test, paired_interval, score_table
from pipelines.splits import Folds

RMSE, AUC = METRICS["rmse"], METRICS["roc_auc"]


def regression(n_rows: int = 200, seed: int = 0) -> tuple[Array, Array]:
    """A target and a prediction with an error of one."""
    rng = np.random.default_rng(seed)
    y = rng.normal(size=n_rows)
    return y, y + rng.normal(size=n_rows)


def classes(n_rows: int = 200, seed: int = 0) -> tuple[Array, Array]:
    """A rare class and probabilities that know something of it."""
    rng = np.random.default_rng(seed)
    y = (np.arange(n_rows) % 10 == 0).astype(float)
    return y, np.clip(0.1 + 0.2 * y + 0.2 * rng.random(n_rows), 0, 1)


def test_an_entry_of_metrics_json() -> None:
    y = np.array([0.0, 0.0, 0.0, 10.0])
    folds = Folds(np.array([[2, 1], [2, 1], [1, 2], [1, 0]], dtype=np.int8))
    table = score_table(Predictions([np.array([3.0, 4.0]), np.array([6.0])], np.empty(0)), y, folds, RMSE)
    assert list(table) == ["score", "interval", "fold_sd", "folds"]
    assert table["folds"] == pytest.approx([np.sqrt(12.5), 6.0])
    assert table["fold_sd"] == pytest.approx(np.std([np.sqrt(12.5), 6.0], ddof=1))
    assert table["score"] == pytest.approx(np.sqrt((9 + 16 + 36) / 3)), "on the scored rows only, pooled, not the folds' mean"


def test_repeats_are_averaged_before_scoring() -> None:
    y = np.array([0.0, 0.0])
    folds = Folds(np.array([[2, 1, 2, 1], [1, 2, 1, 2]], dtype=np.int8))
    predictions = Predictions([np.array([value]) for value in (2.0, 4.0, -2.0, -4.0)], np.empty(0))
    table = score_table(predictions, y, folds, RMSE)
    assert table["score"] == 0.0 and table["folds"] == [2.0, 4.0, 2.0, 4.0]


def test_one_fold_has_no_spread() -> None:
    y, p = regression(20)
    table = score_table(Predictions([p[10:]], np.empty(0)), y, Folds(np.where(np.arange(20) < 10, 1, 2).astype(np.int8)[:, None]), RMSE)
    assert table["fold_sd"] == 0.0 and len(table["folds"]) == 1


# ---------------------------------------------------------------------- intervals


@pytest.mark.parametrize(("metric", "data"), [(RMSE, regression()), (AUC, classes()), (METRICS["accuracy"], classes())])
def test_intervals_hold_the_score_and_are_the_same_each_time(metric: object, data: tuple[Array, Array]) -> None:
    low, high = bootstrap_interval(metric, *data)  # type: ignore[arg-type]
    assert low <= metric.score(*data) <= high  # type: ignore[attr-defined]
    assert bootstrap_interval(metric, *data) == [low, high]  # type: ignore[arg-type]


def test_an_interval_is_as_wide_as_it_must_be() -> None:
    """The mean absolute error of standard normal errors: sd sqrt(1 - 2 / pi) over sqrt(n)."""
    y = np.zeros(4000)
    p = np.random.default_rng(1).normal(size=4000)
    low, high = bootstrap_interval(METRICS["mae"], y, p)
    expected = 2 * 1.96 * np.sqrt((1 - 2 / np.pi) / 4000)
    assert high - low == pytest.approx(expected, rel=0.15)
    wide = bootstrap_interval(METRICS["mae"], y, p, level=0.99)
    assert wide[0] < low and wide[1] > high


def test_a_rare_class_is_in_every_resample() -> None:
    y = np.zeros(300)
    y[:2] = 1
    low, high = bootstrap_interval(AUC, y, np.linspace(0, 1, 300))
    assert np.isfinite([low, high]).all()


@settings(max_examples=10)
@given(st.integers(0, 500))
def test_a_paired_interval_is_narrower_than_two_of_its_own(seed: int) -> None:
    y, p = regression(seed=seed)
    other = p + 0.05 * np.random.default_rng(seed).normal(size=len(y))
    low, high = paired_interval(RMSE, y, p, other, resamples=200)
    assert low <= RMSE.score(y, p) - RMSE.score(y, other) <= high
    alone = bootstrap_interval(RMSE, y, p, resamples=200)
    assert high - low < 0.5 * (alone[1] - alone[0])
    assert paired_interval(RMSE, y, p, p, resamples=20) == [0.0, 0.0]


# ---------------------------------------------------------------------- the paired fold test


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=30), st.integers(2, 10))
def test_the_test_is_nadeaus_and_bengios(pairs: list[tuple[float, float]], folds_per_repeat: int) -> None:
    first, second = (list(part) for part in zip(*pairs, strict=True))
    found = paired_fold_test(first, second, folds_per_repeat=folds_per_repeat)
    differences = np.array(first) - np.array(second)
    assert found["difference"] == pytest.approx(differences.mean())
    spread = np.sqrt((1 / len(pairs) + 1 / (folds_per_repeat - 1)) * differences.var(ddof=1))
    if spread > 0:
        expected = 2 * stats.t.sf(abs(differences.mean()) / spread, len(pairs) - 1)
        assert found["p_value"] == pytest.approx(expected)
        assert found["high"] - found["low"] == pytest.approx(2 * stats.t.ppf(0.975, len(pairs) - 1) * spread)
        assert (found["low"] > 0 or found["high"] < 0) == (found["p_value"] < 0.05) or found["p_value"] == pytest.approx(0.05)
    opposite = paired_fold_test(second, first, folds_per_repeat=folds_per_repeat)
    assert opposite["difference"] == pytest.approx(-found["difference"]) and opposite["p_value"] == pytest.approx(found["p_value"])


def test_it_is_more_careful_than_a_plain_paired_test() -> None:
    rng = np.random.default_rng(0)
    first = rng.normal(0.02, 0.05, 10)
    plain = stats.ttest_1samp(first, 0.0).pvalue
    assert paired_fold_test(list(first), [0.0] * 10, folds_per_repeat=10)["p_value"] > plain


@pytest.mark.parametrize(
    ("first", "second", "p_value"), [([0.5, 0.5], [0.5, 0.5], 1.0), ([0.6, 0.6], [0.5, 0.5], 0.0), ([0.6], [0.5], np.nan)]
)
def test_folds_without_spread(first: list[float], second: list[float], p_value: float) -> None:
    found = paired_fold_test(first, second, folds_per_repeat=2)
    np.testing.assert_equal(found["p_value"], p_value)
    assert found["difference"] == pytest.approx(first[0] - second[0])
