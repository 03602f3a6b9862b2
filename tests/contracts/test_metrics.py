"""What every metric must keep to; metrics are taken from the registry, and each needs a reference here."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import InputError
from pipelines.metrics import METRIC_FACTORIES, METRICS, Array, Metric, as_labels, metric_of
from pipelines.parameters import table_of

from .metric_references import REFERENCES, WITHOUT_REPEATED_ROWS, Rows

N_ROWS, ROUNDING = 240, 1e-12


def example_of(name: str) -> Metric:
    """A factory's metric with the examples that stand beside its parameters, or else their defaults."""
    fields = table_of(METRIC_FACTORIES[name]).model_fields
    return metric_of(name, {key: field.examples[0] if field.examples else field.get_default() for key, field in fields.items()})


def label(metric: Metric) -> str:
    """A test's name."""
    return str(metric).replace(" ", "_")


EVERY = [*METRICS.values(), *map(example_of, METRIC_FACTORIES)]
EVERY.append(metric_of("ece", {"bins": 5, "width": "equal"}))
every_metric = pytest.mark.parametrize("metric", EVERY, ids=label)
every_case = pytest.mark.parametrize(
    ("metric", "task"), [pytest.param(metric, task, id=f"{label(metric)}-{task}") for metric in EVERY for task in metric.tasks]
)
of_classes = pytest.mark.parametrize("metric", [metric for metric in EVERY if metric.needs != "values"], ids=label)
of_groups = pytest.mark.parametrize("metric", [metric for metric in EVERY if metric.drawn_by], ids=label)


def example(metric: Metric, task: str, seed: int = 0, n_rows: int = N_ROWS) -> Rows:
    """A target, predictions that know something of it (positive values, or probabilities), and columns of 40 or 4 levels."""
    rng = np.random.default_rng(seed)
    columns = {name: rng.integers(0, 4 if name == "day" else 40, n_rows) for name in metric.columns}
    if task == "regression":
        y = rng.gamma(3.0, 10.0, n_rows)
        return Rows(y, y * rng.lognormal(0.0, 0.4, n_rows), columns)
    if task == "binary":
        y = (np.arange(n_rows) % 10 < 3).astype(np.float64)
        return Rows(y, np.clip(0.3 * y + 0.6 * rng.random(n_rows), 0, 1).round(3), columns)
    y = (np.arange(n_rows) % 3).astype(np.float64)
    raw = rng.random((n_rows, 3)) + 0.5 * np.eye(3)[y.astype(int)]
    return Rows(y, raw / raw.sum(axis=1, keepdims=True), columns)


def best(rows: Rows) -> Array:
    """The prediction that cannot be better."""
    return np.eye(3)[rows.y.astype(int)] if rows.p.ndim == 2 else rows.y.copy()


def bad(rows: Rows, task: str) -> Array:
    """A prediction that is worse than the example's."""
    if task == "regression":
        return np.random.default_rng(3).permutation(rows.p)
    return np.roll(rows.p, 1, axis=1) if rows.p.ndim == 2 else 1 - rows.p


def score(metric: Metric, rows: Rows, weights: Array | None = None) -> float:
    """The metric on some rows."""
    return metric.score(rows.y, rows.p, weights, rows.columns)


def test_names_are_those_of_the_registry() -> None:
    assert all(metric.name == name and metric.tasks for name, metric in METRICS.items())
    assert all(example_of(name).name == name for name in METRIC_FACTORIES)
    assert {metric.name for metric in EVERY} == set(REFERENCES)


def test_what_can_be_named_alone() -> None:
    """Factories whose parameters all have defaults are in the table, others are not."""
    for name, factory in METRIC_FACTORIES.items():
        assert (name in METRICS) == (not any(field.is_required() for field in table_of(factory).model_fields.values()))


@every_case
@pytest.mark.parametrize("weighted", [False, True], ids=["even", "weighted"])
def test_agrees_with_the_reference(metric: Metric, task: str, weighted: bool) -> None:
    for seed in range(5):
        rows = example(metric, task, seed)
        weights = np.random.default_rng(seed).gamma(2.0, 1.0, N_ROWS) if weighted else None
        expected = REFERENCES[metric.name](rows, weights, metric.params)
        np.testing.assert_allclose(score(metric, rows, weights), expected, rtol=ROUNDING, atol=ROUNDING)


