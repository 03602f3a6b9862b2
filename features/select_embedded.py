"""Embedded selection: a model of all columns together says which ones it uses."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd

from features.classes import indicators, is_classes
from features.columns import Selection
from features.crossfit import inner_folds
from features.design import coded, learn_codes, learn_scales, on_one_scale
from features.errors import InputError
from features.forests import MOST_ROWS, Forest, check_max_rows, some_rows
from features.numbers import Numbers, is_constant
from features.selection import LINEAR, Selector
from features.step import Learns


class SelectL1(Selector):
    """Keep the columns that a linear model with an L1 penalty gives a weight.

    The lasso for numbers, logistic regression (one class against the others) for classes, on standardised columns, missing
    as the mean. The score is the weight's size, the largest over the classes. The kept columns stay as they are.

    Parameters
    ----------
    columns
        The numeric and flag columns to choose from.
    alpha
        Strength of the penalty per row, with the target standardised too; larger values keep fewer columns.
    keep
        How many columns stay at most.
    threshold
        The weight a column needs to stay. The best one always stays.
    task
        Whether the target is numbers or classes; ``auto`` takes at most 20 distinct whole numbers for classes.
    """

    learns = Learns.TARGET_STRUCTURE
    accepts = LINEAR
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = ({}, {"alpha": 0.001, "keep": 2, "task": "regression"})

    def __init__(
        self,
        columns: Selection = LINEAR,
        *,
        alpha: float = 0.01,
        keep: int | None = None,
        threshold: float = 1e-6,
        task: Literal["auto", "regression", "classification"] = "auto",
    ) -> None:
        self.columns = columns
        self.alpha = alpha
        self.keep = keep
        self.threshold = threshold
        self.task = task

    def check(self) -> None:
        """Check the budget and the penalty."""
        super().check()
        if not self.alpha > 0:
            raise InputError(f"Step 'select_l1' needs an alpha above 0, found {self.alpha!r}.")

    def _scores(self, X: pd.DataFrame, y: pd.Series) -> Numbers:
        rows, are_classes = on_one_scale(X, learn_scales(X, self.name), self.name), is_classes(y, self.task)
        weigh = _logistic_weights if are_classes else _lasso_weights
        with warnings.catch_warnings():
            # a fit that stops early still ranks the columns
            warnings.simplefilter("ignore")
            weights = [weigh(rows, target, self.alpha) for target in indicators(y, are_classes).T]
        return np.asarray(np.abs(weights).max(axis=0), dtype=np.float64)


class SelectByGain(Selector):
    """Keep the columns by which randomised trees tell the target best.

    The score is the column's share of the impurity that the trees take away; all shares add up to 1. Levels are coded in
    sorted order, missing is a value of its own. The kept columns stay as they are.

    Parameters
    ----------
    columns
        The columns to choose from; all of them by default.
    keep
        How many columns stay at most.
    threshold
        The share a column needs to stay. The best one always stays.
    trees
        How many trees are grown.
    max_rows
        On how many training rows, drawn at random, trees are grown at most; ``null`` takes all of them.
    task
        Whether the target is numbers or classes; ``auto`` takes at most 20 distinct whole numbers for classes.
    random_state
        Seed of the trees.
    """

    learns = Learns.TARGET_STRUCTURE
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = ({"keep": 4, "trees": 3}, {"columns": "numeric", "threshold": 0.2, "trees": 2})

    def __init__(
        self,
        columns: Selection = None,
        *,
        keep: int | None = None,
        threshold: float | None = None,
        trees: int = 200,
        max_rows: int | None = MOST_ROWS,
        task: Literal["auto", "regression", "classification"] = "auto",
        random_state: int = 0,
    ) -> None:
        self.columns = columns
        self.keep = keep
        self.threshold = threshold
        self.trees = trees
        self.max_rows = max_rows
        self.task = task
        self.random_state = random_state

    def check(self) -> None:
        """Check the budget and the rows."""
        super().check()
        check_max_rows(self.name, self.max_rows)

    def _scores(self, X: pd.DataFrame, y: pd.Series) -> Numbers:
        X, y = some_rows(X, y, self.max_rows, self.random_state)
        forest = Forest(is_classes(y, self.task), self.trees, self.random_state)
        gains = forest.gains(coded(X, learn_codes(X), self.name), y.to_numpy(dtype=np.float64))
        return np.asarray(gains / (gains.sum() or 1.0))


class SelectByPermutation(Selector):
    """Keep the columns without which randomised trees predict worse on rows they were not grown on.

    The training rows are cut into inner folds; trees are grown without a fold, and the score is by how much their squared
    error on it grows when the column's values are shuffled, over the error of guessing (the mean, or the classes' shares).
    Below 0 the column does harm. The kept columns stay as they are.

    Parameters
    ----------
    columns
        The columns to choose from; all of them by default.
    keep
        How many columns stay at most.
    threshold
        The score a column needs to stay. The best one always stays.
    trees
        How many trees are grown without each fold.
    max_rows
        On how many training rows, drawn at random, trees are grown at most; ``null`` takes all of them.
    folds
        How many inner folds, at least 2.
    task
        Whether the target is numbers or classes; ``auto`` takes at most 20 distinct whole numbers for classes.
    random_state
        Seed of the folds, the trees and the shuffles.
    """

    learns = Learns.TARGET_STRUCTURE
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"columns": ["LotArea", "LotFrontage", "Owner"], "keep": 2, "trees": 2, "folds": 2},
        {"columns": ["LotArea", "Slope"], "threshold": 0.01, "trees": 2, "folds": 2, "task": "regression"},
    )

    def __init__(
        self,
        columns: Selection = None,
        *,
        keep: int | None = None,
        threshold: float | None = None,
        trees: int = 100,
        max_rows: int | None = MOST_ROWS,
        folds: int = 3,
        task: Literal["auto", "regression", "classification"] = "auto",
        random_state: int = 0,
    ) -> None:
        self.columns = columns
        self.keep = keep
        self.threshold = threshold
        self.trees = trees
        self.max_rows = max_rows
        self.folds = folds
        self.task = task
        self.random_state = random_state

    def check(self) -> None:
        """Check the budget and the number of folds."""
        super().check()
        check_max_rows(self.name, self.max_rows)
        if self.folds < 2:
            raise InputError(f"Step 'select_by_permutation' needs at least 2 folds, found {self.folds!r}.")

    def _scores(self, X: pd.DataFrame, y: pd.Series) -> Numbers:
        X, y = some_rows(X, y, self.max_rows, self.random_state)
        rows, target = coded(X, learn_codes(X), self.name), y.to_numpy(dtype=np.float64)
        forest = Forest(is_classes(y, self.task), self.trees, self.random_state)
        folds = inner_folds(X.index, self.folds, self.random_state)
        draw = np.random.default_rng(self.random_state)
        parts = [folds == fold for fold in np.unique(folds) if not (folds == fold).all()]
        growths = [_growths(forest, rows, target, held, draw) for held in parts] or [np.zeros(X.shape[1])]
        return np.asarray(np.mean(growths, axis=0) / _error_of_guessing(target, forest.are_classes))


def _growths(forest: Forest, rows: Numbers, target: Numbers, held: np.ndarray, draw: np.random.Generator) -> Numbers:
    """How much the error on held-out rows grows with each column shuffled, of shape (n_columns,)."""
    grown = forest.grow(rows[~held], target[~held])
    before = forest.error(grown, rows[held], target[held])
    found = np.zeros(rows.shape[1])
    for column in range(rows.shape[1]):
        shuffled = rows[held]
        shuffled[:, column] = draw.permutation(shuffled[:, column])
        found[column] = forest.error(grown, shuffled, target[held]) - before
    return found


def _lasso_weights(rows: Numbers, target: Numbers, alpha: float) -> Numbers:
    from sklearn.linear_model import Lasso

    spread = 1.0 if is_constant(target) else float(target.std())
    return np.asarray(Lasso(alpha=alpha, max_iter=5000).fit(rows, (target - target.mean()) / spread).coef_)


def _logistic_weights(rows: Numbers, target: Numbers, alpha: float) -> Numbers:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(l1_ratio=1.0, C=1.0 / (alpha * len(rows)), solver="liblinear", random_state=0, max_iter=500)
    return np.asarray(model.fit(rows, target).coef_[0])


def _error_of_guessing(target: Numbers, are_classes: bool) -> float:
    if not are_classes:
        return float(target.var()) or 1.0
    shares = np.unique(target, return_counts=True)[1] / len(target)
    return float(1 - (shares**2).sum()) or 1.0
