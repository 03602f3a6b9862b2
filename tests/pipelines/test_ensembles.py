"""Blends and stacks: weights on the simplex, never worse where they are fitted, and the scales they act on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata

from features.errors import InputError
from pipelines.combiners import COMBINERS
from pipelines.ensembles import Problem, Scale, combine
from pipelines.known import NOTHING_KNOWN, Known
from pipelines.metrics import METRICS, Array
from pipelines.targets import TRANSFORMS

N_ROWS, TASKS = 60, ("regression", "binary", "multiclass")
METHODS = ("mean", "simplex", "hill_climb", "bagged_hill_climb")
CLASSES = ("binary", "multiclass")
WAYS: list[tuple[str, dict[str, Any], tuple[str, ...]]] = [
    *(("blend", {"method": method}, TASKS) for method in METHODS),
    ("blend", {"method": "hill_climb", "shrink": 0.5}, TASKS),
    ("blend", {"method": "simplex", "scale": "logit"}, CLASSES),
    *(("blend", {"method": method, "scale": "log"}, ("regression",)) for method in METHODS),
    *(("blend", {"method": method, "scale": "rank"}, ("binary",)) for method in METHODS if method != "simplex"),
    ("stack", {}, TASKS),
    ("log_pool", {}, CLASSES),
]
every_way = pytest.mark.parametrize(("name", "params", "task"), [(name, params, task) for name, params, tasks in WAYS for task in tasks])


def problem_of(task: str, metric: str | None = None, transform: str = "none") -> Problem:
    """A problem with the task's usual metric."""
    return Problem(task, METRICS[metric or ("rmse" if task == "regression" else "log_loss")], TRANSFORMS[transform])


def table_of(task: str, n_members: int = 3, seed: int = 0) -> tuple[Array, Array]:
    """Members of different error, shape (n_rows, n_members[, n_classes]), and the target."""
    rng = np.random.default_rng(seed)
    noises = rng.uniform(0.2, 2.0, n_members)
    if task == "regression":
        y = rng.gamma(3.0, 2.0, N_ROWS)
        return np.stack([np.maximum(y + noise * rng.normal(size=N_ROWS), 0.01) for noise in noises], axis=1), y
    n_classes = 2 if task == "binary" else 3
    y = rng.permutation(np.arange(N_ROWS) % n_classes).astype(float)
    raw = np.stack([np.eye(n_classes)[y.astype(int)] + noise * rng.random((N_ROWS, n_classes)) + 0.1 for noise in noises], axis=1)
    p = raw / raw.sum(axis=2, keepdims=True)
    return p[:, :, 1] if task == "binary" else p, y


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("task", TASKS)
@settings(max_examples=15)
@given(seed=st.integers(0, 1000), n_members=st.integers(1, 6))
def test_weights_are_on_the_simplex(method: str, task: str, seed: int, n_members: int) -> None:
    members, y = table_of(task, n_members, seed)
    blend: Any = COMBINERS["blend"](problem_of(task), method=method)
    blend.fit(members, Known(y))
    assert blend.weights.shape == (n_members,)
    assert blend.weights.min() >= 0.0 and blend.weights.sum() == pytest.approx(1.0, abs=1e-12)
    assert blend.describe()["weights"] == blend.weights.tolist()


@pytest.mark.parametrize("metric", METRICS)
@settings(max_examples=10)
@given(seed=st.integers(0, 1000), n_members=st.integers(1, 5))
def test_hill_climbing_is_never_worse_than_the_best_member_where_it_is_fitted(metric: str, seed: int, n_members: int) -> None:
    known = METRICS[metric]
    members, y = table_of(known.tasks[0], n_members, seed)
    blend = COMBINERS["blend"](problem_of(known.tasks[0], metric), method="hill_climb")
    blend.fit(members, Known(y))
    alone = [known.loss(y, members[:, member]) for member in range(n_members)]
    assert known.loss(y, blend.predict(members, NOTHING_KNOWN)) <= min(alone) + 1e-12


@pytest.mark.parametrize("task", TASKS)
@settings(max_examples=15)
@given(seed=st.integers(0, 1000))
def test_simplex_weights_are_never_worse_than_any_member_or_the_mean(task: str, seed: int) -> None:
    members, y = table_of(task, 3, seed)
    blend: Any = COMBINERS["blend"](problem_of(task), method="simplex")
    blend.fit(members, Known(y))
    loss = problem_of(task).metric.loss
    corners = [*np.eye(3), np.full(3, 1 / 3)]
    assert (
        loss(y, blend.predict(members, NOTHING_KNOWN)) <= min(blend.loss(combine(members, corner), Known(y)) for corner in corners) + 1e-6
    )


def test_weights_that_are_known() -> None:
    """Two members whose errors are opposite: half and half. A member that is the truth: all of it."""
    y = np.arange(20.0)
    opposite = np.column_stack([y + 3, y - 3])
    exact = np.column_stack([y + 3, y, y + 9])
    for method in ("simplex", "hill_climb"):
        for members, weights in ((opposite, [0.5, 0.5]), (exact, [0.0, 1.0, 0.0])):
            blend: Any = COMBINERS["blend"](problem_of("regression"), method=method)
            blend.fit(members, Known(y))
            np.testing.assert_allclose(blend.weights, weights, atol=1e-3)


