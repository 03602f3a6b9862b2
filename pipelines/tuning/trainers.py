"""Fitting one configuration on one tuning fold: in the way of a run, or over binned data that all trials share.

A trainer whose kind finds its boosting rounds itself takes them from an inner cut of the training part, as a run does; then
it scores the fit that found them, which has seen the training part less the cut, and leaves out the second fit on all of the
training part. Rows that are scored decide nothing but the score, and whether a trial goes on.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np

from pipelines.metrics import Array
from pipelines.models import kinds
from pipelines.models.rounds import with_rounds
from pipelines.tuning.folds import TuningFold

Watch: TypeAlias = "Callable[[int, float], None]"
"""Told how far a fit is, as a number from 1 to 99, and its score there; may raise to end the fit."""


class Trainer(Protocol):
    """Fits a configuration on a fold."""

    def __call__(self, kind: str, params: dict[str, Any], fold: TuningFold, watch: Watch | None) -> Array | None:
        """Predictions of the scored rows, on the transformed scale or as probabilities; None where it cannot fit this configuration."""


_BINNED = {"lightgbm": "pipelines.tuning.binned_lightgbm", "xgboost": "pipelines.tuning.binned_xgboost"}
"""Modules with a ``train`` over binned data, by kind."""


@dataclass(frozen=True)
class Scored:
    """A configuration's score on a fold, and the seconds that a prediction of 1,000 rows takes (NaN where it was not measured)."""

    score: float
    seconds: float = float("nan")


def score_on(kind: str, params: dict[str, Any], fold: TuningFold, watch: Watch | None = None, *, is_timed: bool = False) -> Scored:
    """Fit a configuration on a fold and score it.

    Parameters
    ----------
    watch
        Told of scores on the way, by kinds that can say them.
    is_timed
        Also measure how long predictions take: the model is fitted as in a run, by its own library's interface.
    """
    if kind in _BINNED and not is_timed:
        train: Trainer = importlib.import_module(_BINNED[kind]).train
        values = train(kind, params, fold, watch)
        if values is not None:
            return Scored(fold.score(values, params))
    fitted = kinds()[kind].fit(with_rounds(kinds()[kind], params, fold.training), fold.fitted_rows)
    score = fold.score(fitted.predict(fold.scored), params)
    return Scored(score, _seconds(lambda: fitted.predict(fold.scored), len(fold.scored)) if is_timed else float("nan"))


def _seconds(predict: Callable[[], Array], n_rows: int) -> float:
    """Seconds for 1,000 rows: the shortest of three times, since a busy machine only adds."""
    taken = []
    for _ in range(3):
        started = time.perf_counter()
        predict()
        taken.append(time.perf_counter() - started)
    return float(np.min(taken)) * 1000 / max(n_rows, 1)


CHECKPOINTS = (0.25, 0.5)
"""Where a fit with a given number of rounds says its score, as shares of them."""
STEPS_TAKEN = (2.5, 5.0, 10.0, 20.0)
"""Where a fit that looks for its rounds says its score: learning rate times rounds, so that slow and fast learners compare."""


def checkpoints(rounds: int | None, rate: float) -> dict[int, int]:
    """The round of each checkpoint, with the number that a watch is told.

    >>> checkpoints(300, 0.1), checkpoints(None, 0.1)
    ({75: 25, 150: 50}, {25: 10, 50: 20, 100: 30, 200: 40})
    """
    if rounds is not None:
        return {round(share * rounds): round(100 * share) for share in CHECKPOINTS if 1 <= round(share * rounds) < rounds}
    return {max(1, round(taken / rate)): 10 * number for number, taken in enumerate(STEPS_TAKEN, start=1)}
