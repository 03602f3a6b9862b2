"""Servers as child processes: they answer, or one hears why not; and nothing of them is left."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from features.errors import InputError
from pipelines.board.dashboard import is_web, tracker_links
from pipelines.board.servers import HOST, ServerDiedError, Service, ports, started
from pipelines.report.blocks import Link
from tests.conftest import Said, Tiny

_WITH_A_WORKER = """
import http.server, subprocess, sys
worker = subprocess.Popen([sys.executable, "-c", "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"])
print("worker", worker.pid, flush=True)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.SimpleHTTPRequestHandler).serve_forever()
"""


def _service(code: str, port: int) -> Service:
    return Service("Example", ("-c", code, str(port)), port)


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="processes are looked up in /proc")
def test_a_server_answers_and_is_ended_with_its_workers(tmp_path: Path) -> None:
    service = _service(_WITH_A_WORKER, next(ports(None)))
    with started([service], tmp_path) as (server,):
        with urllib.request.urlopen(service.url, timeout=10) as answer:
            assert answer.status == 200
        worker = int(server.log.read_text().split()[1])
        assert _is_alive(worker)
        server.process.terminate()
        server.process.wait()
        with pytest.raises(ServerDiedError, match=r"^Example ended by itself with code -15; its last lines:\n  worker"):
            server.check()
    until = time.monotonic() + 10
    while _is_alive(worker) and time.monotonic() < until:
        time.sleep(0.05)
    assert not _is_alive(worker)


def test_a_server_that_dies_at_start_says_its_last_words(tmp_path: Path) -> None:
    service = _service("print('\\n'.join(f'line {at}' for at in range(30))); raise SystemExit(7)", next(ports(None)))
    with pytest.raises(ServerDiedError) as caught, started([service], tmp_path):
        pass
    said = str(caught.value).splitlines()
    assert said[0] == "Example ended by itself with code 7; its last lines:" and said[1:] == [f"  line {at}" for at in range(18, 30)]


def test_ports() -> None:
    taken, other = ports(None), ports(None)
    first = next(taken)
    assert first != next(other)
    with socket.socket() as held:
        held.bind((HOST, 0))
        held.listen()
        port = held.getsockname()[1]
        with pytest.raises(InputError, match=rf"--port {port} cannot be had \(Address already in use\)\. Give another"):
            next(ports(port))


@pytest.mark.parametrize(
    ("uri", "expected"),
    [(None, False), ("", False), ("sqlite:///a.db", False), ("http://a:5", True), ("https://a", True), ("databricks", False)],
)
def test_a_tracker_that_is_a_web_address_is_linked(uri: str | None, expected: bool) -> None:
    assert is_web(uri) is expected
    assert tracker_links(uri) == ([Link("MLflow", str(uri))] if expected else [])


def test_a_password_stays_out_of_the_page() -> None:
    assert tracker_links("https://me:secret@host:5/path") == [Link("MLflow", "https://host:5/path")]


def test_the_command_needs_runs_and_a_port(ran: Tiny, foldwise: Callable[..., Said], tmp_path: Path) -> None:
    said = foldwise("dashboard", "--runs", tmp_path / "nowhere")
    assert said.code == 2 and "No run is recorded below" in said.err
    said = foldwise("dashboard", "--runs", ran.runs, "--port", "70000")
    assert said.code == 2 and "70000 is not in the range" in said.err


def _group(pid: int) -> list[int]:
    found = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout.split()
    parents = {int(one): int(parent) for one, parent in zip(found[::2], found[1::2], strict=True)}
    own = [one for one, parent in parents.items() if parent == pid]
    return [*own, *(below for one in own for below in _group(one))]


def _said_until(process: subprocess.Popen[str], text: str) -> list[str]:
    """What a process says up to a line."""
    lines: list[str] = []
    assert process.stdout is not None
    while not lines or not lines[-1].startswith(text):
        line = process.stdout.readline()
        assert line, f"ended without {text!r}: {lines} {process.stderr.read() if process.stderr else ''}"
        lines.append(line.strip())
    return lines


def _make_study(path: Path) -> None:
    code = f"import optuna; optuna.create_study(storage='sqlite:///{path}')"
    subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="processes are looked up in /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_dashboard_as_a_process_leaves_nothing_behind(
    number: signal.Signals, ran: Tiny, start_foldwise: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # MLflow takes ten seconds to start; once is enough
    uri = f"sqlite:///{tmp_path / 'tracked.db'}" if number == signal.SIGINT else "http://tracker.example"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    _make_study(ran.latest / "tuning.db")
    process = start_foldwise("dashboard", "--runs", ran.runs)
    lines = dict(line.split(": ", 1) for line in _said_until(process, "Ctrl-C")[:-1])
    assert lines["board"] == (ran.runs / "board.html").resolve().as_uri()
    for name in {*lines} - {"board"}:
        if "tracker.example" not in lines[name]:
            with urllib.request.urlopen(lines[name], timeout=30) as answer:
                assert answer.status == 200
    assert {*lines} == {"board", "MLflow", "Optuna (tiny)"}
    children = _group(process.pid)
    assert children
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (0, "stopped\n", "")
    assert not any(map(_is_alive, children))


@pytest.mark.slow
def test_a_store_that_cannot_be_served_is_said(ran: Tiny, start_foldwise: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://tracker.example")
    process = start_foldwise("dashboard", "--runs", ran.runs, "--storage", "nonsense://nowhere")
    _, err = process.communicate(timeout=120)
    assert process.returncode == 4 and "Optuna (--storage) ended by itself with code" in err and "nonsense" in err
