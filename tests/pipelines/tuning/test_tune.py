"""``foldwise tune`` from the command line: what it says, writes, continues and refuses."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest

from pipelines.console import Console
from pipelines.options import Options
from pipelines.surroundings import Surroundings
from pipelines.tuning.study import Heartbeat, open_storage
from pipelines.tuning.whole import Wanted, tune
from tests.conftest import Said, Tiny

Call = Callable[..., Said]
TUNE = """\
tune:
  ridge: {trials: 6, space: {alpha: {float: [0.01, 100], log: true}, features.1.target_encode.smooth: {float: [1, 50]}}}
"""


def _trials(tiny: Tiny, model: str) -> list[optuna.trial.FrozenTrial]:
    storage = open_storage(f"sqlite:///{tiny.latest.resolve() / 'tuning.db'}", Heartbeat())
    (found,) = (study for study in storage.get_all_studies() if f"/{model}/" in study.study_name)
    return storage.get_all_trials(found._study_id)


def _tuned(tiny: Tiny) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((tiny.folder / "tuned.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture
def declared(tiny: Tiny) -> Tiny:
    """A tiny regression that says what is searched."""
    tiny.declaration.write_text(tiny.declaration.read_text(encoding="utf-8") + TUNE, encoding="utf-8")
    return tiny


def test_a_tuning_writes_the_best_and_leaves_the_declaration_alone(declared: Tiny, foldwise: Call) -> None:
    before = declared.declaration.read_bytes()
    said = foldwise("tune", declared.folder, "--data", declared.folder.parent, "--runs", declared.runs)
    assert (said.code, declared.declaration.read_bytes()) == (0, before)
    entry = _tuned(declared)["ridge"]
    assert (entry["trials"], entry["kind"], entry["metric"]) == (6, "ridge", "rmse")
    assert entry["score"] <= entry["declared_score"]
    assert {*entry.get("params", {})} <= {"alpha"} and {*entry.get("steps", {})} <= {"features.1.target_encode.smooth"}
    assert "seed (7919) than the reported ones" in said.err
    assert "delete it to go back to the declared parameters" in said.out
    table = json.loads((declared.latest / "tuning.json").read_text(encoding="utf-8"))["ridge"]
    assert len(table["trials"]) == 6 and table["study"] == entry["study"]
    assert table["trials"][0]["is_declared"] and table["trials"][0]["values"] == [entry["declared_score"]]


def test_the_same_command_goes_on_and_does_nothing_when_all_is_done(declared: Tiny, foldwise: Call) -> None:
    arguments = ("tune", declared.folder, "--data", declared.folder.parent, "--runs", declared.runs)
    foldwise(*arguments, "--trials", 2)
    foldwise(*arguments, "--trials", 5)
    assert len(_trials(declared, "ridge")) == 5
    first = (declared.folder / "tuned.json").read_bytes()
    said = foldwise(*arguments, "--trials", 5)
    assert said.code == 0 and "5 are there" in said.err
    assert len(_trials(declared, "ridge")) == 5
    assert (declared.folder / "tuned.json").read_bytes() == first


def test_trials_that_change_the_model_only_add_no_matrix(tiny: Tiny, foldwise: Call) -> None:
    arguments = ("tune", tiny.folder, "--data", tiny.folder.parent, "--runs", tiny.runs, "--models", "tree")
    foldwise(*arguments, "--trials", 1)
    there = tiny.artifacts()
    assert there
    foldwise(*arguments, "--trials", 4)
    assert tiny.artifacts() == there


def test_trials_that_change_a_step_get_matrices_of_their_own(declared: Tiny, foldwise: Call) -> None:
    arguments = ("tune", declared.folder, "--data", declared.folder.parent, "--runs", declared.runs)
    foldwise(*arguments, "--trials", 1)
    there = declared.artifacts()
    foldwise(*arguments, "--trials", 3)
    # a view and its three folds for each of two trials, the table is shared
    assert len(declared.artifacts() - there) == 8


def test_resampling_weights_and_view_can_be_searched(make_tiny: Callable[..., Tiny], foldwise: Call) -> None:
    tiny = make_tiny("binary", n_train=90)
    space = "resample: {choice: [none, {random_over: {rate: 0.5}}]}, weights: {choice: [none, balanced]}, view: {choice: [linear, other]}"
    tiny.edit(("views:\n", "views:\n  other: [{drop: [street]}, {scale: robust}]\n"))
    text = tiny.declaration.read_text(encoding="utf-8") + f"tune: {{logistic: {{space: {{{space}}}}}}}\n"
    tiny.declaration.write_text(text, encoding="utf-8")
    said = foldwise("tune", tiny.folder, "--data", tiny.folder.parent, "--runs", tiny.runs, "--trials", 12, "--no-prune")
    assert said.code == 0, said.err
    trials = _trials(tiny, "logistic")
    assert all(trial.state == optuna.trial.TrialState.COMPLETE for trial in trials)
    for name in ("resample", "weights", "view"):
        assert len({trial.params[name] for trial in trials}) == 2
    assert trials[0].params == {"resample": "none", "weights": "none", "view": "linear"}


def test_two_objectives_give_a_front(tiny: Tiny, foldwise: Call) -> None:
    arguments = ("--data", tiny.folder.parent, "--runs", tiny.runs, "--models", "tree", "--trials", 4)
    said = foldwise("tune", tiny.folder, *arguments, "--objectives", "score,time")
    assert said.code == 0, said.err
    assert _tuned(tiny)["tree"]["seconds_per_1000_rows"] > 0
    assert all(len(trial.values) == 2 for trial in _trials(tiny, "tree"))


def test_every_model_with_a_space_is_tuned_where_none_is_named(tiny: Tiny, foldwise: Call) -> None:
    foldwise("tune", tiny.folder, "--data", tiny.folder.parent, "--runs", tiny.runs, "--trials", 2)
    assert [*_tuned(tiny)] == ["ridge", "tree"]


def test_the_same_seed_finds_the_same(make_tiny: Callable[..., Tiny], foldwise: Call) -> None:
    found = []
    for name in ("tiny", "twin"):
        tiny = make_tiny(name=name)
        foldwise("tune", tiny.folder, "--data", tiny.folder.parent, "--runs", tiny.runs, "--models", "ridge", "--trials", 5)
        found.append({key: value for key, value in _tuned(tiny)["ridge"].items() if key != "study"})
    assert found[0] == found[1]


def test_starts_come_after_the_declared_parameters(tiny: Tiny, alone: None) -> None:
    from dataclasses import dataclass, field

    @dataclass(frozen=True)
    class Start:
        kind: str
        params: dict[str, Any] = field(default_factory=dict)

    wanted = Wanted(trials=8, starts=[Start("ridge", {"alpha": 33.0}), Start("lasso", {"alpha": 44.0})])
    options = Options(runs=tiny.runs, data=tiny.folder.parent, models=("ridge",))
    found = tune(str(tiny.folder), options=options, wanted=wanted, around=Surroundings.read(Console(is_quiet=True)))
    trials = _trials(tiny, "ridge")
    assert [trial.params["alpha"] for trial in trials[:2]] == [1.0, 33.0]
    assert found.outcomes["ridge"].trials == 8


def test_a_search_that_runs_out_of_time_goes_on_later(tiny: Tiny, foldwise: Call) -> None:
    arguments = ("tune", tiny.folder, "--data", tiny.folder.parent, "--runs", tiny.runs, "--models", "ridge", "--trials", 4)
    said = foldwise(*arguments, "--timeout", "0.001s")
    assert said.code == 0 and "the same command goes on" in said.err
    assert not (tiny.folder / "tuned.json").exists()
    assert foldwise(*arguments).code == 0
    assert _tuned(tiny)["ridge"]["trials"] == 4


def test_a_setting_changes_the_study_and_starts_from_the_past(tiny: Tiny, foldwise: Call) -> None:
    arguments = ("tune", tiny.folder, "--data", tiny.folder.parent, "--runs", tiny.runs, "--models", "ridge", "--trials", 8)
    foldwise(*arguments)
    best = min(_trials(tiny, "ridge"), key=lambda trial: trial.value if trial.value is not None else float("inf"))
    shutil.copy(tiny.latest / "tuning.db", tiny.latest / "before.db")
    assert foldwise(*arguments, "--set", "metric=mae").code == 0
    storage = open_storage(f"sqlite:///{tiny.latest.resolve() / 'tuning.db'}", Heartbeat())
    last = storage.get_all_studies()[-1]
    assert storage.get_all_trials(last._study_id)[1].params == best.params


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("--trials", 0), "--trials needs at least 1 trial, found 0"),
        (("--workers", 0), "--workers needs at least 1 process, found 0"),
        (("--models", "rigde"), "--models names 'rigde'.*Closest: 'ridge'"),
        (("--objectives", "speed"), "--objectives takes 'score' or 'score,time', found 'speed'"),
        (("--timeout", "soon"), "no duration"),
        (("--seed", -1), "--seed is 0 or more"),
        (("--storage", "mysql://nobody@localhost:1/x"), "--storage mysql.*cannot be opened"),
        (("--set", "tune.ridge.space={}"), "at least one parameter"),
        (("--set", "tune.ridge.space={alpha: {float: [2, 1]}}"), "low end comes first"),
        (("--set", "tune.ridge.space={alfa: {float: [1, 2]}}"), "Closest: 'alpha'"),
        (("--set", "tune.ridge.space={alpha: {float: [-5, 2]}}"), "alpha = -5: .*must be"),
        (("--set", "tune.ridge.space={features.1.target_encode.smoth: {float: [1, 2]}}"), "Closest: 'smooth'"),
        (("--set", "tune.lasso.trials=3"), "no model 'lasso'; there are ridge, tree"),
    ],
)
def test_wrong_input_gives_one_message(tiny: Tiny, foldwise: Call, arguments: tuple[Any, ...], message: str) -> None:
    said = foldwise("tune", tiny.folder, "--data", tiny.folder.parent, "--runs", tiny.runs, *arguments)
    assert said.code == 2
    assert "Traceback" not in said.err
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(said.err.replace("\n", " "))


def test_a_model_without_a_space_is_refused(make_tiny: Callable[..., Tiny], foldwise: Call) -> None:
    tiny = make_tiny("binary")
    tiny.edit(("logistic: {logistic_regression: {}", "logistic: {gaussian_nb: {}"))
    said = foldwise("tune", tiny.folder, "--data", tiny.folder.parent, "--runs", tiny.runs, "--models", "logistic")
    assert said.code == 2
    assert "'logistic' has nothing to search: kind 'gaussian_nb' has no space of its own" in said.err


def test_declared_parameters_that_cannot_be_fitted_end_the_search(tiny: Tiny, foldwise: Call) -> None:
    tiny.edit(("{max_depth: 3}", "{max_depth: 3, max_features: 900}"))
    arguments = ("--data", tiny.folder.parent, "--runs", tiny.runs, "--models", "ridge")
    tiny.edit(("  linear: [{drop: [street]}, {scale: standard}]", "  linear: []"))
    said = foldwise("tune", tiny.folder, *arguments)
    assert said.code == 4
    assert "ridge: the declared parameters cannot be fitted: InputError" in said.err
    assert not Path(tiny.folder / "tuned.json").exists()
