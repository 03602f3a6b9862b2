"""Changing what a column holds: numbers as text, text as numbers, flags or dates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd

from features.columns import Selection, kind_of
from features.errors import InputError, listed
from features.expressions import as_text
from features.step import Step

TRUE = frozenset({"true", "t", "yes", "y", "1"})
FALSE = frozenset({"false", "f", "no", "n", "0"})


class Cast(Step):
    """Change the kind of columns, in place; missing stays missing.

    ``category`` and ``text`` write a value as text, whole numbers without ``.0``. ``number`` reads numbers from text.
    ``integer`` refuses fractions and gives integers where nothing is missing. ``flag`` reads true/false, yes/no, t/f, y/n
    and 1/0 in any case, and gives the numbers 1 and 0 where some are missing. ``date`` reads ISO dates, or those of
    ``format``, and keeps no time zone (a zone is turned into UTC).

    Parameters
    ----------
    columns
        The columns to cast.
    to
        The kind they get.
    errors
        What happens to a value that cannot be read: ``raise`` names it, ``missing`` makes it missing.
    format
        How dates are written, in ``strftime`` codes (``"%d.%m.%Y"``); ISO dates need none.

    Examples
    --------
    >>> Cast("zone", to="category").fit_transform(pd.DataFrame({"zone": [20.0, None]}))["zone"].tolist()
    ['20', nan]
    """

    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"columns": ["MSSubClass", "LotFrontage", "HasAir"], "to": "category"},
        {"columns": ["Rooms"], "to": "number", "errors": "missing"},
        {"columns": ["Rooms"], "to": "integer", "errors": "missing"},
        {"columns": ["HasAir"], "to": "flag"},
        {"columns": ["Listed"], "to": "date", "errors": "missing"},
    )

    def __init__(
        self,
        columns: Selection,
        *,
        to: Literal["category", "text", "number", "integer", "flag", "date"],
        errors: Literal["raise", "missing"] = "raise",
        format: str | None = None,
    ) -> None:
        self.columns = columns
        self.to = to
        self.errors = errors
        self.format = format

    def check(self) -> None:
        """Check the parameters as far as that needs no data."""
        super().check()
        if self.format is not None and self.to != "date":
            raise InputError(f"Step 'cast' has a format, which belongs to 'to: date'; found 'to: {self.to}'. Leave it out.")

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({column: self._cast(X[column]) for column in self.selected_}, index=X.index)

    def _cast(self, column: pd.Series) -> pd.Series:
        if self.to in ("category", "text"):
            return as_text(column)
        read = {"number": _numbers, "integer": _whole_numbers, "flag": _flags, "date": self._dates}[self.to](column)
        unread = column.notna() & read.isna()
        if self.errors == "raise" and unread.any():
            found = listed(column[unread].unique())
            raise InputError(
                f"Step 'cast' cannot read {found} in column {column.name!r} as {self.to}. "
                "Map or fix these values first, or make them missing with 'errors: missing'."
            )
        return read if self.to in ("number", "date") else _narrowed(read, np.dtype(np.int64 if self.to == "integer" else np.bool_))

    def _dates(self, column: pd.Series) -> pd.Series:
        if kind_of(column) == "dates":
            return column
        # without a format pandas would guess it from the first row: a row's date must not hang on its neighbours
        read = pd.to_datetime(as_text(column), format=self.format or "ISO8601", errors="coerce", utc=True)
        return read.dt.tz_localize(None).astype("datetime64[us]")


def _numbers(column: pd.Series) -> pd.Series:
    """Numbers, with NaN where there is none; an infinite one counts as unreadable."""
    if kind_of(column) == "numeric":
        return column
    if kind_of(column) == "dates":
        return pd.Series(np.nan, index=column.index)
    values = column if kind_of(column) == "flags" else as_text(column)
    read = pd.Series(pd.to_numeric(values, errors="coerce"), index=column.index).astype("float64")
    return read.where(np.isfinite(read))


def _whole_numbers(column: pd.Series) -> pd.Series:
    read = _numbers(column)
    if pd.api.types.is_integer_dtype(read.dtype):
        return read
    # beyond 2**53 a float is no longer one whole number
    return read.where((np.floor(read) == read) & (read.abs() <= 2.0**53))


def _flags(column: pd.Series) -> pd.Series:
    text = as_text(column).str.strip().str.lower()
    known = {**dict.fromkeys(TRUE, 1.0), **dict.fromkeys(FALSE, 0.0)}
    return text.map(known).astype("float64")


def _narrowed(read: pd.Series, dtype: np.dtype[Any]) -> pd.Series:
    """Integers or booleans where nothing is missing, floats otherwise: those types hold no missing value."""
    return read.astype("float64") if read.isna().any() else read.astype(dtype)
