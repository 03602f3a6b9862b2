"""Workers end soon after the process that started them is killed."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipelines import stages
from pipelines.competition import find_competition
from pipelines.console import Console
from pipelines.options import Options
from pipelines.session import open_session
from pipelines.surroundings import Surroundings
from pipelines.training import FoldFit

_RUN = """
import pickle, sys
from pipelines.engine import ThreadPlan, run_fits
list(run_fits(pickle.load(open(sys.argv[1], "rb")), ThreadPlan(2, 1)))
"""


def _children(pid: int) -> list[int]:
    """The processes that a process has started, and theirs."""
    own = [int(one) for task in Path(f"/proc/{pid}/task").glob("*/children") for one in task.read_text().split()]
    return [*own, *(grandchild for child in own for grandchild in _children(child))]


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def _unfinished(jobs: list[FoldFit]) -> int:
    return len({folder for job in jobs for folder in job.out.parent.glob(".*")})


def _wait_until(is_so: Any, seconds: float) -> bool:
    started = time.monotonic()
    while time.monotonic() - started < seconds:
        if is_so():
            return True
        time.sleep(0.1)
    return False


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="processes are counted in /proc")
@pytest.mark.parametrize("under_way", [0, 1, 2])
def test_workers_end_with_a_killed_parent(under_way: int, tiny: Any, tmp_path: Path) -> None:
    """Killed when so many fits are under way: a worker that finds its parent gone before its first fit must not begin it."""
    around = Surroundings(datetime.now(UTC), 1, "a machine", None, None, Console(is_quiet=True))
    session = open_session(find_competition(str(tiny.folder)), tiny.folder, Options(runs=tiny.runs), around)
    prepared = stages.prepare(session, tiny.runs / "out")
    endless = {"kind": "gbdt", "params": {"n_estimators": 10_000_000}}
    jobs = [replace(stages.job(session, prepared, "tree", fold), **endless) for fold in range(2)]
    (tmp_path / "jobs").write_bytes(pickle.dumps(jobs))
    parent = subprocess.Popen([sys.executable, "-c", _RUN, str(tmp_path / "jobs")])
    workers: list[int] = []
    try:
        # a fit under way has its unfinished folder beside its place; the third child counts the others' resources
        assert _wait_until(lambda: len(_children(parent.pid)) >= 3 and _unfinished(jobs) >= under_way, 120), "no worker has begun"
        workers = _children(parent.pid)
        parent.kill()
        parent.wait()
        assert _wait_until(lambda: not any(map(_is_alive, workers)), 60), "some workers live on"
    finally:
        parent.kill()
        for pid in filter(_is_alive, workers):
            os.kill(pid, signal.SIGKILL)
