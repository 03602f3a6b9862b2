"""Random subsets: many small sets of columns are tried, and the best one stays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd

from features.classes import indicators, is_classes
from features.columns import Selection
from features.crossfit import inner_folds
from features.design import learn_scales, on_one_scale
from features.errors import InputError
from features.held_out import HeldOutErrors
from features.numbers import Numbers
from features.selection import LINEAR, Selector
from features.step import Learns


class SelectSubset(Selector):
    """Draw many random subsets of ``keep`` columns and keep the one with which a ridge regression does best.

    What is best is measured on inner folds that the regression is not fitted on, as the share of the target's variance it
    explains (classes as one column of 0 and 1 each). Columns are standardised, missing as the mean. A column's score is that
    share in the best subset it was drawn into; one that was never drawn has the lowest score of all. Unlike
    ``select_forward`` this finds columns that help only together, and costs the more draws the more columns there are. The
    kept columns stay as they are.

    Parameters
    ----------
    columns
        The numeric and flag columns to choose from.
    keep
        How many columns stay: the size of the subsets.
    draws
        How many subsets are drawn.
    folds
        How many inner folds, at least 2.
    task
        Whether the target is numbers or classes; ``auto`` takes at most 20 distinct whole numbers for classes.
    random_state
        Seed of the subsets and the inner folds.
    """

    learns = Learns.TARGET_STRUCTURE
    accepts = LINEAR
    keep: int
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = ({"keep": 2}, {"keep": 3, "draws": 4, "folds": 2, "task": "regression"})

    def __init__(
        self,
        columns: Selection = LINEAR,
        *,
        keep: int,
        draws: int = 200,
        folds: int = 5,
        task: Literal["auto", "regression", "classification"] = "auto",
        random_state: int = 0,
    ) -> None:
        self.columns = columns
        self.keep = keep
        self.draws = draws
        self.folds = folds
        self.task = task
        self.random_state = random_state

    def check(self) -> None:
        """Check the budget, the draws and the number of folds."""
        super().check()
        if self.folds < 2 or self.draws < 1:
            raise InputError("Step 'select_subset' needs at least 2 folds and at least 1 of 'draws'.")

    def _scores(self, X: pd.DataFrame, y: pd.Series) -> Numbers:
        rows, target = on_one_scale(X, learn_scales(X, self.name), self.name), indicators(y, is_classes(y, self.task))
        errors = HeldOutErrors(rows, target, inner_folds(X.index, self.folds, self.random_state))
        draw, size = np.random.default_rng(self.random_state), min(self.keep, X.shape[1])
        scores = np.full(X.shape[1], -np.inf)
        for _ in range(self.draws):
            subset = np.sort(draw.choice(X.shape[1], size, replace=False))
            scores[subset] = np.maximum(scores[subset], 1.0 - errors.of(subset))
        return np.where(np.isfinite(scores), scores, scores[np.isfinite(scores)].min())
