"""What tracking costs a run: ``foldwise run`` with its tracker against ``foldwise run --no-track``, alternating.

Each run is a process of its own with an empty store of artifacts, so that every model is fitted. Besides the wall time, the
runs' own clocks tell what the tracked one spends in ``tell_tracker``: the start-up (importing MLflow, and making or opening the
SQLite store) apart from the rest. With a share of a percent to be found in runs whose own times differ by several, the clock
inside is the measurement; wall and processor times of the whole processes are its check, as far as others leave the machine alone.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

_CLOCKED = """\
import json, os, sys, time
import pipelines.tracking.sending as sending
import pipelines.whole_run as whole
seconds = {"start": 0.0, "send": 0.0}
def clocked(name, real):
    def call(*given, **more):
        began = time.perf_counter()
        try:
            return real(*given, **more)
        finally:
            seconds[name] += time.perf_counter() - began
            with open(os.environ["FOLDWISE_CLOCK"], "w") as file:
                json.dump(seconds, file)
    return call
def start(*given):
    import mlflow.tracking
    make(*given)
    mlflow.tracking.MlflowClient(tracking_uri=given[0]).search_experiments(max_results=1)
make = sending._make_store
sending._make_store = clocked("start", start)
whole.tell_tracker = clocked("send", whole.tell_tracker)
from pipelines.cli import main
main()
"""


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder with <competition>/<files>; the samples without it")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("competitions", nargs="*", default=["titanic", "house_prices"])
    arguments = parser.parse_args()
    print(
        "| competition | rounds | off: wall s | cpu s | on: wall s | cpu s | start-up s | sending s | sending / wall of the run without tracker |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for name in arguments.competitions:
        data = ["--data", str(arguments.data.resolve())] if arguments.data and (arguments.data / name).is_dir() else []
        print(_row(name, data, arguments.rounds), flush=True)


def _row(name: str, data: list[str], rounds: int) -> str:
    measured: dict[bool, list[Measured]] = {True: [], False: []}
    with tempfile.TemporaryDirectory() as place:
        for number in range(rounds):
            for is_on in (True, False) if number % 2 else (False, True):
                measured[is_on].append(_run(name, data, Path(place), is_on=is_on))
    off, on = ([statistics.median(values) for values in zip(*measured[is_on], strict=True)] for is_on in (False, True))
    start, send = on[2], on[3] - on[2]
    walls = f"{off[0]:.1f} | {off[1]:.1f} | {on[0]:.1f} | {on[1]:.1f}"
    return f"| {name} | {rounds} | {walls} | {start:.2f} | {send:.2f} | {100 * send / off[0]:.2f} % |"


class Measured(NamedTuple):
    """Seconds of one run: wall, processor (its workers with it), start-up of the tracker, and all of ``tell_tracker``."""

    wall: float
    cpu: float
    start: float
    send: float


def _run(name: str, data: list[str], place: Path, *, is_on: bool) -> Measured:
    """A run from nothing."""
    runs, clock = place / "runs", place / "clock.json"
    shutil.rmtree(runs, ignore_errors=True)
    environment = {**os.environ, "FOLDWISE_CLOCK": str(clock)}
    environment.pop("MLFLOW_TRACKING_URI", None)
    command = [sys.executable, "-c", _CLOCKED, "run", name, *data, "--runs", str(runs), *([] if is_on else ["--no-track"])]
    began, spent = time.perf_counter(), _children_seconds()
    done = subprocess.run(command, env=environment, cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False)
    wall, cpu = time.perf_counter() - began, _children_seconds() - spent
    if done.returncode or "note: the tracker" in done.stderr:
        raise SystemExit(f"the run failed:\n{done.stderr}")
    clocked = json.loads(clock.read_text(encoding="utf-8"))
    return Measured(wall, cpu, clocked["start"], clocked["send"])


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