@pytest.mark.parametrize("name", ["roc_auc", "average_precision", "ks", "gini", "gauc"])
@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 4), st.integers(0, 3)), min_size=2, max_size=30))
def test_ties_and_rows_without_weight(name: str, drawn: list[tuple[bool, int, int]]) -> None:
    metric = metric_of(name, {"group": "user_id"} if name == "gauc" else None)
    y, p, weights = (np.array(part, dtype=float) for part in zip(*drawn, strict=True))
    rows = Rows(y, p / 4, {"user_id": np.arange(len(y)) % 2})
    there = rows.take(np.flatnonzero(weights > 0))
    if len(np.unique(there.y)) == 2:
        expected = REFERENCES[name](there, weights[weights > 0], metric.params)
        np.testing.assert_allclose(score(metric, rows, weights), expected, rtol=ROUNDING, atol=ROUNDING)


@every_case
def test_the_best_is_best(metric: Metric, task: str) -> None:
    rows = example(metric, task)
    perfect, found, worse = (metric.loss(rows.y, p, None, rows.columns) for p in (best(rows), rows.p, bad(rows, task)))
    assert perfect <= found + ROUNDING and found < worse
    if metric.target is not None:
        assert perfect == 0.0


@every_case
def test_the_direction(metric: Metric, task: str) -> None:
    rows = example(metric, task)
    found, loss = score(metric, rows), metric.loss(rows.y, rows.p, None, rows.columns)
    assert loss == metric.loss_of(found)
    if metric.target is None:
        assert loss == (-found if metric.greater_is_better else found)
    else:
        assert loss == abs(found - metric.target) and not metric.greater_is_better


@every_case
def test_whole_weights_are_repeated_rows(metric: Metric, task: str) -> None:
    if metric.name in WITHOUT_REPEATED_ROWS:
        pytest.skip("a row that is there twice is not a second card")
    rows = example(metric, task)
    counts = np.random.default_rng(4).integers(0, 4, N_ROWS)
    repeated = rows.take(np.repeat(np.arange(N_ROWS), counts))
    np.testing.assert_allclose(score(metric, rows, counts.astype(float)), score(metric, repeated), rtol=1e-11)


@of_groups
def test_whole_weights_are_repeated_groups(metric: Metric) -> None:
    """What a bootstrap over groups relies on: a group drawn twice is two groups."""
    assert metric.drawn_by is not None
    rows = example(metric, "binary")
    groups = rows.columns[metric.drawn_by]
    counts = np.random.default_rng(4).integers(0, 4, groups.max() + 1)[groups]
    copies = np.concatenate([np.arange(count) for count in counts])
    repeated = rows.take(np.repeat(np.arange(N_ROWS), counts))
    repeated.columns[metric.drawn_by] = repeated.columns[metric.drawn_by] * 4 + copies
    np.testing.assert_allclose(score(metric, rows, counts.astype(float)), score(metric, repeated), rtol=1e-11)


@every_case
@pytest.mark.parametrize("weight", [1.0, 2.5])
def test_equal_weights_are_no_weights(metric: Metric, task: str, weight: float) -> None:
    if metric.name in WITHOUT_REPEATED_ROWS and weight != 1:
        pytest.skip("a card of weight 2.5 stands for as many")
    rows = example(metric, task)
    np.testing.assert_allclose(score(metric, rows, np.full(N_ROWS, weight)), score(metric, rows), rtol=ROUNDING)


@every_case
@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000))
def test_the_rows_order_does_not_matter(metric: Metric, task: str, seed: int) -> None:
    rows = example(metric, task)
    weights = np.random.default_rng(1).integers(1, 4, N_ROWS).astype(float)
    order = np.random.default_rng(seed).permutation(N_ROWS)
    np.testing.assert_allclose(score(metric, rows.take(order)), score(metric, rows), rtol=ROUNDING)
    if metric.name not in WITHOUT_REPEATED_ROWS:
        np.testing.assert_allclose(score(metric, rows.take(order), weights[order]), score(metric, rows, weights), rtol=ROUNDING)


@every_case
def test_input_is_not_changed(metric: Metric, task: str) -> None:
    rows, weights = example(metric, task), np.ones(N_ROWS)
    for array in (rows.y, rows.p, weights, *rows.columns.values()):
        array.flags.writeable = False
    score(metric, rows, weights)


