"""A real ``mlflow server`` that is killed at the worst moments: what it knows in the end is what an undisturbed one knows."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pipelines.cli import _code_of
from pipelines.store import read_json
from pipelines.track import default_uri, send
from tests.conftest import Tiny

Call = Callable[..., tuple[int, str, str]]


@dataclass
class Server:
    """An MLflow server on the loopback; what was started is ended by its process id."""

    folder: Path
    port: int
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def uri(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, again if need be, over what it knows."""
        self.folder.mkdir(exist_ok=True)
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port), "--workers", "1"]
        command += ["--backend-store-uri", f"sqlite:///{self.folder / 'db'}", "--artifacts-destination", str(self.folder / "artifacts")]
        with (self.folder / "log").open("ab") as log:
            # a session of its own: the server's workers are its children
            self.started.append(subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log, start_new_session=True))
        end = time.monotonic() + 180
        while not self._answers():
            assert self.started[-1].poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < end, (self.folder / "log").read_text()
            time.sleep(0.2)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.uri}/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def end(self, number: int) -> None:
        """End it by a signal, with its workers."""
        process = self.started[-1]
        if process.poll() is None:
            os.killpg(process.pid, number)
        process.wait(timeout=60)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server that is not started yet."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = int(listening.getsockname()[1])
    one = Server(tmp_path / "server", port)
    yield one
    if one.started:
        one.end(signal.SIGTERM)


@pytest.fixture
def tracked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Calls the command line on one core with its tracker."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")

    def call(*arguments: Any) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            code = _code_of([str(argument) for argument in arguments])
        except SystemExit as stopped:
            code = int(stopped.code or 0)
        return code, *capsys.readouterr()

    return call


def _kill_at(monkeypatch: pytest.MonkeyPatch, server: Server, place: str, number: int) -> None:
    """Kill the server just before the ``number``-th call of a function from here on; the call goes on."""
    module, _, name = place.rpartition(":")
    owner: Any = __import__(module, fromlist=["_"])
    for part in name.split(".")[:-1]:
        owner = getattr(owner, part)
    real, calls = getattr(owner, name.split(".")[-1]), list[int]()

    def killing(*given: Any, **more: Any) -> Any:
        calls.append(1)
        if len(calls) == number:
            server.end(signal.SIGKILL)
        return real(*given, **more)

    monkeypatch.setattr(owner, name.split(".")[-1], killing)


