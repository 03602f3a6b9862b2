"""The contract of a step: a scikit-learn transformer on DataFrames that says what it learns from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from features.columns import KINDS, Selection, belongs, kinds_of, select
from features.errors import InputError, listed
from features.expressions import as_text
from features.parameters import check_choices

_FEW = 64
"""Rows up to which a dictionary finds levels faster than an index of pandas."""


class Learns(StrEnum):
    """What a step learns from, which decides where it may be fitted."""

    NOTHING = "nothing"
    """Each row stands alone: runs once on all rows."""
    LEVELS = "levels"
    """The set of a column's levels, no counts: a schema, taken once from train and test together."""
    ROWS = "rows"
    """Rows without the target (medians, counts, scales): fitted on the training part of a fold, or on all rows on request."""
    TARGET_VALUES = "target as values"
    """Statistics of the target that become values of a column: cross-fitted inside the training part."""
    TARGET_STRUCTURE = "target as structure"
    """The target decides which columns or borders there are (selection, supervised bins): fitted on the training part."""
    PAST = "past"
    """Each row sees only rows before its cutoff."""

    @property
    def needs_target(self) -> bool:
        """Whether ``fit`` must be given ``y``."""
        return self in (Learns.TARGET_VALUES, Learns.TARGET_STRUCTURE, Learns.PAST)


