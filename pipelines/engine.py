"""Where fold fits run: in this process, or in worker processes whose threads are planned, never more than the cores."""

from __future__ import annotations

import itertools
import os
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from dataclasses import dataclass
from typing import Any

from pipelines.store import discard_unfinished
from pipelines.training import FoldFit, fit_fold

_LOST = "a worker process was ended from outside, as the system does when memory runs out; this fit was under way or waiting"
_IDLE_SECONDS = 300
"""How long a worker without work is kept."""
_WATCH_SECONDS = 0.5
"""How often a worker looks whether its parent is still there."""


@dataclass(frozen=True)
class ThreadPlan:
    """Worker processes and threads of each; their product is at most the number of cores."""

    workers: int
    threads: int

    @classmethod
    def of(cls, cores: int, tasks: int, *, cells: int, fit_bytes: int = 0, memory: int | None = None) -> ThreadPlan:
        """Folds side by side for small tables, one after the other with all threads for large ones.

        Parameters
        ----------
        cells
            Rows times columns of the largest matrix. From 50 million on (400 MB in float64), copies for several workers
            would cost more than threads lose.
        fit_bytes, memory
            What one fit is likely to need, and what there is: no more fits run side by side than it holds.
        """
        workers = 1 if cells > 50_000_000 else max(1, min(cores, tasks))
        if memory is not None and fit_bytes:
            workers = max(1, min(workers, memory // fit_bytes))
        return cls(workers, max(1, cores // workers))


def available_cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class Outcome:
    """What became of one fold fit: an error, or none."""

    job: FoldFit
    error: Exception | None


def run_fits(jobs: Iterable[FoldFit], plan: ThreadPlan, *, until: Callable[[], float] | None = None) -> Iterator[Outcome]:
    """Run fold fits and give each outcome as it comes; an error in one does not stop the others.

    Parameters
    ----------
    jobs
        Taken when a worker is about to be free: which come next may depend on the outcomes so far.
    until
        Gives the moment (``time.monotonic``) at which fits that are under way are ended; it may move with the outcomes. These
        fits have no outcome. With it, fits run in worker processes even where there is one, because only those can be ended.
    """
    if plan.workers == 1 and until is None:
        yield from (_run_one(job, plan.threads) for job in jobs)
        return
    # loky ends a worker whose memory has grown and gives its jobs to a new one: nothing is lost that a user should hear of
    warnings.filterwarnings("ignore", "A worker stopped while some jobs were given to the executor", UserWarning)
    waiting, running = iter(jobs), dict[Future[Outcome], FoldFit]()
    try:
        while until is None or time.monotonic() < until():
            # one more than run: a worker does not wait for what is done with an outcome
            for job in itertools.islice(waiting, 2 * plan.workers - len(running)):
                running[_workers(plan).submit(_run_one, job, plan.threads)] = job
            if not running:
                return
            left = None if until is None else max(0.0, until() - time.monotonic())
            for future in wait(running, timeout=left, return_when=FIRST_COMPLETED).done:
                yield _outcome(future, running.pop(future))
    finally:
        if running:
            _workers(plan).shutdown(wait=True, kill_workers=True)
            for job in running.values():
                discard_unfinished(job.out)


def _workers(plan: ThreadPlan) -> Any:
    """The worker processes of this plan: started once, kept for the next fits, replaced when one was lost."""
    from joblib.externals.loky import get_reusable_executor

    limits = {f"{library}_NUM_THREADS": str(plan.threads) for library in ("OMP", "OPENBLAS", "MKL", "NUMBA")}
    started = (os.getpid(), os.getcwd())
    return get_reusable_executor(plan.workers, timeout=_IDLE_SECONDS, env=limits, initializer=_start, initargs=started)


def _start(parent: int, folder: str) -> None:
    """Begin a worker; ``folder`` is that of its parent, so that one who goes to another folder gets workers that are there too."""
    os.chdir(folder)
    end_with(parent)


def _outcome(future: Future[Outcome], job: FoldFit) -> Outcome:
    try:
        return future.result()
    except BrokenExecutor:
        return Outcome(job, MemoryError(_LOST))


def end_with(parent: int) -> None:
    """End this worker soon after its parent: one that is killed cannot tell its workers to stop, and they would fit on for nobody."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_WATCH_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _run_one(job: FoldFit, threads: int) -> Outcome:
    from threadpoolctl import threadpool_limits

    try:
        with threadpool_limits(threads):
            fit_fold(job, threads)
    except Exception as error:
        error.add_note(f"in model {job.model!r}, fold {job.fold}")
        return Outcome(job, error)
    return Outcome(job, None)
