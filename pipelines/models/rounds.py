"""How many boosting rounds: from an inner cut of the training part, never from the scored fold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from pipelines.models.contract import Fitted, Kind, Training


@runtime_checkable
class FindsRounds(Protocol):
    """A kind of model that can find its number of rounds on rows held out."""

    rounds_names: tuple[str, ...]
    """The parameters that give the rounds; the first one is the framework's choice."""

    def find_rounds(self, params: dict[str, Any], part: Training, held: Training) -> int:
        """The best number of rounds of a fit on ``part``, judged on ``held``."""


def fit_model(kind: Kind, params: Mapping[str, Any], training: Training) -> Fitted:
    """Fit one model on a training part: find its rounds where they are not given, resample, fit."""
    return kind.fit(with_rounds(kind, params, training), training.resampled())


def with_rounds(kind: Kind, params: Mapping[str, Any], training: Training) -> dict[str, Any]:
    """The parameters with a number of rounds, where the kind needs one: judged on real rows that the resampler has not seen."""
    given = dict(params)
    if isinstance(kind, FindsRounds) and all(given.get(name) is None for name in kind.rounds_names):
        fit, held = inner_cut(training)
        part = training.take(fit).resampled()
        given[kind.rounds_names[0]] = kind.find_rounds(given, part, replace(training.take(held), weights=None))
    return given


def inner_cut(training: Training) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Positions in the training part to fit on and to stop by, fixed by the seed.

    The latest rows where rows have times, otherwise random ones, by class for classification.
    """
    from sklearn.model_selection import train_test_split

    if training.times is not None:
        border = np.quantile(training.times, 1 - training.rounds_cut, method="lower")
        late = training.times > border if (training.times > border).any() else training.times >= border
        return np.flatnonzero(~late), np.flatnonzero(late)
    rows = np.arange(len(training.y))
    strata = training.y if training.task != "regression" and np.unique(training.y, return_counts=True)[1].min() > 1 else None
    fit, stop = train_test_split(rows, test_size=training.rounds_cut, random_state=training.seed, stratify=strata)
    return np.sort(fit), np.sort(stop)


def patience(learning_rate: float) -> int:
    """Rounds without gain before stopping: more for small steps, 30 to 300."""
    return int(np.clip(round(5 / learning_rate), 30, 300))
