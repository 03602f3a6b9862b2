"""The portfolio: every configuration can be declared, joins a declaration and its final blend, and is slowed where time is short."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines.build_spec import build_spec
from pipelines.declaration import Declaration
from pipelines.models import kinds, missing
from pipelines.pace import PACES, Tempo, at_pace, can_be_paced, rounds_made, seconds_of_fit
from pipelines.portfolio import PORTFOLIO, as_declared, configurations, starting_models
from pipelines.portfolio_declaration import FINAL, new_seeds, only, with_configurations, with_constant

METRICS = {"regression": "rmse", "binary": "roc_auc", "multiclass": "log_loss"}
VIEWS: dict[str, Any] = {"linear": ["one_hot"], "scaled": ["one_hot"], "trees": ["ordinal"], "native": []}


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
    for n_rows in (1, 10_000):
        fitting = configurations(task, n_rows, 1)
        assert len({one.name for one in fitting}) == len(fitting) >= 15
        assert [*build_spec(declared(task, models=as_declared(fitting))).models] == [one.name for one in fitting]
    few = [one.name for one in configurations(task, 1, 1)]
    expected = [one.name for one in PORTFOLIO if task in one.tasks and not one.min_rows and not missing(one.kind)]
    assert few == expected, "all that has no lower bound and is installed"


def test_networks_go_through_few_rows_more_often() -> None:
    few, many = (next(one for one in configurations("binary", n_rows, 10) if one.name == "mlp") for n_rows in (5_000, 5_001))
    assert few.params["max_iter"] > many.params["max_iter"] and few.params["batch_size"] < many.params["batch_size"]


def test_large_tables_are_spared_what_grows_too_fast() -> None:
    names = {one.kind for one in configurations("binary", 1_000_000, 200)}
    assert names == {"lightgbm", "catboost", "xgboost"}
    assert "svm" in {one.kind for one in configurations("binary", 4_000, 20)}


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


def test_the_portfolio_joins_a_pool() -> None:
    models = {"logistic": {"logistic_regression": {}, "view": "linear"}}
    before = declared("multiclass", models=models, ensemble={"final": {"log_pool": {"of": ["logistic"]}}})
    chosen = [one for one in PORTFOLIO if one.name in ("cat", "lgb")]
    assert with_configurations(before, chosen).data["ensemble"] == {"final": {"log_pool": {"of": ["logistic", "lgb", "cat"]}}}
    left = only(with_configurations(before, chosen), ["cat"])
    assert left.data["ensemble"] == {"final": {"log_pool": {"of": ["cat"]}}}


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


@pytest.mark.parametrize(("quantile", "params"), [(None, {}), (0.9, {"strategy": "quantile", "quantile": 0.9})])
def test_a_constant_comes_first_and_no_blend_takes_it_in(quantile: float | None, params: dict[str, Any]) -> None:
    ensemble = {"all": "stack", "final": {"blend": {"of": ["all"], "method": "mean"}}}
    first = declared("regression", ensemble=ensemble)
    after = with_constant(first, quantile)
    spec = build_spec(after)
    assert [*spec.models] == ["constant", "ridge", "lgb"] and after.data["models"]["constant"] == {"dummy": params, "view": "linear"}
    assert spec.ensemble["all"].params["of"] == ["ridge", "lgb"] and first.data["ensemble"] == ensemble
    assert build_spec(only(after, ["constant"])).final == "constant"
    assert with_constant(after, quantile) is after, "once"


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


@pytest.mark.parametrize("kind", [kind for kind, pace in PACES.items() if pace.rates])
@pytest.mark.parametrize(("seconds", "is_slowed"), [(1e6, False), (20.0, True), (0.001, True)])
def test_boosters_take_larger_steps_where_time_is_short(kind: str, seconds: float, is_slowed: bool) -> None:
    entry = {kind: {"learning_rate": 0.05}, "view": "trees"}
    params = {kinds()[kind].rounds_names[0]: 50}
    assert can_be_paced(kind, entry[kind]) and not can_be_paced(kind, params), "rounds that are given are kept"
    round_ = PACES[kind].seconds_of_round(2_000_000, 10, entry[kind])
    paced = at_pace(entry, kind, round_, seconds)
    assert (paced != entry) == is_slowed
    if is_slowed:
        assert 0.05 < paced[kind]["learning_rate"] <= 0.3 and paced["max_rounds"] >= 20
        assert 2 * paced["max_rounds"] * round_ <= max(seconds, 40 * round_), "both fits are done in time, where twenty rounds are"
        build_spec(declared("regression", models={"booster": paced}))
    assert at_pace(paced, kind, round_, seconds) == paced, "a pace that fits is kept"


@pytest.mark.parametrize(("seconds", "trees"), [(1e6, 200), (100.0, 100), (35.0, 30), (0.1, 30)])
def test_forests_have_fewer_trees_where_time_is_short(seconds: float, trees: int) -> None:
    paced = at_pace({"extra_trees": {"n_estimators": 200}, "view": "trees"}, "extra_trees", 1.0, seconds)
    assert paced == {"extra_trees": {"n_estimators": trees}, "view": "trees"}


def test_larger_trees_are_expected_to_take_longer() -> None:
    for kind, params in (("lightgbm", {"num_leaves": 124}), ("xgboost", {"max_depth": 8}), ("catboost", {"depth": 8})):
        usual, large = (PACES[kind].seconds_of_round(1_000_000, 10, given) for given in ({}, params))
        assert large == pytest.approx(2 * usual, rel=0.05)
        assert usual < PACES[kind].seconds_of_round(1_000_000, 10, {}, n_classes=3) <= 3 * usual


def test_the_rounds_that_a_fit_has_made() -> None:
    assert rounds_made("lightgbm", {"learning_rate": 0.1}, 70, 5000) == 70 + 70 + 50, "found with a patience of 50, then fitted again"
    assert rounds_made("lightgbm", {"learning_rate": 0.1}, 70, 100) == 70 + 100
    assert rounds_made("random_forest", {"n_estimators": 80}, None, 5000) == 80


def test_the_tempo_is_that_of_the_fastest_fit_of_a_kind_or_the_median_of_others() -> None:
    tempo = Tempo()
    assert tempo.slowness("lightgbm") == 1
    for kind, measured in (("lightgbm", 9.0), ("lightgbm", 4.0), ("xgboost", 2.0), ("catboost", 3.0)):
        tempo.note(kind, measured, expected=2.0)
    assert [tempo.slowness(kind) for kind in ("lightgbm", "xgboost", "extra_trees")] == [2.0, 1.0, 1.5]
    tempo.seen = {"lightgbm": [0.1], "xgboost": [0.5]}
    assert [tempo.slowness(kind) for kind in ("lightgbm", "catboost")] == [0.1, 1.0], "one that is fast says nothing of another"


def test_every_other_booster_learns_the_logarithm_of_a_heavy_tail() -> None:
    plain, mixed = configurations("regression", 1000, 10), configurations("regression", 1000, 10, on_log=True)
    assert [one.name for one in plain] == [one.name for one in mixed]
    logs = [one.keys.get("transform") == "log1p" for one in mixed]
    assert not any(
        on_log
        for one, on_log in zip(mixed, logs, strict=True)
        if one.kind in ("ridge", "mlp", "realmlp", "svm", "knn", "extra_trees", "random_forest")
    )
    kinds = {(one.kind, on_log) for one, on_log in zip(mixed, logs, strict=True)}
    assert all((kind, on_log) in kinds for kind in ("lightgbm", "xgboost", "catboost") for on_log in (True, False))


@pytest.mark.parametrize(
    ("kind", "params", "seconds"), [("realmlp", {"n_epochs": 32}, 28.8), ("realmlp", {}, 0.0), ("knn", {"n_neighbors": 5}, 0.0)]
)
def test_what_a_fit_without_a_pace_is_expected_to_take(kind: str, params: dict[str, Any], seconds: float) -> None:
    assert seconds_of_fit(kind, params, 10_000) == pytest.approx(seconds)
