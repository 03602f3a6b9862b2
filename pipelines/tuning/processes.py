"""Several workers of one search, each a process of its own; one that is ended from outside is told of, and the others go on."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from multiprocessing.process import BaseProcess

from pipelines.engine import end_with
from pipelines.exit_codes import INTERRUPTED, PART_FAILED
from pipelines.failures import ModelFailedError
from pipelines.tuning.worker import Search

_LOOK_SECONDS = 0.5
_STOP_SECONDS = 60
"""What a worker may take to put its trial back: as a rule moments, on a busy machine with a database that others write to far more."""


def run_workers(search: Search, workers: int, cores: int, *, look: Callable[[], None], say: Callable[[str], None]) -> None:
    """Run a search in worker processes until all of them have ended.

    Parameters
    ----------
    look
        Called now and then while they run; what it raises ends them.
    say
        Told of a worker that was ended from outside.
    """
    context = multiprocessing.get_context("spawn")
    own = replace(search, threads=max(1, cores // workers))
    started: list[BaseProcess] = [context.Process(target=_work, args=(own, os.getpid())) for _ in range(workers)]
    for process in started:
        process.start()
    told: set[int | None] = set()
    try:
        while any(process.is_alive() for process in started):
            time.sleep(_LOOK_SECONDS)
            for process in started:
                if process.exitcode is not None and process.exitcode < 0 and process.pid not in told:
                    told.add(process.pid)
                    ending = signal.Signals(-process.exitcode).name
                    say(f"worker {process.pid} was ended from outside ({ending}); its trial is run again when its heartbeat is overdue")
            look()
    finally:
        _stop(started)
    if all(process.exitcode not in (0, INTERRUPTED) for process in started):
        raise ModelFailedError(f"{search.model}: all {workers} workers were ended. Finished trials are kept; the same command goes on.")


def _stop(started: Sequence[BaseProcess]) -> None:
    """Interrupt the workers that still run, so that they put their trials back, and wait for them."""
    for process in started:
        if process.is_alive() and process.pid is not None:
            os.kill(process.pid, signal.SIGINT)
    until = time.monotonic() + _STOP_SECONDS
    for process in started:
        process.join(max(0.0, until - time.monotonic()))
        if process.is_alive():
            process.terminate()
            process.join()


def _work(search: Search, parent: int) -> None:
    from pipelines.console import Console
    from pipelines.surroundings import Surroundings
    from pipelines.tuning.worker import work

    end_with(parent)
    try:
        work(search, Surroundings.read(Console(is_quiet=True)))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except ModelFailedError:
        # the parent sees it in the study, and says it
        sys.exit(PART_FAILED)
