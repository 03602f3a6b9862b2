"""The models of a run: for each fold its fits of all seeds, predicting in target units or probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import InputError
from pipelines.engine import available_cores
from pipelines.metrics import Array
from pipelines.models import kinds
from pipelines.serve.record import Member
from pipelines.store import read_json
from pipelines.targets import TargetScale
from pipelines.training import Seeded

_OF_TREES = ("catboost", "lightgbm", "xgboost")
"""Boosters, which predict each row by itself, let go of Python's lock meanwhile, and may predict in several threads at once."""
_PART = 8_192
"""Rows that one thread predicts at a time."""


@dataclass(frozen=True)
class Fit:
    """One model fitted in one fold, with all its seeds."""

    seeds: list[Seeded]
    scale: TargetScale
    columns: list[str]
    may_be_cut: bool
    """Whether a row's prediction is the same to the last bit whatever rows are predicted with it."""

    @classmethod
    def read(cls, folder: Path, kind: str, task: str) -> Fit:
        """The fit in a folder of ``models/<model>/``."""
        facts = read_json(folder / "facts.json")
        seeds = [Seeded(kinds()[kind].load(folder / f"seed-{number}", task), shift) for number, shift in enumerate(facts["prior_shift"])]
        return cls(seeds, TargetScale(**facts["target_scale"]), facts["columns"], kind in _OF_TREES)

    def predict(self, X: pd.DataFrame) -> Array:
        """Values in target units, or probabilities, from the columns in the order of the fit; of shape (n_rows,) or (n_rows, n_classes)."""
        raw = np.mean([_in_parts(seed, X) if self.may_be_cut else seed.predict(X) for seed in self.seeds], axis=0)
        return np.asarray(self.scale.inverse(raw), dtype=np.float64)


def _in_parts(seed: Seeded, X: pd.DataFrame) -> Array:
    """Predictions of many rows, by all cores."""
    if len(X) <= _PART:
        return seed.predict(X)
    from concurrent.futures import ThreadPoolExecutor

    parts = [X.iloc[start : start + _PART] for start in range(0, len(X), _PART)]
    with ThreadPoolExecutor(available_cores()) as threads:
        return np.concatenate([*threads.map(seed.predict, parts)])


@dataclass(frozen=True)
class Model:
    """A model of the run with the fits of its folds, or the one on all rows."""

    name: str
    member: Member
    fits: list[Fit]

    @classmethod
    def read(cls, folder: Path, name: str, member: Member, task: str) -> Model:
        """The model of a run's folder."""
        return cls(name, member, [Fit.read(folder / "models" / name / fit, member.kind, task) for fit in member.fits])

    def predict(self, fold: int, X: pd.DataFrame, which: NDArray[np.bool_] | None) -> Array:
        """The predictions of one fold's fit; NaN for rows that the model is not for.

        Raises
        ------
        InputError
            When a prediction is not finite, or the model cannot take a value.
        """
        try:
            values = self.fits[fold].predict(X if which is None else X[which])
        except InputError as error:
            raise InputError(f"Model {self.name!r} cannot score these rows. {error}") from error
        if not np.isfinite(values).all():
            raise InputError(
                f"Model {self.name!r} gives {int((~np.isfinite(values)).sum())} predictions that are not finite for these rows."
            )
        if which is None:
            return values
        spread = np.full((len(X), *values.shape[1:]), np.nan)
        spread[which] = values
        return spread