def _known(uri: str, place: Path) -> dict[str, Any]:
    """All that a tracker knows of the tiny competition, without its ids and hours."""
    import mlflow.artifacts
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=uri)
    runs = client.search_runs([client.get_experiment_by_name("tiny").experiment_id])
    names = {run.info.run_id: run.data.tags["mlflow.runName"] for run in runs}
    found = {}
    for run in runs:
        parent = names.get(run.data.tags.get("mlflow.parentRunId", ""), "")
        folder = place / run.info.run_id
        mlflow.artifacts.download_artifacts(run_id=run.info.run_id, dst_path=str(folder), tracking_uri=uri)
        found[f"{parent}/{run.info.run_name}"] = {
            "status": run.info.status,
            "params": run.data.params,
            "tags": {key: value for key, value in run.data.tags.items() if key != "mlflow.parentRunId"},
            "metrics": {
                key: sorted((one.step, one.value) for one in client.get_metric_history(run.info.run_id, key)) for key in run.data.metrics
            },
            "inputs": sorted(
                (one.dataset.name, one.dataset.digest, one.dataset.schema, one.dataset.profile, one.tags[0].value)
                for one in run.inputs.dataset_inputs
            ),
            "artifacts": {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()},
        }
    assert len(found) == len(runs), "no run is there twice"
    return found


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_server_killed_at_the_worst_moments(tiny: Tiny, server: Server, tracked: Call, tmp_path: Path) -> None:
    tiny.declaration.write_text(
        tiny.declaration.read_text(encoding="utf-8") + "tune: {ridge: {trials: 3, space: {alpha: {float: [0.01, 100], log: true}}}}\n",
        encoding="utf-8",
    )
    declared = ("run", tiny.folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", server.uri)
        code, _, err = tracked(*declared)
        assert code == 0 and f"note: the tracker at {server.uri} did not take run" in err and "1 run(s) are kept" in err
        assert (tiny.latest / "submission.csv").is_file()

        server.start()
        with patch.context() as killing:
            _kill_at(killing, server, "mlflow.tracking:MlflowClient.create_run", 3)
            code, out, err = tracked("sync")
            assert (code, out) == (4, "1 run(s) are still to be sent\n") and "did not take" in err

        server.start()
        with patch.context() as killing:
            # while models are trained; the run goes on as if nothing had been
            _kill_at(killing, server, "pipelines.stages:train", 1)
            code, _, err = tracked(*declared, "--set", "models.ridge.ridge.alpha=2.0")
            assert code == 0 and "2 run(s) are kept" in err
        code, _, err = tracked("tune", tiny.folder)
        assert code == 0 and "3 run(s) are kept" in err
        (tiny.folder / "tuned.json").unlink()

        server.start()
        with patch.context() as killing:
            _kill_at(killing, server, "mlflow.tracking:MlflowClient.log_artifact", 2)
            code, _, err = tracked(*declared, "--set", "models.ridge.ridge.alpha=3.0")
            assert code == 0 and "4 run(s) are kept" in err

        server.start()
        assert tracked("sync")[:2] == (0, "the tracker knows all runs\n")
        assert tracked("sync")[:2] == (0, "the tracker knows all runs\n")
        found = _known(server.uri, tmp_path / "of-server")

    # the same records, told to somebody whom nobody disturbs
    calm, entries = f"sqlite:///{tmp_path / 'calm.db'}", [*tiny.latest.glob("history/*"), *tiny.latest.glob("studies/*")]
    for entry in entries:
        send(entry, calm, tmp_path / "calm")
    assert len(entries) == 4 and len(found) == 3 * (1 + 3) + 1 + 3
    assert found == _known(calm, tmp_path / "of-calm")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_default_store_and_a_run_sent_in_part(tiny: Tiny, tracked: Call, monkeypatch: pytest.MonkeyPatch) -> None:
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


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_every_attempt_brings_a_long_record_further(ran: Tiny, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from mlflow.tracking import MlflowClient

    create_run, calls = MlflowClient.create_run, list[str]()

    def two_a_time(*arguments: Any, **more: Any) -> Any:
        calls.append(more["run_name"])
        if len(calls) % 3 == 0:
            raise ConnectionError("gone")
        return create_run(*arguments, **more)

    monkeypatch.setattr(MlflowClient, "create_run", two_a_time)
    (entry,), uri = ran.latest.glob("history/*"), f"sqlite:///{tmp_path / 'm.db'}"
    with pytest.raises(ConnectionError, match="gone"):
        send(entry, uri, tmp_path)
    run = send(entry, uri, tmp_path)
    assert calls == [entry.name, "ridge", "tree", "tree", "final"]
    assert send(entry, uri, tmp_path) == run and len(calls) == 5
    monkeypatch.undo()
    send(entry, f"sqlite:///{tmp_path / 'calm.db'}", tmp_path / "calm")
    assert _known(uri, tmp_path / "one") == _known(f"sqlite:///{tmp_path / 'calm.db'}", tmp_path / "two")


def _check_runs(tiny: Tiny, uri: str) -> None:
    """Two runs of the tiny competition, each a parent with a child per model and entry, with parameters and fold scores."""
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name("tiny")
    runs = client.search_runs([experiment.experiment_id])
    parents = [run for run in runs if "foldwise.run_id" in run.data.tags]
    assert {run.data.tags["foldwise.run_id"] for run in parents} == {path.parent.name for path in tiny.history()}
    assert len(parents) == 2 and len(runs) == 2 + 2 * 3
    for parent in parents:
        metrics = read_json(tiny.latest / "history" / parent.data.tags["foldwise.run_id"] / "metrics.json")
        assert parent.info.status == "FINISHED" and parent.data.metrics["rmse"] == pytest.approx(metrics["final"]["score"])
        assert parent.data.params["split.kfold.folds"] == "3" and parent.data.params["metric"] == "rmse"
        assert {one.dataset.name for one in parent.inputs.dataset_inputs} == {"train.csv", "test.csv"}
        assert {"report.html", "submission.csv", "plots"} <= {one.path for one in client.list_artifacts(parent.info.run_id)}
        children = {run.info.run_name: run for run in runs if run.data.tags.get("mlflow.parentRunId") == parent.info.run_id}
        assert set(children) == {"ridge", "tree", "final"}
        for name, child in children.items():
            table = {**metrics["models"], **metrics["ensemble"]}[name]
            folds = sorted(client.get_metric_history(child.info.run_id, "rmse_fold"), key=lambda one: one.step)
            assert [one.value for one in folds] == pytest.approx(table["folds"]) and [one.step for one in folds] == [0, 1, 2]
            assert child.data.metrics["rmse"] == pytest.approx(table["score"]) and child.info.status == "FINISHED"
        assert children["ridge"].data.params["ridge.alpha"] in ("1.0", "2.0") and children["ridge"].data.params["view"] == "linear"
