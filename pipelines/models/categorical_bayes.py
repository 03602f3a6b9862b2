"""Naive Bayes over levels: scikit-learn's, with a place for levels that were not seen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.columns import kind_of
from features.errors import InputError
from features.expressions import as_text
from pipelines.metrics import Array
from pipelines.models.contract import Training
from pipelines.models.matrix import as_prediction
from pipelines.models.plain import load_estimator, save_estimator


@dataclass(frozen=True)
class CategoricalBayes:
    """Categorical naive Bayes; every distinct value of a column is a level, whatever its type (bin numbers first)."""

    name: str = "categorical_nb"
    distributions: tuple[str, ...] = ("scikit-learn",)
    tasks: tuple[str, ...] = ("binary", "multiclass")
    takes_text: ClassVar[bool] = True

    def parameters(self, task: str) -> frozenset[str]:
        """``alpha``, the smoothing, and the class priors."""
        return frozenset({"alpha", "fit_prior", "class_prior", "force_alpha"})

    def value_faults(self, task: str, params: dict[str, Any]) -> list[str]:
        """What scikit-learn's own parameter check says."""
        from sklearn.naive_bayes import CategoricalNB
        from sklearn.utils._param_validation import InvalidParameterError

        try:
            CategoricalNB(**params)._validate_params()
        except InvalidParameterError as error:
            return [str(error)]
        return []

    def fit(self, params: dict[str, Any], training: Training) -> FittedCategoricalBayes:
        """Count levels by class."""
        from sklearn.naive_bayes import CategoricalNB

        if training.X.shape[1] == 0:
            raise InputError(f"Model {self.name!r} needs at least one column; its view has none.")
        levels = [np.unique(values[values != ""]) for values in _texts(training.X)]
        sizes = [len(known) + 1 for known in levels]
        estimator = CategoricalNB(**params, min_categories=sizes).fit(
            _codes(training.X, levels), training.y, sample_weight=training.weights
        )
        return FittedCategoricalBayes(estimator, levels, training.task)

    def load(self, folder: Path, task: str) -> FittedCategoricalBayes:
        """The estimator that was saved in a folder."""
        saved = load_estimator(folder / "estimator.safetensors")
        return FittedCategoricalBayes(saved["estimator"], saved["levels"], task)


def _texts(X: pd.DataFrame) -> list[NDArray[Any]]:
    """Each column's values as text, missing as the empty text."""
    columns = [X.iloc[:, position] for position in range(X.shape[1])]
    return [(as_text(column) if kind_of(column) != "flags" else column.astype("str")).fillna("").to_numpy(dtype="U") for column in columns]


def _codes(X: pd.DataFrame, levels: list[NDArray[Any]]) -> NDArray[np.int64]:
    """Codes from 1 on; 0 for missing and for what was not seen."""
    columns = [pd.Index(known).get_indexer(pd.Index(values)) + 1 for values, known in zip(_texts(X), levels, strict=True)]
    return np.column_stack(columns) if columns else np.zeros((len(X), 0), dtype=np.int64)


@dataclass(frozen=True)
class FittedCategoricalBayes:
    """Fitted counts, and the levels they belong to."""

    estimator: Any
    levels: list[NDArray[Any]]
    task: str

    def predict(self, X: pd.DataFrame) -> Array:
        """Probabilities."""
        if not len(X):
            return np.empty(0) if self.task == "binary" else np.empty((0, len(self.estimator.classes_)))
        return as_prediction(self.estimator.predict_proba(_codes(X, self.levels)), self.task)

    def importances(self) -> Array | None:
        """It has none."""
        return None

    def facts(self) -> dict[str, Any]:
        """Nothing more."""
        return {}

    def save(self, folder: Path) -> None:
        """One safetensors file."""
        save_estimator({"estimator": self.estimator, "levels": self.levels}, folder / "estimator.safetensors")


KINDS = (CategoricalBayes(),)
