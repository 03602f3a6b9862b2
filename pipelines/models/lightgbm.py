"""LightGBM, by its native interface."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd

from pipelines.metrics import Array
from pipelines.models.contract import Training
from pipelines.models.matrix import as_matrix, as_prediction, no_predictions
from pipelines.models.rounds import patience
from pipelines.objectives import OBJECTIVES
from pipelines.store import read_json, write_json

_OBJECTIVES = {"regression": "regression", "binary": "binary", "multiclass": "multiclass"}
_OURS = (
    "num_threads",
    "n_jobs",
    "nthread",
    "seed",
    "random_state",
    "device_type",
    "device",
    "verbosity",
    "verbose",
    "early_stopping_round",
)
# above this many rows LightGBM's row-wise histograms win; its own choice is timed, so that two equal fits could differ
_ROW_WISE_FROM = 100_000


@dataclass(frozen=True)
class LightGBM:
    """Gradient boosting with LightGBM; a declaration gives LightGBM's own parameters, aliases included.

    Without ``n_estimators`` the rounds come from an inner cut of the training part, then all of it is fitted.
    """

    name: str = "lightgbm"
    rounds_names: tuple[str, ...] = ("n_estimators", "num_iterations", "num_boost_round", "num_rounds")
    distributions: tuple[str, ...] = ("lightgbm",)
    tasks: tuple[str, ...] = ("regression", "binary", "multiclass")

    def parameters(self, task: str) -> frozenset[str]:
        """Every parameter and alias LightGBM knows, less those the framework gives."""
        # the only complete list is the library's own alias table
        from lightgbm.basic import _ConfigAliases

        aliases = _ConfigAliases._get_all_param_aliases()
        return frozenset(aliases) | {alias for names in aliases.values() for alias in names} - set(_OURS)

    def value_faults(self, task: str, params: dict[str, Any]) -> list[str]:
        """LightGBM checks its parameters when it starts; a fit on a few rows asks it."""
        import lightgbm

        rows = np.random.default_rng(0).normal(size=(40, 2))
        y = (np.arange(40) % (3 if task == "multiclass" else 2)).astype(np.float64)
        try:
            # few rows: without the setting a large min_data_in_leaf would leave no feature
            self.fit(
                {"feature_pre_filter": False, **params, "n_estimators": 1},
                Training(pd.DataFrame(rows).rename(columns=str), y, None, task, 3, 0),
            )
        except (lightgbm.basic.LightGBMError, TypeError, ValueError) as error:
            return [f"LightGBM refuses these parameters: {error}."]
        return []

    def fit(self, params: dict[str, Any], training: Training) -> FittedLightGBM:
        """Fit on a training part."""
        import lightgbm

        X, categorical = as_matrix(training.X, self.name, allow_missing=True, allow_categories=True, compact=True)
        settings = self._settings(params, training)
        rounds = next(int(settings.pop(name)) for name in self.rounds_names if settings.get(name) is not None)
        start = _start(settings, training.y)
        data = lightgbm.Dataset(X, training.y - start, weight=training.weights, categorical_feature=categorical, free_raw_data=True)
        return FittedLightGBM(lightgbm.train(_own_objective(settings), data, num_boost_round=rounds), training.task, start)

    def load(self, folder: Path, task: str) -> FittedLightGBM:
        """The booster that was saved in a folder."""
        import lightgbm

        start = folder / "start.json"
        return FittedLightGBM(lightgbm.Booster(model_file=folder / "model.txt"), task, read_json(start) if start.is_file() else 0.0)

    def _settings(self, params: dict[str, Any], training: Training) -> dict[str, Any]:
        is_long = len(training.y) > _ROW_WISE_FROM
        several = {"num_class": training.n_classes} if training.task == "multiclass" else {}
        own = {
            "num_threads": training.threads,
            "seed": training.seed,
            "device_type": training.device,
            "verbosity": -1,
            "deterministic": True,
        }
        layout = {"force_row_wise" if is_long else "force_col_wise": True}
        objective = (
            {} if {"objective", "objective_type", "app", "application", "loss"} & set(params) else {"objective": _OBJECTIVES[training.task]}
        )
        return {**objective, **several, **layout, **params, **own}

    def find_rounds(self, params: dict[str, Any], part: Training, held: Training) -> int:
        """The rounds after which the loss on the rows held out stops falling."""
        import lightgbm

        settings = self._settings(params, part)
        X, categorical = as_matrix(part.X, self.name, allow_missing=True, allow_categories=True, compact=True)
        X_held, _ = as_matrix(held.X, self.name, allow_missing=True, allow_categories=True, compact=True)
        start, own = _start(settings, part.y), OBJECTIVES.get(str(settings.get("objective")))
        data = lightgbm.Dataset(X, part.y - start, weight=part.weights, categorical_feature=categorical)
        stop = lightgbm.Dataset(X_held, held.y - start, categorical_feature=categorical, reference=data)
        judge = None if own is None else lambda f, rows: (own.name, own.value(f, rows.get_label()), False)
        rate = float(settings.get("learning_rate", settings.get("eta", settings.get("shrinkage_rate", 0.1))))
        stopper = lightgbm.early_stopping(patience(rate), first_metric_only=True, verbose=False)
        booster = lightgbm.train(
            _own_objective(settings), data, num_boost_round=part.max_rounds, valid_sets=[stop], feval=judge, callbacks=[stopper]
        )
        return max(1, int(booster.best_iteration))


def _own_objective(settings: dict[str, Any]) -> dict[str, Any]:
    """The settings with one of our objectives as the function LightGBM calls."""
    own = OBJECTIVES.get(str(settings.get("objective")))
    return {**settings, "objective": lambda f, rows: own.gradients(f, rows.get_label())} if own else settings


def _start(settings: dict[str, Any], y: Array) -> float:
    """What is taken off the target before a fit with one of our objectives: LightGBM starts those from zero."""
    return float(np.mean(y)) if str(settings.get("objective")) in OBJECTIVES else 0.0


@dataclass(frozen=True)
class FittedLightGBM:
    """A fitted booster; ``start`` is added to what it says."""

    booster: Any
    task: str
    start: float = 0.0

    def predict(self, X: pd.DataFrame) -> Array:
        """Values or probabilities."""
        matrix, _ = as_matrix(X, "lightgbm", allow_missing=True, allow_categories=True, compact=True)
        if not len(matrix):
            return no_predictions(self.task, self.booster.num_model_per_iteration)
        return as_prediction(self.booster.predict(matrix, num_threads=1) + self.start, self.task)

    def importances(self) -> Array | None:
        """Total gain of each column's splits."""
        return cast(Array, np.asarray(self.booster.feature_importance(importance_type="gain"), dtype=np.float64))

    def facts(self) -> dict[str, Any]:
        """Boosting rounds."""
        return {"rounds": int(self.booster.current_iteration())}

    def save(self, folder: Path) -> None:
        """LightGBM's text format."""
        self.booster.save_model(folder / "model.txt")
        if self.start:
            write_json(folder / "start.json", self.start)


KINDS = (LightGBM(),)
