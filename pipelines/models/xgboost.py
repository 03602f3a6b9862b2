"""XGBoost, by its native interface."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd

from features.errors import InputError
from pipelines.metrics import Array
from pipelines.models.contract import Training
from pipelines.models.matrix import as_matrix, as_prediction, no_predictions
from pipelines.models.rounds import patience
from pipelines.objectives import OBJECTIVES, Rmspe

_OBJECTIVES = {"regression": "reg:squarederror", "binary": "binary:logistic", "multiclass": "multi:softprob"}
_OURS = frozenset(
    {"nthread", "n_jobs", "seed", "random_state", "device", "verbosity", "missing", "feature_types", "enable_categorical", "callbacks"}
)
# XGBoost's own names of what its scikit-learn interface calls otherwise, and what only the native interface takes
_NATIVE = frozenset(
    {
        "eta",
        "lambda",
        "alpha",
        "num_boost_round",
        "min_split_loss",
        "rate_drop",
        "skip_drop",
        "process_type",
        "refresh_leaf",
        "quantile_alpha",
    }
)
_ALIASES = {"learning_rate": "eta", "reg_lambda": "lambda", "reg_alpha": "alpha", "gamma": "min_split_loss"}


@dataclass(frozen=True)
class XGBoost:
    """Gradient boosting with XGBoost; a declaration gives XGBoost's own parameters.

    Without ``n_estimators`` the rounds come from an inner cut of the training part, then all of it is fitted.
    """

    name: str = "xgboost"
    rounds_names: tuple[str, ...] = ("n_estimators", "num_boost_round")
    distributions: tuple[str, ...] = ("xgboost-cpu", "xgboost")
    imports: tuple[str, ...] = ("xgboost",)
    # or "gpu": one of them, since both install the same package
    extra: str = "cpu"
    tasks: tuple[str, ...] = ("regression", "binary", "multiclass")

    def parameters(self, task: str) -> frozenset[str]:
        """What XGBoost's scikit-learn interface takes, and its native names."""
        import xgboost

        return (frozenset(xgboost.XGBModel().get_params()) | _NATIVE) - _OURS

    def value_faults(self, task: str, params: dict[str, Any]) -> list[str]:
        """XGBoost checks its parameters when it starts; a fit on a few rows asks it."""
        import xgboost

        rows = np.random.default_rng(0).normal(size=(40, 2))
        y = (np.arange(40) % (3 if task == "multiclass" else 2)).astype(np.float64)
        X = pd.DataFrame(rows).rename(columns=str)
        try:
            self.fit({**params, "n_estimators": 1}, Training(X, y, None, task, 3, 0)).predict(X)
        except InputError as error:
            return [str(error)]
        except (xgboost.core.XGBoostError, TypeError, ValueError) as error:
            reason = next(
                (line for line in str(error).splitlines() if "value" in line.lower() or "expect" in line.lower()),
                str(error).splitlines()[0],
            )
            return [f"XGBoost refuses these parameters: {reason.strip()}."]
        return []

    def fit(self, params: dict[str, Any], training: Training) -> FittedXGBoost:
        """Fit on a training part."""
        import xgboost

        X, categorical = as_matrix(training.X, self.name, allow_missing=True, allow_categories=True, allow_infinite=False, compact=True)
        settings = self._settings(params, training)
        rounds = next(int(settings.pop(name)) for name in self.rounds_names if settings.get(name) is not None)
        data = _data(X, categorical, training.y, training.weights, training.threads)
        settings, own = _own_objective(settings, training.y)
        return FittedXGBoost(xgboost.train(settings, data, num_boost_round=rounds, obj=own and _gradients(own)), training.task)

    def load(self, folder: Path, task: str) -> FittedXGBoost:
        """The booster that was saved in a folder."""
        import xgboost

        booster = xgboost.Booster()
        booster.load_model(folder / "model.ubj")
        return FittedXGBoost(booster, task)

    def _settings(self, params: dict[str, Any], training: Training) -> dict[str, Any]:
        given = {_ALIASES.get(name, name): value for name, value in params.items()}
        several = {"num_class": training.n_classes} if training.task == "multiclass" else {}
        own = {"nthread": training.threads, "seed": training.seed, "device": training.device, "verbosity": 0}
        return {"objective": _OBJECTIVES[training.task], "tree_method": "hist", **several, **given, **own}

    def find_rounds(self, params: dict[str, Any], part: Training, held: Training) -> int:
        """The rounds after which the loss on the rows held out stops falling."""
        import xgboost

        settings = self._settings(params, part)
        X, categorical = as_matrix(part.X, self.name, allow_missing=True, allow_categories=True, allow_infinite=False, compact=True)
        X_held, _ = as_matrix(held.X, self.name, allow_missing=True, allow_categories=True, allow_infinite=False, compact=True)
        data = _data(X, categorical, part.y, part.weights, part.threads)
        stop = _data(X_held, categorical, held.y, None, part.threads)
        waits = patience(float(settings.get("eta", 0.3)))
        settings, own = _own_objective(settings, part.y)
        booster = xgboost.train(
            settings,
            data,
            num_boost_round=part.max_rounds,
            evals=[(stop, "cut")],
            early_stopping_rounds=waits,
            verbose_eval=False,
            obj=own and _gradients(own),
            custom_metric=own and (lambda f, rows: (own.name, own.value(f, rows.get_label()))),
        )
        return int(booster.best_iteration) + 1


def _own_objective(settings: dict[str, Any], y: Array) -> tuple[dict[str, Any], Rmspe | None]:
    """The settings for one of our objectives, which start from the mean, and the objective; None for XGBoost's own."""
    own = OBJECTIVES.get(str(settings.get("objective")))
    if own is None:
        return settings, None
    without = {name: value for name, value in settings.items() if name != "objective"}
    return {**without, "base_score": float(np.mean(y)), "disable_default_eval_metric": True}, own


def _gradients(own: Rmspe) -> Any:
    return lambda f, rows: own.gradients(f, rows.get_label())


def _data(X: Array, categorical: list[int], y: Array | None, weights: Array | None, threads: int) -> Any:
    import xgboost

    kinds = ["c" if position in categorical else "float" for position in range(X.shape[1])] if categorical else None
    return xgboost.DMatrix(X, y, weight=weights, feature_types=kinds, enable_categorical=bool(categorical), nthread=threads)


@dataclass(frozen=True)
class FittedXGBoost:
    """A fitted booster."""

    booster: Any
    task: str

    def predict(self, X: pd.DataFrame) -> Array:
        """Values or probabilities."""
        matrix, categorical = as_matrix(X, "xgboost", allow_missing=True, allow_categories=True, allow_infinite=False, compact=True)
        if not len(matrix):
            return no_predictions(
                self.task, lambda: int(json.loads(self.booster.save_config())["learner"]["learner_model_param"]["num_class"])
            )
        return as_prediction(self.booster.predict(_data(matrix, categorical, None, None, 1)), self.task)

    def importances(self) -> Array | None:
        """Total gain of each column's splits."""
        gains = self.booster.get_score(importance_type="total_gain")
        found = np.zeros(self.booster.num_features(), dtype=np.float64)
        for name, gain in gains.items():
            found[int(name.removeprefix("f"))] = gain
        return cast(Array, found)

    def facts(self) -> dict[str, Any]:
        """Boosting rounds."""
        return {"rounds": int(self.booster.num_boosted_rounds())}

    def save(self, folder: Path) -> None:
        """XGBoost's binary JSON."""
        self.booster.save_model(folder / "model.ubj")


KINDS = (XGBoost(),)
