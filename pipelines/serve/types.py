"""Columns of new rows in the types that a run has met: a batch of whole numbers, or one without gaps, must not pass for another kind."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from features.columns import kind_of
from features.errors import InputError
from features.expressions import as_text

_FLAGS = {"true": True, "false": False, "1": True, "0": False, "1.0": True, "0.0": False}


def type_of(column: pd.Series) -> Any:
    """A column's type as plain data: its name, or the levels of a categorical one."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        levels = column.cat.categories
        return {"levels": levels.tolist() if kind_of(levels.to_series()) != "dates" else levels.astype("str").tolist()}
    return str(column.dtype)


def as_type(column: pd.Series, wanted: Any) -> pd.Series:
    """A raw column in the type it had when the run read it; whole numbers and flags with gaps become floats.

    Raises
    ------
    InputError
        When a value cannot be read as that type.
    """
    if isinstance(wanted, dict):
        levels: Any = pd.Index(wanted["levels"])
        codes = levels.get_indexer(pd.Index(column.astype("object")))
        return pd.Series(pd.Categorical.from_codes(codes, categories=levels), index=column.index, name=column.name)
    if str(column.dtype) == wanted:
        return column
    kind = _kind(wanted)
    if kind == "text":
        return _text(column)
    if kind == "numeric":
        return _number(column, wanted)
    if kind == "flags":
        return _flag(column)
    if kind == "dates":
        return _date(column, wanted)
    return column.astype("object")


def _kind(wanted: str) -> str:
    if wanted == "bool":
        return "flags"
    if wanted.startswith(("float", "int", "uint", "Float", "Int", "UInt")):
        return "numeric"
    if wanted.startswith("datetime64"):
        return "dates"
    return "text" if wanted.startswith(("str", "string")) else "object"


def _text(column: pd.Series) -> pd.Series:
    if kind_of(column) == "text" and column.dtype == object:
        column = column.where(column.notna(), np.nan)
        known = column.dropna()
        if len(known) and not known.map(lambda value: isinstance(value, str)).all():
            column = column.map(lambda value: value if isinstance(value, str) else as_text(pd.Series([value]))[0], na_action="ignore")
        return column.astype("str")
    return as_text(column)


def _number(column: pd.Series, wanted: str) -> pd.Series:
    """Whole numbers as integers where the run had integers and nothing is missing, floats otherwise."""
    read = column if kind_of(column) in ("numeric", "flags") else pd.to_numeric(column, errors="coerce")
    _refuse(column, read.isna().to_numpy() & column.notna().to_numpy(), "numbers")
    values = read.to_numpy(dtype=np.float64, na_value=np.nan) if not pd.api.types.is_integer_dtype(read.dtype) else read.to_numpy()
    is_whole = "int" in wanted.lower() and (
        values.dtype.kind in "iu" or bool(np.isfinite(values).all() and (values == np.floor(values)).all())
    )
    return pd.Series(values.astype(wanted.lower() if is_whole else np.float64), index=column.index, name=column.name)


def _flag(column: pd.Series) -> pd.Series:
    read, gaps = as_text(column).str.strip().str.lower().map(_FLAGS), column.isna().to_numpy()
    _refuse(column, read.isna().to_numpy() & ~gaps, "true or false")
    values = read.to_numpy(dtype=np.float64, na_value=np.nan)
    return pd.Series(values if gaps.any() else values.astype(bool), index=column.index, name=column.name)


def _date(column: pd.Series, wanted: str) -> pd.Series:
    dtype = pd.api.types.pandas_dtype(wanted)
    read = pd.to_datetime(column, format="ISO8601", errors="coerce", utc=isinstance(dtype, pd.DatetimeTZDtype))
    _refuse(column, read.isna().to_numpy() & column.notna().to_numpy(), "dates such as 2015-07-31")
    return pd.Series(read, dtype=dtype)


def _refuse(column: pd.Series, bad: np.ndarray, what: str) -> None:
    if bad.any():
        example = column.to_numpy(dtype=object)[int(np.argmax(bad))]
        raise InputError(
            f"Column {str(column.name)!r} holds {what} in the run's tables; found {example!r} in row {int(np.argmax(bad))} "
            f"({int(bad.sum())} such value(s)). Mend these values, or leave them empty."
        )


def as_met(table: pd.DataFrame, types: dict[str, str]) -> pd.DataFrame:
    """What a step wrote, in the types that it wrote in the run, where no value changes by that.

    A step may write integers for one batch and floats, because of a gap, for another; the next step would meet another kind.
    """
    dtypes = table.dtypes.tolist()
    # few types, many columns: each is written as text once
    texts = {dtype: str(dtype) for dtype in set(dtypes)}
    found = zip(table.columns.tolist(), map(texts.__getitem__, dtypes), strict=True)
    changed = {name: types[name] for name, own in found if types.get(name, own) != own and _holds(table[name], types[name])}
    return table.astype(changed) if changed else table


def _holds(column: pd.Series, wanted: str) -> bool:
    """Whether a type can hold every value of a column as it is."""
    if column.isna().all():
        return wanted in ("float32", "float64", "str")
    if wanted == "float64":
        return kind_of(column) in ("numeric", "flags")
    if wanted in ("int64", "float32"):
        values = column.to_numpy(dtype=np.float64, na_value=np.nan) if kind_of(column) == "numeric" else np.array([np.nan])
        return bool(np.isfinite(values).all() and (values.astype(wanted) == values).all())
    return wanted == "str" and column.dtype == object
