"""The pages that others draw: MLflow's and Optuna's, served on this machine as child processes."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from features.errors import InputError

HOST = "127.0.0.1"
_OPTUNA = "import sys; from optuna_dashboard._cli import main; sys.exit(main())"
_ENVIRONMENT = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
"""No word to their makers; and no job runner, whose eight processes serve pages that we have no use for."""
_PATIENCE = 90.0
"""Seconds that a server may take to answer; MLflow needs about 10 on two cores."""
_GRACE = 8.0
"""Seconds that a server has to end after SIGTERM."""


@dataclass(frozen=True)
class Service:
    """A server to start.

    Attributes
    ----------
    arguments
        What the Python that runs us is given.
    """

    name: str
    arguments: tuple[str, ...]
    port: int

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{HOST}:{self.port}"


class ServerDiedError(RuntimeError):
    """A server ended, or did not answer; says which and what it logged last."""


@dataclass(frozen=True)
class Server:
    """A service that was started, in a process group of its own."""

    service: Service
    process: subprocess.Popen[bytes]
    log: Path

    def check(self) -> None:
        """ServerDiedError when it has ended."""
        code = self.process.poll()
        if code is not None:
            raise ServerDiedError(self._said(f"ended by itself with code {code}"))

    def answers(self) -> bool:
        """Whether it answers a request; what it answers does not matter."""
        try:
            with urllib.request.urlopen(self.service.url, timeout=5):
                return True
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False

    def wait(self) -> None:
        """Wait until it answers; ServerDiedError when it does not in time."""
        until = time.monotonic() + _PATIENCE
        while not self.answers():
            self.check()
            if time.monotonic() > until:
                raise ServerDiedError(self._said(f"did not answer at {self.service.url} within {_PATIENCE:.0f} s"))
            time.sleep(0.2)
        # somebody else may have taken the port meanwhile, and answers in its place
        self.check()

    def stop(self) -> None:
        """End its whole process group."""
        _signal(self.process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(_GRACE)
        # workers of a server that has ended may live on in its group
        _signal(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def _said(self, what: str) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-12:]
        return "\n".join([f"{self.service.name} {what}; its last lines:", *(f"  {line}" for line in lines or ["(none)"])])


def _signal(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)


@contextlib.contextmanager
def started(services: Sequence[Service], logs: Path) -> Iterator[list[Server]]:
    """Servers that answer; all are ended with the block.

    Parameters
    ----------
    logs
        The folder of their logs.

    Raises
    ------
    ServerDiedError
        When one ends or does not answer.
    """
    servers: list[Server] = []
    try:
        for service in services:
            log = logs / f"{service.port}.log"
            with log.open("wb") as file:
                servers.append(Server(service, _start(service, file), log))
        for server in servers:
            server.wait()
        yield servers
    finally:
        for server in servers:
            server.stop()


def _start(service: Service, log: IO[bytes]) -> subprocess.Popen[bytes]:
    command = [sys.executable, *service.arguments]
    # a group of its own: Ctrl-C reaches us alone, and we end the server with all that it has started
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True, env={**os.environ, **_ENVIRONMENT}
    )


def mlflow_service(uri: str, port: int) -> Service:
    """MLflow's page of a store."""
    own = ("--backend-store-uri", uri, "--host", HOST, "--port", str(port), "--workers", "1")
    return Service("MLflow", ("-m", "mlflow", "server", *own), port)


def optuna_service(name: str, url: str, port: int) -> Service:
    """Optuna's page of a storage."""
    return Service(name, ("-c", _OPTUNA, url, "--host", HOST, "--port", str(port)), port)


def ports(first: int | None) -> Iterator[int]:
    """Free ports of this machine: from ``first`` on those that follow it, otherwise any.

    Raises
    ------
    InputError
        When ``first`` is taken.
    """
    if first is None:
        while True:
            yield _bound(0)
    for port in range(first, 65536):
        try:
            yield _bound(port)
        except OSError as error:
            if port == first:
                raise InputError(f"--port {port} cannot be had ({error.strerror}). Give another, or none for any free one.") from None


def _bound(port: int) -> int:
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        trial.bind((HOST, port))
        return int(trial.getsockname()[1])
