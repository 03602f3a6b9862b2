"""Categories in the form that models want: one column a level, codes, or declared levels.

These steps learn which levels there are and nothing else (no counts), so one set of columns serves every fold.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd

from features.columns import Selection
from features.errors import InputError, closest, listed
from features.expressions import as_text
from features.keys import levels_of
from features.step import Learns, Step, missing_safe_codes

_CODABLE = ("categorical", "text", "numeric", "flags")


class OneHot(Step):
    """Replace a category by one flag for each level: ``<column>__<level>``.

    An unseen level has no flag set. Characters that boosting libraries refuse in names become ``_``; names that then
    clash get ``_2``, ``_3`` and so on in the order of the levels.

    Parameters
    ----------
    columns
        The columns to replace.
    drop_first
        Leave the first level out, for models that take badly to flags that add up to one.
    missing
        ``none`` sets no flag where the value is missing, ``column`` makes ``<column>__missing`` for it.
    max_levels
        The most levels a column may have; more are refused, since each would become a column.

    Examples
    --------
    >>> OneHot("street").fit_transform(pd.DataFrame({"street": ["Pave", "Grvl"]})).columns.tolist()
    ['street__Grvl', 'street__Pave']
    """

    learns = Learns.LEVELS
    accepts = _CODABLE
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {},
        {"columns": ["Street", "PoolQC", "HasAir"], "drop_first": True, "missing": "column"},
    )

    def __init__(
        self,
        columns: Selection = "categorical",
        *,
        drop_first: bool = False,
        missing: Literal["none", "column"] = "none",
        max_levels: int = 1000,
    ) -> None:
        self.columns = columns
        self.drop_first = drop_first
        self.missing = missing
        self.max_levels = max_levels

    def _learn(self, X: pd.DataFrame, y: pd.Series | None) -> None:
        self.levels_: dict[str, np.ndarray] = {}
        for column in self.selected_:
            levels = levels_of(X[column])
            if len(levels) > self.max_levels:
                raise InputError(
                    f"Step 'one_hot' would make {len(levels)} columns of {column!r}; max_levels is {self.max_levels}. Group its rare "
                    "levels (rare_group), encode it otherwise (target_encode, count_encode), or raise max_levels."
                )
            self.levels_[column] = levels[1:] if self.drop_first else levels
        self.names_ = model_safe_names(f"{column}__{label}" for column in self.selected_ for label in self._labels(column))

    def _labels(self, column: str) -> list[str]:
        """One label for each flag of a column, the one for missing last."""
        labels = [str(label) for label in as_text(pd.Series(self.levels_[column]))]
        return [*labels, "missing"] if self.missing == "column" else labels

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        # column-major, so that each flag can be used as it is
        flags = np.zeros((len(X), len(self.names_)), dtype=bool, order="F")
        start = 0
        for column in self.selected_:
            codes = missing_safe_codes(X[column], self.levels_[column])
            known = np.flatnonzero(codes >= 0)
            flags[known, start + codes[known]] = True
            start += len(self.levels_[column])
            if self.missing == "column":
                flags[:, start] = X[column].isna()
                start += 1
        return pd.DataFrame(flags, index=X.index, columns=self.names_, copy=False)

    def _dropped(self) -> list[str]:
        return list(self.selected_)


class Ordinal(Step):
    """Replace a category, in place, by the number of its level: 0, 1, ... in sorted or declared order.

    Missing stays missing; an unseen level is -1.

    Parameters
    ----------
    columns
        The columns to replace.
    order
        From a column to its levels, lowest first; columns without an entry are sorted.

    Examples
    --------
    >>> Ordinal("street").fit_transform(pd.DataFrame({"street": ["Pave", "Grvl", None]}))["street"].tolist()
    [1.0, 0.0, nan]
    """

    learns = Learns.LEVELS
    accepts = _CODABLE
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = ({}, {"columns": ["PoolQC", "HasAir"], "order": {"PoolQC": ["Fa", "Gd", "Ex"]}})

    def __init__(self, columns: Selection = "categorical", *, order: dict[str, Sequence[str | int | float | bool]] | None = None) -> None:
        self.columns = columns
        self.order = order

    def _learn(self, X: pd.DataFrame, y: pd.Series | None) -> None:
        order = self.order or {}
        stray = [column for column in order if column not in self.selected_]
        if stray:
            raise InputError(
                f"Step 'ordinal' has an order for {listed(stray)}, which it does not work on; it works on {listed(self.selected_)}."
                f"{closest(stray[0], self.selected_)}"
            )
        self.levels_ = {column: _ordered(X[column], order.get(column)) for column in self.selected_}

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({column: self._coded(X[column]) for column in self.selected_}, index=X.index)

    def _coded(self, column: pd.Series) -> np.ndarray:
        codes = missing_safe_codes(column, self.levels_[str(column.name)]).astype(np.float64)
        codes[column.isna().to_numpy()] = np.nan
        return codes


class AsCategory(Step):
    """Declare the levels of a category, in place, for models that take categories as they are.

    The levels are the same in every fold and table; an unseen level is missing.

    Parameters
    ----------
    columns
        The columns to declare.

    Examples
    --------
    >>> AsCategory("street").fit_transform(pd.DataFrame({"street": ["Pave", "Grvl"]}))["street"].cat.categories.tolist()
    ['Grvl', 'Pave']
    """

    learns = Learns.LEVELS
    accepts = _CODABLE
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = ({}, {"columns": ["MSSubClass", "Street", "HasAir"]})

    def __init__(self, columns: Selection = "categorical") -> None:
        self.columns = columns

    def _learn(self, X: pd.DataFrame, y: pd.Series | None) -> None:
        self.levels_ = {column: levels_of(X[column]) for column in self.selected_}

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({column: self._declared(X[column]) for column in self.selected_}, index=X.index)

    def _declared(self, column: pd.Series) -> pd.Categorical:
        levels = self.levels_[str(column.name)]
        return pd.Categorical.from_codes(missing_safe_codes(column, levels), categories=pd.Index(levels))


def model_safe_names(names: Iterable[str]) -> list[str]:
    """Names in which the characters that boosting libraries refuse are ``_``, each made unique by a number where needed.

    >>> model_safe_names(["a__x y", "a__x_y", "a__<3"])
    ['a__x_y', 'a__x_y_2', 'a___3']
    """
    safe: dict[str, None] = {}
    for name in names:
        plain = re.sub(r"[\[\]<>{}:,\"'\\\s\x00-\x1f]", "_", name)
        unique, number = plain, 1
        while unique in safe:
            number += 1
            unique = f"{plain}_{number}"
        safe[unique] = None
    return list(safe)


def _ordered(column: pd.Series, order: Sequence[Any] | None) -> np.ndarray:
    """The declared order where there is one, else the sorted levels."""
    found = levels_of(column)
    if order is None:
        return found
    declared = np.array(list(order), dtype=object)
    unknown = [level for level in found.tolist() if level not in declared.tolist()]
    if unknown or len(set(order)) < len(order):
        what = f"{listed(unknown)}, which the order lacks" if unknown else "a level twice in the order"
        raise InputError(f"Step 'ordinal' found {what}, for column {column.name!r}. The order must name every level once: {list(order)!r}.")
    return declared
