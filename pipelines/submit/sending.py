"""Sending a submission to Kaggle, and waiting for its public score."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from features.errors import InputError
from pipelines.fetch.kaggle import Asked, Kaggle


@dataclass(frozen=True)
class Patience:
    """How long to wait for a score: seconds in all, the first pause, how pauses grow, and the longest one."""

    seconds: float = 120.0
    first: float = 3.0
    growth: float = 1.5
    longest: float = 30.0


def wait_for_score(
    kaggle: Kaggle,
    asked: Asked,
    number: int,
    patience: Patience,
    *,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> float | None:
    """The public score of a submission; None when it is not there in time, or the competition shows none.

    Raises
    ------
    InputError
        When Kaggle cannot score the file, or cannot be reached any more.
    """
    end, pause = clock() + patience.seconds, patience.first
    while True:
        try:
            state = kaggle.state(asked, number)
        except InputError as error:
            raise InputError(
                f"The submission is sent and logged, but its score is not known: {error} Run the same command again."
            ) from error
        if state.status == "error":
            raise InputError(
                f"Kaggle took the file and could not score it: {state.said or 'it does not say why'}. See {asked.page}/submissions"
            )
        if state.status == "complete":
            return state.score
        if clock() + pause > end:
            return None
        sleep(pause)
        pause = min(pause * patience.growth, patience.longest)


def by_hand(path: Path, page: str) -> str:
    """How to submit a file without us."""
    return f"Upload {path} by hand at {page}/submissions, then note its score with --score."
