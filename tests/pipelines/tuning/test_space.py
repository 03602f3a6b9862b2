"""Ranges as they are declared, drawn from, and come near to."""

from __future__ import annotations

from typing import Any

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.models import kinds
from pipelines.tuning.defaults import SPACES, default_space, default_value, same_names, spelled_as
from pipelines.tuning.space import Choice, Numbers, Space, read_space


def _read(raw: Any) -> tuple[Space, list[str]]:
    faults: list[Any] = []
    return read_space(raw, ("tune", "m", "space"), faults), [fault.message for fault in faults]


@pytest.mark.parametrize(
    "raw, wanted",
    [
        ({"int": [3, 31]}, Numbers(3, 31, is_whole=True)),
        ({"int": [1, 1]}, Numbers(1, 1, is_whole=True)),
        ({"float": [0.01, 0.3], "log": True}, Numbers(0.01, 0.3, log=True)),
        ({"float": [0, 1]}, Numbers(0, 1)),
        ({"choice": ["gbdt", "dart"]}, Choice(("gbdt", "dart"))),
        ({"choice": [None, {"smote": {"rate": 0.1}}]}, Choice((None, {"smote": {"rate": 0.1}}))),
    ],
)
def test_declared_dimensions_are_read_and_written_back(raw: Any, wanted: Any) -> None:
    space, faults = _read({"p": raw})
    assert (space, faults) == ({"p": wanted}, [])
    assert _read({"p": wanted.declared}) == ({"p": wanted}, [])


@pytest.mark.parametrize(
    "raw, message",
    [
        ({}, "at least one parameter"),
        (None, "at least one parameter"),
        ({"p": {"int": [5, 3]}}, r"low end comes first: \[3, 5\]"),
        ({"p": {"int": [1.5, 3]}}, "two whole numbers"),
        ({"p": {"int": [True, 3]}}, "two whole numbers"),
        ({"p": {"float": [1]}}, "two numbers"),
        ({"p": {"float": [0, float("inf")]}}, "low end comes first"),
        ({"p": {"float": [0, 1], "log": True}}, "above 0"),
        ({"p": {"float": [1, 2], "log": "yes"}}, "log is true or false"),
        ({"p": {"choice": []}}, "at least one value"),
        ({"p": {"choice": ["a", "a"]}}, "twice"),
        ({"p": {"choice": ["a"], "log": True}}, "unknown key beside 'choice'"),
        ({"p": {"integer": [1, 2]}}, "Closest: 'int'"),
        ({"p": [1, 2]}, r"needed: \{int"),
    ],
)
def test_what_is_wrong_is_said(raw: Any, message: str) -> None:
    space, faults = _read(raw)
    assert len(faults) == 1 and not space
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(faults[0])


@given(low=st.integers(-50, 50), width=st.integers(0, 50), value=st.floats(-1e6, 1e6))
def test_the_nearest_value_lies_inside_and_values_inside_stay(low: int, width: int, value: float) -> None:
    for dimension in (Numbers(low, low + width, is_whole=True), Numbers(low, low + width)):
        near = dimension.nearest(value)
        assert near is not None and low <= near <= low + width
        assert dimension.nearest(near) == near


def test_choices_are_drawn_as_their_values() -> None:
    step = {"target_encode": {"smooth": 3}}
    space: Space = {"features.0": Choice(("one_hot", step)), "n": Numbers(2, 5, is_whole=True)}
    trial = optuna.trial.FixedTrial({"features.0": '{"target_encode": {"smooth": 3}}', "n": 4})
    assert {name: dimension.suggest(trial, name) for name, dimension in space.items()} == {"features.0": step, "n": 4}  # type: ignore[arg-type]
    assert Choice((None, "none")).nearest(None) == "null"
    assert Choice((1, 2)).nearest(3) is None


CASES = [(kind, task) for kind in SPACES for task in kinds()[kind].tasks]


@pytest.mark.parametrize("kind, task", CASES, ids=map(str, CASES))
def test_every_default_range_is_accepted_by_its_library(kind: str, task: str) -> None:
    space = default_space(kind, task)
    assert space
    for name, dimension in space.items():
        assert _read({name: dimension.declared}) == ({name: dimension}, [])
        for value in dimension.ends:
            assert not kinds()[kind].value_faults(task, {name: value}), (name, value)


def test_kinds_without_a_table_have_no_space_and_may_bring_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not default_space("gaussian_nb", "binary")
    monkeypatch.setitem(SPACES, "gaussian_nb", {"var_smoothing": SPACES["ridge"]["alpha"]})
    assert [*default_space("gaussian_nb", "binary")] == ["var_smoothing"]


@pytest.mark.parametrize(
    "kind, name, declared, wanted",
    [
        ("lightgbm", "min_data_in_leaf", {"min_child_samples": 5}, "min_child_samples"),
        ("lightgbm", "num_leaves", {"learning_rate": 0.1}, "num_leaves"),
        ("xgboost", "learning_rate", {"eta": 0.1}, "eta"),
        ("catboost", "depth", {"max_depth": 4}, "max_depth"),
        ("ridge", "alpha", {}, "alpha"),
    ],
)
def test_a_parameter_keeps_the_name_that_the_declaration_uses(kind: str, name: str, declared: dict[str, Any], wanted: str) -> None:
    assert spelled_as(kind, name, declared) == wanted
    assert name in same_names(kind, wanted)
    assert default_value(kind, wanted) == default_value(kind, name)
