"""Thresholds: against a search over every cut, against scikit-learn, and at the ends."""

from __future__ import annotations

import inspect
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from features.errors import InputError
from pipelines.metrics import Array
from pipelines.parameters import table_of
from pipelines.thresholds import EVERY_ROW, THRESHOLDS, cuts_of

EXAMPLES: dict[str, dict[str, Any]] = {
    "f1": {},
    "cost": {"false_positive": 1.0, "false_negative": 50.0},
    "recall_floor": {"recall": 0.8},
    "precision_floor": {"precision": 0.7},
    "top_k": {"k": 20, "per": "day"},
    "fixed": {"value": 0.25},
}
LEARNING = [name for name in THRESHOLDS if name not in ("top_k", "fixed")]
P, Y = np.array([0.9, 0.8, 0.7, 0.6, 0.4, 0.2]), np.array([1.0, 1.0, 0.0, 1.0, 0.0, 0.0])


def rows(n_rows: int = 2000, seed: int = 0) -> tuple[Array, Array]:
    """Probabilities, many of them equal, and a target that hangs on them."""
    rng = np.random.default_rng(seed)
    p = np.round(rng.beta(0.5, 3.0, n_rows), 2)
    return p, (rng.random(n_rows) < p).astype(np.float64)


def fitted(name: str, p: Array, y: Array, weights: Array | None = None, **params: Any) -> Any:
    """A threshold fitted on some rows."""
    threshold = THRESHOLDS[name](**params)
    threshold.fit(p, y, weights)
    return threshold


# ---------------------------------------------------------------------- what all have in common


@pytest.mark.parametrize("name", THRESHOLDS)
def test_parameters_are_read_off_the_signature(name: str) -> None:
    parameters = inspect.signature(THRESHOLDS[name]).parameters.values()
    assert all(parameter.kind is inspect.Parameter.KEYWORD_ONLY for parameter in parameters)
    checked = table_of(THRESHOLDS[name]).model_validate(EXAMPLES[name]).model_dump()
    assert THRESHOLDS[name](**checked).describe()["method"] == name


@pytest.mark.parametrize("name", THRESHOLDS)
def test_labels_are_zeros_and_ones_and_descriptions_are_plain(name: str) -> None:
    p, y = rows()
    days = np.arange(len(p)) // 100
    threshold = THRESHOLDS[name](**EXAMPLES[name])
    assert threshold.learns == (name in LEARNING)
    threshold.fit(p, y, None, days)
    labels = threshold.labels(p, days)
    assert labels.shape == p.shape and labels.dtype == np.int64 and set(labels.tolist()) == {0, 1}
    described = json.loads(json.dumps(threshold.describe()))
    if name in LEARNING:
        assert described["fitted"]
        np.testing.assert_array_equal(THRESHOLDS["fixed"](value=described["cut"]).labels(p), labels)


@pytest.mark.parametrize("name", LEARNING)
@pytest.mark.parametrize(("y", "weights"), [(np.zeros(6), None), (np.ones(6), None), (Y, 1 - Y), (np.empty(0), None)])
def test_without_rows_of_both_classes_the_cut_stays_and_says_so(name: str, y: Array, weights: Array | None) -> None:
    threshold = THRESHOLDS[name](**EXAMPLES[name])
    before = threshold.describe()
    threshold.fit(P[: len(y)], y, weights)
    assert threshold.describe() == before and before["fitted"] is False
    assert before["cut"] == (1 / 51 if name == "cost" else 0.5)


@pytest.mark.parametrize(
    ("name", "params", "expected"),
    [
        ("f1", {}, 0.5),
        ("cost", {}, 0.75),
        ("cost", {"false_negative": 10.0}, 0.5),
        ("cost", {"false_positive": 10.0}, 0.75),
        ("recall_floor", {"recall": 0.5}, 0.75),
        ("recall_floor", {"recall": 0.9}, 0.5),
        ("precision_floor", {"precision": 1.0}, 0.75),
        ("precision_floor", {"precision": 0.75}, 0.5),
        ("precision_floor", {"precision": 0.5}, 0.5),
        ("precision_floor", {"precision": 0.1}, 0.5),
        ("fixed", {"value": 0.3}, 0.3),
    ],
)
def test_cuts_lie_in_the_middle_between_two_probabilities(name: str, params: dict[str, float], expected: float) -> None:
    assert fitted(name, P, Y, **params).describe()["cut"] == pytest.approx(expected)


