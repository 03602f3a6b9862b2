"""The tracker is told of every run, once; one that is away stops nothing and is told later."""

from __future__ import annotations

import io
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipelines.cli import _code_of
from pipelines.console import Console
from pipelines.store import read_json, write_json
from pipelines.surroundings import Surroundings
from pipelines.track import default_uri, flatten, send_unsent, unsent


def entry(latest: Path, name: str) -> Path:
    """A history entry of which only the name matters."""
    write_json(latest / "history" / name / "run.json", {})
    return latest / "history" / name


@pytest.fixture
def around() -> Surroundings:
    """Surroundings that say things into a text."""
    return replace(Surroundings.read(), tracking_uri=None, console=Console(io.StringIO()))


def said(around: Surroundings) -> str:
    """What was said."""
    assert isinstance(around.console.stream, io.StringIO)
    return around.console.stream.getvalue()


def test_entries_are_sent_once_oldest_first(tmp_path: Path, around: Surroundings, monkeypatch: pytest.MonkeyPatch) -> None:
    latest, sent = tmp_path / "tiny", list[str]()
    for name in ("20260102-b", "20260101-a", ".20260101-half"):
        entry(latest, name)
    (latest / "history" / "20260103-no-run-json").mkdir()

    def send(found: Path, uri: str, runs: Path) -> str:
        sent.append(found.name)
        return f"id of {found.name} at {uri}"

    monkeypatch.setattr("pipelines.track.send", send)
    assert send_unsent(latest, tmp_path, around) == 0
    assert sent == ["20260101-a", "20260102-b"]
    noted = read_json(latest / "tracked" / "20260101-a" / "sent.json")
    assert noted == {"uri": default_uri(tmp_path), "mlflow_run_id": f"id of 20260101-a at {default_uri(tmp_path)}"}
    assert send_unsent(latest, tmp_path, around) == 0 and len(sent) == 2 and unsent(latest) == []
    assert said(around) == ""


@pytest.mark.parametrize(
    "error", [OSError("connection refused\nand more"), ValueError(), RuntimeError("x" * 999)], ids=["refused", "silent", "long"]
)
def test_a_tracker_that_is_away(error: Exception, tmp_path: Path, around: Surroundings, monkeypatch: pytest.MonkeyPatch) -> None:
    latest, tried = tmp_path / "tiny", list[str]()
    for name in ("1", "2", "3"):
        entry(latest, name)

    def send(found: Path, uri: str, runs: Path) -> str:
        tried.append(found.name)
        if found.name == "2":
            raise error
        return "id"

    monkeypatch.setattr("pipelines.track.send", send)
    assert send_unsent(latest, tmp_path, replace(around, tracking_uri="http://127.0.0.1:1")) == 2
    assert tried == ["1", "2"], "it asks no further"
    assert [path.name for path in unsent(latest)] == ["2", "3"]
    (line,) = said(around).splitlines()
    assert "note: the tracker at http://127.0.0.1:1 did not take run 2" in line and type(error).__name__ in line
    assert line.endswith("2 run(s) are kept and sent by the next run or by 'foldwise sync'") and len(line) < 500


@pytest.mark.parametrize(("left", "code", "message"), [(0, 0, "the tracker knows all runs"), (1, 4, "1 run(s) are still to be sent")])
def test_sync(
    left: int, code: int, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    entry(tmp_path / "tiny", "1")
    (tmp_path / "mlartifacts").mkdir()
    asked = list[Path]()
    monkeypatch.setattr("pipelines.track.send_unsent", lambda latest, runs, around: asked.append(latest) or left)
    try:
        assert _code_of(["sync", "--runs", str(tmp_path)]) == code
    except SystemExit as stopped:
        assert stopped.code == code
    assert capsys.readouterr().out.strip() == message
    assert asked == [tmp_path / "tiny"]


def test_nested_parameters_get_dotted_names() -> None:
    assert dict(flatten({"a": {"b": {"c": 1}, "d": [1, 2]}, "e": {}, "f": None})) == {"a.b.c": 1, "a.d": [1, 2], "e": {}, "f": None}


# ---------------------------------------------------------------------- a real server


@pytest.fixture
def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@pytest.fixture
def start_server(tmp_path: Path, free_port: int) -> Iterator[Callable[[], None]]:
    """Starts an MLflow server on the loopback; what was started is stopped by its process id."""
    started: list[subprocess.Popen[bytes]] = []

    def start() -> None:
        folder = tmp_path / "server"
        folder.mkdir()
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(free_port), "--workers", "1"]
        command += ["--backend-store-uri", f"sqlite:///{folder / 'db'}", "--artifacts-destination", str(folder / "artifacts")]
        with (folder / "log").open("wb") as log:
            # a session of its own: the server's workers are its children
            started.append(subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, start_new_session=True))
        end = time.monotonic() + 180
        while not _answers(f"http://127.0.0.1:{free_port}/health"):
            assert started[-1].poll() is None, (folder / "log").read_text()
            assert time.monotonic() < end, (folder / "log").read_text()
            time.sleep(0.2)

    yield start
    for process in started:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=60)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@pytest.fixture
