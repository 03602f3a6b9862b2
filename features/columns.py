"""Selecting columns by name, glob or kind, with exceptions."""

from __future__ import annotations

import fnmatch
import functools
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import pandas as pd
from pandas.api import types

from features.errors import InputError, closest, listed

Selection: TypeAlias = str | Sequence[str] | Mapping[str, Any] | None

KINDS = ("numeric", "categorical", "dates", "text", "flags")


_KEYS = ("select", "except")


def kind_of(column: pd.Series) -> str:
    """The kind of one column: numeric, flags (booleans), dates, text (plain strings) or categorical (declared levels)."""
    return kind_of_type(column.dtype)


def kind_of_type(dtype: Any) -> str:
    """The kind of the columns of a type.

    >>> kind_of_type(pd.StringDtype()), kind_of_type(pd.CategoricalDtype(["a"]))
    ('text', 'categorical')
    """
    # levels are part of a categorical type: to look one up takes longer than to ask
    return "categorical" if isinstance(dtype, pd.CategoricalDtype) else _kind_of_plain(dtype)


@functools.lru_cache(maxsize=256)
def _kind_of_plain(dtype: Any) -> str:
    if types.is_bool_dtype(dtype):
        return "flags"
    if types.is_numeric_dtype(dtype):
        return "numeric"
    return "dates" if types.is_datetime64_any_dtype(dtype) else "text"


def kinds_of(X: pd.DataFrame) -> dict[str, str]:
    """The kind of every column of a frame: one look at its types, which is much faster than one at each column."""
    return {name: kind_of_type(dtype) for name, dtype in zip(X.columns.tolist(), X.dtypes.tolist(), strict=True)}


def belongs(own: str, kind: str) -> bool:
    """Whether columns of the kind ``own`` belong to ``kind``; strings are both ``text`` and ``categorical``."""
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
        When a name or a glob matches no column, or a mapping has other keys. A kind may match none.
    """
    if selection is None:
        return list(X.columns)
    if isinstance(selection, Mapping):
        _check_keys(selection)
        left_out = set(select(X, selection.get("except", [])))
        return [name for name in select(X, selection.get("select")) if name not in left_out]
    asked = [selection] if isinstance(selection, str) else list(selection)
    return list(dict.fromkeys(name for one in asked for name in _matches(X, one)))


def _check_keys(selection: Mapping[str, Any]) -> None:
    """A misspelt key would select every column."""
    unknown = [key for key in selection if key not in _KEYS]
    if unknown or not selection:
        found = f"the key(s) {listed(unknown)}" if unknown else "no key"
        raise InputError(
            f"A selection of columns has {found}; allowed: {', '.join(map(repr, _KEYS))}.{closest(unknown[0], _KEYS) if unknown else ''} "
            "Write {select: [A, 'B*'], except: [C]}, or a list of names, globs and kinds."
        )


def _matches(X: pd.DataFrame, one: str) -> list[str]:
    if one in X.columns:
        return [one]
    if one in KINDS:
        return [name for name, own in kinds_of(X).items() if belongs(own, one)]
    found = [name for name in X.columns if fnmatch.fnmatchcase(name, str(one))] if _is_glob(one) else []
    if not found:
        raise InputError(
            f"No column {one!r} here; there are {listed(X.columns)}.{closest(one, X.columns)} "
            f"Select columns by name, glob or kind ({', '.join(KINDS)})."
        )
    return found


def _is_glob(name: object) -> bool:
    return any(mark in str(name) for mark in "*?[")
