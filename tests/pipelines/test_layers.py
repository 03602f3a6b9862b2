"""Layers: what models on the predictions of others see, when they are fitted again, and what is refused."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import InputError
from pipelines import stages
from pipelines.audit.fits import _digest
from pipelines.build_spec import build_spec
from pipelines.competition import Competition
from pipelines.declaration import DeclarationError, read_declaration
from pipelines.dvc import competition_stages
from pipelines.ensembles import Problem
from pipelines.layer_columns import as_columns, column_names, read_columns
from pipelines.layers import check_rows
from pipelines.metrics import metric_of
from pipelines.options import Options
from pipelines.portfolio_declaration import only
from pipelines.session import Session, open_session
from pipelines.splits import FIT, SCORED, Folds
from pipelines.store import read_json
from pipelines.surroundings import Surroundings
from pipelines.targets import TRANSFORMS
from pipelines.tracking.runs import told_of_run
from pipelines.training import FoldFit, fit_fold, matrices_of

LINEAR = {"regression": "ridge", "binary": "logistic", "multiclass": "logistic"}
KIND = {"ridge": "ridge", "logistic": "logistic_regression"}
_DECISION_TREE = "  tree: {decision_tree: {max_depth: 3}, view: linear}\n"


def layers(task: str = "regression") -> tuple[str, str]:
    """An edit that puts a layer with its view's columns on two models, and one of predictions alone on all three."""
    first = LINEAR[task]
    added = (
        f"  top: {{decision_tree: {{max_depth: 2}}, view: linear, stack_on: [{first}, tree]}}\n"
        f"  flat: {{{KIND[first]}: {{}}, stack_on: [{first}, tree, top], passthrough: false}}\n"
    )
    return (_DECISION_TREE, _DECISION_TREE + added)


def opened(tiny: Any, **options: Any) -> Session:
    from datetime import UTC, datetime

    from pipelines.console import Console

    around = Surroundings(datetime(2026, 1, 1, tzinfo=UTC), 1, "a machine", None, None, Console(is_quiet=True))
    return open_session(Competition(tiny.folder.name, tiny.folder), tiny.folder, Options(runs=tiny.runs, **options), around)


def trained(tiny: Any, **options: Any) -> tuple[Session, Any, dict[str, Any]]:
    """A tiny competition prepared and trained, without an ensemble and a report."""
    session, out = opened(tiny, **options), tiny.folder.parent / "out"
    prepared = stages.prepare(session, out)
    stages.join_members(session, prepared, out)
    return session, prepared, stages.train(session, prepared, out, session.models, stages.Work())


def made(tiny: Any) -> dict[str, int]:
    """How many fits of each model the last recorded run's store holds that are younger than the run before."""
    return read_json(max(tiny.history(), key=lambda path: read_json(path)["started"]))["fits"]


# what a layer sees


@given(st.lists(st.floats(-0.9, 1e6), min_size=1, max_size=20), st.sampled_from(sorted(TRANSFORMS)))
def test_a_linear_layer_can_copy_a_member(values: list[float], transform: str) -> None:
    own = TRANSFORMS[transform]
    inside = np.maximum(np.array(values), own.least + 1e-6 if np.isfinite(own.least) else -np.inf)
    columns = as_columns({"a": inside}, Problem("regression", metric_of("rmse", {}), own), [])
    np.testing.assert_allclose(own.inverse(columns["a__oof"].to_numpy()), inside, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (np.array([0.5, 1.0, np.nan]), [[0.0], [np.log(1 - 1e-6) - np.log(1e-6)], [np.nan]]),
        (np.array([[0.5, 0.5, 0.0]]), [[np.log(0.5), np.log(0.5), np.log(1e-6)]]),
    ],
    ids=["log-odds", "log probabilities"],
)
def test_classes_come_as_log_odds(values: np.ndarray, wanted: list[list[float]]) -> None:
    task, classes = ("binary", [0, 1]) if values.ndim == 1 else ("multiclass", ["x", "y", "z"])
    columns = as_columns({"a": values}, Problem(task, metric_of("log_loss", {}), TRANSFORMS["none"]), classes)
    np.testing.assert_allclose(columns, wanted, rtol=1e-9)
    assert [*columns] == column_names(["a"], task, classes) and as_columns(
        {"a": values[:0]}, Problem(task, metric_of("log_loss", {}), TRANSFORMS["none"]), classes
    ).shape == (0, columns.shape[1])