# ---------------------------------------------------------------------- against a search over every cut

ROWS = st.integers(2, 12).flatmap(
    lambda n: st.tuples(
        arrays(np.float64, n, elements=st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.50000001, 0.9, 1.0])),
        arrays(np.float64, n, elements=st.sampled_from([0.0, 1.0])),
        arrays(np.float64, n, elements=st.sampled_from([0.5, 1.0, 2.0])),
    )
)


def every_labelling(p: Array) -> list[Array]:
    """The labels of every cut."""
    return [(p >= cut).astype(float) for cut in [*np.unique(p), 2.0]]


def counts(y: Array, labels: Array, weights: Array) -> tuple[float, float, float]:
    """True positives, false positives and false negatives, by weight."""
    return (
        float((weights * y * labels).sum()),
        float((weights * (1 - y) * labels).sum()),
        float((weights * y * (1 - labels)).sum()),
    )


@given(ROWS)
def test_no_cut_has_a_greater_f1(drawn: tuple[Array, Array, Array]) -> None:
    p, y, weights = drawn
    if len(np.unique(y)) < 2:
        return

    def f1(labels: Array) -> float:
        true, wrong, missed = counts(y, labels, weights)
        return 2 * true / (2 * true + wrong + missed)

    assert f1(fitted("f1", p, y, weights).labels(p)) == pytest.approx(max(f1(labels) for labels in every_labelling(p)))


@given(ROWS, st.sampled_from([0.1, 1.0, 7.0]), st.sampled_from([0.1, 1.0, 50.0]))
def test_no_cut_costs_less(drawn: tuple[Array, Array, Array], false_positive: float, false_negative: float) -> None:
    p, y, weights = drawn
    if len(np.unique(y)) < 2:
        return

    def cost(labels: Array) -> float:
        _, wrong, missed = counts(y, labels, weights)
        return false_positive * wrong + false_negative * missed

    threshold = fitted("cost", p, y, weights, false_positive=false_positive, false_negative=false_negative)
    assert cost(threshold.labels(p)) == pytest.approx(min(cost(labels) for labels in every_labelling(p)))
    assert threshold.describe()["cost"] == pytest.approx(cost(threshold.labels(p)))


@given(ROWS, st.sampled_from([0.2, 0.5, 0.8, 1.0]))
def test_floors_hold_and_the_other_measure_is_the_greatest(drawn: tuple[Array, Array, Array], floor: float) -> None:
    p, y, weights = drawn
    if len(np.unique(y)) < 2:
        return

    def both(labels: Array) -> tuple[float, float]:
        true, wrong, missed = counts(y, labels, weights)
        return true / (true + missed), true / (true + wrong) if true + wrong else 0.0

    reached = [both(labels) for labels in every_labelling(p)]
    recall, precision = both(fitted("recall_floor", p, y, weights, recall=floor).labels(p))
    assert recall >= floor - 1e-9
    assert precision == pytest.approx(max(second for first, second in reached if first >= floor - 1e-9))
    threshold = fitted("precision_floor", p, y, weights, precision=floor)
    recall, precision = both(threshold.labels(p))
    possible = [first for first, second in reached if second >= floor - 1e-9]
    assert threshold.describe()["met"] == bool(possible)
    if possible:
        assert precision >= floor - 1e-9 and recall == pytest.approx(max(possible))
    else:
        assert precision == pytest.approx(max(second for _, second in reached))


def test_the_same_precision_and_recall_as_scikit_learn() -> None:
    from sklearn.metrics import precision_recall_curve

    p, y = rows()
    cuts = cuts_of(p, y)
    precision, recall, at = precision_recall_curve(y, p)
    np.testing.assert_allclose(cuts.precision[1:], precision[:-1][::-1])
    np.testing.assert_allclose(cuts.recall, recall[::-1])
    np.testing.assert_array_equal([(p > cut).sum() for cut in cuts.cut[1:]], [(p >= cut).sum() for cut in at[::-1]])


