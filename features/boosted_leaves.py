"""Boosted trees as features: the leaf of each tree that a row falls into, or what each tree says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.columns import Selection
from features.crossfit import inner_folds
from features.design import by_label, coded, learn_codes, refuse_too_few
from features.errors import InputError
from features.numbers import Numbers
from features.step import Learns, Step
from features.target import target_columns
from features.trees import Tree, walk


@dataclass(frozen=True)
class Boosting:
    """How trees are boosted; ``min_rows`` is the least a leaf holds."""

    trees: int
    leaves: int
    learning_rate: float
    min_rows: int

    def grow(self, rows: Numbers, target: Numbers) -> list[Tree]:
        """Trees of ``rows`` (n_rows, n_columns; NaN for missing), by log loss where the target is 0 or 1, else squared error.

        Rows must come in a fixed order: sums of gradients have the rounding of the order they are made in.

        Raises
        ------
        InputError
            When there are fewer than 2 rows.
        """
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
        from threadpoolctl import threadpool_limits

        if len(rows) < 2:
            raise InputError(
                f"Boosted trees need at least 2 rows to be grown on, found {len(rows)}. Take fewer folds, or leave the step out."
            )
        kind = HistGradientBoostingClassifier if np.array_equal(np.unique(target), [0.0, 1.0]) else HistGradientBoostingRegressor
        booster = kind(
            max_iter=self.trees,
            max_leaf_nodes=self.leaves,
            learning_rate=self.learning_rate,
            min_samples_leaf=self.min_rows,
            early_stopping=False,
            random_state=0,
        )
        with threadpool_limits(1):
            booster.fit(rows, target)
        # no public name gives these trees' leaves
        return [_as_tree(predictor.nodes) for (predictor,) in booster._predictors]


class BoostedLeaves(Step):
    """Say which leaf of each boosted tree a row falls into: ``<into>__0`` to ``<into>__<trees - 1>``, categories.

    For linear models on hashed or one-hot columns, as in He et al. (Practical Lessons from Predicting Clicks on Ads at
    Facebook, 2014) and the winning solution of the Criteo competition. The trees are grown once on the training part, so
    that a leaf means the same in every row; leaves know the targets of the training rows in them, and more so the more
    trees there are and the smaller leaves are. Where rows are few take ``boosted_scores``, which is cross-fitted. A target
    of several classes gives trees for each (``<into>__<class>_<tree>``). The source columns stay.

    Parameters
    ----------
    columns
        The columns the trees are grown on; categories count by the place of their level in sorted order.
    trees
        How many trees are grown.
    leaves
        How many leaves a tree has at most.
    learning_rate
        By how much each tree is followed before the next is grown.
    min_rows
        The least training rows in a leaf.
    into
        What the new columns' names begin with.
    """

    learns = Learns.TARGET_STRUCTURE
    accepts = ("numeric", "flags", "categorical", "text", "dates")
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"columns": "numeric", "trees": 3, "min_rows": 10},
        {"columns": ["LotArea", "Neighborhood", "HasAir", "Sold", "Condition"], "trees": 2, "leaves": 4, "min_rows": 5, "into": "leaf"},
    )

    def __init__(
        self,
        columns: Selection = "numeric",
        *,
        trees: int = 30,
        leaves: int = 8,
        learning_rate: float = 0.1,
        min_rows: int = 100,
        into: str = "boosted",
    ) -> None:
        self.columns = columns
        self.trees = trees
        self.leaves = leaves
        self.learning_rate = learning_rate
        self.min_rows = min_rows
        self.into = into

    def check(self) -> None:
        """Check the numbers."""
        super().check()
        _check_boosting(self.name, self.trees, self.leaves, self.learning_rate, self.min_rows)

    def _learn(self, X: pd.DataFrame, y: pd.Series | None) -> None:
        refuse_too_few(self.selected_, 1, self.name)
        X, y = by_label(X, y)
        assert y is not None
        self.codes_ = learn_codes(X)
        boosting, rows = Boosting(self.trees, self.leaves, self.learning_rate, self.min_rows), _rows(X, self.codes_, self.name)
        self.trees_ = {name: [_numbered(tree) for tree in boosting.grow(rows, target)] for name, target in target_columns(y).items()}

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        rows = _rows(X, self.codes_, self.name)
        written = {name: _leaf_of(tree, rows) for name, tree in _named(self.trees_, self.into)}
        return pd.DataFrame(written, index=X.index)


class BoostedScores(Step):
    """Say what each of some boosted trees adds to its forecast for a row: ``<into>__0`` to ``<into>__<trees - 1>``, numbers.

    A training row of inner fold j gets its numbers from trees that were grown on the training rows outside j, every other
    row from trees grown on all of them: ``fit_transform`` is not ``fit`` then ``transform``. What a tree adds means the same
    whichever trees it comes from, which the number of a leaf does not (``boosted_leaves``). A target of several classes
    gives trees for each (``<into>__<class>_<tree>``). The source columns stay.

    Parameters
    ----------
    columns
        The columns the trees are grown on; categories count by the place of their level in sorted order.
    trees
        How many trees are grown.
    leaves
        How many leaves a tree has at most.
    learning_rate
        By how much each tree is followed before the next is grown.
    min_rows
        The least training rows in a leaf.
    inner_folds
        Folds of the cross-fitting inside the training part.
    random_state
        Seed of the inner folds.
    into
        What the new columns' names begin with.
    """

    learns = Learns.TARGET_VALUES
    accepts = ("numeric", "flags", "categorical", "text", "dates")
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"columns": ["LotArea", "YearBuilt"], "trees": 1, "min_rows": 8, "inner_folds": 2},
        {"columns": ["LotArea", "Neighborhood", "HasAir", "Condition"], "trees": 2, "leaves": 3, "min_rows": 8, "inner_folds": 2},
    )

    def __init__(
        self,
        columns: Selection = "numeric",
        *,
        trees: int = 30,
        leaves: int = 8,
        learning_rate: float = 0.1,
        min_rows: int = 20,
        inner_folds: int = 5,
        random_state: int = 0,
        into: str = "boosted",
    ) -> None:
        self.columns = columns
        self.trees = trees
        self.leaves = leaves
        self.learning_rate = learning_rate
        self.min_rows = min_rows
        self.inner_folds = inner_folds
        self.random_state = random_state
        self.into = into

    def check(self) -> None:
        """Check the numbers."""
        super().check()
        _check_boosting(self.name, self.trees, self.leaves, self.learning_rate, self.min_rows)
        if self.inner_folds < 2:
            raise InputError(f"Step 'boosted_scores' needs at least 2 inner_folds, found {self.inner_folds}.")

    def _learn(self, X: pd.DataFrame, y: pd.Series | None) -> None:
        refuse_too_few(self.selected_, 1, self.name)
        X, y = by_label(X, y)
        assert y is not None
        self.codes_ = learn_codes(X)
        self.trees_ = self._grown(_rows(X, self.codes_, self.name), target_columns(y))

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        rows = _rows(X, self.codes_, self.name)
        return pd.DataFrame({name: walk(tree, rows) for name, tree in _named(self.trees_, self.into)}, index=X.index)

    def write_training(self, X: pd.DataFrame, y: pd.Series | None) -> pd.DataFrame:
        """The training rows' numbers, each from trees grown without the row's inner fold."""
        ordered, y = by_label(X[self.reads_], y)
        assert y is not None
        rows, targets = _rows(ordered, self.codes_, self.name), target_columns(y)
        inner = inner_folds(ordered.index, self.inner_folds, self.random_state)
        written = np.zeros((len(rows), self.trees * len(targets)))
        for fold in np.unique(inner):
            inside = inner == fold
            trees = self._grown(rows[~inside], {name: target[~inside] for name, target in targets.items()})
            written[inside] = np.column_stack([walk(tree, rows[inside]) for _, tree in _named(trees, self.into)])
        names = [name for name, _ in _named(self.trees_, self.into)]
        return pd.DataFrame(written, index=ordered.index, columns=names).loc[X.index]

    def _grown(self, rows: Numbers, targets: Mapping[str, Numbers]) -> dict[str, list[Tree]]:
        boosting = Boosting(self.trees, self.leaves, self.learning_rate, self.min_rows)
        return {name: boosting.grow(rows, target) for name, target in targets.items()}


def _check_boosting(step: str, trees: int, leaves: int, learning_rate: float, min_rows: int) -> None:
    if trees < 1 or leaves < 2 or min_rows < 1 or not learning_rate > 0:
        raise InputError(
            f"Step {step!r} needs at least 1 tree, 2 leaves and 1 row in a leaf, and a learning_rate above 0; found trees={trees!r}, "
            f"leaves={leaves!r}, min_rows={min_rows!r}, learning_rate={learning_rate!r}."
        )


def _rows(X: pd.DataFrame, codes: dict[str, Any], step: str) -> Numbers:
    """The columns as trees read them: in the precision that ``walk`` compares in."""
    return coded(X[list(codes)], codes, step).astype(np.float32).astype(np.float64)


def _as_tree(nodes: NDArray[Any]) -> Tree:
    """The nodes of one of scikit-learn's histogram trees as ``walk`` takes them."""
    is_leaf = nodes["is_leaf"].astype(bool)
    return {
        "left": np.where(is_leaf, -1, nodes["left"].astype(np.int64)),
        "right": np.where(is_leaf, -1, nodes["right"].astype(np.int64)),
        "column": nodes["feature_idx"].astype(np.int64),
        "threshold": nodes["num_threshold"].astype(np.float64),
        "missing_left": nodes["missing_go_to_left"].astype(bool),
        "value": nodes["value"].astype(np.float64),
    }


def _numbered(tree: Tree) -> Tree:
    """The same tree, with the number of each leaf in place of what it says; inner nodes have -1."""
    is_leaf = tree["left"] < 0
    return {**tree, "value": np.where(is_leaf, np.cumsum(is_leaf) - 1, -1).astype(np.float64)}


def _leaf_of(tree: Tree, rows: Numbers) -> pd.Categorical[Any]:
    """The number of each row's leaf, among those of all leaves."""
    names = [str(number) for number in range(int(tree["value"].max()) + 1)]
    return pd.Categorical.from_codes(walk(tree, rows).astype(np.int64), pd.Index(names))


def _named(trees: Mapping[str, list[Tree]], into: str) -> list[tuple[str, Tree]]:
    """Each tree by the name of its column."""
    return [
        (f"{into}__{target}_{number}" if target else f"{into}__{number}", tree)
        for target, of_target in trees.items()
        for number, tree in enumerate(of_target)
    ]
