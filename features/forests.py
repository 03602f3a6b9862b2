"""Forests that judge columns: extremely randomised trees, grown the same for the same rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from features.errors import InputError
from features.numbers import Numbers

MOST_ROWS = 50_000
"""On the 400,000 first rows of the store sales the same columns stay as with all of them, in a tenth of the time."""


def check_max_rows(step: str, max_rows: int | None) -> None:
    """Raise InputError when a step is to grow trees on hardly any row."""
    if max_rows is not None and max_rows < 10:
        raise InputError(f"Step {step!r} needs max_rows of at least 10, found {max_rows!r}. Take 'max_rows: null' for all rows.")


def some_rows(X: pd.DataFrame, y: pd.Series, max_rows: int | None, random_state: int) -> tuple[pd.DataFrame, pd.Series]:
    """At most ``max_rows`` rows, drawn at random, in the order they had; all of them for None."""
    if max_rows is None or len(X) <= max_rows:
        return X, y
    drawn = np.sort(np.random.default_rng(random_state).choice(len(X), max_rows, replace=False))
    return X.iloc[drawn], y.iloc[drawn]


@dataclass(frozen=True)
class Forest:
    """How a forest is grown; ``least_share`` of the rows, and five of them, is the least a leaf holds.

    Trees grow on all cores this process may use: how many there are changes nothing in the trees.
    """

    are_classes: bool
    trees: int
    random_state: int
    least_share: float = 0.01

    def grow(self, rows: Numbers, target: Numbers) -> Any:
        """The fitted forest of ``rows`` (n_rows, n_columns; NaN for missing) for ``target``."""
        from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

        kind = ExtraTreesClassifier if self.are_classes else ExtraTreesRegressor
        least = max(5, int(self.least_share * len(rows))) if len(rows) >= 50 else 1
        # with few columns at each split, those that go together share their gain
        tried = max(1 / 3, 1 / max(rows.shape[1], 1))
        forest = kind(self.trees, min_samples_leaf=least, max_features=tried, random_state=self.random_state, n_jobs=-1)
        # predictions of several threads are added up in the order they come
        return forest.fit(rows, target).set_params(n_jobs=1)

    def gains(self, rows: Numbers, target: Numbers) -> Numbers:
        """The impurity that splits by each column take away, the mean over the trees; of shape (n_columns,)."""
        grown = [tree.tree_.compute_feature_importances(normalize=False) for tree in self.grow(rows, target).estimators_]
        return np.asarray(np.mean(grown, axis=0), dtype=np.float64)

    def error(self, grown: Any, rows: Numbers, target: Numbers) -> float:
        """Mean squared error of a forest's prediction; for classes that of its probabilities, added up over the classes."""
        if not self.are_classes:
            return float(((grown.predict(rows) - target) ** 2).mean())
        hits = target.reshape(-1, 1) == grown.classes_
        return float(((grown.predict_proba(rows) - hits) ** 2).sum(axis=1).mean())
