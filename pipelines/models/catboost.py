"""CatBoost, where the extra ``foldwise[catboost]`` is installed."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd

from features.errors import InputError
from pipelines.metrics import Array
from pipelines.models.contract import Training
from pipelines.models.matrix import as_matrix, as_prediction
from pipelines.models.rounds import patience

_OBJECTIVES = {"regression": "RMSE", "binary": "Logloss", "multiclass": "MultiClass"}
_OURS = frozenset(
    {"thread_count", "random_seed", "random_state", "task_type", "devices", "verbose", "logging_level", "silent", "verbose_eval"}
)


@dataclass(frozen=True)
class CatBoost:
    """Gradient boosting with CatBoost; without ``iterations`` the rounds come from an inner cut of the training part."""

    name: str = "catboost"
    rounds_names: tuple[str, ...] = ("iterations", "n_estimators", "num_boost_round", "num_trees")
    distributions: tuple[str, ...] = ("catboost",)
    tasks: tuple[str, ...] = ("regression", "binary", "multiclass")

    def parameters(self, task: str) -> frozenset[str]:
        """What CatBoost's estimators take, less what the framework gives."""
        import inspect

        library = _library()
        return frozenset(inspect.signature(library.CatBoostClassifier.__init__).parameters) - _OURS - {"self"}

    def value_faults(self, task: str, params: dict[str, Any]) -> list[str]:
        """CatBoost checks its parameters when it starts; a fit on a few rows asks it."""
        library = _library()
        rows = np.random.default_rng(0).normal(size=(40, 2))
        y = (np.arange(40) % (3 if task == "multiclass" else 2)).astype(np.float64)
        without_rounds = {name: value for name, value in params.items() if name not in self.rounds_names}
        try:
            self.fit({**without_rounds, "iterations": 1}, Training(pd.DataFrame(rows).rename(columns=str), y, None, task, 3, 0))
        except (library.CatBoostError, TypeError, ValueError) as error:
            return [f"CatBoost refuses these parameters: {str(error).splitlines()[0]}."]
        return []

    def fit(self, params: dict[str, Any], training: Training) -> FittedCatBoost:
        """Fit on a training part."""
        X, _ = as_matrix(training.X, self.name, allow_missing=True, allow_categories=True, compact=True)
        rounds = next(int(params[name]) for name in self.rounds_names if params.get(name) is not None)
        settings = {**self._settings(params, training), "iterations": rounds}
        booster = _library().CatBoost(settings).fit(X, training.y, sample_weight=training.weights)
        for name in ("model_guid", "train_finish_time"):
            # equal fits shall give equal files
            booster.get_metadata()[name] = ""
        return FittedCatBoost(booster, training.task)

    def load(self, folder: Path, task: str) -> FittedCatBoost:
        """The booster that was saved in a folder."""
        return FittedCatBoost(_library().CatBoost().load_model(str(folder / "model.cbm")), task)

    def find_rounds(self, params: dict[str, Any], part: Training, held: Training) -> int:
        """The rounds after which the loss on the rows held out stops falling."""
        settings = self._settings(params, part)
        X, _ = as_matrix(part.X, self.name, allow_missing=True, allow_categories=True, compact=True)
        X_held, _ = as_matrix(held.X, self.name, allow_missing=True, allow_categories=True, compact=True)
        waits = patience(float(settings.get("learning_rate", settings.get("eta", 0.05))))
        booster = _library().CatBoost({**settings, "iterations": part.max_rounds})
        booster.fit(X, part.y, sample_weight=part.weights, eval_set=(X_held, held.y), early_stopping_rounds=waits, use_best_model=False)
        return int(booster.get_best_iteration()) + 1

    def _settings(self, params: dict[str, Any], training: Training) -> dict[str, Any]:
        given = {name: value for name, value in params.items() if name not in self.rounds_names}
        own = {"thread_count": training.threads, "random_seed": training.seed, "verbose": False, "allow_writing_files": False}
        return {
            "loss_function": _OBJECTIVES[training.task],
            **given,
            **own,
            "task_type": "GPU" if training.device == "cuda" else "CPU",
        }


def _library() -> Any:
    if importlib.util.find_spec("catboost") is None:
        raise InputError(
            "Model kind 'catboost' needs the library catboost, which is not installed. Install it with: pip install 'foldwise[catboost]'"
        )
    import catboost

    return catboost


@dataclass(frozen=True)
class FittedCatBoost:
    """A fitted booster."""

    booster: Any
    task: str

    def predict(self, X: pd.DataFrame) -> Array:
        """Values or probabilities."""
        matrix, _ = as_matrix(X, "catboost", allow_missing=True, allow_categories=True, compact=True)
        if not len(matrix):
            return np.empty((0, len(self.booster.classes_))) if self.task == "multiclass" else np.empty(0)
        kind = "RawFormulaVal" if self.task == "regression" else "Probability"
        return as_prediction(self.booster.predict(matrix, prediction_type=kind, thread_count=1), self.task)

    def importances(self) -> Array | None:
        """Mean change of the prediction by each column."""
        return cast(Array, np.asarray(self.booster.get_feature_importance(), dtype=np.float64))

    def facts(self) -> dict[str, Any]:
        """Boosting rounds."""
        return {"rounds": int(self.booster.tree_count_)}

    def save(self, folder: Path) -> None:
        """CatBoost's own binary format."""
        self.booster.save_model(str(folder / "model.cbm"))


# a kind that cannot be used is not offered: an unknown kind names those there are
KINDS = (CatBoost(),) if importlib.util.find_spec("catboost") is not None else ()
