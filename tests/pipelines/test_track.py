"""The tracker is told of every run, once; one that is away stops nothing and is told later."""

from __future__ import annotations

import contextlib
import io
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import pipelines.track
from pipelines.cli import _code_of
from pipelines.console import Console
from pipelines.store import read_json, write_json
from pipelines.surroundings import Surroundings
from pipelines.track import PATIENCE, default_uri, flatten, send_unsent, unsent
from tests.conftest import Said, Tiny


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
    write_json(tmp_path / "other" / "studies" / "tune-1" / "study.json", {})
    (tmp_path / "mlartifacts").mkdir()
    asked = list[Path]()
    monkeypatch.setattr("pipelines.track.send_unsent", lambda latest, runs, around: asked.append(latest) or left * (latest.name == "tiny"))
    try:
        assert _code_of(["sync", "--runs", str(tmp_path)]) == code
    except SystemExit as stopped:
        assert stopped.code == code
    assert capsys.readouterr().out.strip() == message
    assert asked == [tmp_path / "other", tmp_path / "tiny"]


def test_tunings_are_sent_after_runs_and_what_is_not_tracked_never(tmp_path: Path) -> None:
    latest = tmp_path / "tiny"
    entry(latest, "2")
    write_json(latest / "history" / "3" / "run.json", {"tracked": False})
    for name, facts in (("tune-1", {}), ("tune-2", {"tracked": False})):
        write_json(latest / "studies" / name / "study.json", facts)
    assert [path.name for path in unsent(latest)] == ["2", "tune-1"]


def test_nothing_is_imported_and_said_when_nothing_waits(tmp_path: Path, around: Surroundings) -> None:
    assert send_unsent(tmp_path / "tiny", tmp_path, around) == 0
    assert not (tmp_path / "tiny").exists() and said(around) == ""


@pytest.mark.parametrize("text", ["{", "[]", '{"run_id": "1"}'], ids=["no json", "a list", "half of it"])
def test_a_broken_record_is_passed_over_and_told(text: str, tmp_path: Path, around: Surroundings, monkeypatch: pytest.MonkeyPatch) -> None:
    latest, sent = tmp_path / "tiny", list[str]()
    (entry(latest, "1") / "run.json").write_text(text, encoding="utf-8")
    entry(latest, "2")
    real = pipelines.track.send

    def send(found: Path, uri: str, runs: Path) -> str:
        if found.name == "1":
            return real(found, uri, runs)
        sent.append(found.name)
        return "id"

    monkeypatch.setattr("pipelines.track.send", send)
    assert send_unsent(latest, tmp_path, around) == 1
    assert sent == ["2"] and [path.name for path in unsent(latest)] == ["1"]
    assert re.search(r"did not take run 1 \(RecordError: its record is broken; delete .*history/1", said(around))


