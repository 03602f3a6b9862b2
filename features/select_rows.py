"""Dropping columns that say nothing, or nothing new, without a look at the target."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from features.columns import Selection
from features.design import learn_scales, on_one_scale
from features.errors import InputError
from features.numbers import Numbers
from features.selection import LINEAR, Selector
from features.step import Learns


class NearConstant(Selector):
    """Drop columns in which nearly all training rows have one value.

    Missing counts as a value. The kept columns stay as they are.

    Parameters
    ----------
    columns
        The columns to look at; all of them by default.
    max_share
        A column is dropped when its most frequent value has a larger share of the rows than this, 0 to 1.

    Examples
    --------
    >>> X = pd.DataFrame({"street": ["Pave", "Pave", "Pave"], "area": [1, 2, 2]})
    >>> NearConstant(max_share=0.9).fit_transform(X).columns.tolist()
    ['area']
    """

    learns = Learns.ROWS
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = ({}, {"max_share": 0.6})

    def __init__(self, columns: Selection = None, *, max_share: float = 0.999) -> None:
        self.columns = columns
        self.max_share = max_share

    def check(self) -> None:
        """Check the share."""
        super().check()
        if not 0 < self.max_share <= 1:
            raise InputError(f"Step 'near_constant' needs a max_share above 0 and up to 1, found {self.max_share!r}.")

    def _scores(self, X: pd.DataFrame, y: pd.Series) -> Numbers:
        """The share of the rows that do not have the most frequent value; a column without rows has 1."""
        return np.array([1.0 - X[column].value_counts(dropna=False).max() / len(X) if len(X) else 1.0 for column in X])

    def _chosen(self, scores: Numbers) -> np.ndarray:
        # shares of the same rows differ by rounding alone where they are equal
        is_constant = (self.max_share == 1) & (scores <= 0)
        return np.flatnonzero((1.0 - scores <= self.max_share + 1e-12) & ~is_constant)


class DuplicateColumns(Selector):
    """Drop columns that equal an earlier one in all training rows.

    Numbers equal numbers whatever their type, missing equals missing, and texts that name the rows' groups in the same way
    are equal whatever the names. The first of equal columns stays as it is.

    Parameters
    ----------
    columns
        The columns to look at; all of them by default.

    Examples
    --------
    >>> X = pd.DataFrame({"a": [1, 2], "b": [1.0, 2.0], "c": ["x", "y"], "d": ["u", "v"]})
    >>> DuplicateColumns().fit_transform(X).columns.tolist()
    ['a', 'c']
    """

    learns = Learns.ROWS
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = ({}, {"columns": ["LotArea", "Street"]})

    def __init__(self, columns: Selection = None) -> None:
        self.columns = columns

    def _scores(self, X: pd.DataFrame, y: pd.Series) -> Numbers:
        """1 for the first of equal columns, 0 for the others."""
        seen: set[tuple[bool, bytes]] = set()
        scores = np.zeros(X.shape[1])
        for position, column in enumerate(X):
            print_ = _print_of(X[column])
            scores[position] = print_ not in seen
            seen.add(print_)
        return scores

    def _chosen(self, scores: Numbers) -> np.ndarray:
        return np.flatnonzero(scores)


class Correlated(Selector):
    """Drop the later one of two columns that are correlated more than a limit in the training rows.

    Pearson's correlation in either direction; missing counts as the mean. A column is compared with those that stay, from
    the first to the last, so that of a group of like columns the first stays, as it is. A constant column is correlated
    with none.

    Parameters
    ----------
    columns
        The columns to look at.
    above
        The limit, 0 to 1.

    Examples
    --------
    >>> X = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [-2.0, -4.0, -6.0], "c": [1.0, 0.0, 1.0]})
    >>> Correlated().fit_transform(X).columns.tolist()
    ['a', 'c']
    """

    learns = Learns.ROWS
    accepts = LINEAR
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = ({}, {"columns": ["LotFrontage", "LotArea", "YrSold"], "above": 0.05})

    def __init__(self, columns: Selection = LINEAR, *, above: float = 0.98) -> None:
        self.columns = columns
        self.above = above

    def check(self) -> None:
        """Check the limit."""
        super().check()
        if not 0 < self.above <= 1:
            raise InputError(f"Step 'correlated' needs a limit 'above' from 0 to 1, found {self.above!r}.")

    def _scores(self, X: pd.DataFrame, y: pd.Series) -> Numbers:
        """1 for the columns that stay, 0 for the others."""
        rows = on_one_scale(X, learn_scales(X, self.name), self.name)
        lengths = np.linalg.norm(rows, axis=0)
        correlations = np.abs((rows / np.where(lengths > 0, lengths, 1.0)).T @ (rows / np.where(lengths > 0, lengths, 1.0)))
        stays: list[int] = []
        for position in range(X.shape[1]):
            if not (correlations[position, stays] > self.above).any():
                stays.append(position)
        return np.isin(np.arange(X.shape[1]), stays).astype(np.float64)

    def _chosen(self, scores: Numbers) -> np.ndarray:
        return np.flatnonzero(scores)


def _print_of(column: pd.Series) -> tuple[bool, bytes]:
    """The same for columns that are equal: their numbers, or which rows have the same text."""
    if pd.api.types.is_numeric_dtype(column.dtype) and not isinstance(column.dtype, pd.CategoricalDtype):
        # adding 0 makes the negative zero the positive one
        return True, (column.to_numpy(dtype=np.float64, na_value=np.nan) + 0.0).tobytes()
    return False, pd.factorize(column)[0].astype(np.int64).tobytes()
