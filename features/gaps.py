"""Values that mean missing, and the first value that is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from features.columns import Selection, kind_of
from features.design import refuse_too_few
from features.errors import InputError
from features.expressions import as_text
from features.step import Step


class ToMissing(Step):
    """Make values that stand for missing ones missing, in place.

    Whole numbers become floats, flags the numbers 1 and 0, declared levels text, each where something became missing or
    not: a column's type does not hang on its rows.

    Parameters
    ----------
    columns
        The columns to look at.
    values
        The values that mean missing: numbers meet numbers, text meets text (``-1``, ``"?"``, ``"unknown"``).

    Examples
    --------
    >>> ToMissing("age", values=[-1, 999]).fit_transform(pd.DataFrame({"age": [30, -1, 999]}))["age"].tolist()
    [30.0, nan, nan]
    """

    accepts = ("numeric", "categorical", "text")
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"columns": ["MSSubClass", "LotFrontage"], "values": [120, -1]},
        {"columns": ["Rooms", "MSSubClass", "Quarter"], "values": ["many", 30, 1]},
    )

    def __init__(self, columns: Selection, *, values: Sequence[str | int | float]) -> None:
        self.columns = columns
        self.values = values

    def check(self) -> None:
        """Check that there is a value."""
        super().check()
        if not self.values:
            raise InputError("Step 'to_missing' needs at least one value in 'values', such as [-1] or ['?'].")

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({column: self._without(X[column]) for column in self.selected_}, index=X.index)

    def _without(self, column: pd.Series) -> pd.Series:
        if kind_of(column) == "numeric":
            numbers = [float(value) for value in self.values if not isinstance(value, str)]
            values = column.to_numpy(dtype=np.float64, na_value=np.nan)
            return pd.Series(np.where(np.isin(values, numbers), np.nan, values), index=column.index)
        texts = as_text(column)
        return texts.mask(texts.isin(as_text(pd.Series(list(self.values), dtype=object)).tolist()))


class Coalesce(Step):
    """Take the first value that is not missing among several columns: ``<into>``.

    The columns must be of one kind; declared levels become text. The source columns stay.

    Parameters
    ----------
    columns
        The columns to ask, in this order.
    into
        Name of the result; an existing name replaces that column.

    Examples
    --------
    >>> X = pd.DataFrame({"site": [None, "a"], "app": ["x", "y"]})
    >>> Coalesce(["site", "app"], into="where").fit_transform(X)["where"].tolist()
    ['x', 'a']
    """

    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"columns": ["PoolQC", "Neighborhood", "Condition"], "into": "word"},
        {"columns": ["LotFrontage", "LotArea"], "into": "LotFrontage"},
        {"columns": ["Remodelled", "Sold"], "into": "last"},
    )

    def __init__(self, columns: Selection, *, into: str) -> None:
        self.columns = columns
        self.into = into

    def _selected(self, X: pd.DataFrame) -> list[str]:
        selected = super()._selected(X)
        kinds = {column: _broad_kind(X[column]) for column in selected}
        if len(set(kinds.values())) > 1:
            shown = ", ".join(f"{column!r} is {kind}" for column, kind in kinds.items())
            raise InputError(f"Step 'coalesce' needs columns of one kind: {shown}. Cast them first.")
        return selected

    def _learn(self, X: pd.DataFrame, y: pd.Series | None) -> None:
        refuse_too_few(self.selected_, 1, self.name)

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        # a column that is missing throughout may be of any type: it has nothing to give
        full = [column for column in self.selected_ if not bool(X[column].isna().all())] or self.selected_[:1]
        parts = [as_text(X[column]) if _broad_kind(X[column]) == "text" else X[column] for column in full]
        result = parts[0]
        for part in parts[1:]:
            result = _filled(result, part)
        return pd.DataFrame({self.into: result}, index=X.index)


def _broad_kind(column: pd.Series) -> str:
    kind = kind_of(column)
    return "text" if kind == "categorical" else kind


def _filled(column: pd.Series, other: pd.Series) -> pd.Series:
    if pd.api.types.is_integer_dtype(column.dtype) and isinstance(column.dtype, np.dtype):
        return column
    return column.where(column.notna(), other)
