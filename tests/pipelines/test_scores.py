"""Scores with their uncertainty: pooled, by fold, bootstrap intervals and the paired fold test."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from features.errors import InputError
from pipelines.metrics import METRICS, Array, metric_of
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


def doubtful(n_rows: int = 200) -> tuple[Array, Array]:
    """The same, and probabilities that know little of it."""
    y, p = classes(n_rows)
    return y, 0.2 * p + 0.8 * np.random.default_rng(9).random(n_rows)


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


def in_two(n_rows: int) -> Folds:
    """The first half of the rows scored by fold 0, the second by fold 1."""
    first = np.arange(n_rows) < n_rows // 2
    return Folds(np.column_stack([np.where(first, 2, 1), np.where(first, 1, 2)]).astype(np.int8))


def test_folds_without_a_score() -> None:
    """A fold that lacks a class has no AUC: it is null in JSON, and the spread is that of the others."""
    y = np.array([0.0, 1, 0, 0, 0, 1, 1, 0])
    p = np.array([0.1, 0.9, 0.2, 0.3, 0.5, 0.4, 0.8, 0.3])
    status = np.ones((8, 4), dtype=np.int8)
    status[np.arange(8), np.arange(8) // 2] = 2
    table = score_table(Predictions(list(p.reshape(4, 2)), np.empty(0)), y, Folds(status), AUC)
    assert table["folds"] == [1.0, None, 0.0, 1.0]
    assert table["fold_sd"] == pytest.approx(np.std([1.0, 0.0, 1.0], ddof=1))
    assert json.loads(json.dumps(table, allow_nan=False)) == table


@pytest.mark.parametrize(
    ("y", "p", "message"),
    [
        (
            [0.0, 0.0, 0.0, 0.0],
            [0.1, 0.2, 0.3, 0.4],
            r"metric 'roc_auc' has no value on the 4 scored rows \(it is nan\): they may lack a class",
        ),
        ([0.0, 1.0, 0.0, 1.0], [0.1, np.inf, 0.3, 0.4], "1 of 4 out-of-fold predictions are infinite, and metric 'roc_auc'"),
    ],
)
def test_nothing_to_score(y: list[float], p: list[float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        score_table(Predictions([np.array(p[:2]), np.array(p[2:])], np.empty(0)), np.array(y), in_two(4), AUC)


def test_columns_groups_and_weights_are_cut_as_the_rows_are() -> None:
    y, p = doubtful()
    rng = np.random.default_rng(0)
    weights, users, metric = rng.random(200), rng.integers(0, 10, 200), metric_of("gauc", {"group": "user"})
    folds, parts = in_two(200), np.split(np.arange(200), 2)
    predictions = Predictions([p[rows] for rows in parts], np.empty(0))
    table = score_table(predictions, y, folds, metric, columns={"user": users, "other": users[:3]}, weights=weights)
    assert table["score"] == metric.score(y, p, weights, {"user": users})
    assert table["folds"] == [metric.score(y[rows], p[rows], weights[rows], {"user": users[rows]}) for rows in parts]
    assert table["interval"] == bootstrap_interval(metric, y, p, columns={"user": users}, weights=weights)
    by_group = score_table(predictions, y, folds, AUC, groups=users)
    assert by_group["interval"] == bootstrap_interval(AUC, y, p, groups=users) != bootstrap_interval(AUC, y, p)


@pytest.mark.parametrize("columns", [None, {"users": np.arange(200)}], ids=["none", "another"])
def test_a_column_that_is_not_there(columns: Any) -> None:
    y, p = classes()
    with pytest.raises(InputError, match="metric 'gauc' needs column 'user' of the scored rows; given: "):
        score_table(Predictions([p[:100], p[100:]], np.empty(0)), y, in_two(200), metric_of("gauc", {"group": "user"}), columns=columns)


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


def test_rows_of_one_group_are_not_independent() -> None:
    """Forty rows of each group say the same: the interval is that of the groups' means, sqrt(40) times as wide."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(100), 40)
    y, p = np.zeros(4000), rng.normal(size=100)[groups]
    by_row, by_group = bootstrap_interval(METRICS["mae"], y, p), bootstrap_interval(METRICS["mae"], y, p, groups=groups)
    assert (by_group[1] - by_group[0]) / (by_row[1] - by_row[0]) == pytest.approx(np.sqrt(40), rel=0.15)
    alone = bootstrap_interval(METRICS["mae"], y[::40], p[::40])
    assert by_group == pytest.approx(alone), "the same draws of the same groups"