@pytest.mark.parametrize("task", ["regression", "binary", "multiclass"])
def test_what_each_layer_is_fitted_on(make_tiny: Callable[..., Any], task: str) -> None:
    tiny = make_tiny(task)
    tiny.edit(layers(task), ("clean:\n", "target: {transform: log1p}\nclean:\n") if task == "regression" else ("clean:\n", "clean:\n"))
    session, prepared, predictions = trained(tiny)
    first, each = LINEAR[task], 3 if task == "multiclass" else 1
    names = column_names([first, "tree", "top"], task, prepared.classes)
    alone, beside = (matrices_of(stages.job(session, prepared, model, 1)) for model in ("flat", "top"))
    assert [*alone.fit] == names and len(names) == 3 * each
    assert [*beside.fit][-2 * each :] == names[: 2 * each] and len([*beside.fit]) > 2 * each
    rows = prepared.folds.fit_rows(1), prepared.folds.scored_rows(1)
    assert all(np.array_equal(one, two) for one, two in zip((alone.rows.fit, alone.rows.scored), rows, strict=True))
    assert not alone.fit.isna().any(axis=None)
    scored, test = predictions["tree"].folds[1], predictions["tree"].test
    where = names[each : 2 * each]
    back = {"regression": np.expm1, "binary": lambda odds: 1 / (1 + np.exp(-odds)), "multiclass": np.exp}[task]
    for columns, wanted in ((alone.scored, scored), (alone.test, test)):
        np.testing.assert_allclose(
            back(columns[where].to_numpy()).squeeze(), np.clip(wanted, 1e-6, 1 - 1e-6 if task != "regression" else None), rtol=1e-6
        )


def test_rows_without_predictions_are_left_out(tiny: Any) -> None:
    tiny.edit(layers(), ("clean:\n", "rows: {fit_only: ['rooms == 1'], not_scored: ['rooms == 2'], not_in_fit: ['rooms == 3']}\nclean:\n"))
    session, prepared, _ = trained(tiny)
    rooms = pd.read_csv(tiny.folder / "train.csv")["rooms"].to_numpy()
    for model in ("top", "flat"):
        assert set(rooms[matrices_of(stages.job(session, prepared, model, 0)).rows.fit]) == {4, 5}
    assert set(rooms[matrices_of(stages.job(session, prepared, "tree", 0)).rows.fit]) == {1, 2, 4, 5}


