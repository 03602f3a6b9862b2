"""Where fold fits run: in this process, or in worker processes whose threads are planned, never more than the cores."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipelines.training import FoldFit, fit_fold

_LOST = "a worker process was ended from outside, as the system does when memory runs out; this fit was under way or waiting"
_WATCH_SECONDS = 0.5
"""How often a worker looks whether its parent is still there."""


@dataclass(frozen=True)
class ThreadPlan:
    """Worker processes and threads of each; their product is at most the number of cores."""

    workers: int
    threads: int

    @classmethod
    def of(cls, cores: int, tasks: int, *, cells: int) -> ThreadPlan:
        """Folds side by side for small tables, one after the other with all threads for large ones.

        Parameters
        ----------
        cells
            Rows times columns of the largest matrix. From 50 million on (400 MB in float64), copies for several workers
            would cost more than threads lose.
        """
        workers = 1 if cells > 50_000_000 else max(1, min(cores, tasks))
        return cls(workers, max(1, cores // workers))


def available_cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class Outcome:
    """What became of one fold fit: an error, or none."""

    job: FoldFit
    error: Exception | None


def run_fits(jobs: Sequence[FoldFit], plan: ThreadPlan) -> Iterator[Outcome]:
    """Run fold fits and give each outcome as it comes; an error in one does not stop the others."""
    if plan.workers == 1:
        yield from (_run_one(job, plan.threads) for job in jobs)
        return
    from joblib import Parallel, delayed, parallel_config
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    left = {job.out: job for job in jobs}
    settings = {"inner_max_num_threads": plan.threads, "initializer": _end_with, "initargs": (os.getpid(),)}
    with parallel_config(backend="loky", n_jobs=plan.workers, **settings):
        outcomes = Parallel(return_as="generator_unordered", pre_dispatch=2 * plan.workers)(
            delayed(_run_one)(job, plan.threads) for job in jobs
        )
        try:
            for outcome in outcomes:
                del left[outcome.job.out]
                yield outcome
        except TerminatedWorkerError:
            yield from (Outcome(job, MemoryError(_LOST)) for job in left.values())


def _end_with(parent: int) -> None:
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
