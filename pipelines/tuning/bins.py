"""Binned rows of a tuning fold, shared by all trials of a worker, and the rounds of a fit that looks for them."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipelines.models.contract import Training
from pipelines.models.rounds import inner_cut
from pipelines.tuning.folds import TuningFold

_MOST_WAYS = 4
"""Ways of binning that are kept for a fold."""


@dataclass(frozen=True)
class Bins:
    """Binned rows in a library's own form: fitted, held out to find the rounds (None where they are given), scored."""

    rows: Training
    """The rows that are fitted, as they were."""
    fit: Any
    cut: Any
    scored: Any


def shared_bins(fold: TuningFold, way: Hashable, make: Callable[[Training, Training | None], Bins], *, with_cut: bool) -> Bins:
    """Bins of a fold, made once for each way of binning: by ``make``, from the rows to fit and those held out to find the rounds."""
    key = (way, with_cut)
    if key not in fold.binned:
        while len(fold.binned) >= _MOST_WAYS:
            del fold.binned[next(iter(fold.binned))]
        fold.binned[key] = make(*_parts(fold, with_cut=with_cut))
    found: Bins = fold.binned[key]
    return found


def _parts(fold: TuningFold, *, with_cut: bool) -> tuple[Training, Training | None]:
    if not with_cut:
        return fold.fitted_rows, None
    fit, stop = inner_cut(fold.training)
    return fold.training.take(fit).resampled(), fold.training.take(stop)


@dataclass
class Stopping:
    """The round with the least loss, and whether enough rounds have passed since."""

    waits: int
    loss: float = np.inf
    round: int = 0

    def is_over(self, loss: float, done: int) -> bool:
        """Take in the loss after a round."""
        if loss < self.loss:
            self.loss, self.round = loss, done
        return done - self.round >= self.waits