def test_repeats_are_averaged(tiny: Any) -> None:
    tiny.edit(layers(), ("folds: 3, seed: 0", "folds: 2, repeats: 2, seed: 0"))
    session, prepared, predictions = trained(tiny)
    columns = read_columns(session.store.path(session.keys.layer("top", 0)))
    both = [np.zeros(60), np.zeros(60)]
    for fold in range(4):
        both[fold // 2][prepared.folds.scored_rows(fold)] = predictions["ridge"].folds[fold]
    np.testing.assert_allclose(columns["ridge__oof"][:60], np.mean(both, axis=0), rtol=1e-12)
    np.testing.assert_allclose(columns["ridge__oof"][60:], predictions["ridge"].test, rtol=1e-12)


def test_the_fit_on_all_rows_stands_on_fits_on_all_rows(tiny: Any) -> None:
    tiny.edit(layers(), ("clean:\n", "refit: all\nclean:\n"))
    session, _, predictions = trained(tiny)
    assert session.keys.layer("top", 2) == session.keys.layer("top", 0) != session.keys.layer("top", -1)
    columns = read_columns(session.store.path(session.keys.layer("flat", -1)))
    for name in ("ridge", "tree", "top"):
        np.testing.assert_array_equal(columns[f"{name}__oof"][60:], predictions[name].test)
    of_folds = read_columns(session.store.path(session.keys.layer("flat", 0)))
    np.testing.assert_array_equal(columns[:60], of_folds[:60])
    assert not np.allclose(columns["ridge__oof"][60:], of_folds["ridge__oof"][60:], rtol=1e-9)


# what it must not see


@pytest.fixture(scope="module")
def fits(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int], tuple[FoldFit, np.ndarray]]:
    """The fits of both layers in all folds, done, with the rows that each fold scores."""
    from tests.conftest import write_tiny

    tiny = write_tiny(tmp_path_factory.mktemp("layers") / "tiny", "regression")
    tiny.edit(layers())
    session, prepared, _ = trained(tiny)
    folds = prepared.folds
    return {
        (model, fold): (stages.job(session, prepared, model, fold), folds.scored_rows(fold))
        for model in ("top", "flat")
        for fold in range(folds.n_folds)
    }


def _again(job: FoldFit, rows: np.ndarray, values: np.ndarray) -> dict[str, str]:
    """The digests of a fit made anew where some rows have another target; the files of the models below stay."""
    place = job.out.parent / "again"
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(job.table, place / "table")
    y = np.load(job.table / "y.npy")
    y[rows] = values
    np.save(place / "table" / "y.npy", y)
    return _digests(fit_fold(replace(job, table=place / "table", out=place / "out"), 1))


def _digests(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): _digest(path) for path in folder.rglob("*") if path.is_file()}


@settings(max_examples=20)
@given(model=st.sampled_from(["top", "flat"]), fold=st.integers(0, 2), seed=st.integers(0, 1000))
def test_a_layer_never_sees_the_target_of_the_rows_it_is_scored_on(fits: Any, model: str, fold: int, seed: int) -> None:
    job, scored = fits[model, fold]
    values = np.random.default_rng(seed).normal(1e5, 1e5, len(scored))
    assert _again(job, scored, values) == _digests(job.out)


@pytest.mark.parametrize("model", ["top", "flat"])
def test_and_it_does_see_that_of_the_others(fits: Any, model: str) -> None:
    job, _ = fits[model, 0]
    others = fits[model, 1][1]
    assert _again(job, others, np.zeros(len(others)))["oof.npy"] != _digests(job.out)["oof.npy"]


# when it is fitted again


