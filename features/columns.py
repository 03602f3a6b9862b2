"""Selecting columns by name, glob or kind, with exceptions."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import pandas as pd
from pandas.api import types

from features.errors import InputError, closest, listed

Selection: TypeAlias = str | Sequence[str] | Mapping[str, Any] | None

KINDS = ("numeric", "categorical", "dates", "text", "flags")


def kind_of(column: pd.Series) -> str:
    """The kind of one column: numeric, flags (booleans), dates, text (plain strings) or categorical (declared levels)."""
    dtype = column.dtype
    if types.is_bool_dtype(dtype) and not isinstance(dtype, pd.CategoricalDtype):
        return "flags"
    if types.is_numeric_dtype(dtype):
        return "numeric"
    if types.is_datetime64_any_dtype(dtype):
        return "dates"
    return "categorical" if isinstance(dtype, pd.CategoricalDtype) else "text"


def is_of_kind(column: pd.Series, kind: str) -> bool:
    """Whether a column belongs to ``kind``; strings are both ``text`` and ``categorical``."""
    own = kind_of(column)
    return own == kind or (kind == "categorical" and own == "text")


def select(X: pd.DataFrame, selection: Selection) -> list[str]:
    """The names of the selected columns.

    Parameters
    ----------
    X : DataFrame of shape (n_rows, n_columns)
        Only its header and types are looked at.
    selection
        A name, a glob (``"Bsmt*"``), a kind (``"numeric"``, ``"categorical"``, ``"dates"``, ``"text"``, ``"flags"``), a list of these,
        or ``{"select": ..., "except": ...}``. None selects every column. Names win over kinds.

    Returns
    -------
    list of str
        In the order asked for; columns of one glob or kind in the frame's order; none twice.

    Raises
    ------
    InputError
        When a name or a glob matches no column. A kind may match none.
    """
    if selection is None:
        return list(X.columns)
    if isinstance(selection, Mapping):
        left_out = set(select(X, selection.get("except", [])))
        return [name for name in select(X, selection.get("select")) if name not in left_out]
    asked = [selection] if isinstance(selection, str) else list(selection)
    return list(dict.fromkeys(name for one in asked for name in _matches(X, one)))


def _matches(X: pd.DataFrame, one: str) -> list[str]:
    if one in X.columns:
        return [one]
    if one in KINDS:
        return [name for name in X.columns if is_of_kind(X[name], one)]
    found = [name for name in X.columns if fnmatch.fnmatchcase(name, str(one))] if _is_glob(one) else []
    if not found:
        raise InputError(
            f"No column {one!r} here; there are {listed(X.columns)}.{closest(one, X.columns)} "
            f"Select columns by name, glob or kind ({', '.join(KINDS)})."
        )
    return found


def _is_glob(name: object) -> bool:
    return any(mark in str(name) for mark in "*?[")
