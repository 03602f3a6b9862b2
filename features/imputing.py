"""Filling a column from what the other columns say."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from features.columns import Selection, kind_of, select
from features.design import by_label, coded, learn_codes, refuse_too_few
from features.errors import InputError
from features.expressions import as_text
from features.keys import levels_of
from features.numbers import Numbers, as_numbers, refuse_all_missing
from features.step import Learns, Step, missing_safe_codes
from features.trees import Tree, grow, walk

_CODABLE = ("numeric", "categorical", "text", "flags")


class TreeFill(Step):
    """Fill missing values, in place, by what a small decision tree of other columns says.

    One tree a column, learnt from the training rows that have a value: numbers get a mean, categories and flags the most
    frequent level. The trees read the values as they came, their gaps included. Declared levels become text.

    Parameters
    ----------
    columns
        The columns to fill.
    using
        The columns the trees read; by default all others. A column is never used for itself.
    max_leaves
        How many different values a tree can give at most.
    min_rows
        How many training rows each of them rests on at least.

    Examples
    --------
    >>> X = pd.DataFrame({"age": [4.0, 6.0, 40.0, 60.0, None], "title": ["Master", "Master", "Mr", "Mr", "Mr"]})
    >>> TreeFill("age", min_rows=2).fit_transform(X)["age"].tolist()
    [4.0, 6.0, 40.0, 60.0, 50.0]
    """

    learns = Learns.ROWS
    accepts = _CODABLE
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"columns": ["LotFrontage"], "min_rows": 5},
        {"columns": ["PoolQC", "Slope", "Condition"], "using": ["LotArea", "Neighborhood", "Sold", "PoolQC"], "max_leaves": 5},
    )

    def __init__(self, columns: Selection, *, using: Selection = None, max_leaves: int = 32, min_rows: int = 10) -> None:
        self.columns = columns
        self.using = using
        self.max_leaves = max_leaves
        self.min_rows = min_rows

    def check(self) -> None:
        """Check the size of the trees."""
        super().check()
        if self.max_leaves < 2 or self.min_rows < 1:
            raise InputError("Step 'tree_fill' needs max_leaves of at least 2 and min_rows of at least 1.")

    def _beside(self, X: pd.DataFrame) -> list[str]:
        return select(X, self.using)

    def _learn(self, X: pd.DataFrame, y: pd.Series | None) -> None:
        X, _ = by_label(X)
        using = self._beside(X)
        refuse_too_few([column for column in using if column not in self.selected_] or using[1:], 1, self.name)
        self.codes_ = learn_codes(X[using])
        self.levels_: dict[str, np.ndarray] = {}
        self.trees_: dict[str, Tree] = {}
        for column in self.selected_:
            self._learn_one(X, column)

    def _learn_one(self, X: pd.DataFrame, column: str) -> None:
        refuse_all_missing(X[column], column, self.name, "Drop it, or fill a constant: 'fill: {columns: [...], value: ...}'.")
        is_classes = kind_of(X[column]) != "numeric"
        if is_classes:
            self.levels_[column] = levels_of(X[column])
        values = missing_safe_codes(X[column], self.levels_[column]).astype(np.float64) if is_classes else as_numbers(X[column], self.name)
        known = X[column].notna().to_numpy()
        rows = self._rows(X[known], column)
        self.trees_[column] = grow(rows, values[known], is_classes=is_classes, max_leaves=self.max_leaves, min_rows=self.min_rows)

    def _rows(self, X: pd.DataFrame, column: str) -> Numbers:
        return coded(X, {name: levels for name, levels in self.codes_.items() if name != column}, self.name)

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({column: self._filled(X, column) for column in self.selected_}, index=X.index)

    def _filled(self, X: pd.DataFrame, column: str) -> pd.Series | Numbers:
        gaps = X[column].isna().to_numpy()
        found = walk(self.trees_[column], self._rows(X[gaps], column))
        if column not in self.levels_:
            values = as_numbers(X[column], self.name)
            values[gaps] = found
            return values
        levels = self.levels_[column][found.astype(np.int64)]
        if levels_are_flags(self.levels_[column]):
            filled = X[column].astype(object)
            filled[gaps] = levels
            return filled.astype("bool")
        filled = as_text(X[column])
        filled[gaps] = levels.astype(str)
        return filled


class IterativeFill(Step):
    """Fill missing numbers, in place, each column from the others by linear regression, in rounds.

    scikit-learn's IterativeImputer with a Bayesian ridge regression: gaps begin as means, then one column after the other,
    those with the fewest gaps first, is predicted from all others, and the rounds use one another's values. What is filled
    in lies within the range of the known training values.

    Parameters
    ----------
    columns
        The columns to fill, which are also the ones it is predicted from.
    rounds
        How often each column is predicted.
    """

    learns = Learns.ROWS
    accepts = ("numeric",)
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = ({"rounds": 2}, {"columns": ["LotFrontage", "Slope", "YearBuilt"], "rounds": 3})

    def __init__(self, columns: Selection = "numeric", *, rounds: int = 5) -> None:
        self.columns = columns
        self.rounds = rounds

    def check(self) -> None:
        """Check the number of rounds."""
        super().check()
        if self.rounds < 1:
            raise InputError(f"Step 'iterative_fill' needs at least 1 round, found {self.rounds!r}.")

    def _learn(self, X: pd.DataFrame, y: pd.Series | None) -> None:
        from sklearn.experimental import enable_iterative_imputer  # noqa: F401
        from sklearn.impute import IterativeImputer

        refuse_too_few(self.selected_, 2, self.name)
        X, _ = by_label(X)
        rows = self._rows(X)
        for column, values in zip(self.selected_, rows.T, strict=True):
            refuse_all_missing(values, column, self.name, "Drop it, or fill a constant: 'fill: {columns: [...], value: ...}'.")
        self.means_ = np.nanmean(rows, axis=0)
        self.ranges_ = np.array([np.nanmin(rows, axis=0), np.nanmax(rows, axis=0)])
        imputer = IterativeImputer(max_iter=self.rounds, tol=0.0, min_value=self.ranges_[0], max_value=self.ranges_[1], random_state=0)
        with warnings.catch_warnings():
            # so many rounds are wanted, converged or not
            warnings.simplefilter("ignore")
            imputer.fit(rows)
        self.turns_ = [_turn(turn.feat_idx, turn.neighbor_feat_idx, turn.estimator) for turn in imputer.imputation_sequence_]

    def _rows(self, X: pd.DataFrame) -> Numbers:
        return np.stack([as_numbers(X[column], self.name) for column in self.selected_], axis=1)

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        rows = self._rows(X)
        gaps = np.isnan(rows)
        filled = np.where(gaps, self.means_, rows)
        for turn in self.turns_:
            column = turn["column"]
            open_ = gaps[:, column]
            with np.errstate(over="ignore", invalid="ignore"):
                found = filled[np.ix_(open_, turn["others"])] @ turn["weights"] + turn["shift"]
            found = np.where(np.isnan(found), self.means_[column], found)
            filled[open_, column] = np.clip(found, *self.ranges_[:, column])
        return pd.DataFrame(filled, index=X.index, columns=self.selected_)


def _turn(column: int, others: np.ndarray, regression: Any) -> dict[str, Any]:
    """One prediction of a column from the others, as plain values."""
    return {"column": int(column), "others": np.array(others), "weights": regression.coef_, "shift": float(regression.intercept_)}


def levels_are_flags(levels: np.ndarray) -> bool:
    """Whether learnt levels are those of a column of true and false."""
    return all(isinstance(level, (bool, np.bool_)) for level in levels)
