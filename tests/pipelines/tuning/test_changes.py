"""What a trial changes in a declaration."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from features.errors import InputError
from pipelines.tuning.changes import Changes, set_at

DATA: dict[str, Any] = {
    "clean": [{"fill": {"columns": ["a"], "with": "median"}}],
    "features": [{"target_encode": {"columns": ["c"], "smooth": "auto"}}, "one_hot", {"drop": ["x"]}],
    "views": {"linear": ["one_hot", {"scale": "standard"}]},
    "target": {"transform": "none"},
    "models": {"m": {"ridge": None, "view": "linear"}},
}


@pytest.mark.parametrize(
    "path, value, place, wanted",
    [
        ("features.0.target_encode.smooth", 3.0, ("features", 0), {"target_encode": {"columns": ["c"], "smooth": 3.0}}),
        ("features.1.one_hot.rare", 5, ("features", 1), {"one_hot": {"rare": 5}}),
        ("features.1", {"target_encode": {}}, ("features", 1), {"target_encode": {}}),
        ("views.linear.0", "ordinal", ("views", "linear"), ["ordinal", {"scale": "standard"}]),
        ("target.transform", "log1p", ("target",), {"transform": "log1p"}),
    ],
)
def test_a_path_is_set_and_nothing_else(path: str, value: Any, place: tuple[Any, ...], wanted: Any) -> None:
    before = copy.deepcopy(DATA)
    changed = Changes(steps={path: value}).applied(DATA, "m", "ridge")
    found: Any = changed
    for part in place:
        found = found[part]
    assert found == wanted
    assert before == DATA
    assert changed["models"] == {"m": {"ridge": {}, "view": "linear"}}


@pytest.mark.parametrize(
    "path, message",
    [
        ("models.m.ridge.alpha", "does not lead into 'clean', 'features'"),
        ("features", "does not lead into"),
        ("features.7.one_hot.rare", "no position in a list of 3"),
        ("features.x", "no position in a list of 3"),
        ("features.0.one_hot.rare", "there is no 'one_hot'; there is 'target_encode'"),
        ("features.2.drop.columns", r"written in short as \['x'\]|is no position"),
        ("views.linear.1.scale.how", "written in short as 'standard'"),
        ("views.trees.0", "there is no 'trees'; there is 'linear'"),
    ],
)
def test_a_path_that_leads_nowhere_is_refused(path: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        set_at(copy.deepcopy(DATA), path, 1)


def test_values_are_sorted_by_what_they_change() -> None:
    values = {"alpha": 1.0, "view": "linear", "features.0": "one_hot", "weights": "distance"}
    changes = Changes.of(values, frozenset({"alpha", "weights"}), frozenset({"view", "weights"}))
    assert changes == Changes({"alpha": 1.0, "weights": "distance"}, {"view": "linear"}, {"features.0": "one_hot"})
    assert not changes.is_of_model_only
    assert Changes({"alpha": 2.0}).is_of_model_only
    assert Changes({"alpha": 2.0}).plain == {"params": {"alpha": 2.0}}
    assert changes.applied(DATA, "m", "ridge")["models"]["m"] == {"ridge": {"alpha": 1.0, "weights": "distance"}, "view": "linear"}
