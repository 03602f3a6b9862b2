"""How many boosting rounds: from an inner cut of the training part, never from the scored fold."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipelines.models.contract import Training


def inner_cut(training: Training) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Positions in the training part to fit on and to stop by; by class for classification, fixed by the seed."""
    from sklearn.model_selection import train_test_split

    rows = np.arange(len(training.y))
    strata = training.y if training.task != "regression" and np.unique(training.y, return_counts=True)[1].min() > 1 else None
    fit, stop = train_test_split(rows, test_size=training.rounds_cut, random_state=training.seed, stratify=strata)
    return np.sort(fit), np.sort(stop)


def patience(learning_rate: float) -> int:
    """Rounds without gain before stopping: more for small steps, 30 to 300."""
    return int(np.clip(round(5 / learning_rate), 30, 300))