def test_hill_climbing_keeps_its_best_prefix() -> None:
    """After three steps it stands on the optimum, two thirds and one third; fifty steps cannot be divided so."""
    y = np.arange(20.0)
    blend: Any = COMBINERS["blend"](problem_of("regression"), method="hill_climb")
    blend.fit(np.column_stack([y + 1, y - 2]), Known(y))
    np.testing.assert_allclose(blend.weights, [2 / 3, 1 / 3], rtol=1e-12)


@every_way
def test_predictions_are_predictions(name: str, params: dict[str, Any], task: str) -> None:
    members, y = table_of(task)
    combined = COMBINERS[name](problem_of(task), **params)
    before = combined.predict(members, NOTHING_KNOWN)
    combined.fit(members[:40], Known(y[:40]))
    for predicted in (before, combined.predict(members, NOTHING_KNOWN)):
        assert predicted.shape == ((N_ROWS, 3) if task == "multiclass" else (N_ROWS,))
        assert np.isfinite(predicted).all()
        if task != "regression":
            assert predicted.min() >= 0 and predicted.max() <= 1
        if task == "multiclass":
            np.testing.assert_allclose(predicted.sum(axis=1), 1.0)
    assert combined.predict(members[:0], NOTHING_KNOWN).shape == ((0, 3) if task == "multiclass" else (0,))
    np.testing.assert_allclose(combined.predict(members[5:6], NOTHING_KNOWN), combined.predict(members, NOTHING_KNOWN)[5:6], rtol=1e-12)


@every_way
def test_the_rows_order_and_the_input_are_left_alone(name: str, params: dict[str, Any], task: str) -> None:
    members, y = table_of(task)
    copies, order = (members.copy(), y.copy()), np.random.default_rng(3).permutation(N_ROWS)
    one, other = COMBINERS[name](problem_of(task), **params), COMBINERS[name](problem_of(task), **params)
    one.fit(members, Known(y))
    other.fit(members[order], Known(y[order]))
    np.testing.assert_allclose(other.predict(members, NOTHING_KNOWN), one.predict(members, NOTHING_KNOWN), rtol=1e-3, atol=1e-3)
    np.testing.assert_array_equal(members, copies[0])
    np.testing.assert_array_equal(y, copies[1])


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_a_stack_without_rows_of_a_class_stays_the_mean(task: str) -> None:
    members, y = table_of(task)
    stack, fresh = COMBINERS["stack"](problem_of(task)), COMBINERS["stack"](problem_of(task))
    stack.fit(members[y != 1], Known(y[y != 1]))
    np.testing.assert_array_equal(stack.predict(members, NOTHING_KNOWN), fresh.predict(members, NOTHING_KNOWN))


def test_a_stack_is_the_regression_of_scikit_learn() -> None:
    from sklearn.linear_model import LogisticRegression, Ridge

    members, y = table_of("regression")
    stack = COMBINERS["stack"](problem_of("regression"), alpha=2.0)
    stack.fit(members, Known(y))
    np.testing.assert_allclose(stack.predict(members, NOTHING_KNOWN), Ridge(alpha=2.0).fit(members, y).predict(members))
    members, y = table_of("multiclass")
    stack = COMBINERS["stack"](problem_of("multiclass"), alpha=0.5)
    stack.fit(members, Known(y))
    X = np.log(members).reshape(N_ROWS, -1)
    expected = LogisticRegression(C=2.0, max_iter=2000).fit(X, y).predict_proba(X)
    np.testing.assert_allclose(stack.predict(members, NOTHING_KNOWN), expected, atol=1e-6)


# ---------------------------------------------------------------------- scales


@pytest.mark.parametrize("transform", TRANSFORMS)
@given(st.lists(st.floats(0.01, 1e6), min_size=2, max_size=10))
def test_a_transform_and_its_inverse(transform: str, values: list[float]) -> None:
    y = np.array(values)
    np.testing.assert_allclose(TRANSFORMS[transform].inverse(TRANSFORMS[transform].forward(y)), y, rtol=1e-9)


@pytest.mark.parametrize(
    ("transform", "bad", "message"), [("log1p", -1.0, "above -1"), ("log", 0.0, "above 0"), ("sqrt", -0.5, "at least 0")]
)
def test_targets_outside_a_transform(transform: str, bad: float, message: str) -> None:
    with pytest.raises(InputError, match=f"target transform '{transform}' needs values {message}; the smallest is {bad:g}. Use another"):
        TRANSFORMS[transform].check(np.array([1.0, bad]))
    TRANSFORMS[transform].check(np.array([1.0, bad + 1e-3 + (transform == "sqrt") * 0.5]))


