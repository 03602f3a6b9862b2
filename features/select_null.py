"""Selection against chance: is a column's gain more than it would be with a shuffled target?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd

from features.classes import is_classes
from features.columns import Selection
from features.design import coded, learn_codes
from features.errors import InputError
from features.forests import MOST_ROWS, Forest, check_max_rows, some_rows
from features.numbers import Numbers
from features.selection import Selector
from features.step import Learns

_LEAST = 1e-9
"""A gain below this is none."""


class SelectNullImportance(Selector):
    """Keep the columns whose gain in randomised trees is more than chance gives them (null importance).

    Columns with many values gain even from a target that is shuffled. The score is the gain with the true target over an
    upper quantile of the gains with shuffled ones: 1 is what chance reaches now and then. The kept columns stay as they are.

    Parameters
    ----------
    columns
        The columns to choose from; all of them by default.
    keep
        How many columns stay at most.
    threshold
        The score a column needs to stay. The best one always stays.
    shuffles
        How often the target is shuffled.
    quantile
        Which quantile, 0 to 1, of the gains with shuffled targets the true gain is compared with.
    trees
        How many trees are grown each time.
    max_rows
        On how many training rows, drawn at random, trees are grown at most; ``null`` takes all of them.
    task
        Whether the target is numbers or classes; ``auto`` takes at most 20 distinct whole numbers for classes.
    random_state
        Seed of the shuffles and the trees.
    """

    learns = Learns.TARGET_STRUCTURE
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"columns": ["LotArea", "Owner", "Sold"], "shuffles": 2, "trees": 2},
        {"columns": ["LotArea", "Slope"], "keep": 1, "shuffles": 2, "trees": 2, "task": "regression"},
    )

    def __init__(
        self,
        columns: Selection = None,
        *,
        keep: int | None = None,
        threshold: float = 1.0,
        shuffles: int = 20,
        quantile: float = 0.75,
        trees: int = 100,
        max_rows: int | None = MOST_ROWS,
        task: Literal["auto", "regression", "classification"] = "auto",
        random_state: int = 0,
    ) -> None:
        self.columns = columns
        self.keep = keep
        self.threshold = threshold
        self.shuffles = shuffles
        self.quantile = quantile
        self.trees = trees
        self.max_rows = max_rows
        self.task = task
        self.random_state = random_state

    def check(self) -> None:
        """Check the budget, the shuffles and the quantile."""
        super().check()
        check_max_rows(self.name, self.max_rows)
        if self.shuffles < 1 or not 0 <= self.quantile <= 1:
            raise InputError("Step 'select_null_importance' needs at least 1 of 'shuffles' and a quantile from 0 to 1.")

    def _scores(self, X: pd.DataFrame, y: pd.Series) -> Numbers:
        X, y = some_rows(X, y, self.max_rows, self.random_state)
        rows, target = coded(X, learn_codes(X), self.name), y.to_numpy(dtype=np.float64)
        draw = np.random.default_rng(self.random_state)
        # small leaves would explain any target, and chance the more
        first = Forest(is_classes(y, self.task), self.trees, self.random_state, least_share=0.05)
        true = first.gains(rows, target)
        others = [replace(first, random_state=self.random_state + turn) for turn in range(1, self.shuffles + 1)]
        null = [forest.gains(rows, draw.permutation(target)) for forest in others]
        return np.where(true > _LEAST, true / np.maximum(np.quantile(null, self.quantile, axis=0), _LEAST), 0.0)