def tracked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Calls the command line on one core with its tracker."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)

    def call(*arguments: Any) -> tuple[int, str, str]:
        capsys.readouterr()
        code = _code_of([str(argument) for argument in arguments])
        return code, *capsys.readouterr()

    return call


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_server_that_is_away_and_comes_back(
    tiny: Any,
    free_port: int,
    start_server: Callable[[], None],
    tracked: Callable[..., tuple[int, str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    uri = f"http://127.0.0.1:{free_port}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    code, _, err = tracked("run", tiny.folder)
    assert code == 0 and f"note: the tracker at {uri} did not take run" in err and "1 run(s) are kept" in err
    assert (tiny.latest / "submission.csv").is_file()

    start_server()
    assert tracked("sync")[:2] == (0, "the tracker knows all runs\n")
    code, _, err = tracked("run", tiny.folder, "--set", "models.ridge.ridge.alpha=2.0")
    assert code == 0 and "note: the tracker" not in err
    _check_runs(tiny, uri)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_default_store_and_a_run_sent_in_part(
    tiny: Any, tracked: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite below the runs folder; a tracker that stops in the middle is told the whole run later, once."""
    from mlflow.tracking import MlflowClient

    log_artifact, calls = MlflowClient.log_artifact, list[int]()

    def stop_at_the_second(*arguments: Any) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise ConnectionError("gone")
        log_artifact(*arguments)

    monkeypatch.setattr(MlflowClient, "log_artifact", stop_at_the_second)
    code, _, err = tracked("run", tiny.folder)
    assert code == 0 and "(ConnectionError: gone); 1 run(s) are kept" in err
    assert "INFO mlflow" not in err, "the tracker's own talk is nobody's business"
    assert tracked("run", tiny.folder, "--set", "models.ridge.ridge.alpha=2.0")[0] == 0
    _check_runs(tiny, default_uri(tiny.runs))
    for path in (tiny.latest / "tracked").glob("*/sent.json"):
        path.unlink()
    assert tracked("sync")[:2] == (0, "the tracker knows all runs\n")
    _check_runs(tiny, default_uri(tiny.runs))


def _check_runs(tiny: Any, uri: str) -> None:
    """Two runs of the tiny competition, each a parent with a child per model and entry, with parameters and fold scores."""
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name("tiny")
    runs = client.search_runs([experiment.experiment_id])
    parents = [run for run in runs if "foldwise.run_id" in run.data.tags]
    assert {run.data.tags["foldwise.run_id"] for run in parents} == {path.parent.name for path in tiny.history()}
    assert len(parents) == 2 and len(runs) == 2 + 2 * 3
    for parent in parents:
        history = tiny.latest / "history" / parent.data.tags["foldwise.run_id"]
        metrics = read_json(history / "metrics.json")
        assert parent.info.status == "FINISHED"
        assert parent.data.metrics["rmse"] == pytest.approx(metrics["final"]["score"])
        assert parent.data.params["split.kfold.folds"] == "3" and parent.data.params["metric"] == "rmse"
        assert parent.data.tags["foldwise.data.train.csv"] == read_json(history / "run.json")["data"]["hashes"]["train.csv"]
        assert {"report.html", "submission.csv", "metrics.json", "declaration.yaml"} <= {
            one.path for one in client.list_artifacts(parent.info.run_id)
        }
        children = {run.data.tags["mlflow.runName"]: run for run in runs if run.data.tags.get("mlflow.parentRunId") == parent.info.run_id}
        assert set(children) == {"ridge", "tree", "final"}
        for name, child in children.items():
            table = {**metrics["models"], **metrics["ensemble"]}[name]
            folds = sorted(client.get_metric_history(child.info.run_id, "rmse_fold"), key=lambda one: one.step)
            assert [one.value for one in folds] == pytest.approx(table["folds"]) and [one.step for one in folds] == [0, 1, 2]
            assert child.data.metrics["rmse"] == pytest.approx(table["score"]) and child.info.status == "FINISHED"
        declared = read_json(history / "ensemble.json")["entries"]["final"]
        assert declared["of"] == ["ridge", "tree"]
        assert children["ridge"].data.params["ridge.alpha"] in ("1.0", "2.0") and children["ridge"].data.params["view"] == "linear"
