"""A fit in a process of its own, which may crash or hang without taking the run along."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

MARK = "foldwise-probe: "
"""What the line of a child's answer begins with; libraries print, too."""
_MOST_WORDS = 400


@dataclass(frozen=True)
class Probe:
    """What is tried: fits of one kind on one device.

    Attributes
    ----------
    device
        ``cpu``, ``cuda``, or ``gpu``: LightGBM's word for OpenCL.
    rows
        Of each timed fit, after a first one of 200 rows that is not timed; ``columns`` and ``rounds`` are those of all.
    """

    kind: str
    device: str
    rows: tuple[int, ...] = ()
    columns: int = 4
    rounds: int = 2
    threads: int = 1


@dataclass(frozen=True)
class Tried:
    """What came out: seconds of each timed fit, or why there was no fit, in the library's words."""

    seconds: tuple[float, ...] = ()
    refused: str | None = None


Prober: TypeAlias = Callable[[Probe, float], Tried]
"""A probe and the seconds it may take to what came out."""


def in_child(probe: Probe, limit: float, *, command: Sequence[str] = (sys.executable, "-m", "pipelines.devices.child")) -> Tried:
    """Try it in a child process; one that is not done after ``limit`` seconds is ended with all it has started."""
    process = subprocess.Popen(
        [*command, json.dumps({**asdict(probe), "parent": os.getpid()})],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        out, err = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        return Tried(refused=f"the fit was not done after {limit:.0f} s and was ended")
    finally:
        _end(process)
    answer = next((line for line in reversed(out.splitlines()) if line.startswith(MARK)), None)
    if answer is None:
        return Tried(refused=_how_it_died(process.returncode, err or out))
    found: dict[str, Any] = json.loads(answer.removeprefix(MARK))
    refused = found.get("refused")
    return Tried(tuple(found.get("seconds", ())), None if refused is None else _short(refused))


def _end(process: subprocess.Popen[str]) -> None:
    """End a child that still runs, and its own children: a driver may have started some."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def _how_it_died(code: int, said: str) -> str:
    ending = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
    last = said.strip().splitlines()[-1:]
    return _short(f"the process of the fit {ending}" + (f": {last[0]}" if last else ""))


def _short(words: str) -> str:
    one_line = " ".join(words.split()).rstrip(".")
    return one_line if len(one_line) <= _MOST_WORDS else f"{one_line[:_MOST_WORDS]} ..."
