"""A rule that somebody wrote down: a baseline that every model should beat, judged on the same rows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from features.errors import InputError
from features.expressions import parse
from pipelines.metrics import Array
from pipelines.models.contract import Training
from pipelines.store import read_json, write_json


@dataclass(frozen=True)
class Rule:
    """Predicts the value of an expression over the columns of its view; learns nothing.

    In a binary task the expression is true or false, or a probability; in regression a value on the scale the models are
    fitted on.
    """

    name: str = "rule"
    distributions: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ("regression", "binary")
    learns: ClassVar[bool] = False

    def parameters(self, task: str) -> frozenset[str]:
        """``predict``, the expression."""
        return frozenset({"predict"})

    def value_faults(self, task: str, params: dict[str, Any]) -> list[str]:
        """What is wrong with the expression, as far as that can be said without data."""
        if "predict" not in params:
            return ["needs the parameter 'predict', an expression such as \"Sex == 'female'\"."]
        try:
            parse(params["predict"])
        except InputError as error:
            return [str(error)]
        return []

    def fit(self, params: dict[str, Any], training: Training) -> FittedRule:
        """Check that the expression fits the columns; a row to fit on may lack a value, one to predict may not."""
        fitted = FittedRule(params["predict"], training.task)
        fitted.values(training.X)
        return fitted

    def load(self, folder: Path, task: str) -> FittedRule:
        """The rule that was saved in a folder."""
        return FittedRule(read_json(folder / "rule.json")["predict"], task)


@dataclass(frozen=True)
class FittedRule:
    """An expression that fits its columns."""

    expression: str
    task: str

    def predict(self, X: pd.DataFrame) -> Array:
        """The expression's values.

        Raises
        ------
        InputError
            When a value is missing, or no probability in a binary task.
        """
        values = self.values(X)
        if np.isnan(values).any():
            raise InputError(f"Rule {self.expression!r} has no value in {int(np.isnan(values).sum())} rows. Fill its columns first.")
        return values

    def values(self, X: pd.DataFrame) -> Array:
        """The expression's values, NaN where it has none; InputError when one is no probability in a binary task."""
        expression = parse(self.expression)
        # a matrix holds a column in float32 where all its rows allow that: what a row is given must not hang on the others
        narrow = [name for name in expression.names if name in X.columns and X[name].dtype == np.float32]
        values = expression.evaluate(X.astype(dict.fromkeys(narrow, np.float64))).to_numpy(dtype=np.float64, na_value=np.nan)
        known = values[~np.isnan(values)]
        if self.task == "binary" and len(known) and (known.min() < 0 or known.max() > 1):
            raise InputError(f"Rule {self.expression!r} must give probabilities from 0 to 1; it gives {known.min():g} to {known.max():g}.")
        return values

    def importances(self) -> Array | None:
        """A rule has none."""
        return None

    def facts(self) -> dict[str, Any]:
        """Nothing more."""
        return {}

    def save(self, folder: Path) -> None:
        """The expression as JSON."""
        write_json(folder / "rule.json", {"predict": self.expression})


KINDS = (Rule(),)
