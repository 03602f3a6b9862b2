"""Wrappers: columns are chosen by how well a model does with and without them."""

from __future__ import annotations

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
from features.held_out import HeldOutErrors, solved
from features.numbers import Numbers
from features.selection import LINEAR, Selector
from features.step import Learns


class SelectRecursive(Selector):
    """Drop the weakest columns, fit again, and go on until so many are left (recursive feature elimination).

    The model is a ridge regression on standardised columns (missing as the mean; classes as one column of 0 and 1 each) or
    randomised trees. The score is the round in which a column was dropped. The kept columns stay as they are.

    Parameters
    ----------
    columns
        The columns to choose from: numbers and flags for ``linear``, any kind for ``trees``.
    keep
        How many columns stay at most.
    model
        What judges the columns: ``linear`` by the size of their weights, ``trees`` by their gain.
    drop
        Which share of the columns left, 0 to 1, each round drops; at least one.
    trees
        How many trees are grown each round.
    max_rows
        On how many training rows, drawn at random, trees are grown at most; ``null`` takes all of them.
    task
        Whether the target is numbers or classes; ``auto`` takes at most 20 distinct whole numbers for classes.
    random_state
        Seed of the trees.
    """

    learns = Learns.TARGET_STRUCTURE
    keep: int
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"keep": 3},
        {
            "columns": ["LotArea", "Owner", "Sold", "LotFrontage"],
            "keep": 2,
            "model": "trees",
            "drop": 0.5,
            "trees": 2,
            "task": "classification",
        },
    )

    def __init__(
        self,
        columns: Selection = LINEAR,
        *,
        keep: int,
        model: Literal["linear", "trees"] = "linear",
        drop: float = 0.1,
        trees: int = 100,
        max_rows: int | None = MOST_ROWS,
        task: Literal["auto", "regression", "classification"] = "auto",
        random_state: int = 0,
    ) -> None:
        self.columns = columns
        self.keep = keep
        self.model = model
        self.drop = drop
        self.trees = trees
        self.max_rows = max_rows
        self.task = task
        self.random_state = random_state

    @property
    def accepts(self) -> tuple[str, ...]:  # type: ignore[override]
        """Numbers and flags for a linear model, any kind for trees."""
        return LINEAR if self.model == "linear" else (*LINEAR, "categorical", "text", "dates")

    def check(self) -> None:
        """Check the budget and the share that is dropped."""
        super().check()
        check_max_rows(self.name, self.max_rows)
        if not 0 < self.drop < 1:
            raise InputError(f"Step 'select_recursive' needs a share to drop between 0 and 1, found {self.drop!r}.")

    def _scores(self, X: pd.DataFrame, y: pd.Series) -> Numbers:
        is_linear = self.model == "linear"
        X, y = (X, y) if is_linear else some_rows(X, y, self.max_rows, self.random_state)
        rows = on_one_scale(X, learn_scales(X, self.name), self.name) if is_linear else coded(X, learn_codes(X), self.name)
        scores, left, turn = np.zeros(X.shape[1]), np.arange(X.shape[1]), 0
        while len(left) > self.keep:
            strengths = self._strengths(rows[:, left], y)
            n_gone = min(max(1, int(self.drop * len(left))), len(left) - self.keep)
            # the later one of equal columns goes first
            order = np.argsort(-strengths, kind="stable")
            scores[left[order[-n_gone:]]] = turn
            left, turn = np.sort(left[order[:-n_gone]]), turn + 1
        scores[left] = turn
        return scores

    def _strengths(self, rows: Numbers, y: pd.Series) -> Numbers:
        are_classes = is_classes(y, self.task)
        if self.model == "linear":
            return np.asarray(np.abs(_ridge_weights(rows, indicators(y, are_classes))).sum(axis=1))
        return Forest(are_classes, self.trees, self.random_state).gains(rows, y.to_numpy(dtype=np.float64))


class SelectForward(Selector):
    """Take the column that helps a ridge regression most, then the next, and stop when none helps enough.

    What helps is measured on inner folds that the regression is not fitted on, as a share of the target's variance (classes
    as one column of 0 and 1 each). Columns are standardised, missing as the mean. The score is what a column added when it
    was taken. The kept columns stay as they are.

    Parameters
    ----------
    columns
        The numeric and flag columns to choose from.
    keep
        How many columns stay at most.
    threshold
        Which share of the variance a further column must add. The best one always stays.
    folds
        How many inner folds, at least 2.
    task
        Whether the target is numbers or classes; ``auto`` takes at most 20 distinct whole numbers for classes.
    random_state
        Seed of the inner folds.
    """

    learns = Learns.TARGET_STRUCTURE
    accepts = LINEAR
    threshold: float
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = ({"keep": 3}, {"threshold": 0.05, "folds": 2, "task": "regression"})

    def __init__(
        self,
        columns: Selection = LINEAR,
        *,
        keep: int | None = None,
        threshold: float = 1e-4,
        folds: int = 5,
        task: Literal["auto", "regression", "classification"] = "auto",
        random_state: int = 0,
    ) -> None:
        self.columns = columns
        self.keep = keep
        self.threshold = threshold
        self.folds = folds
        self.task = task
        self.random_state = random_state

    def check(self) -> None:
        """Check the budget and the number of folds."""
        super().check()
        if self.folds < 2 or not self.threshold > 0:
            raise InputError("Step 'select_forward' needs at least 2 folds and a threshold above 0.")

    def _scores(self, X: pd.DataFrame, y: pd.Series) -> Numbers:
        rows, target = on_one_scale(X, learn_scales(X, self.name), self.name), indicators(y, is_classes(y, self.task))
        folds = inner_folds(X.index, self.folds, self.random_state)
        errors = HeldOutErrors(rows, target, folds)
        scores, taken, error = np.zeros(X.shape[1]), np.zeros(X.shape[1], dtype=bool), 1.0
        for _ in range(min(self.keep or X.shape[1], X.shape[1])):
            after = errors.with_one_more(np.flatnonzero(taken))
            best = int(np.argmin(np.where(taken, np.inf, after)))
            if taken.any() and error - after[best] < self.threshold:
                break
            # the first one stays even where it does not help
            scores[best], taken[best] = max(error - after[best], self.threshold), True
            error = min(error, float(after[best]))
        return scores


def _ridge_weights(rows: Numbers, target: Numbers) -> Numbers:
    return solved(rows.T @ rows, rows.T @ (target - target.mean(axis=0)))
