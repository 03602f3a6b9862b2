"""The ``tune`` section: what it means, and every fault of it."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.declaration import Fault
from pipelines.spec import ModelKeys, ModelSpec
from pipelines.tuning.declared import TuneSpec, check_tune
from pipelines.tuning.space import Choice, Numbers

MODELS = {name: ModelSpec(name, kind, {}, ModelKeys(), ("models", name)) for name, kind in (("a", "ridge"), ("b", "lightgbm"))}
DECLARED = {"features": [{"target_encode": {"columns": ["c"]}}], "models": {}}


def _check(raw: Any) -> tuple[dict[str, TuneSpec], list[Fault]]:
    faults: list[Fault] = []
    return check_tune(raw, MODELS, faults, DECLARED), faults


def test_the_example_of_the_design_is_read() -> None:
    space = {
        "num_leaves": {"int": [3, 31]},
        "learning_rate": {"float": [0.01, 0.3], "log": True},
        "boosting": {"choice": ["gbdt", "dart"]},
        "resample": {"choice": ["none", "smote"]},
        "features.0.target_encode.smooth": {"float": [1, 100], "log": True},
    }
    found, faults = _check({"b": {"trials": 7, "space": space}, "a": None})
    assert not faults
    assert found["a"] == TuneSpec()
    assert found["b"].trials == 7
    assert found["b"].space == {
        "num_leaves": Numbers(3, 31, is_whole=True),
        "learning_rate": Numbers(0.01, 0.3, log=True),
        "boosting": Choice(("gbdt", "dart")),
        "resample": Choice(("none", "smote")),
        "features.0.target_encode.smooth": Numbers(1, 100, log=True),
    }
    assert _check(None) == ({}, [])


@pytest.mark.parametrize(
    "raw, where, message",
    [
        (["a"], ("tune",), "takes models"),
        ({"a": {"found": {"params": {"alfa": 1}}}}, ("tune", "a"), "tuned.json gives 'a' the parameter 'alfa'.*Delete its entry"),
        ({"c": {}}, ("tune", "c"), "no model 'c'; there are a, b"),
        ({"a": {"trials": 0}}, ("tune", "a", "trials"), "greater than or equal to 1"),
        ({"a": {"trial": 5}}, ("tune", "a", "trial"), "Closest: 'trials'"),
        ({"a": {"space": {}}}, ("tune", "a", "space"), "at least one parameter"),
        ({"a": {"space": {"alpha": {"float": [2, 1]}}}}, ("tune", "a", "space", "alpha", "float"), "low end comes first"),
        ({"a": {"space": {"alfa": {"float": [1, 2]}}}}, ("tune", "a", "space", "alfa"), "Closest: 'alpha'"),
        ({"b": {"space": {"seeds": {"int": [1, 2]}}}}, ("tune", "b", "space", "seeds"), "unknown parameter of 'lightgbm'"),
        ({"b": {"space": {"split.kfold.seed": {"int": [1, 2]}}}}, ("tune", "b", "space", "split.kfold.seed"), "does not lead into"),
        ({"b": {"space": {"features.4": {"choice": ["one_hot"]}}}}, ("tune", "b", "space", "features.4"), "no position"),
    ],
)
def test_faults_name_their_place(raw: Any, where: tuple[Any, ...], message: str) -> None:
    _, faults = _check(raw)
    assert [fault.where for fault in faults] == [where]
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(faults[0].message)


def test_two_models_do_not_search_one_step() -> None:
    space = {"features.0.target_encode.smooth": {"float": [1, 100]}}
    _, faults = _check({"a": {"space": space}, "b": {"space": space}})
    assert [fault.where[1] for fault in faults] == ["b"]
    assert "'a' searches it already" in faults[0].message
