"""The portfolio: every configuration can be declared, joins a declaration and its final blend, and is slowed where time is short."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines.build_spec import build_spec
from pipelines.declaration import Declaration
from pipelines.models import kinds
from pipelines.pace import PACES, at_pace
from pipelines.portfolio import PORTFOLIO, as_declared, configurations, starting_models
from pipelines.portfolio_declaration import FINAL, new_seeds, only, with_configurations

METRICS = {"regression": "rmse", "binary": "roc_auc", "multiclass": "log_loss"}
VIEWS: dict[str, Any] = {"linear": ["one_hot"], "trees": ["ordinal"], "native": []}


def declared(task: str, **keys: Any) -> Declaration:
    data = {
        "data": {"train": "train.csv", "target": "y"},
        "task": task,
        "metric": METRICS[task],
        "split": {"kfold": {"folds": 3}},
        "views": VIEWS,
        "models": starting_models(task, 1000, 10, count=2),
        **keys,
    }
    return Declaration(Path("pipeline.yaml"), data, {})


@pytest.mark.parametrize("task", METRICS)
def test_every_configuration_is_a_model_that_can_be_declared(task: str) -> None:
    fitting = configurations(task, 1, 1)
    assert {one.name for one in fitting} == {one.name for one in PORTFOLIO if task in one.tasks}
    assert len({one.name for one in fitting}) == len(fitting) >= 15
    assert [*build_spec(declared(task, models=as_declared(fitting))).models] == [one.name for one in fitting]


def test_large_tables_are_spared_what_grows_too_fast() -> None:
    names = {one.kind for one in configurations("binary", 1_000_000, 200)}
    assert names == {"lightgbm", "catboost", "xgboost"}
    assert "svm" in {one.kind for one in configurations("binary", 5_000, 20)}


@pytest.mark.parametrize(
    ("ensemble", "expected"),
    [
        ({}, {FINAL: ["ridge", "lgb", "cat"]}),
        ({"final": {"blend": {"of": ["ridge"]}}}, {"final": ["ridge", "cat"]}),
        ({"final": {"blend": {}}}, {"final": ["ridge", "lgb", "cat"]}),
        ({"mean": {"blend": {"of": ["ridge", "lgb"], "method": "mean"}}}, {"mean": ["ridge", "lgb"], FINAL: ["mean", "cat"]}),
        ({"top": {"stack": {"of": ["ridge", "lgb"]}}}, {"top": ["ridge", "lgb"], FINAL: ["top", "cat"]}),
    ],
)
def test_the_portfolio_joins_the_final_blend_or_gets_one(ensemble: dict[str, Any], expected: dict[str, list[str]]) -> None:
    chosen = [one for one in configurations("regression", 1000, 10) if one.name in ("ridge", "lgb", "cat")]
    before = declared("regression", ensemble=ensemble)
    after = with_configurations(before, chosen)
    assert [*after.data["models"]] == ["ridge", "lgb", "cat"]
    assert {name: part.params["of"] for name, part in build_spec(after).ensemble.items()} == expected
    assert before.data["ensemble"] == ensemble, "what was given stays as it was"


def test_configurations_whose_view_is_not_declared_stay_out() -> None:
    after = with_configurations(declared("regression", views={"linear": []}, models={"mine": {"ridge": {}}}), PORTFOLIO)
    assert {entry["view"] for name, entry in after.data["models"].items() if name != "mine"} == {"linear"}
    without_native = declared("regression", views={"trees": []}, models={"mine": {"lightgbm": {}, "view": "trees"}})
    assert "cat" in with_configurations(without_native, configurations("regression", 9, 9)).data["models"]


def test_only_what_is_complete_is_left() -> None:
    ensemble = {
        "two": {"stack": {"of": ["ridge", "lgb"]}},
        "by": {"route": {"of": ["lgb"]}},
        "final": {"blend": {"of": ["two", "by", "cat"], "method": "hill_climb"}},
    }
    models = as_declared(configurations("regression", 1000, 10)[:3])
    left = only(declared("regression", models=models, ensemble=ensemble), ["ridge"])
    assert [*left.data["models"]] == ["ridge"]
    assert left.data["ensemble"] == {"two": {"stack": {"of": ["ridge"]}}, "final": {"blend": {"of": ["two"], "method": "hill_climb"}}}


def test_new_seeds_are_copies_with_a_seed_of_their_own() -> None:
    first = declared("regression", ensemble={"final": {"blend": {"of": ["ridge", "lgb"]}}})
    twice = new_seeds(new_seeds(first, ["lgb"], 1), ["lgb"], 2)
    spec = build_spec(twice)
    assert [(name, model.keys.seed) for name, model in spec.models.items()] == [
        ("ridge", 0),
        ("lgb", 0),
        ("lgb_seed1", 100),
        ("lgb_seed2", 200),
    ]
    assert spec.ensemble["final"].params["of"] == ["ridge", "lgb", "lgb_seed1", "lgb_seed2"]


@pytest.mark.parametrize("kind", PACES)
@pytest.mark.parametrize(("seconds", "is_slowed"), [(1e6, False), (20.0, True), (0.001, True)])
def test_boosters_take_larger_steps_where_time_is_short(kind: str, seconds: float, is_slowed: bool) -> None:
    models = {
        "booster": {kind: {"learning_rate": 0.05}, "view": "trees"},
        "fixed": {kind: {kinds()[kind].rounds_names[0]: 50}, "view": "trees"},
    }
    paced = at_pace(declared("regression", models=models), {"trees": 20_000_000}, seconds)
    assert paced.data["models"]["fixed"] == models["fixed"], "rounds that are given are kept"
    entry = paced.data["models"]["booster"]
    assert (entry != models["booster"]) == is_slowed
    if is_slowed:
        assert 0.05 < entry[kind]["learning_rate"] <= 0.3 and entry["max_rounds"] >= 20
        build_spec(paced)


def test_every_other_model_learns_the_logarithm_of_a_heavy_tail() -> None:
    plain, mixed = configurations("regression", 1000, 10), configurations("regression", 1000, 10, on_log=True)
    assert [one.name for one in plain] == [one.name for one in mixed]
    logs = [one.keys.get("transform") == "log1p" for one in mixed]
    assert not any(on_log for one, on_log in zip(mixed, logs, strict=True) if one.kind in ("ridge", "mlp", "svm", "knn"))
    kinds = {(one.kind, on_log) for one, on_log in zip(mixed, logs, strict=True)}
    assert all((kind, on_log) in kinds for kind in ("lightgbm", "xgboost", "catboost") for on_log in (True, False))
