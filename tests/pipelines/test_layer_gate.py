"""Second layers in a budget: rows held out from everything judge whether they come in."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipelines import layer_gate
from pipelines.declaration import Declaration, read_declaration
from pipelines.held_out import JUDGED
from pipelines.known import Known
from pipelines.metrics import METRICS, Array
from pipelines.portfolio import LAYERS, Configuration, as_declared, configurations, layers
from pipelines.portfolio_declaration import FINAL, LAYERED, new_seeds, only, with_layers
from pipelines.race import Clock
from pipelines.splits import FIT, SCORED, UNUSED, Splittable, make_folds
from pipelines.store import read_json

VIEWS = ("views:\n", "views:\n  trees: [{drop: [street]}]\n")
MEMBERS = ["constant", "ridge", "tree", "deep"]


def declared(**keys: Any) -> Declaration:
    models = as_declared(configurations("regression", 1000, 10)[:3])
    ensemble = {"final": {"blend": {"of": [*models], "method": "hill_climb"}}}
    return Declaration(Path("p.yaml"), {"views": {"trees": [], "native": []}, "models": models, "ensemble": ensemble, **keys}, {})


# folds


@pytest.mark.parametrize("splitter", JUDGED)
@pytest.mark.parametrize("task", ["regression", "binary", "multiclass"])
def test_rows_are_held_out_from_all_folds_but_the_last(splitter: str, task: str) -> None:
    rng = np.random.default_rng(0)
    y = rng.normal(size=120) if task == "regression" else (np.arange(120) % (2 if task == "binary" else 3)).astype(float)
    table = Splittable(pd.DataFrame({"town": rng.integers(0, 12, 120)}), y, task)
    params = {"folds": 7, "seed": 3, **({"column": "town"} if splitter == "group" else {"repeats": 2})}
    nobody = np.zeros(120, dtype=bool)
    roles = {"fit_only": nobody, "not_in_fit": nobody, "not_scored": nobody}
    status = make_folds(table, splitter, params, **roles, holds_out=True).status
    held = status[:, -1] == SCORED
    assert status.shape == (120, 4) and 0.1 < held.mean() < 0.4
    assert (status[held, :-1] == UNUSED).all() and (status[~held, -1] == FIT).all()
    assert ((status[~held, :-1] == SCORED).sum(axis=1) == 1).all() and (status[~held, :-1] != UNUSED).all()
    if splitter == "group":
        assert not set(table.columns["town"][held]) & set(table.columns["town"][~held])
    np.testing.assert_array_equal(status, make_folds(table, splitter, params, **roles, holds_out=True).status)


# declarations


def test_layers_stand_beside_what_the_final_weighs() -> None:
    after = with_layers(declared(), layers("regression", 1000), ["ridge", "lgb"])
    names = [one.name for one in LAYERS if "regression" in one.tasks]
    assert [name for name in after.data["models"] if after.data["models"][name].get("stack_on") == ["ridge", "lgb"]] == names
    assert "view" not in after.data["models"]["top_linear"] and after.data["models"]["top_linear"]["passthrough"] is False
    assert [*after.data["ensemble"]] == ["final", LAYERED, FINAL]
    assert after.data["ensemble"][LAYERED]["blend"]["of"] == [*declared().data["models"], *names]
    assert after.data["ensemble"][FINAL] == {"blend": {"of": ["final", LAYERED], "method": "mean"}}
    whole = with_layers(declared(), layers("regression", 1000), ["ridge", "lgb"], halves=False)
    assert [*whole.data["ensemble"]] == ["final", LAYERED]


@pytest.mark.parametrize("halves", [True, False])
def test_later_models_join_both(halves: bool) -> None:
    after = new_seeds(with_layers(declared(), layers("regression", 1000), ["ridge", "lgb"], halves=halves), ["lgb"], 1)
    assert all("lgb_seed1" in after.data["ensemble"][name]["blend"]["of"] for name in ("final", LAYERED))
    assert [*after.data["ensemble"]] == ["final", LAYERED, *([FINAL] if halves else [])]


def test_what_is_left_when_no_layer_is_complete() -> None:
    after = only(with_layers(declared(), layers("regression", 1000), ["ridge", "lgb"]), ["ridge", "lgb"])
    assert [*after.data["models"]] == ["ridge", "lgb"]
    assert after.data["ensemble"][LAYERED]["blend"]["of"] == ["ridge", "lgb"]


@pytest.mark.parametrize("ensemble", [{}, {"final": {"stack": {"of": ["ridge", "lgb"]}}}, {"final": {"blend": {"method": "mean"}}}])
def test_a_final_without_weights_stays_as_it_is(ensemble: dict[str, Any]) -> None:
    before = declared(ensemble=ensemble)
    assert with_layers(before, layers("regression", 1000), ["ridge"]) is before


def test_layers_of_a_quantile_learn_one() -> None:
    assert [one.kind for one in layers("regression", 1000, of_quantile=True)] == ["lightgbm"]


# runs


@pytest.fixture
def quick(make_tiny: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    """A tiny regression with a portfolio of one, and two layers."""
    portfolio = (Configuration("deep", "decision_tree", "trees", {"max_depth": 4}),)
    tops = (
        Configuration("top_tree", "decision_tree", "trees", {"max_depth": 2}),
        Configuration("top_linear", "ridge", "", {}, {"passthrough": False}),
    )
    monkeypatch.setattr("pipelines.portfolio.PORTFOLIO", portfolio)
    monkeypatch.setattr("pipelines.portfolio.LAYERS", tops)
    monkeypatch.setattr(layer_gate, "_LEAST_ROWS", 50)
    # the process of these tests is older than any budget
    monkeypatch.setattr("pipelines.surroundings.process_began", time.monotonic)
    tiny = make_tiny(n_train=120)
    tiny.edit(VIEWS)
    return tiny


def judged(monkeypatch: pytest.MonkeyPatch, best: str) -> None:
    monkeypatch.setattr(layer_gate.HeldOut, "best", lambda self, final: best)


@pytest.mark.parametrize(("best", "said"), [("final", "left out"), (FINAL, "half used"), (LAYERED, "used")])
def test_the_gate_decides(quick: Any, foldwise: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, best: str, said: str) -> None:
    judged(monkeypatch, best)
    ran = foldwise("run", quick.folder, "--runs", quick.runs, "--budget", "30m")
    assert ran.code == 0, ran.err
    assert re.search(
        rf"layers: {said}; on rows held out from everything rmse is \d+ without them, \d+ with half of them, \d+ with them", ran.err
    )
    metrics = read_json(quick.latest / "metrics.json")
    assert metrics["final"]["name"] == best
    assert [*metrics["models"]] == [*MEMBERS, *([] if said == "left out" else ["top_tree", "top_linear"])]
    run = read_json(quick.latest / "run.json")["run_id"]
    submission = (quick.latest / "submission.csv").read_bytes()
    assert foldwise("run", quick.folder, "--runs", quick.runs, "--from", run).code == 0
    assert {path.read_bytes() for path in quick.latest.glob("history/*/submission.csv")} == {submission}


@pytest.mark.parametrize(
    ("half", "whole", "best"),
    [(0.8, 0.6, LAYERED), (0.8, 0.9, FINAL), (0.8, 0.799, FINAL), (1.2, 0.6, "final"), (1.0, 1.0, "final")],
    ids=["better and better", "best by half", "not surely better than half", "half would be worse", "the same"],
)
@pytest.mark.parametrize("metric", ["rmse", "r2"])
def test_layers_come_in_where_they_are_surely_better(half: float, whole: float, best: str, metric: str) -> None:
    rng = np.random.default_rng(0)
    y, noise = rng.normal(size=500), rng.normal(size=(3, 500))
    # errors that are alike, but for those of the whole
    errors = {"final": noise[0], FINAL: half * noise[0], LAYERED: whole * (0.9 * noise[0] + 0.44 * noise[1])}
    values = {name: y + (noise[0] if half == whole else error) for name, error in errors.items()}
    assert layer_gate.HeldOut(METRICS[metric], Known(y), values).best("final") == best


def test_rows_of_one_group_are_no_independent_witnesses() -> None:
    """One group of four that gains, and much: of single rows that is sure, of groups it is luck."""
    rng = np.random.default_rng(0)
    y, error = rng.normal(size=400), rng.normal(size=400)
    groups = np.arange(400) // 100
    values = {"final": y + error, FINAL: y + 0.99 * error, LAYERED: y + error * np.where(groups == 0, 0.5, 1.01)}
    assert layer_gate.HeldOut(METRICS["rmse"], Known(y), values).best("final") == LAYERED
    assert layer_gate.HeldOut(METRICS["rmse"], Known(y), values, groups).best("final") == FINAL


def test_a_metric_with_a_best_value_takes_half_at_most() -> None:
    y = np.tile([0.0, 1.0], 200)
    values = {"final": np.full(400, 0.2), FINAL: np.full(400, 0.4), LAYERED: np.full(400, 0.6)}
    assert layer_gate.HeldOut(METRICS["calibration_ratio"], Known(y), values).best("final") == FINAL


def test_nothing_that_is_said_of_held_out_rows_has_seen_their_target(
    quick: Any, foldwise: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[dict[str, Array]] = []
    held: list[Any] = []

    really = layer_gate._held_out

    def note(session: Any, prepared: Any, trained: dict[str, Any]) -> layer_gate.HeldOut:
        found = really(session, prepared, trained)
        seen.append({**{name: one.folds[3] for name, one in trained.items()}, **found.values})
        held.append(prepared.folds.scored_rows(3))
        return found

    monkeypatch.setattr(layer_gate, "_held_out", note)
    assert foldwise("run", quick.folder, "--runs", quick.runs, "--budget", "30m").code == 0
    # what is held out is drawn without a look at the target
    quick.change("train.csv", lambda table: table.assign(price=table["price"].where(~table.index.isin(held[0]), -5000.0)))
    assert foldwise("run", quick.folder, "--runs", quick.runs, "--budget", "30m").code == 0
    np.testing.assert_array_equal(held[0], held[1])
    before, after = seen
    assert [*before] == ["ridge", "tree", "deep", "top_tree", "top_linear", "final", LAYERED, FINAL] == [*after]
    for name in before:
        # sums over all rows, less those of the scored ones, differ in their last bits
        np.testing.assert_allclose(before[name], after[name], rtol=1e-6)


@pytest.mark.parametrize(
    "change",
    [
        ("split: {kfold: {folds: 3, seed: 0}}", "split: {forward: {column: rooms, blocks: 3}}"),
        ("final: {blend: {method: simplex}}", "final: {stack: {}}"),
    ],
    ids=["rows in order", "no weights"],
)
def test_where_there_is_nothing_to_judge_there_are_no_layers(quick: Any, foldwise: Callable[..., Any], change: tuple[str, str]) -> None:
    quick.edit(change)
    ran = foldwise("run", quick.folder, "--runs", quick.runs, "--budget", "30m")
    assert ran.code == 0, ran.err
    assert "layers:" not in ran.err and "top_tree" not in read_json(quick.latest / "metrics.json")["models"]


def test_too_little_time_to_judge(quick: Any, foldwise: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layer_gate, "Clock", lambda began, seconds: Clock(began, 0.0))
    ran = foldwise("run", quick.folder, "--runs", quick.runs, "--budget", "30m")
    assert ran.code == 0 and re.search("layers: left out, whether they help was not to be seen in the time", ran.err)


def test_of_many_rows_some_judge(quick: Any, foldwise: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    really = layer_gate._held_out

    def note(session: Any, prepared: Any, trained: dict[str, Any]) -> layer_gate.HeldOut:
        sizes.append(prepared.n_train)
        return really(session, prepared, trained)

    monkeypatch.setattr(layer_gate, "_held_out", note)
    monkeypatch.setattr(layer_gate, "_MOST_ROWS", 80)
    assert foldwise("run", quick.folder, "--runs", quick.runs, "--budget", "30m").code == 0
    assert sizes == [80] and len(pd.read_parquet(quick.latest / "oof" / "ridge.parquet")) == 120


def test_rows_that_cannot_be_split_again(quick: Any, foldwise: Callable[..., Any]) -> None:
    """Three streets make three folds of groups, and no four."""
    quick.edit(("split: {kfold: {folds: 3, seed: 0}}", "split: {group: {column: street, folds: 3}}"))
    ran = foldwise("run", quick.folder, "--runs", quick.runs, "--budget", "30m")
    assert ran.code == 0, ran.err
    assert "layers: left out, whether they help cannot be seen: 4 group folds need at least as many groups; 'street' has 3" in ran.err


def test_the_declaration_of_the_run_tells_what_was_used(quick: Any, foldwise: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    judged(monkeypatch, FINAL)
    assert foldwise("run", quick.folder, "--runs", quick.runs, "--budget", "30m").code == 0
    told = read_declaration(quick.latest / "declaration.yaml").data
    assert told["models"]["top_tree"]["stack_on"] and set(told["models"]["top_tree"]["stack_on"]) == {"ridge", "tree", "deep"}
    assert told["ensemble"][FINAL] == {"blend": {"of": ["final", LAYERED], "method": "mean"}}
