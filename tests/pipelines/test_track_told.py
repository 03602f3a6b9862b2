"""What the tracker is told of runs and tunings: names it takes, calls it takes, and everything that stands in the record."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.store import read_json
from pipelines.track import unsent
from pipelines.tracking.runs import told_of_run
from pipelines.tracking.sending import _input, _log
from pipelines.tracking.studies import told_of_study
from pipelines.tracking.told import DataSet, Point, Told, named, points, steps_of, written
from tests.conftest import Said, Tiny

Call = Callable[..., Said]


@given(st.lists(st.text(max_size=300), max_size=8))
def test_every_name_becomes_one_that_mlflow_takes_and_none_is_lost(names: list[str]) -> None:
    from mlflow.utils.validation import _validate_metric_name, _validate_param_name, _validate_tag_name

    found = named((name, at) for at, name in enumerate(names))
    assert sorted(found.values()) == [*range(len(names))]
    for name in found:
        assert 0 < len(name) <= 250
        for check in (_validate_param_name, _validate_metric_name, _validate_tag_name):
            check(name)


def test_names_that_are_fine_stay() -> None:
    names = ["ridge.alpha", "views.linear.01.scale", "a b", "roc_auc", "é"]
    assert [*named((name, 0) for name in names)] == names


@pytest.mark.parametrize(
    ("value", "expected"),
    [("median", "median"), (None, "null"), (True, "true"), (1.0, "1.0"), ([1, "a"], '[1, "a"]'), ({"é": Path("x")}, '{"é": "x"}')],
)
def test_values_are_written_as_in_a_declaration(value: Any, expected: str) -> None:
    assert written(value) == expected


def test_long_values_are_cut_at_what_mlflow_takes() -> None:
    assert len(written("x" * 7000)) == 6000


def test_missing_values_are_left_out_and_steps_stay() -> None:
    found = points({"rmse": 1, "holdout": None}, {"rmse_fold": [1.0, None, 3.0]})
    assert found == (Point("rmse", 1.0), Point("rmse_fold", 1.0, 0), Point("rmse_fold", 3.0, 2))


def test_steps_are_numbered() -> None:
    assert dict(steps_of("clean", ["one_hot", {"fill": {"with": 0}}])) == {"clean.00.one_hot": {}, "clean.01.fill": {"with": 0}}


@pytest.mark.parametrize(("metrics", "params", "calls"), [(0, 0, 0), (1, 0, 1), (0, 101, 2), (2001, 3, 3), (800, 100, 1)])
def test_calls_stay_below_what_mlflow_takes(metrics: int, params: int, calls: int) -> None:
    sent = list[tuple[int, int]]()
    client = SimpleNamespace(log_batch=lambda run, metrics, params: sent.append((len(metrics), len(params))))
    told = Told("x", {}, {str(at): at for at in range(params)}, tuple(Point("m", 0.0, at) for at in range(metrics)), 0, 0)
    _log(client, "1", told)
    assert len(sent) == calls and (sum(m for m, _ in sent), sum(p for _, p in sent)) == (metrics, params)
    assert all(m <= 1000 and p <= 100 and m + p <= 1000 for m, p in sent)


def test_a_data_set_as_mlflow_knows_it() -> None:
    found = _input(DataSet("train.csv", "ab" * 16, "data/train.csv", "training", {"a": "double"}, 7))
    assert (found.dataset.name, found.dataset.digest, found.tags[0].value) == ("train.csv", "ab" * 16, "training")
    assert json.loads(found.dataset.source) == {"uri": "data/train.csv"} and json.loads(found.dataset.profile) == {"num_rows": 7}
    from mlflow.types.schema import Schema

    assert Schema.from_json(json.dumps(json.loads(found.dataset.schema)["mlflow_colspec"])).input_names() == ["a"]
    bare = _input(DataSet("x", "1", "x", "joined"))
    assert bare.dataset.schema is None and bare.dataset.profile is None


def test_what_is_told_of_a_run(ran: Tiny) -> None:
    entry = ran.history()[0].parent
    facts, metrics, told = read_json(entry / "run.json"), read_json(entry / "metrics.json"), told_of_run(entry)
    hashes = facts["data"]["hashes"]
    assert told.name == told.tags["foldwise.run_id"] == entry.name
    assert told.tags["foldwise.data.train.csv"] == hashes["train.csv"] and told.tags["foldwise.device"] == "cpu"
    assert re.fullmatch("[0-9a-f]{32}", told.tags["foldwise.declaration"]) and re.fullmatch("[0-9a-f]{32}", told.tags["foldwise.data"])
    assert told.tags["foldwise.version"] == facts["versions"]["foldwise"]
    assert "foldwise.budget" not in told.tags and "mlflow.source.git.commit" not in told.tags, "there is none"
    assert told.params["clean.00.fill"] == {"columns": ["area"], "with": "median"} and told.params["split.kfold.folds"] == 3
    values = {point.name: point.value for point in told.points}
    assert [values["rmse_low"], values["rmse_high"]] == metrics["final"]["interval"] and values["seconds_train"] > 0
    assert [(point.step, point.value) for point in told.points if point.name == "rmse_fold"] == [*enumerate(metrics["final"]["folds"])]
    assert {(one.name, one.context, one.digest, one.rows) for one in told.data_sets} == {
        ("train.csv", "training", hashes["train.csv"], 60),
        ("test.csv", "testing", hashes["test.csv"], 20),
    }
    assert told.data_sets[[one.name for one in told.data_sets].index("train.csv")].columns["area"] == "double"
    shown = {(path.name, folder) for path, folder in told.files}
    assert {("report.html", None), ("folds.csv", "plots"), ("predicted.csv", "plots")} <= shown
    assert [one.name for one in told.nested] == ["ridge", "tree", "final"]
    assert told.nested[0].params == {"ridge.alpha": 1.0, "view": "linear"}
    assert told.ended - told.started == pytest.approx(1000 * sum(facts["seconds"].values()), abs=1)


def test_a_run_whose_store_was_cleared_is_told_without_columns(ran: Tiny) -> None:
    import shutil

    shutil.rmtree(ran.latest / ".store")
    assert all(not one.columns for one in told_of_run(ran.history()[0].parent).data_sets)


# ---------------------------------------------------------------------- tunings

TUNE = "tune:\n  ridge: {trials: 3, space: {alpha: {float: [0.01, 100], log: true}}}\n"


@pytest.fixture
def tuned(tiny: Tiny, foldwise: Call) -> Callable[..., Said]:
    """Tunes the tiny competition."""
    tiny.declaration.write_text(tiny.declaration.read_text(encoding="utf-8") + TUNE, encoding="utf-8")
    return lambda *more: foldwise("tune", tiny.folder, "--data", tiny.folder.parent, "--runs", tiny.runs, *more)


def _numbers(tiny: Tiny) -> list[list[int]]:
    records = sorted((tiny.latest / "studies").glob("*/study.json"), key=lambda path: path.stat().st_mtime_ns)
    return [[trial["number"] for trial in read_json(path)["models"]["ridge"]["trials"]] for path in records]


def test_a_tuning_is_recorded_with_its_own_trials(tiny: Tiny, tuned: Callable[..., Said]) -> None:
    assert tuned().code == 0
    assert tuned().code == 0, "with nothing to do"
    assert tuned("--trials", 5, "--no-track").code == 0
    assert _numbers(tiny) == [[0, 1, 2], [3, 4]]
    (entry,) = unsent(tiny.latest)
    told = told_of_study(entry)
    assert told.name == told.tags["foldwise.run_id"] and told.tags["foldwise.part"] == "tuning" and told.params["prunes"] is True
    assert [one.name for one in told.nested] == ["ridge-0", "ridge-1", "ridge-2"]
    first, trial = told.nested[0], read_json(entry / "study.json")["models"]["ridge"]["trials"][0]
    assert first.tags["foldwise.declared"] == "true" and first.params == {"model": "ridge", "alpha": 1.0} and first.status == "FINISHED"
    assert {point.name: point.value for point in told.points}["declared_rmse_ridge"] == trial["values"][0]
    assert [point.value for point in first.points if point.name == "rmse_fold"] == trial["folds"] and len(trial["folds"]) > 1
    assert first.started >= told.started - 1000 and told.ended >= first.ended - 1000


def test_trials_of_a_session_that_left_no_record_come_with_the_next(tiny: Tiny, tuned: Callable[..., Said]) -> None:
    import shutil

    assert tuned("--trials", 2).code == 0
    shutil.rmtree(tiny.latest / "studies")
    assert tuned("--trials", 3).code == 0
    assert _numbers(tiny) == [[0, 1, 2]]


def test_what_a_failed_or_pruned_trial_is_told_as() -> None:
    from pipelines.tracking.studies import _trial

    trial: dict[str, Any] = {
        "number": 4, "values": None, "params": {}, "steps": {"10": 2.5}, "seconds": None, "is_declared": False, "folds": [],
        "started": "2026-01-02T03:04:05+00:00",
    }  # fmt: skip
    failed = _trial("lgb", "rmse", {**trial, "state": "fail", "error": "ValueError: no"})
    assert failed.status == "FAILED" and failed.tags["foldwise.error"] == "ValueError: no" and failed.ended == failed.started
    pruned = _trial("lgb", "rmse", {**trial, "state": "pruned"})
    assert pruned.status == "KILLED" and pruned.points == (Point("rmse_reported", 2.5, 0),)
