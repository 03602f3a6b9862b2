"""Logarithmic opinion pools: never worse than a member where they are fitted, surer than members that agree, the same on any order of rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import InputError
from pipelines import log_pool as module
from pipelines.combiners import COMBINERS
from pipelines.ensembles import Problem
from pipelines.known import Known
from pipelines.metrics import METRICS, Array
from pipelines.targets import TRANSFORMS

LOSS = METRICS["log_loss"].loss
TASKS = ("binary", "multiclass")


def pool_of(task: str, **params: Any) -> Any:
    return COMBINERS["log_pool"](Problem(task, METRICS["log_loss"], TRANSFORMS["none"]), **params)


def table_of(task: str, n_members: int = 3, seed: int = 0, n_rows: int = 90, noise: float = 1.0) -> tuple[Array, Array]:
    """Members that each see the target through noise of their own, shape (n_rows, n_members[, n_classes]), and the target."""
    rng = np.random.default_rng(seed)
    n_classes = 2 if task == "binary" else 3
    y = rng.permutation(np.arange(n_rows) % n_classes).astype(float)
    seen = np.eye(n_classes)[y.astype(int)][:, None] + noise * rng.normal(size=(n_rows, n_members, n_classes))
    p = np.exp(seen) / np.exp(seen).sum(axis=2, keepdims=True)
    return p[:, :, 1] if task == "binary" else p, y


@pytest.mark.parametrize("task", TASKS)
@settings(max_examples=20)
@given(seed=st.integers(0, 1000), n_members=st.integers(1, 5))
def test_without_a_penalty_it_is_never_worse_than_a_member_where_it_is_fitted(task: str, seed: int, n_members: int) -> None:
    members, y = table_of(task, n_members, seed)
    pool = pool_of(task, alpha=0.0)
    pool.fit(members, Known(y))
    assert pool.weights.min() >= 0
    assert LOSS(y, pool.predict(members)) <= min(LOSS(y, members[:, at]) for at in range(n_members)) + 1e-6


@pytest.mark.parametrize("task", TASKS)
def test_members_that_agree_make_it_surer_than_a_weighted_mean_can_be(task: str) -> None:
    """Six members, each of which sees a little: together they know what none of them says."""
    members, y = table_of(task, 6, n_rows=2000)
    others, theirs = table_of(task, 6, seed=1, n_rows=2000)
    pool, blend = pool_of(task), COMBINERS["blend"](Problem(task, METRICS["log_loss"], TRANSFORMS["none"]), method="simplex")
    for combined in (pool, blend):
        combined.fit(members, Known(y))
    assert pool.weights.sum() > 1.5
    assert LOSS(theirs, pool.predict(others)) < 0.9 * LOSS(theirs, blend.predict(others))


@pytest.mark.parametrize("task", TASKS)
def test_members_that_say_too_little_are_trusted_more(task: str) -> None:
    members, y = table_of(task, 1, n_rows=1000, noise=0.3)
    shy = 0.8 * (0.5 if task == "binary" else 1 / 3) + 0.2 * members
    pool = pool_of(task)
    pool.fit(shy, Known(y))
    assert LOSS(y, pool.predict(shy)) < 0.75 * LOSS(y, shy[:, 0])


@pytest.mark.parametrize("task", TASKS)
def test_a_large_penalty_leaves_the_shares_of_the_classes(task: str) -> None:
    members, y = table_of(task)
    y = np.where(np.arange(len(y)) < 30, 0.0, y)
    pool = pool_of(task, alpha=1e9)
    pool.fit(members, Known(y))
    shares = (np.bincount(y.astype(int)) + 1) / (len(y) + len(np.unique(y)))
    expected = shares[1] if task == "binary" else shares
    np.testing.assert_allclose(pool.predict(members), np.broadcast_to(expected, pool.predict(members).shape), atol=1e-6)


@pytest.mark.parametrize("task", TASKS)
def test_weights_of_rows_count_as_rows(task: str) -> None:
    members, y = table_of(task)
    counted = np.where(np.arange(len(y)) % 3 == 0, 2.0, 1.0)
    twice = np.repeat(np.arange(len(y)), counted.astype(int))
    one, other = pool_of(task, alpha=0.0), pool_of(task, alpha=0.0)
    one.fit(members, Known(y, weights=counted))
    other.fit(members[twice], Known(y[twice]))
    np.testing.assert_allclose(one.weights, other.weights, atol=0.03)


@pytest.mark.parametrize("task", TASKS)
def test_a_class_without_rows_stays_possible(task: str) -> None:
    members, y = table_of(task)
    pool = pool_of(task)
    pool.fit(members[y != 1], Known(y[y != 1]))
    predicted = pool.predict(members)
    of_one = predicted if task == "binary" else predicted[:, 1]
    assert np.isfinite(predicted).all() and of_one.min() > 0


@pytest.mark.parametrize("task", TASKS)
def test_many_rows_are_judged_by_some(task: str, monkeypatch: pytest.MonkeyPatch) -> None:
    members, y = table_of(task, n_rows=3000)
    whole, part = pool_of(task), pool_of(task)
    whole.fit(members, Known(y))
    monkeypatch.setattr(module, "_MOST_JUDGED", 2000)
    part.fit(members, Known(y))
    assert not np.array_equal(part.weights, whole.weights)
    np.testing.assert_allclose(part.weights, whole.weights, atol=0.3)


@pytest.mark.parametrize("task", TASKS)
def test_what_is_described_is_restored(task: str) -> None:
    members, y = table_of(task)
    pool, again, fresh = pool_of(task), pool_of(task), pool_of(task)
    fresh.restore(pool.describe())
    np.testing.assert_array_equal(fresh.predict(members), members.mean(axis=1))
    pool.fit(members, Known(y))
    again.restore(pool.describe())
    np.testing.assert_array_equal(again.predict(members), pool.predict(members))


def test_a_task_without_classes() -> None:
    with pytest.raises(InputError, match="'log_pool' multiplies probabilities; the task is 'regression'"):
        pool_of("regression")