def test_whole_groups_are_drawn() -> None:
    """A metric that would notice a part of a group: the sum of a group's errors is zero."""
    groups = np.repeat(np.array(["b", "a", "c"]), 2)
    p = np.array([1.0, -1.0, 2.0, -2.0, 3.0, -3.0])
    assert bootstrap_interval(METRICS["rmse"], np.zeros(6), np.abs(p), groups=groups)[0] >= 1.0
    ratio = METRICS["calibration_ratio"]
    y = np.array([1.0, 0.0] * 3)
    low, high = bootstrap_interval(ratio, y, np.array([0.9, 0.1] * 3), groups=groups)
    assert low == pytest.approx(1.0) and high == pytest.approx(1.0)


def test_a_metric_names_the_groups_that_are_drawn() -> None:
    rng = np.random.default_rng(0)
    y, p, users = (rng.random(400) < 0.3).astype(float), rng.random(400), rng.integers(0, 40, 400)
    metric, columns = metric_of("gauc", {"group": "user"}), {"user": users}
    named = bootstrap_interval(metric, y, p, columns=columns)
    assert named == bootstrap_interval(metric, y, p, columns=columns, groups=users)
    assert named != bootstrap_interval(metric, y, p, columns=columns, groups=np.arange(400)), "other groups, where they are given"
    low, high = paired_interval(metric, y, p, 1 - p, columns=columns)
    assert low < metric.score(y, p, None, columns) - metric.score(y, 1 - p, None, columns) < high


@pytest.mark.parametrize("groups", [None, np.arange(300) // 3], ids=["rows", "groups"])
def test_a_class_in_two_rows_is_in_every_resample(groups: Any) -> None:
    y = np.zeros(300)
    y[[0, 100]] = 1
    judged = []

    def function(y: Array, p: Array) -> Any:
        return lambda weights: 0.5 if weights is None else judged.append(float(weights[y == 1].sum())) or 0.5

    bootstrap_interval(replace(AUC, function=function), y, np.full(300, 0.5), groups=groups)
    assert set(judged) == {2.0} and len(judged) == 500


@pytest.mark.parametrize(("metric", "data"), [(RMSE, regression(60)), (AUC, doubtful(60)), (METRICS["lift"], doubtful(60))])
def test_weights_are_multiplied_with_the_counts(metric: Any, data: tuple[Array, Array]) -> None:
    weights = np.random.default_rng(5).random(60)
    low, high = bootstrap_interval(metric, *data, weights=weights)
    assert low <= metric.score(*data, weights) <= high and [low, high] != bootstrap_interval(metric, *data)
    assert bootstrap_interval(metric, *data, weights=np.full(60, 2.0)) == pytest.approx(bootstrap_interval(metric, *data))
    zero = np.where(np.arange(60) < 2, 0.0, 1.0)
    changed = data[1].copy()
    changed[:2] = 1 - changed[:2]
    assert bootstrap_interval(metric, data[0], changed, weights=zero) == pytest.approx(bootstrap_interval(metric, *data, weights=zero))


def test_an_interval_holds_a_score_that_every_resample_adds_to() -> None:
    """The noise of a resample makes well calibrated probabilities look worse."""
    rng = np.random.default_rng(0)
    p = np.repeat(np.arange(1, 16) / 30, 300)
    y = (np.tile(np.arange(300), 15) < 300 * p).astype(float)
    low, high = bootstrap_interval(METRICS["ece"], y, p, resamples=50)
    assert METRICS["ece"].score(y, p) == low < high
    assert bootstrap_interval(METRICS["ece"], y, rng.permutation(p), resamples=50)[0] > low


def test_a_row_without_its_group() -> None:
    with pytest.raises(InputError, match=r"needs the group of every scored row; 1 of 3 are missing\. Complete the column"):
        bootstrap_interval(RMSE, np.zeros(3), np.ones(3), groups=np.array(["a", None, "b"], dtype=object))


def test_a_score_that_no_resample_has() -> None:
    assert np.isnan(bootstrap_interval(AUC, np.zeros(5), np.full(5, 0.5))).all()


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


@pytest.mark.parametrize("gap", [None, float("nan")])
def test_folds_without_a_score_are_left_out(gap: float | None) -> None:
    found = paired_fold_test([0.5, gap, 0.7, 0.4], [0.4, 0.1, 0.5, gap], folds_per_repeat=4)
    assert found == paired_fold_test([0.5, 0.7], [0.4, 0.5], folds_per_repeat=4)
    assert found["difference"] == pytest.approx(0.15)
    assert np.isnan(paired_fold_test([gap], [gap], folds_per_repeat=2)["difference"])


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
