"""CatBoost: ordered boosting, with its own statistics of categories (Prokhorenkova et al., 2018)."""

from __future__ import annotations

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

        import catboost as library

        return frozenset(inspect.signature(library.CatBoostClassifier.__init__).parameters) - _OURS - {"self"}

    def value_faults(self, task: str, params: dict[str, Any]) -> list[str]:
        """CatBoost checks its parameters when it starts; a fit on a few rows asks it."""
        import catboost as library

        rows = np.random.default_rng(0).normal(size=(40, 2))
        y = (np.arange(40) % (3 if task == "multiclass" else 2)).astype(np.float64)
        X = pd.DataFrame(rows).rename(columns=str)
        without_rounds = {name: value for name, value in params.items() if name not in self.rounds_names}
        try:
            self.fit({**without_rounds, "iterations": 1}, Training(X, y, None, task, 3, 0)).predict(X)
        except InputError as error:
            return [str(error)]
        except (library.CatBoostError, TypeError, ValueError) as error:
            return [f"CatBoost refuses these parameters: {str(error).splitlines()[0]}."]
        return []

    def fit(self, params: dict[str, Any], training: Training) -> FittedCatBoost:
        """Fit on a training part."""
        import catboost as library

        rounds = next(int(params[name]) for name in self.rounds_names if params.get(name) is not None)
        settings = {**self._settings(params, training), "iterations": rounds}
        booster = library.CatBoost(settings).fit(_pool(training.X, training.y, training.weights))
        for name in ("model_guid", "train_finish_time"):
            # equal fits shall give equal files
            booster.get_metadata()[name] = ""
        return FittedCatBoost(booster, training.task)

    def load(self, folder: Path, task: str) -> FittedCatBoost:
        """The booster that was saved in a folder."""
        import catboost as library

        saved = (folder / "model.cbm").read_bytes()
        return FittedCatBoost(library.CatBoost().load_model(blob=saved), task, saved)

    def find_rounds(self, params: dict[str, Any], part: Training, held: Training) -> int:
        """The rounds after which the loss on the rows held out stops falling."""
        import catboost as library

        settings = self._settings(params, part)
        waits = patience(float(settings.get("learning_rate", settings.get("eta", 0.05))))
        booster = library.CatBoost({**settings, "iterations": part.max_rounds})
        booster.fit(
            _pool(part.X, part.y, part.weights), eval_set=_pool(held.X, held.y, None), early_stopping_rounds=waits, use_best_model=False
        )
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


def _pool(X: pd.DataFrame, y: Array | None = None, weights: Array | None = None) -> Any:
    """The rows as CatBoost takes them: categories by their codes, a missing one as a category of its own."""
    import catboost

    matrix, categorical = as_matrix(X, "catboost", allow_missing=True, allow_categories=True, compact=True)
    if not categorical:
        return catboost.Pool(matrix, y, weight=weights)
    table = pd.DataFrame(matrix)
    for position in categorical:
        table[position] = np.where(np.isnan(matrix[:, position]), -1, matrix[:, position]).astype(np.int32)
    return catboost.Pool(table, y, cat_features=categorical, weight=weights)


@dataclass(frozen=True)
class FittedCatBoost:
    """A fitted booster."""

    booster: Any
    task: str
    saved: bytes | None = None
    """The file it was read from: CatBoost would write its settings in another order each time."""

    def predict(self, X: pd.DataFrame) -> Array:
        """Values or probabilities."""
        if not len(X):
            return np.empty((0, len(self.booster.classes_))) if self.task == "multiclass" else np.empty(0)
        kind = "RawFormulaVal" if self.task == "regression" else "Probability"
        return as_prediction(self.booster.predict(_pool(X), prediction_type=kind, thread_count=1), self.task)

    def importances(self) -> Array | None:
        """Mean change of the prediction by each column."""
        return cast(Array, np.asarray(self.booster.get_feature_importance(), dtype=np.float64))

    def facts(self) -> dict[str, Any]:
        """Boosting rounds."""
        return {"rounds": int(self.booster.tree_count_)}

    def save(self, folder: Path) -> None:
        """CatBoost's own binary format."""
        if self.saved is None:
            self.booster.save_model(str(folder / "model.cbm"))
        else:
            (folder / "model.cbm").write_bytes(self.saved)


KINDS = (CatBoost(),)
