"""A server on loopback that speaks enough of Kaggle's API for the real client library, and serves files with ranges."""

from __future__ import annotations

import hashlib
import json
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest


@dataclass
class Served:
    """A file that is served, and how badly."""

    content: bytes
    cuts: list[int] = field(default_factory=list)
    """After how many bytes of the body each of the next answers ends."""
    statuses: list[int] = field(default_factory=list)
    """What the next answers say instead of the file."""
    stalls: threading.Event | None = None
    """Half of the file is sent, and the rest when this is set."""
    has_ranges: bool = True
    etag: str | None = ""
    """Made from the content when it is empty; none is sent for None."""

    @property
    def tag(self) -> str | None:
        """The ETag that is sent."""
        return self.etag if self.etag != "" else f'"{hashlib.md5(self.content).hexdigest()}"'


@dataclass
class StandIn:
    """What the server has, what it answers, and what it was asked."""

    files: dict[str, Served] = field(default_factory=dict)
    base: str = ""
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    refuses: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Status and message by the name of a call."""
    uploads: dict[str, bytes] = field(default_factory=dict)
    submissions: list[dict[str, Any]] = field(default_factory=list)
    states: list[dict[str, Any]] = field(default_factory=list)
    """What is said of a submission, one after another; the last one for ever."""

    def ranges(self) -> list[str]:
        """The ranges that were asked for, in order; empty for a whole file."""
        return [headers.get("Range", "") for path, headers in self.asked if path.startswith("/files/")]

    def answer(self, call: str, said: dict[str, Any]) -> dict[str, Any] | str:
        """JSON for a call of the API, or where to go."""
        if call == "DownloadDataFiles":
            return f"/files/{said['competitionName']}.zip?signature={len(self.asked)}"
        if call == "DownloadDataset":
            return f"/files/{said['datasetSlug']}.zip?signature={len(self.asked)}"
        if call == "StartSubmissionUpload":
            return {"token": "a-token", "createUrl": f"{self.base}/upload/{said['fileName']}"}
        if call == "CreateSubmission":
            self.submissions.append({"ref": 100 + len(self.submissions), **said})
            return {"message": "Successfully submitted", "ref": self.submissions[-1]["ref"]}
        if call == "ListSubmissions":
            state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
            return {"submissions": [{"ref": entry["ref"], "date": "2026-01-01T00:00:00Z", **state} for entry in reversed(self.submissions)]}
        if call == "IntrospectToken":
            return {"active": said["token"] == "good", "username": "somebody"}
        raise AssertionError(f"unknown call {call}")


class _Handler(BaseHTTPRequestHandler):
    server: Any
    protocol_version = "HTTP/1.1"

    @property
    def stand_in(self) -> StandIn:
        return self.server.stand_in

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _json(self, status: int, value: Any) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        said = json.loads(self._body() or b"{}")
        call = self.path.rpartition("/")[2]
        self.stand_in.asked.append((call, dict(self.headers)))
        if call in self.stand_in.refuses:
            status, message = self.stand_in.refuses[call]
            self._json(status, {"code": status, "message": message})
            return
        answer = self.stand_in.answer(call, said)
        if isinstance(answer, str):
            self.send_response(302)
            self.send_header("Location", answer)
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self._json(200, answer)

    def do_PUT(self) -> None:
        self.stand_in.uploads[self.path.rpartition("/")[2]] = self._body()
        self._json(self.stand_in.refuses.get("upload", (200, ""))[0], {})

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        self.stand_in.asked.append((path, dict(self.headers)))
        served = self.stand_in.files.get(path.removeprefix("/files/"))
        if served is None or served.statuses:
            self._json(404 if served is None else served.statuses.pop(0), {})
            return
        status, body, headers = _part(served, self.headers.get("Range"), self.headers.get("If-Range"))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if served.stalls is not None:
            self.wfile.write(body[: len(body) // 2])
            served.stalls.wait(60)
            body = body[len(body) // 2 :]
        cut = served.cuts.pop(0) if served.cuts else None
        self.wfile.write(body if cut is None else body[:cut])
        if cut is not None:
            self.close_connection = True


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away early is what some tests are about."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _part(served: Served, wanted: str | None, condition: str | None) -> tuple[int, bytes, dict[str, str]]:
    headers = {"ETag": served.tag} if served.tag else {}
    start = re.fullmatch(r"bytes=(\d+)-", wanted or "")
    if not served.has_ranges or start is None or (condition is not None and condition != served.tag):
        return 200, served.content, headers
    first, size = int(start[1]), len(served.content)
    if first >= size:
        return 416, b"", {**headers, "Content-Range": f"bytes */{size}"}
    return 206, served.content[first:], {**headers, "Content-Range": f"bytes {first}-{size - 1}/{size}"}


@contextmanager
def serving() -> Iterator[StandIn]:
    """A running server, stopped at the end of the block."""
    server = _Server(("127.0.0.1", 0), _Handler)
    stand_in = StandIn(base=f"http://127.0.0.1:{server.server_address[1]}")
    server.stand_in = stand_in  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield stand_in
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def without_credentials(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """No credentials of whoever runs the tests are seen."""
    for name in ("KAGGLE_USERNAME", "KAGGLE_KEY", "KAGGLE_API_TOKEN", "KAGGLE_CONFIG_DIR", "XDG_CONFIG_HOME", "KAGGLE_API_ENVIRONMENT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))


def with_kaggle(monkeypatch: pytest.MonkeyPatch, home: Path, stand_in: StandIn) -> None:
    """The real client library, with a user's key, talks to the stand-in."""
    from kagglesdk import kaggle_env

    without_credentials(monkeypatch, home)
    monkeypatch.setenv("KAGGLE_USERNAME", "somebody")
    monkeypatch.setenv("KAGGLE_KEY", "a-key")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setitem(kaggle_env._env_to_endpoint, kaggle_env.KaggleEnv.PROD, stand_in.base)