@pytest.mark.parametrize("transform", ["log1p", "log", "sqrt"])
def test_blends_act_on_the_transformed_scale(transform: str) -> None:
    members = np.array([[1.0, 100.0], [4.0, 9.0]])
    change = TRANSFORMS[transform]
    expected = change.inverse(change.forward(members).mean(axis=1))
    blend = COMBINERS["blend"](problem_of("regression", transform=transform), method="mean")
    np.testing.assert_allclose(blend.predict(members, NOTHING_KNOWN), expected)
    in_units = COMBINERS["blend"](problem_of("regression", transform=transform), method="mean", scale="target")
    np.testing.assert_allclose(in_units.predict(members, NOTHING_KNOWN), members.mean(axis=1))


@pytest.mark.parametrize("transform", ["log1p", "log", "sqrt"])
def test_a_member_below_the_transforms_domain_is_taken_to_its_edge(transform: str) -> None:
    blend = COMBINERS["blend"](problem_of("regression", transform=transform), method="mean")
    assert np.isfinite(blend.predict(np.array([[-50.0, 2.0]]), NOTHING_KNOWN)).all()


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_the_logit_scale_and_back(task: str) -> None:
    members, _ = table_of(task)
    problem = problem_of(task)
    np.testing.assert_allclose(problem.from_scale(problem.to_scale(members[:, 0], "logit"), "logit"), members[:, 0], atol=1e-9)
    sure = np.array([0.0, 1.0]) if task == "binary" else np.eye(3)
    assert np.isfinite(problem.to_scale(sure, "logit")).all()


def test_the_geometric_mean() -> None:
    members, y = np.array([[1.0, 100.0], [4.0, 9.0], [0.0, 5.0]]), np.array([1.0, 2.0, 3.0])
    blend = COMBINERS["blend"](problem_of("regression"), method="mean", scale="log")
    np.testing.assert_allclose(blend.predict(members[:2], NOTHING_KNOWN), [10.0, 6.0])
    assert np.isfinite(blend.predict(members, NOTHING_KNOWN)).all()
    with pytest.raises(InputError, match="scale 'log' needs a target above 0; the smallest value is -1"):
        blend.fit(members, Known(y - 2))


def test_ranks_are_those_among_the_rows_it_was_fitted_on() -> None:
    rng = np.random.default_rng(0)
    members, y = rng.random((400, 2)) ** [1, 5], rng.integers(0, 2, 400).astype(float)
    members[:40, 1] = 0.0
    blend: Any = COMBINERS["blend"](problem_of("binary", "roc_auc"), method="mean", scale="rank", of=["a", "b"])
    blend.fit(members, Known(y))
    share_below = np.column_stack([(rankdata(members[:, at]) - 1) / 399 for at in range(2)])
    np.testing.assert_allclose(blend.predict(members), share_below.mean(axis=1), atol=0.003)
    np.testing.assert_array_equal(blend.predict(members[7:8]), blend.predict(members)[7:8])
    assert blend.predict(np.array([[-1.0, -1.0], [2.0, 2.0]])).tolist() == pytest.approx([0.025, 1.0], abs=0.003), "beyond what was seen"
    again: Any = COMBINERS["blend"](problem_of("binary", "roc_auc"), method="mean", scale="rank", of=["a", "b"])
    again.restore(blend.describe())
    np.testing.assert_array_equal(again.predict(members), blend.predict(members))


@pytest.mark.parametrize("shrink", [0.0, 0.25, 1.0])
def test_weights_are_drawn_to_equal_ones(shrink: float) -> None:
    y = np.arange(20.0)
    blend: Any = COMBINERS["blend"](problem_of("regression"), method="hill_climb", shrink=shrink)
    blend.fit(np.column_stack([y + 3, y, y + 9]), Known(y))
    np.testing.assert_allclose(blend.weights, (1 - shrink) * np.array([0, 1, 0]) + shrink / 3)


def test_ranks_are_no_probabilities() -> None:
    with pytest.raises(InputError, match="method 'simplex' goes by the log loss, and ranks are no probabilities"):
        COMBINERS["blend"](problem_of("binary"), method="simplex", scale="rank")


@pytest.mark.parametrize(
    ("task", "scale"),
    [
        ("regression", "logit"),
        ("regression", "probability"),
        ("binary", "transformed"),
        ("multiclass", "target"),
        ("multiclass", "rank"),
        ("binary", "log"),
    ],
)
def test_a_scale_of_another_task(task: str, scale: Scale) -> None:
    with pytest.raises(InputError, match=f"scale '{scale}' does not fit task '{task}'; allowed: "):
        COMBINERS["blend"](problem_of(task), scale=scale)


@pytest.mark.parametrize(("task", "meta"), [("regression", "logistic"), ("binary", "ridge"), ("multiclass", "ridge")])
def test_a_meta_model_of_another_task(task: str, meta: Any) -> None:
    with pytest.raises(InputError, match=f"meta '{meta}' does not fit task '{task}'; allowed: "):
        COMBINERS["stack"](problem_of(task), meta=meta)
