"""Whether more models still help: the best blend found so far by adding one model after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipelines.oof import Predictions, pooled, scored_rows

if TYPE_CHECKING:
    from pipelines.prepare import Prepared
    from pipelines.session import Session

_LEAST_GAIN = 1e-4
"""The share of its loss that an ensemble must gain to be said to gain."""
_SHARES = (0.03, 0.06, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0)
"""Those that a new model may have; all of it, where what was there is no better than a constant."""


@dataclass
class Progress:
    """The best blend found so far by adding one model after the other: tells whether more models still help."""

    session: Session
    prepared: Prepared
    patience: int | None = None
    """How many models in a row may bring nothing; any number without it."""
    values: Any = None
    loss: float = np.inf
    without_gain: int = 0

    def add(self, predictions: Predictions) -> float:
        """Mix a model in at the share that lowers the loss most; gives the model's own loss."""
        rows = scored_rows(self.prepared.folds)
        known, metric = self.prepared.known.take(rows), self.session.metric
        new = pooled(predictions, self.prepared.folds)[rows]
        mixes = [new] if self.values is None else [(1 - share) * self.values + share * new for share in _SHARES]
        losses = [metric.loss(known.y, mix, known.weights, known.columns) for mix in mixes]
        best = int(np.argmin(losses))
        has_gained = self.values is None or losses[best] < self.loss - _LEAST_GAIN * abs(self.loss)
        self.without_gain = 0 if has_gained else self.without_gain + 1
        if self.values is None or losses[best] < self.loss:
            self.values, self.loss = mixes[best], losses[best]
        return float(metric.loss(known.y, new, known.weights, known.columns))

    @property
    def is_over(self) -> bool:
        """Whether the last models, as many as the patience, have brought nothing."""
        return self.patience is not None and self.without_gain >= self.patience


def patience_for(n_rows: int) -> int:
    """How many models without a gain end a run: few where few rows judge them, since the best of many would be the luckiest."""
    return int(np.clip(round(2.5 * np.log10(max(n_rows, 10))), 4, 15))
