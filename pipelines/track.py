"""Tracking: MLflow is told of runs and tunings from what was recorded of them, so that nothing is lost while it is away.

A run is first recorded in ``history/<run_id>/``, a tuning in ``studies/<session_id>/``. This module sends such entries to the
tracker, outside the training path and for a bounded time; what could not be sent is sent with the next run or by
``foldwise sync``.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from pathlib import Path

from features.errors import InputError
from pipelines.held import held
from pipelines.store import read_json, write_json
from pipelines.surroundings import Surroundings
from pipelines.tracking.runs import told_of_run
from pipelines.tracking.sending import send_told
from pipelines.tracking.studies import STUDY, told_of_study
from pipelines.tracking.told import flatten

__all__ = ["PATIENCE", "default_uri", "flatten", "send", "send_unsent", "unsent"]

PATIENCE = 30.0
"""Seconds that a run waits for its tracker, all calls together, whatever the tracker does."""
_SENT = "sent.json"
_RECORDS = (("history", "run.json"), ("studies", STUDY))
_REFUSED = ("INVALID_PARAMETER_VALUE", "BAD_REQUEST", "RESOURCE_ALREADY_EXISTS")
"""MLflow's error codes for what it does not take of one run, while it may take others."""


class RecordError(Exception):
    """A record that cannot be told of: something in its files is missing or broken."""


def default_uri(runs: Path) -> str:
    """The tracker used without ``MLFLOW_TRACKING_URI``: SQLite below the runs folder."""
    return f"sqlite:///{(runs / 'mlflow.db').resolve()}"


def unsent(latest: Path) -> list[Path]:
    """Recorded runs, then tunings, that no tracker knows yet and that were not made with ``--no-track``; oldest first."""
    found = [path for place, name in _RECORDS for path in sorted((latest / place).glob("[!.]*")) if (path / name).is_file()]
    return [path for path in found if not (latest / "tracked" / path.name / _SENT).is_file() and _is_tracked(path)]


def _is_tracked(entry: Path) -> bool:
    name = next(name for _, name in _RECORDS if (entry / name).is_file())
    try:
        return bool(read_json(entry / name).get("tracked", True))
    except (ValueError, AttributeError):
        # told of by who tries to send it
        return True


def send_unsent(latest: Path, runs: Path, around: Surroundings, seconds: float | None = None) -> int:
    """Tell the tracker of all that it does not know; says so when it is away.

    Parameters
    ----------
    seconds
        How long to wait at most; for as long as the tracker answers its single calls when not given.

    Returns
    -------
    int
        How many runs and tunings are still unsent.
    """
    if not unsent(latest):
        return 0
    uri = around.tracking_uri or default_uri(runs)
    sending = _Sending(latest, uri, runs)
    # a thread that may be left behind: no timeout of a library bounds a server that answers a byte now and then
    thread = threading.Thread(target=sending.send_all, name="tracker", daemon=True)
    thread.start()
    thread.join(seconds)
    left = unsent(latest)
    if left:
        why = f"no end of it within {seconds:.0f} s" if thread.is_alive() else sending.why(left[0].name)
        said = f"note: the tracker at {uri} did not take run {left[0].name} ({why}); "
        # an address may hold a password
        said = re.sub(r"//[^/@\s]+@", "//...@", said)
        around.console.say(f"{said}{len(left)} run(s) are kept and sent by the next run or by 'foldwise sync'")
    return len(left)


@dataclass
class _Sending:
    """Entries on their way to a tracker; one that is faulty itself is passed over, any other failure ends it."""

    latest: Path
    uri: str
    runs: Path
    failures: dict[str, str] = field(default_factory=dict)
    """What went wrong, by the entry's name."""

    def send_all(self) -> None:
        """Send what is unsent, oldest first."""
        name = ""
        try:
            (self.latest / "tracked").mkdir(parents=True, exist_ok=True)
            # another process would send the same
            with held(self.latest / "tracked"):
                for entry in unsent(self.latest):
                    name = entry.name
                    self._send(entry)
        except Exception as error:
            # whatever is wrong with a tracker, it must not stop or lose a run; the caller says it
            self._note(name, error)

    def why(self, name: str) -> str:
        """Why an entry is still unsent."""
        return self.failures.get(name) or next(iter(self.failures.values()), "it was recorded meanwhile")

    def _send(self, entry: Path) -> None:
        try:
            run = send(entry, self.uri, self.runs)
        except Exception as error:
            if not isinstance(error, RecordError) and getattr(error, "error_code", None) not in _REFUSED:
                raise
            self._note(entry.name, error)
        else:
            write_json(self.latest / "tracked" / entry.name / _SENT, {"uri": self.uri, "mlflow_run_id": run})

    def _note(self, name: str, error: Exception) -> None:
        self.failures[name] = f"{type(error).__name__}: {str(error)[:200].partition(chr(10))[0]}"


def send(entry: Path, uri: str, runs: Path) -> str:
    """Send one recorded run or tuning to a tracker; gives the id of its parent run there.

    Raises
    ------
    RecordError
        When the record's files do not hold what they should.
    """
    try:
        told = told_of_study(entry) if (entry / STUDY).is_file() else told_of_run(entry)
    except (OSError, LookupError, TypeError, ValueError, InputError) as error:
        raise RecordError(f"its record is broken; delete {entry} to be rid of it ({type(error).__name__}: {error})") from error
    # runs/<competition>/<history or studies>/<entry>
    return send_told(told, entry.parent.parent.name, uri, runs)
