"""A run within a budget: whole models only, an answer early, the same again without a clock, and nothing left running."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pipelines.command_options import Duration
from pipelines.declaration import read_declaration
from pipelines.known import Known
from pipelines.metrics import metric_of
from pipelines.oof import Predictions
from pipelines.progress import Progress, patience_for
from pipelines.splits import SCORED, Folds
from pipelines.store import read_json

VIEWS = ("models:\n", "  trees: [ordinal]\nmodels:\n")


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("10m", 600), ("1h30m", 5400), ("1.5m", 90), ("2h", 7200), ("1m30s", 90), (" 5m ", 300)]
)
def test_durations(text: str, seconds: float) -> None:
    assert Duration().convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["", "soon", "0", "-5", "10 minutes", "m", "5m10", "nan"])
def test_what_is_no_duration(text: str, foldwise: Callable[..., Any], ran: Any) -> None:
    if text == "5m10":
        assert Duration().convert(text, None, None) == 310
        return
    said = foldwise("run", ran.folder, "--budget", text)
    assert said.code == 2 and "Write 90s, 10m or 1h30m." in said.err


def test_patience_grows_with_the_rows() -> None:
    assert [patience_for(n) for n in (5, 100, 10_000, 1_000_000)] == [4, 5, 10, 15]


@pytest.fixture
def quick(make_tiny: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    """A tiny regression with a portfolio of three, one of which fails."""
    from pipelines.portfolio import Configuration

    few = (
        Configuration("deep", "decision_tree", "trees", {"max_depth": 4}),
        Configuration("wrong", "knn", "trees", {"n_neighbors": 5000}),
        Configuration("elsewhere", "decision_tree", "native", {"max_depth": 2}),
    )
    monkeypatch.setattr("pipelines.portfolio.PORTFOLIO", few)
    # the process of these tests is older than any budget
    monkeypatch.setattr("pipelines.surroundings.process_began", time.monotonic)
    tiny = make_tiny()
    tiny.edit(VIEWS)
    return tiny


def test_declared_models_then_the_portfolio(quick: Any, foldwise: Callable[..., Any], tmp_path: Path) -> None:
    said = foldwise("run", quick.folder, "--runs", "runs", "--budget", "30m")
    assert said.code == 4, "one of the portfolio failed: the others are kept, and the code says so"
    assert re.search(r"wrong: failed in fold 0 \(ValueError: .*n_neighbors", said.err)
    latest = tmp_path / "runs" / "tiny"
    run = read_json(latest / "run.json")
    assert [*read_json(latest / "metrics.json")["models"]] == ["constant", "ridge", "tree", "deep", "elsewhere"]
    declared = read_declaration(latest / "declaration.yaml").data
    assert declared["models"]["elsewhere"]["view"] == "trees", "without categories as they are, numbers have to do"
    assert declared["ensemble"]["final"]["blend"]["of"] == ["ridge", "tree", "deep", "elsewhere"]
    assert len(list((latest / "history").iterdir())) == 1 and not list(latest.glob(".budget-*")) and not list(latest.glob(".so-far-*"))
    again = foldwise("run", quick.folder, "--runs", "runs", "--from", run["run_id"])
    assert again.code == 0 and "no model was fitted again" in again.out
    (other,) = [path for path in (latest / "history").iterdir() if path.name != run["run_id"]]
    assert (other / "submission.csv").read_bytes() == (latest / "submission.csv").read_bytes()


def test_workers_follow_into_another_folder(
    quick: Any, foldwise: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a notebook: the workers of the first run are still there, and paths are relative."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        foldwise("run", quick.folder, "--runs", "runs", "--budget", "30m")
        assert (tmp_path / name / "runs" / "tiny" / "submission.csv").is_file()


def test_what_is_known_to_take_too_long_is_not_begun(quick: Any, foldwise: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.race.seconds_of_fit", lambda kind, params, n_rows: 1e9 if params.get("max_depth") == 4 else 0.0)
    said = foldwise("run", quick.folder, "--runs", "runs", "--budget", "30m")
    assert "deep: left out, its folds would take longer than the time left" in said.err and "deep: failed" not in said.err
    assert "deep" not in read_json(Path("runs/tiny/metrics.json"))["models"]


def test_too_little_time_for_any_model(quick: Any, foldwise: Callable[..., Any]) -> None:
    said = foldwise("run", quick.folder, "--runs", "runs", "--budget", "0.01s")
    assert said.code == 2
    assert "No model was fitted in all folds within the budget of 0 s. Give more time" in said.err


def test_progress_counts_models_that_bring_nothing() -> None:
    rng = np.random.default_rng(0)
    y = rng.normal(size=100)
    folds = Folds(np.full((100, 1), SCORED, dtype=np.int8))
    prepared: Any = SimpleNamespace(known=Known(y), folds=folds)
    session: Any = SimpleNamespace(metric=metric_of("rmse", {}))
    progress = Progress(session, prepared, patience=2)
    steps = [(y + rng.normal(size=100), False), (y + rng.normal(size=100), False), (np.full(100, 50.0), False), (np.full(100, 80.0), True)]
    for values, is_over in steps:
        assert progress.add(Predictions([values], values)) > 0
        assert progress.is_over == is_over
    assert progress.without_gain == 2


def test_a_model_may_take_the_whole_place_of_a_constant() -> None:
    y = np.random.default_rng(0).normal(size=100)
    folds = Folds(np.full((100, 1), SCORED, dtype=np.int8))
    prepared: Any = SimpleNamespace(known=Known(y), folds=folds)
    session: Any = SimpleNamespace(metric=metric_of("rmse", {}))
    progress = Progress(session, prepared)
    for values in (np.full(100, 7.0), y):
        progress.add(Predictions([values], values))
    assert progress.loss == 0


def test_a_constant_stands_before_columns_that_only_boosters_take(quick: Any, foldwise: Callable[..., Any], tmp_path: Path) -> None:
    quick.edit(("  ridge: {ridge: {alpha: 1.0}, view: linear}\n", "  lgb: {lightgbm: {n_estimators: 5}}\n"))
    quick.edit(("  - fill: {columns: [area], with: median}\n", "  - cast: {columns: [street], to: category}\n"))
    quick.change("train.csv", lambda table: table.assign(area=table["area"].where(table["Id"] % 7 > 0)))
    said = foldwise("run", quick.folder, "--runs", "runs", "--budget", "30m", "--set", "models.tree=null")
    assert "constant: failed" not in said.err, said.err


_SLOW = """
import os, sys
os.sched_getaffinity = lambda _: {0, 1}
import pipelines.track; pipelines.track.send_unsent = lambda *_: 0
import pipelines.portfolio as p
p.PORTFOLIO = (p.Configuration("endless", "mlp", "trees", {"max_iter": 10_000_000, "early_stopping": False, "tol": 0.0, "n_iter_no_change": 10_000_000}),)
from pipelines.cli import main
main()
"""


@pytest.mark.slow
def test_a_model_without_end_is_ended_by_the_clock(
    quick: Any, start_foldwise: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    process = start_foldwise("run", quick.folder, "--runs", "runs", "--budget", "60s", code=_SLOW)
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    latest = tmp_path / "runs" / "tiny"
    assert [*read_json(latest / "metrics.json")["models"]] == ["constant", "ridge", "tree"] and (latest / "submission.csv").is_file()
    assert not list((latest / ".store").glob(".*")), "nothing half-written is left"
    assert "no model was fitted again" in out


@pytest.mark.slow
def test_an_interrupt_leaves_the_answer_so_far(quick: Any, start_foldwise: Callable[..., subprocess.Popen[str]], tmp_path: Path) -> None:
    process = start_foldwise("run", quick.folder, "--runs", "runs", "--budget", "10m", code=_SLOW)
    submission = tmp_path / "runs" / "tiny" / "submission.csv"
    until = time.monotonic() + 200
    while not (submission.with_name("run.json")).is_file() and time.monotonic() < until:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130 and "To continue: foldwise run" in err
    assert submission.read_text().startswith("Id,price")
    # two workers: either may be the first
    assert {"constant", "ridge", "tree"} & set(read_json(submission.with_name("metrics.json"))["models"])
