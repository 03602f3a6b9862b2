"""The board with MLflow and Optuna beside it, for as long as one looks."""

from __future__ import annotations

import contextlib
import json
import signal
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from pipelines.board.page import board_path, read_competitions, write_board
from pipelines.board.servers import Server, Service, mlflow_service, optuna_service, ports, started
from pipelines.report.blocks import Link
from pipelines.track import default_uri

Say = Callable[[str], None]


def is_web(uri: str | None) -> bool:
    """Whether a tracker has a page of its own already."""
    return uri is not None and uri.startswith(("http://", "https://"))


def tracker_links(uri: str | None) -> list[Link]:
    """The link to a tracker that is a web address; a user's name and password in it stay out of the page."""
    if uri is None or not is_web(uri):
        return []
    parts = urllib.parse.urlsplit(uri)
    return [Link("MLflow", parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl())]


def dashboard(runs: Path, *, port: int | None, storage: str | None, tracking_uri: str | None, say: Say) -> None:
    """Write the board, serve MLflow and Optuna, and wait for Ctrl-C or SIGTERM.

    Parameters
    ----------
    port
        The first port to use; any free ones without it.
    storage
        An Optuna storage beside those below the runs folder.
    tracking_uri
        What ``MLFLOW_TRACKING_URI`` says; a web address is linked, not served.
    say
        Takes the lines for the user.

    Raises
    ------
    InputError
        When no run is recorded, or the port is taken.
    ServerDiedError
        When a server ends or does not answer.
    """
    competitions, _ = read_competitions(runs)
    services = [*_services(runs, port, storage, tracking_uri, say)]
    with tempfile.TemporaryDirectory(prefix="foldwise-") as logs, _terminable():
        try:
            with started(services, Path(logs)) as servers:
                _show(runs, [one.name for one in competitions], servers, tracking_uri, say)
                _watch(servers)
        except KeyboardInterrupt:
            say("stopped")


def _services(runs: Path, port: int | None, storage: str | None, tracking_uri: str | None, say: Say) -> Iterator[Service]:
    free = ports(port)
    if tracking_uri is None and not (runs / "mlflow.db").is_file():
        say(f"MLflow: nothing is tracked below {runs} yet, so it is left out; 'foldwise sync' sends recorded runs")
    elif not is_web(tracking_uri):
        yield mlflow_service(tracking_uri or default_uri(runs), next(free))
    studies = {f"Optuna ({path.parent.name})": f"sqlite:///{path.resolve()}" for path in sorted(runs.glob("*/tuning.db"))}
    studies |= {"Optuna (--storage)": storage} if storage else {}
    if not studies:
        say("Optuna: no study yet, so it is left out; 'foldwise tune NAME' makes one")
    for name, url in studies.items():
        yield optuna_service(name, url, next(free))


def _show(runs: Path, competitions: list[str], servers: list[Server], tracking_uri: str | None, say: Say) -> None:
    links, experiments = tracker_links(tracking_uri), dict[str, str]()
    for server in servers:
        service = server.service
        links.append(Link(f"{service.name} (while 'foldwise dashboard' runs)", service.url))
        if service.name == "MLflow":
            experiments = {name: url for name in competitions if (url := experiment_url(service.url, name)) is not None}
    path = write_board(runs, board_path(runs, None), links, experiments)
    say(f"board: {path.resolve().as_uri()}")
    for link in tracker_links(tracking_uri):
        say(f"{link.text}: {link.href}")
    for server in servers:
        say(f"{server.service.name}: {server.service.url}")
    say("Ctrl-C ends it")


def experiment_url(base: str, name: str) -> str | None:
    """Where MLflow shows an experiment; None where it has none of that name."""
    asked = urllib.parse.urlencode({"experiment_name": name})
    try:
        with urllib.request.urlopen(f"{base}/api/2.0/mlflow/experiments/get-by-name?{asked}", timeout=30) as answer:
            found = json.load(answer)["experiment"]["experiment_id"]
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return None
        raise
    return f"{base}/#/experiments/{found}"


def _watch(servers: list[Server]) -> None:
    while True:
        time.sleep(0.5)
        for server in servers:
            server.check()


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM ends the block as Ctrl-C does; a second of either does not interrupt the end."""
    before: dict[signal.Signals, Any] = {}

    def interrupt(number: int, frame: FrameType | None) -> None:
        for one in before:
            signal.signal(one, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM):
        before[number] = signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