def test_a_threshold_tells_what_it_reached() -> None:
    from sklearn.metrics import f1_score, precision_score, recall_score

    p, y = rows()
    for name in LEARNING:
        threshold = fitted(name, p, y, **EXAMPLES[name])
        told, labels = threshold.describe(), threshold.labels(p)
        for measure, reference in {"f1": f1_score, "precision": precision_score, "recall": recall_score}.items():
            assert told[measure] == pytest.approx(reference(y, labels))


def test_a_floor_that_no_cut_meets_is_told() -> None:
    p, y = np.array([0.9, 0.8, 0.3, 0.2]), np.array([0.0, 1.0, 1.0, 0.0])
    told = fitted("precision_floor", p, y, precision=0.95).describe()
    assert told["met"] is False and told["floor"] == 0.95
    assert told["precision"] == pytest.approx(2 / 3) and told["cut"] == pytest.approx(0.25)
    assert fitted("precision_floor", p, y, precision=0.6).describe()["met"] is True


# ---------------------------------------------------------------------- ends and ties


def test_cuts_that_call_every_row_or_none_positive() -> None:
    p, y = np.array([0.0, 0.5, 1.0]), np.array([1.0, 0.0, 0.0])
    every = fitted("recall_floor", p, y, recall=1.0)
    assert every.describe()["cut"] == EVERY_ROW and every.labels(p).tolist() == [1, 1, 1]
    none = fitted("cost", p, y, false_positive=5.0)
    assert none.describe()["cut"] == 1.0 and none.labels(p).tolist() == [0, 0, 0]


def test_neighbouring_floats_are_told_apart() -> None:
    low = 0.3
    for _ in range(8):
        high = np.nextafter(low, 1.0)
        p, y = np.array([low, high, low, high]), np.array([0.0, 1.0, 0.0, 1.0])
        assert fitted("f1", p, y).labels(p).tolist() == [0, 1, 0, 1]
        low = high


def test_rows_of_no_weight_do_not_count() -> None:
    p, y = rows()
    weights = np.append(np.ones(len(p)), np.zeros(50))
    assert (
        fitted("f1", np.append(p, np.full(50, 0.99)), np.append(y, np.zeros(50)), weights).describe()["f1"]
        == fitted("f1", p, y).describe()["f1"]
    )


# ---------------------------------------------------------------------- the k most probable of each day


def test_top_k_takes_the_most_probable_of_each_day() -> None:
    p = np.array([0.1, 0.9, 0.5, 0.4, 0.3, 0.2, 0.7])
    days = np.array(["mon", "mon", "mon", "tue", "tue", "wed", "mon"])
    threshold = THRESHOLDS["top_k"](k=2, per="day")
    assert threshold.labels(p, days).tolist() == [0, 1, 0, 1, 1, 1, 1]
    assert threshold.labels(p, days.astype("O")).tolist() == [0, 1, 0, 1, 1, 1, 1]
    assert THRESHOLDS["top_k"](k=2).labels(p).tolist() == [0, 1, 0, 0, 0, 0, 1]
    assert threshold.labels(np.empty(0), np.empty(0)).tolist() == []


def test_of_equal_rows_top_k_takes_the_first() -> None:
    assert THRESHOLDS["top_k"](k=2).labels(np.array([0.5, 0.9, 0.5, 0.5])).tolist() == [1, 1, 0, 0]


@given(arrays(np.float64, st.integers(1, 30), elements=st.sampled_from([0.1, 0.2, 0.3, 0.9])), st.integers(1, 5), st.integers(1, 4))
def test_top_k_takes_k_of_each_day_and_none_below_one_left_out(p: Array, k: int, n_days: int) -> None:
    days = np.arange(len(p)) % n_days
    labels = THRESHOLDS["top_k"](k=k, per="day").labels(p, days)
    for day in np.unique(days):
        taken, left = p[(days == day) & (labels == 1)], p[(days == day) & (labels == 0)]
        assert len(taken) == min(k, (days == day).sum())
        assert not len(left) or taken.min() >= left.max()


def test_top_k_needs_the_days_it_names() -> None:
    with pytest.raises(
        InputError, match=r"'top_k' per 'day' needs the values of that column. Name a column of the table, or leave 'per' out"
    ):
        THRESHOLDS["top_k"](k=3, per="day").labels(P)