@every_case
def test_a_judge_says_what_the_metric_says(metric: Metric, task: str) -> None:
    rows, rng = example(metric, task), np.random.default_rng(2)
    judge = metric.judge(rows.y, rows.p, rows.columns)
    for weights in (None, rng.random(N_ROWS), rng.integers(0, 2, N_ROWS).astype(float), None):
        assert judge(weights) == score(metric, rows, weights)


# ---------------------------------------------------------------------- where there is nothing to judge

DEFINED_FOR = {
    **dict.fromkeys(["accuracy", "balanced_accuracy", "mcc", "cost", "log_loss", "brier", "ece"], (0, 1)),
    **dict.fromkeys(["precision", "recall", "f1", "average_precision", "recall_at_precision", "precision_at_recall"], (1,)),
    **dict.fromkeys(["lift", "gain", "calibration_ratio", "card_precision"], (1,)),
    **dict.fromkeys(["roc_auc", "gini", "ks", "gauc", "normalised_entropy", "rig"], ()),
    # agreement above chance has a value as long as the decisions vary
    "quadratic_weighted_kappa": (0, 1),
}
"""On rows of which one class a binary metric has a value; NaN on the other."""


@of_classes
@pytest.mark.parametrize("code", [0, 1])
@pytest.mark.parametrize("weighted", [False, True], ids=["alone", "by weight"])
def test_one_class(metric: Metric, code: int, weighted: bool) -> None:
    """No warning (they are errors here), and a value or NaN as the table says."""
    rows = example(metric, "binary")
    there = rows.y == code
    found = score(metric, rows, there.astype(float)) if weighted else score(metric, rows.take(np.flatnonzero(there)))
    assert np.isfinite(found) == (code in DEFINED_FOR[metric.name])


def test_one_class_and_nothing_decided_for_it() -> None:
    """The values that are conventions: 0 / 0 is 0 for precision; a constant has no correlation."""
    zeros, ones = np.zeros(5), np.ones(5)
    assert METRICS["precision"].score(ones, zeros) == METRICS["f1"].score(ones, zeros) == METRICS["recall"].score(ones, zeros) == 0.0
    assert METRICS["mcc"].score(ones, ones) == METRICS["mcc"].score(ones, zeros) == 0.0
    assert METRICS["average_precision"].score(ones, zeros) == 1.0
    assert np.isnan(METRICS["quadratic_weighted_kappa"].score(ones, ones))


@every_case
def test_no_rows_and_no_weight(metric: Metric, task: str) -> None:
    rows = example(metric, task)
    assert np.isnan(score(metric, rows.take(np.empty(0, dtype=int))))
    assert np.isnan(score(metric, rows, np.zeros(N_ROWS)))


@every_case
def test_one_row(metric: Metric, task: str) -> None:
    for row in range(3):
        score(metric, example(metric, task).take(np.array([row])))


# ---------------------------------------------------------------------- what is refused


@of_classes
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda p: p + 0.5, r"metric '\w+' judges lies between 0.5 and 1\.\d+, and probabilities lie in 0..1. Use a model"),
        (lambda p: p - 0.5, r"lies between -0.5 and 0\.\d+, and probabilities"),
        (lambda p: np.where(np.arange(N_ROWS) == 7, np.nan, p), "has 1 missing values of 240; every row needs a probability"),
    ],
    ids=["above", "below", "missing"],
)
def test_probabilities_that_are_none(metric: Metric, wrong: Any, message: str) -> None:
    rows = example(metric, "binary")
    p = np.append(0.0, rows.p[1:])
    with pytest.raises(InputError, match=message):
        metric.score(rows.y, wrong(p), None, rows.columns)


@of_classes
def test_rounding_is_let_pass(metric: Metric) -> None:
    rows = example(metric, "binary")
    p = np.concatenate([[0.0, 1.0], rows.p[2:]])
    rounded = np.concatenate([[-1e-9, 1 + 1e-9], rows.p[2:]])
    assert metric.score(rows.y, rounded, None, rows.columns) == pytest.approx(metric.score(rows.y, p, None, rows.columns), rel=1e-5)


@of_classes
def test_classes_whose_probabilities_do_not_sum_to_one(metric: Metric) -> None:
    if "multiclass" in metric.tasks:
        rows = example(metric, "multiclass")
        with pytest.raises(InputError, match=r"sum to 1 only up to 0\.5\. Divide each row by its sum"):
            metric.score(rows.y, rows.p / 2)