def registry_name(cls: type) -> str:
    """A class's name in a declaration.

    >>> registry_name(type("OneHot", (), {}))
    'one_hot'
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls.__name__).lower()


class Step(BaseEstimator):  # type: ignore[misc]
    """Base of every step.

    A subclass assigns its parameters in ``__init__``, sets ``learns`` (and ``accepts``, the kinds of column it can work
    on), and fills three hooks: ``_learn`` (keep what is learnt in attributes that end in ``_``, made of arrays, dicts and
    plain values), ``_write`` (the columns it makes or replaces) and, where needed, ``_dropped`` (the columns it removes).
    The frame it is given never holds the target or the id. A step with parameters that must be given names some in
    ``examples``, for the table in ``tests/contracts/conftest.py``: the suite that every step must pass runs them.
    """

    learns: ClassVar[Learns] = Learns.NOTHING
    accepts: ClassVar[tuple[str, ...]] = (*KINDS,)
    name: ClassVar[str] = "step"
    abstract: ClassVar[bool] = False
    shorthand: ClassVar[str] = ""
    """The parameter that a bare value means (``scale: robust``); the first one by default (``drop: [A, B]``)."""
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = ()
    columns: Selection

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.name = registry_name(cls)
        cls.abstract = "abstract" in vars(cls)

    # ------------------------------------------------------------------ what a subclass fills
    def _selected(self, X: pd.DataFrame) -> list[str]:
        """The columns the step works on."""
        return select(X, self.columns)

    def _beside(self, X: pd.DataFrame) -> list[str]:
        """Columns it reads besides those it works on (group keys, say)."""
        return []

    def _learn(self, X: pd.DataFrame, y: pd.Series | None) -> None:
        """Learn from the rows of X; nothing by default."""

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        """The columns made or replaced, with the index of X."""
        raise NotImplementedError

    def _dropped(self) -> list[str]:
        """The columns removed."""
        return []

    # ------------------------------------------------------------------ what everybody calls
    def check(self) -> None:
        """Check the parameters as far as that needs no data.

        Raises
        ------
        InputError
            When a value is not allowed; ``reads`` and ``fit`` ask this first.
        """
        check_choices(self.name, self)

    def reads(self, X: pd.DataFrame) -> list[str]:
        """The columns this step reads in a frame with this header.

        Raises
        ------
        InputError
            When a selected column is not there or is of a kind the step cannot work on.
        """
        self.check()
        selected, kinds = self._selected(X), kinds_of(X)
        for column in selected:
            if not any(belongs(kinds[column], kind) for kind in self.accepts):
                raise InputError(
                    f"Step {self.name!r} works on {' or '.join(self.accepts)} columns; {column!r} is {kinds[column]} "
                    f"({X[column].dtype}). Leave it out with 'except', or cast it first."
                )
        return list(dict.fromkeys([*selected, *self._beside(X)]))

    def fit(self, X: pd.DataFrame, y: pd.Series | None = None) -> Self:
        """Learn from training rows.

        Parameters
        ----------
        X : DataFrame of shape (n_rows, n_columns)
            Its index identifies the rows (cross-fitting draws a row's inner fold from it).
        y : Series of shape (n_rows,), optional
            The target; needed by the steps that learn from it, ignored by the others.

        Raises
        ------
        InputError
            When the columns or their values do not fit the step.
        """
        return self.resolve(X).learn(X, y)

    def resolve(self, X: pd.DataFrame) -> Self:
        """The first half of ``fit``: settle which columns are read and worked on; only the header of X is looked at."""
        self.reads_ = self.reads(X)
        self.selected_ = self._selected(X)
        return self

    def learn(self, X: pd.DataFrame, y: pd.Series | None = None) -> Self:
        """The second half of ``fit``: learn from rows that have at least the columns settled by ``resolve``."""
        if self.learns.needs_target and y is None:
            raise InputError(f"Step {self.name!r} learns from the {self.learns}: call fit(X, y).")
        self._learn(self._read(X), y if self.learns.needs_target else None)
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """The frame with this step's columns made, replaced or removed; X itself is not changed.

        Raises
        ------
        InputError
            When a column seen in ``fit`` is missing from X.
        """
        return self.merge(X, self.write(X))

    def fit_transform(self, X: pd.DataFrame, y: pd.Series | None = None) -> pd.DataFrame:
        """``fit`` and the training rows' own values. For a cross-fitted step this is not ``fit`` then ``transform``."""
        self.fit(X, y)
        return self.merge(X, self.write_training(X, y))

    def write(self, X: pd.DataFrame) -> pd.DataFrame:
        """Only the columns made or replaced, for rows that were not fitted on."""
        missing = [column for column in self.reads_ if column not in X.columns]
        if missing:
            raise InputError(f"Step {self.name!r} was fitted with column(s) {listed(missing)}, which this table lacks.")
        return self._write(self._read(X))

    def _read(self, X: pd.DataFrame) -> pd.DataFrame:
        """The columns it reads, as a frame of its own: what a step does to it does not reach X."""
        return X.copy(deep=False) if X.columns.tolist() == self.reads_ else X[self.reads_]

    def write_training(self, X: pd.DataFrame, y: pd.Series | None) -> pd.DataFrame:
        """Only the columns made or replaced, for the rows that were fitted on."""
        return self.write(X)

    def merge(self, X: pd.DataFrame, written: pd.DataFrame) -> pd.DataFrame:
        """X without the dropped columns, with the written ones in place or at the end."""
        gone = set(self._dropped())
        kept = {column: written[column] if column in written.columns else X[column] for column in X.columns if column not in gone}
        return pd.DataFrame({**kept, **{column: written[column] for column in written.columns}}, index=X.index, copy=False)

    @property
    def dropped(self) -> list[str]:
        """The columns a fitted step removes."""
        return self._dropped()


def missing_safe_codes(column: pd.Series, levels: np.ndarray) -> np.ndarray:
    """Positions of a column's values in ``levels``; -1 for missing and for values that are not there."""
    values = as_text(column) if isinstance(column.dtype, pd.CategoricalDtype) else column
    if len(values) <= _FEW and values.dtype != object and levels.dtype.kind in "OUifb":
        # pandas' lookup takes half a millisecond to set up: the better part of a request of one row
        places = {level: place for place, level in enumerate(levels.tolist())}
        return np.array([places.get(value, -1) for value in values.tolist()], dtype=np.int64)
    index = pd.Index(levels)
    if isinstance(values.dtype, pd.StringDtype):
        # each distinct text is looked up once, which is several times as fast; missing is numbered -1: the last place
        numbers, distinct = pd.factorize(values)
        return np.append(index.get_indexer(pd.Index(distinct)), -1)[numbers]
    codes: np.ndarray = index.get_indexer(pd.Index(values))
    codes[column.isna().to_numpy()] = -1
    return codes
