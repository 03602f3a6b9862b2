"""How much of the target one column explains by itself."""

from __future__ import annotations

import numpy as np
import pandas as pd

from features.columns import kind_of
from pipelines.metrics import Array

_MOST_ROWS = 20_000
_FOLDS = 3
_FEWEST_OF_A_CLASS = 3


def explained(column: pd.Series, y: Array, task: str, *, most_rows: int = _MOST_ROWS) -> float:
    """Share of the target that a column explains on rows not seen: 0 or less is chance, 1 is all of it.

    The better of a small tree on the column's order (missing is a value of its own) and, for levels, their mean target:
    R2 for regression; for classes, how far the balanced accuracy lies above chance.
    """
    rows = np.random.default_rng(0).permutation(len(column))[:most_rows]
    values, target = column.iloc[rows], np.asarray(y, dtype=np.float64)[rows]
    if values.nunique(dropna=False) < 2 or len(np.unique(target)) < 2:
        return 0.0
    if task != "regression" and np.unique(target, return_counts=True)[1].min() < _FEWEST_OF_A_CLASS:
        return 0.0
    scores = [_score(as_order(values).reshape(-1, 1), target, task)]
    if kind_of(values) in ("text", "categorical"):
        scores.append(_score(pd.factorize(values, use_na_sentinel=False)[0].astype(np.float64), target, task))
    return max(scores)


def tells(flag: Array, contrasts: list[Array]) -> float:
    """The strongest correlation of a yes-or-no with the target or with one of its classes."""
    if len(np.unique(flag)) < 2:
        return 0.0
    return max(abs(float(np.corrcoef(flag, y)[0, 1])) for y in contrasts)


def as_order(column: pd.Series) -> Array:
    """One column of numbers; texts by the order of their levels, missing far below."""
    if kind_of(column) in ("numeric", "flags"):
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        codes = pd.factorize(column, sort=kind_of(column) != "dates")[0].astype(np.float64)
        values = np.where(codes < 0, np.nan, codes)
    low = np.nanmin(values) if np.isfinite(values).any() else 0.0
    return np.asarray(np.clip(np.nan_to_num(values, nan=low - 1.0), -1e30, 1e30), dtype=np.float64)


def _score(X: Array, target: Array, task: str) -> float:
    """Cross-validated: every row is predicted by what was fitted without it. A flat X holds the codes of levels."""
    from sklearn.metrics import balanced_accuracy_score, r2_score
    from sklearn.model_selection import KFold, StratifiedKFold

    is_regression = task == "regression"
    splitter = (KFold if is_regression else StratifiedKFold)(_FOLDS, shuffle=True, random_state=0)
    predicted = np.empty(len(target))
    for fit, scored in splitter.split(X, target):
        predict = _by_level if X.ndim == 1 else _by_order
        predicted[scored] = predict(X[fit], target[fit], X[scored], is_regression)
    if is_regression:
        return float(r2_score(target, predicted))
    chance = 1 / len(np.unique(target))
    return float((balanced_accuracy_score(target, predicted) - chance) / (1 - chance))


def _by_order(X: Array, y: Array, scored: Array, is_regression: bool) -> Array:
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    if is_regression:
        return np.asarray(DecisionTreeRegressor(max_leaf_nodes=256, min_samples_leaf=3).fit(X, y).predict(scored))
    return np.asarray(DecisionTreeClassifier(max_leaf_nodes=64, min_samples_leaf=3, class_weight="balanced").fit(X, y).predict(scored))


def _by_level(codes: Array, y: Array, scored: Array, is_regression: bool) -> Array:
    """The mean of a level, or the class that is the most frequent there as a share of that class."""
    by_level = pd.Series(y).groupby(codes)
    if is_regression:
        return np.asarray(pd.Series(scored).map(by_level.mean()).fillna(float(y.mean())), dtype=np.float64)
    counts = pd.crosstab(codes, y)
    best = (counts / counts.sum()).idxmax(axis=1)
    return np.asarray(pd.Series(scored).map(best).fillna(float(pd.Series(y).mode()[0])), dtype=np.float64)
