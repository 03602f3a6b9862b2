"""What a run takes from outside: the hour, the machine, the environment. Read once, by the command line."""

from __future__ import annotations

import datetime
import os
import platform
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.console import Console
from pipelines.devices import Accelerators


@dataclass(frozen=True)
class Surroundings:
    """The hour, cores, git commit and tracker of a run."""

    now: datetime.datetime
    cores: int
    machine: str
    git_commit: str | None
    tracking_uri: str | None
    console: Console
    began: float = field(default_factory=time.monotonic)
    """When the run began, by ``time.monotonic``: a budget counts from here."""
    accelerators: Accelerators = field(default_factory=Accelerators)
    """How GPUs are looked for and tried, where a device is asked for."""

    @classmethod
    def read(cls, console: Console | None = None, *, began: float | None = None) -> Surroundings:
        """Look around."""
        return cls(
            now=datetime.datetime.now(datetime.UTC),
            cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
            machine=f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
            git_commit=_git_commit(Path.cwd()),
            tracking_uri=os.environ.get("MLFLOW_TRACKING_URI") or None,
            console=console or Console(),
            began=time.monotonic() if began is None else began,
        )


def process_began() -> float:
    """When this process was started, by ``time.monotonic``; now, where the system does not tell."""
    now = time.monotonic()
    try:
        ticks = int(Path("/proc/self/stat").read_text(encoding="ascii").rpartition(")")[2].split()[19])
    except OSError:
        return now
    return now - (time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK"))


def _git_commit(folder: Path) -> str | None:
    try:
        found = subprocess.run(["git", "-C", str(folder), "rev-parse", "HEAD"], capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return found.stdout.strip() or None if found.returncode == 0 else None


def free_memory() -> int:
    """Bytes that can be used without swapping."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable:"))