@pytest.fixture
def run(foldwise: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Runs a competition without its report, and gives how many fits were made and found."""
    monkeypatch.setattr(
        "pipelines.report.write_report", lambda session, prepared, combined, path, **_: path.write_text("", encoding="utf-8")
    )

    def call(tiny: Any, *options: Any, code: int = 0) -> Any:
        said = foldwise("run", tiny.folder, "--runs", tiny.runs, *options)
        assert said.code == code, said.err
        return made(tiny) if not code else said

    return call


def test_only_what_is_not_there_is_fitted(tiny: Any, run: Callable[..., Any], foldwise: Callable[..., Any]) -> None:
    tiny.edit(layers())
    assert run(tiny) == {"made": 12, "from_store": 0}
    session = opened(tiny)
    shutil.rmtree(session.store.path(session.keys.fit("top", 1)))
    assert run(tiny, "--set", "title=Another") == {"made": 1, "from_store": 11}
    assert run(tiny, "--set", "models.ridge.ridge.alpha=2") == {"made": 9, "from_store": 3}, "tree stays"
    assert run(tiny, "--set", "models.top.decision_tree.max_depth=1") == {"made": 6, "from_store": 6}, "and what stands on it"
    assert run(tiny, "--set", "ensemble.final.blend.method=mean")["made"] == 0
    # columns without an owner go, those of recorded runs stay
    assert foldwise("gc", "--runs", tiny.runs).code == 0
    assert session.store.has(session.keys.layer("flat", 0)) and run(tiny, "--set", "title=Third")["made"] == 0


def test_a_layer_on_a_member_made_elsewhere(tiny: Any, run: Callable[..., Any], foldwise: Callable[..., Any]) -> None:
    run(tiny)
    for folder, name in (("oof", "friend"), ("test", "friend_test")):
        shutil.copy(tiny.latest / folder / "tree.parquet", tiny.folder / f"{name}.parquet")
    tiny.edit(
        (
            _DECISION_TREE,
            "  top: {decision_tree: {max_depth: 2}, view: linear, stack_on: [ridge, friend]}\n  roof: {ridge: {}, stack_on: [top], passthrough: false}\n",
        ),
        ("ensemble:\n", "members:\n  - {oof: friend.parquet, test: friend_test.parquet, folds: same}\nensemble:\n"),
    )
    assert run(tiny) == {"made": 6, "from_store": 3}
    columns = read_json(tiny.latest / "models" / "top" / "fold-0" / "facts.json")["columns"]
    assert columns[-2:] == ["ridge__oof", "friend__oof"]
    path = tiny.folder / "friend.parquet"
    table = pd.read_parquet(path)
    table.assign(prediction=2 * table["prediction"]).to_parquet(path)
    assert run(tiny) == {"made": 6, "from_store": 3}, "other predictions, another layer"
    said = foldwise("run", tiny.folder, "--runs", tiny.runs, "--sample", "40")
    assert said.code == 0 and "note: 'friend' left out, and with it 'roof', 'top': a sample has folds of its own" in said.err
    said = foldwise("run", tiny.folder, "--runs", tiny.runs, "--models", "ridge,top")
    assert said.code == 2 and "--models names 'top', which stands on 'friend'. Name these too: --models ridge,top,friend" in said.err
    tiny.edit(("{blend: {method: simplex}}", "{blend: {of: [ridge, roof], method: mean}}"))
    run(tiny)
    said = foldwise("predict", tiny.folder, "--runs", tiny.runs, "--input", tiny.folder / "test.csv", "--output", "new.csv")
    assert said.code == 2 and "'friend', made elsewhere, belong(s) to the final prediction 'final' of 'tiny'" in said.err
    tiny.edit(("of: [ridge, roof]", "of: [ridge]"))
    run(tiny)
    said = foldwise("predict", tiny.folder, "--runs", tiny.runs, "--input", tiny.folder / "test.csv", "--output", "new.csv")
    assert said.code == 0, said.err


def test_layers_on_a_model_that_fails_are_not_fitted(tiny: Any, run: Callable[..., Any]) -> None:
    tiny.edit(layers(), ("ridge: {ridge: {alpha: 1.0}, view: linear}", "ridge: {knn: {n_neighbors: 5000}, view: linear}"))
    tiny.edit(("ensemble:\n", "  above: {ridge: {}, stack_on: [tree], passthrough: false}\nensemble:\n"))
    said = run(tiny, code=4)
    assert "1 of 5 models failed:" in said.err and "not fitted, because they stand on these: top, flat" in said.err
    assert "To go on without: --models tree,above" in said.err and "above: rmse" in said.err
    assert run(tiny, "--models", "tree,above") == {"made": 0, "from_store": 6}


# what is refused


WRONG = {
    "unknown": ("stack_on: [ridge, oak]", "models.top.stack_on[1]: no earlier model or member 'oak'; there are ridge, tree."),
    "a near miss": ("stack_on: [ridg]", "no earlier model or member 'ridg'; there are ridge, tree. Closest: 'ridge'."),
    "itself": ("stack_on: [top]", "models.top.stack_on[0]: 'top' cannot stand on itself."),
    "a later one": ("stack_on: [last]", "'last' is declared later; a layer stands on earlier models. Declare 'top' behind it."),
    "an entry": ("stack_on: [final]", "'final' is an ensemble entry; a layer stands on models, and members made elsewhere."),
    "twice": ("stack_on: [ridge, ridge]", "models.top.stack_on[1]: 'ridge' is there twice."),
    "nothing": ("stack_on: []", "models.top.stack_on: is empty. Name the models it stands on, or remove the key."),
    "a key without a value": ("stack_on: ", "models.top.stack_on: is empty."),
    "no list": ("stack_on: ridge", "models.top.stack_on: found 'ridge'; needed: list[str] | None."),
    "numbers": ("stack_on: [1]", "models.top.stack_on[0]: found 1; needed: list[str] | None."),
    "some rows": ("stack_on: [ridge], rows: 'rooms > 2'", "models.top.rows: a model of some rows cannot stand on others."),
    "on some rows": ("stack_on: [few]", "'few' predicts some rows only (rows), and a layer needs a prediction for each."),
    "pseudo-labels": (
        "stack_on: [ridge], pseudo_labels: {}",
        "models.top.pseudo_labels: the models below a layer predict test rows by fits that saw scored rows",
    ),
    "view and none": ("stack_on: [ridge], passthrough: false", "models.top.view: with passthrough: false it sees predictions alone."),
    "nothing to pass through to": ("passthrough: false", "models.top.passthrough: belongs to 'stack_on', which is not there."),
}


@pytest.mark.parametrize(("keys", "message"), WRONG.values(), ids=WRONG)
def test_what_a_layer_cannot_stand_on(tiny: Any, keys: str, message: str) -> None:
    few = "  few: {ridge: {}, view: linear, rows: 'rooms > 1'}\n" if "few" in keys else ""
    tiny.edit(
        (_DECISION_TREE, f"{_DECISION_TREE}{few}  top: {{ridge: {{}}, view: linear, {keys}}}\n  last: {{ridge: {{}}, view: linear}}\n"),
        ("{blend: {method: simplex}}", "{blend: {of: [ridge, tree]}}"),
    )
    with pytest.raises(DeclarationError, match=re.escape(message)):
        build_spec(read_declaration(tiny.declaration))


def test_a_view_is_needed_for_what_passes_through(tiny: Any) -> None:
    tiny.edit((_DECISION_TREE, f"{_DECISION_TREE}  top: {{ridge: {{}}, stack_on: [ridge]}}\n"))
    with pytest.raises(DeclarationError, match=re.escape("models.top: needs the key 'view', whose columns it sees beside")):
        build_spec(read_declaration(tiny.declaration))


def test_models_on_each_other(tiny: Any) -> None:
    both = "  one: {ridge: {}, view: linear, stack_on: [two]}\n  two: {ridge: {}, view: linear, stack_on: [one]}\n"
    tiny.edit((_DECISION_TREE, _DECISION_TREE + both))
    with pytest.raises(DeclarationError, match=r"(?s)1 fault.*models.one.stack_on\[0\]: 'two' is declared later"):
        build_spec(read_declaration(tiny.declaration))


def test_it_cannot_be_tuned_yet(tiny: Any, foldwise: Callable[..., Any]) -> None:
    tiny.edit(layers())
    said = foldwise("tune", tiny.folder, "--runs", tiny.runs, "--models", "tree,top", "--trials", "1")
    assert said.code == 2 and "'top' stand(s) on other models (stack_on), and a layer cannot be tuned yet." in said.err
    tiny.edit(("ensemble:\n", "tune: {top: {trials: 3}}\nensemble:\n"))
    with pytest.raises(DeclarationError, match=re.escape("tune.top: 'top' stands on other models (stack_on)")):
        build_spec(read_declaration(tiny.declaration))


def test_the_names_of_its_columns_are_its_own(tiny: Any, foldwise: Callable[..., Any]) -> None:
    tiny.edit(layers(), ("features:\n", "features:\n  - derive: {tree__oof: 'area * 2'}\n"))
    said = foldwise("run", tiny.folder, "--runs", tiny.runs)
    assert said.code == 2 and "Model 'top' would see the column(s) 'tree__oof' twice, from its view" in said.err
    assert not list((tiny.latest / ".store").glob("*/seed-0")), "nothing was fitted before"


@pytest.mark.parametrize(
    ("split", "found"),
    [
        ("rolling: {column: day, days: 10, windows: 2}", r"Fold 0 cannot fit 'flat', 'top': 0 of the \d+ rows that it fits on"),
        ("last_days: {column: day, days: 10}", r"Fold 0 cannot fit 'flat', 'top': 0 of the \d+ rows that it fits on"),
    ],
)
def test_folds_that_leave_it_no_rows(tiny: Any, foldwise: Callable[..., Any], split: str, found: str) -> None:
    tiny.edit(layers(), ("kfold: {folds: 3, seed: 0}", split), ("{drop: [street]}", "{drop: [street, day]}"))
    for file in ("train.csv", "test.csv"):
        tiny.change(file, lambda table: table.assign(day=pd.date_range("2015-01-01", periods=len(table)).astype(str)))
    for command in (("run", tiny.folder, "--runs", tiny.runs), ("plan", tiny.folder), ("audit", tiny.folder, "--runs", tiny.runs)):
        said = foldwise(*command)
        assert said.code == 2 and re.search(found, said.err) and "Combine these models under 'ensemble'" in said.err
    assert not list((tiny.latest / ".store").glob("*/seed-0"))
    assert foldwise("run", tiny.folder, "--runs", tiny.runs, "--models", "ridge,tree").code == 0


def test_every_class_is_among_the_rows_it_is_fitted_on() -> None:
    # rows 0 and 3 are never scored; with them, fold 1 loses the only rows of class 0
    status = [[FIT, FIT], [FIT, SCORED], [SCORED, FIT], [FIT, FIT], [FIT, SCORED], [SCORED, FIT]]
    folds, y = Folds(np.array(status, dtype=np.int8)), np.array([0, 1, 1, 0, 0, 1.0])
    check_rows(["top"], folds, y, "regression")
    check_rows([], folds, y, "binary")
    with pytest.raises(InputError, match=r"Fold 1 cannot fit 'top': 2 of the 4 rows, with 1 of 2 classes, that it fits on"):
        check_rows(["top"], folds, y, "binary")


def test_chosen_models(tiny: Any, foldwise: Callable[..., Any], run: Callable[..., Any]) -> None:
    tiny.edit(layers())
    said = run(tiny, "--models", "flat", code=2)
    assert "--models names 'flat', which stands on 'ridge', 'top', 'tree'. Name these too: --models ridge,tree,top,flat" in said.err
    said = run(tiny, "--models", "top,tree", code=2)
    assert "--models names 'top', which stands on 'ridge'. Name these too: --models ridge,tree,top" in said.err
    assert run(tiny, "--models", "ridge,tree,top") == {"made": 9, "from_store": 0}


# other commands


def test_plan_report_and_tracking(tiny: Any, foldwise: Callable[..., Any]) -> None:
    tiny.edit(layers())
    assert (
        "model top: decision_tree {'max_depth': 2}, view linear, on predictions of ridge, tree, seeds 1"
        in foldwise("plan", tiny.folder).out
    )
    assert foldwise("run", tiny.folder, "--runs", tiny.runs).code == 0
    assert read_json(tiny.latest / "metrics.json")["models"]["flat"]["stack_on"] == ["ridge", "tree", "top"]
    told = told_of_run(max(path.parent for path in tiny.history()))
    assert [one.name for one in told.nested] == ["ridge", "tree", "top", "flat", "final"]
    page = (tiny.latest / "report.html").read_text(encoding="utf-8")
    assert "top stands on the out-of-fold predictions of ridge, tree, beside the columns of view linear." in page
    assert (
        "The base models are not nested again inside the layer: their predictions for the other folds come from fits that saw fold k."
        in page
    )


def test_the_audit_says_what_it_tests_of_layers(tiny: Any, foldwise: Callable[..., Any]) -> None:
    tiny.edit(layers())
    said = foldwise("audit", tiny.folder, "--runs", tiny.runs)
    assert said.code == 0, said.err
    assert "exact test: layers ('flat', 'top') were fitted on stand-ins for the predictions they stand on, the same both times." in said.err
    assert "kept every byte" in said.err


def test_stages_and_their_dependencies(tiny: Any, foldwise: Callable[..., Any], tmp_path: Path) -> None:
    tiny.edit(layers())
    for stage in ("prepare", "train@flat"):
        said = foldwise("stage", stage, tiny.folder, "--runs", tiny.runs)
        assert said.code == 0, said.err
    assert sorted(path.name for path in (tiny.latest / "oof").iterdir()) == ["flat.parquet"]
    assert sorted(path.name for path in (tiny.latest / "models").iterdir()) == ["flat"]
    for stage in ("train@ridge", "train@tree", "train@top", "ensemble", "report"):
        assert foldwise("stage", stage, tiny.folder, "--runs", tiny.runs).code == 0
    assert read_json(tiny.latest / "run.json")["fits"] == {"made": 0, "from_store": 12}
    shutil.copytree(tiny.folder, tmp_path / "competitions" / "tiny")
    found = competition_stages(tmp_path, "tiny")
    assert [*found["tiny-train"]["foreach"]] == ["ridge", "tree"]
    written = [f"runs/tiny/{folder}/{name}.parquet" for name in ("ridge", "tree") for folder in ("oof", "test")]
    assert found["tiny-layer-top"]["deps"] == ["runs/tiny/folds.parquet", "runs/tiny/views/linear.json", *written]
    assert found["tiny-layer-flat"]["deps"] == [
        "runs/tiny/folds.parquet",
        *written,
        "runs/tiny/oof/top.parquet",
        "runs/tiny/test/top.parquet",
    ]
    assert found["tiny-layer-flat"]["cmd"] == "foldwise stage train@flat tiny"
    assert found["tiny-layer-flat"]["params"] == [{"competitions/tiny/pipeline.yaml": ["models.flat"]}]


def test_a_budget_begins_a_layer_when_all_below_it_is_there(
    tiny: Any, foldwise: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.portfolio.PORTFOLIO", ())
    monkeypatch.setattr("pipelines.budget._ROUNDS_OF_SEEDS", 0)
    monkeypatch.setattr("pipelines.surroundings.process_began", time.monotonic)
    boosted = "  more: {lightgbm: {learning_rate: 0.3, min_data_in_leaf: 3}, max_rounds: 20, stack_on: [tree], passthrough: false}\n"
    broken = "  broken: {knn: {n_neighbors: 5000}, view: linear}\n  lost: {ridge: {}, stack_on: [broken, tree], passthrough: false}\n"
    tiny.edit(layers(), ("ensemble:\n", f"{boosted}{broken}ensemble:\n"))
    said = foldwise("run", tiny.folder, "--runs", tiny.runs, "--budget", "30m")
    assert said.code == 4 and "lost: left out, because it stands on 'broken', not complete" in said.err
    assert [*read_json(tiny.latest / "metrics.json")["models"]] == ["constant", "ridge", "tree", "top", "flat", "more"]
    run = read_json(tiny.latest / "run.json")
    assert run["fits"]["made"] == 0, "all fits were made within the race"
    again = foldwise("run", tiny.folder, "--runs", tiny.runs, "--from", run["run_id"])
    assert again.code == 0 and "no model was fitted again" in again.out


def test_a_layer_goes_with_what_it_stands_on(tiny: Any) -> None:
    tiny.edit(layers())
    declaration = read_declaration(tiny.declaration)
    assert [*only(declaration, ["ridge", "top", "flat"]).data["models"]] == ["ridge"]
    assert [*only(declaration, ["ridge", "tree", "top"]).data["models"]] == ["ridge", "tree", "top"]
    assert build_spec(only(declaration, ["tree", "flat"])).final == "final"