@pytest.mark.parametrize("metric", [metric for metric in EVERY if metric.columns], ids=label)
def test_columns_that_are_needed(metric: Metric) -> None:
    rows = example(metric, "binary")
    name = metric.columns[-1]
    others = {key: value for key, value in rows.columns.items() if key != name}
    near = {**others, f"{name}s": rows.columns[name]}
    for columns, found in ((None, "none"), (others, "'day'" if others else "none"), (near, f"'{name}s'.*. Closest: '{name}s'.")):
        with pytest.raises(InputError, match=f"metric '{metric.name}' needs column '.*' of the scored rows; given: .*{found}") as error:
            metric.score(rows.y, rows.p, None, columns)
        assert "Name a column of the raw table" in str(error.value)
    gaps = {**others, name: np.where(np.arange(N_ROWS) < 3, np.nan, rows.columns[name])}
    with pytest.raises(InputError, match=rf"a value of '{name}' in every scored row; 3 of 240 are missing. .*is_missing\(`{name}`\)"):
        metric.score(rows.y, rows.p, None, gaps)
    with pytest.raises(ValueError, match=f"column '{name}' has 5 rows, the target 240"):
        metric.score(rows.y, rows.p, None, {**others, name: np.ones(5)})


@pytest.mark.parametrize("metric", [metric for metric in EVERY if np.isfinite(metric.least)], ids=label)
def test_targets_a_metric_cannot_judge(metric: Metric) -> None:
    needed = "of at least" if metric.least_allowed else "above"
    metric.check(np.array([metric.least if metric.least_allowed else metric.least + 1, 5.0]))
    with pytest.raises(InputError, match=f"metric '{metric.name}' needs targets {needed} {metric.least:g}; the smallest is"):
        metric.check(np.array([metric.least - metric.least_allowed, 5.0]))


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("roc_acu", None, "no metric 'roc_acu'; there are .*accuracy.*gauc.*. Closest: 'roc_auc'."),
        ("rmse", {"power": 2}, "metric 'rmse' takes no parameters, found 'power'. Write 'metric: rmse'."),
        ("gauc", None, "metric 'gauc': needs the key 'group'; keys are group."),
        ("lift", {"share": 0.0}, "metric 'lift.share': found 0.0; needed: .*greater than 0"),
        ("ece", {"bins": 10, "width": "even"}, "metric 'ece.width': found 'even'; allowed: 'mass' or 'equal'"),
        ("cost", {"false_negatives": 5}, "metric 'cost.false_negatives': unknown key; .*Closest: 'false_negative'"),
        ("card_precision", {"day": "day", "card": "card", "k": 1.5}, "metric 'card_precision.k': found 1.5; needed: int"),
    ],
)
def test_declarations_that_are_wrong(name: str, params: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        metric_of(name, params)


@pytest.mark.parametrize(
    ("name", "params", "said"),
    [
        ("lift", None, "lift"),
        ("lift", {"share": 0.05}, "lift (share 0.05)"),
        ("gauc", {"group": "user_id"}, "gauc (group user_id)"),
        ("cost", {"false_negative": 50}, "cost (false_negative 50.0, false_positive 1.0)"),
        ("rmse", {}, "rmse"),
    ],
)
def test_declarations_that_are_right(name: str, params: Any, said: str) -> None:
    metric = metric_of(name, params)
    assert str(metric) == said and hash(metric) == hash(metric_of(name, params))
    assert metric_of(name, metric.params).params == metric.params


# ---------------------------------------------------------------------- labels


@pytest.mark.parametrize("metric", [metric for metric in EVERY if metric.needs == "labels"], ids=label)
def test_labels_are_taken_from_probabilities(metric: Metric) -> None:
    for task in metric.tasks:
        rows = example(metric, task)
        labels = as_labels(rows.p)
        decided = labels if task == "binary" else np.eye(3)[labels.astype(int)]
        assert metric.score(rows.y, rows.p) == metric.score(rows.y, decided)


@pytest.mark.parametrize(
    ("prediction", "expected"),
    [([0.0, 0.5, 0.500001, 1.0], [0, 0, 1, 1]), ([[0.2, 0.5, 0.3], [0.4, 0.4, 0.2], [0.0, 0.0, 1.0]], [1, 0, 2])],
)
def test_as_labels(prediction: Any, expected: list[int]) -> None:
    assert as_labels(np.array(prediction)).tolist() == expected