def test_what_mlflow_refuses_of_one_run_does_not_hold_others(tmp_path: Path, around: Surroundings, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlflow.exceptions import INVALID_PARAMETER_VALUE, MlflowException

    latest = tmp_path / "tiny"
    for name in ("1", "2"):
        entry(latest, name)

    def send(found: Path, uri: str, runs: Path) -> str:
        if found.name == "1":
            raise MlflowException("no such name", INVALID_PARAMETER_VALUE)
        return "id"

    monkeypatch.setattr("pipelines.track.send", send)
    assert send_unsent(latest, tmp_path, around) == 1
    assert [path.name for path in unsent(latest)] == ["1"] and "MlflowException: no such name" in said(around)


def test_a_password_in_the_address_is_not_said(tmp_path: Path, around: Surroundings, monkeypatch: pytest.MonkeyPatch) -> None:
    def send(found: Path, uri: str, runs: Path) -> str:
        raise OSError(f"cannot reach {uri}")

    entry(tmp_path / "tiny", "1")
    monkeypatch.setattr("pipelines.track.send", send)
    send_unsent(tmp_path / "tiny", tmp_path, replace(around, tracking_uri="postgresql://me:secret@host/db"))
    assert "secret" not in said(around) and said(around).count("postgresql://...@host/db") == 2


def test_of_two_that_send_at_once_each_entry_is_sent_by_one(tmp_path: Path, around: Surroundings, monkeypatch: pytest.MonkeyPatch) -> None:
    latest, sent = tmp_path / "tiny", list[str]()
    for name in ("1", "2", "3"):
        entry(latest, name)

    def send(found: Path, uri: str, runs: Path) -> str:
        sent.append(found.name)
        time.sleep(0.05)
        return "id"

    monkeypatch.setattr("pipelines.track.send", send)
    others = [threading.Thread(target=send_unsent, args=(latest, tmp_path, around)) for _ in range(3)]
    for one in others:
        one.start()
    for one in others:
        one.join()
    assert sorted(sent) == ["1", "2", "3"] and said(around) == ""


@pytest.mark.parametrize(
    ("budget", "spent", "expected"), [(None, 500.0, PATIENCE), (1000.0, 0.0, PATIENCE), (60.0, 50.0, 9.0), (60.0, 59.9, 1.0)]
)
def test_a_run_waits_for_its_tracker_as_long_as_its_budget_allows(
    budget: float | None, spent: float, expected: float, tmp_path: Path, around: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from types import SimpleNamespace

    from pipelines.options import Options
    from pipelines.whole_run import tell_tracker

    given = list[float]()
    monkeypatch.setattr("pipelines.track.send_unsent", lambda latest, runs, around, seconds: given.append(seconds))
    session: Any = SimpleNamespace(latest=tmp_path, options=Options(budget=budget), around=replace(around, began=time.monotonic() - spent))
    tell_tracker(session)
    assert given == [pytest.approx(expected, abs=0.5)]


def test_a_run_that_is_not_to_be_tracked(tiny: Tiny, foldwise: Callable[..., Said], monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[Path]()
    monkeypatch.setattr("pipelines.track.send_unsent", lambda latest, *_: asked.append(latest) or 0)
    assert foldwise("run", tiny.folder, "--no-track").code == 0
    assert asked == [] and unsent(tiny.latest) == []
    assert foldwise("run", tiny.folder, "--no-track", "--set", "models.ridge.ridge.alpha=2.0").code == 0
    assert foldwise("run", tiny.folder, "--set", "models.ridge.ridge.alpha=3.0").code == 0
    assert [one.resolve() for one in asked] == [tiny.latest] and len(unsent(tiny.latest)) == 1


def test_nested_parameters_get_dotted_names() -> None:
    assert dict(flatten({"a": {"b": {"c": 1}, "d": [1, 2]}, "e": {}, "f": None})) == {"a.b.c": 1, "a.d": [1, 2], "e": {}, "f": None}


# ---------------------------------------------------------------------- servers that answer nothing, or not enough


def _never(_: socket.socket, stop: threading.Event) -> None:
    stop.wait()


def _byte_by_byte(there: socket.socket, stop: threading.Event) -> None:
    """Half an answer that goes on for ever: no timeout between bytes ends it."""
    there.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while not stop.wait(0.1):
        there.sendall(b" ")


def _full(there: socket.socket, _: threading.Event) -> None:
    there.recv(65536)
    there.sendall(b"HTTP/1.1 507 Insufficient Storage\r\nContent-Length: 4\r\nConnection: close\r\n\r\nfull")


def _serve(listening: socket.socket, answer: Callable[[socket.socket, threading.Event], None], stop: threading.Event) -> None:
    def one(there: socket.socket) -> None:
        with there, contextlib.suppress(OSError):
            answer(there, stop)

    with contextlib.suppress(OSError):
        while not stop.is_set():
            threading.Thread(target=one, args=(listening.accept()[0],), daemon=True).start()


@pytest.fixture
def start_stand_in() -> Iterator[Callable[..., str]]:
    """Listens on the loopback and answers as it is told; gives the address."""
    stop, sockets = threading.Event(), list[socket.socket]()

    def start(answer: Callable[[socket.socket, threading.Event], None]) -> str:
        sockets.append(socket.create_server(("127.0.0.1", 0)))
        threading.Thread(target=_serve, args=(sockets[-1], answer, stop), daemon=True).start()
        return f"http://127.0.0.1:{sockets[-1].getsockname()[1]}"

    yield start
    stop.set()
    for one in sockets:
        one.close()
    # what a run would leave behind when it ends
    for thread in threading.enumerate():
        if thread.name == "tracker":
            thread.join(60)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [(_never, "no end of it within 1 s"), (_byte_by_byte, "no end of it within 1 s"), (_full, "507")],
    ids=["silent", "a byte now and then", "full"],
)
@pytest.mark.filterwarnings("ignore")
def test_a_server_that_does_not_do_its_part_holds_nobody(
    answer: Any, reason: str, ran: Tiny, start_stand_in: Callable[..., str], around: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "3")
    # importing is not the server's fault
    import mlflow.tracking

    assert mlflow.tracking is not None
    uri, began = start_stand_in(answer), time.monotonic()
    assert send_unsent(ran.latest, ran.runs, replace(around, tracking_uri=uri), 1.0 if answer is not _full else 60.0) == 1
    assert time.monotonic() - began < 10
    assert reason in said(around) and "1 run(s) are kept" in said(around)
    assert len(unsent(ran.latest)) == 1
