"""Missing values: filling them and marking them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd

from features.columns import Selection, kind_of, select
from features.errors import InputError
from features.expressions import as_text
from features.keys import Codes, factorized, key_codes, learn_key_codes, n_groups
from features.numbers import Numbers, as_numbers, refuse_all_missing
from features.step import Learns, Step

Constant = str | int | float | bool


class Fill(Step):
    """Fill missing values, in place, by a constant or by what is usual among the training rows.

    A constant learns nothing. A median, mean or mode is learnt from the training rows, with ``by`` within groups: where
    a row's group was not seen or had no value, the next, coarser grouping answers, at last all training rows. A column
    without a missing value keeps its type. Declared levels become text.

    Parameters
    ----------
    columns
        The columns to fill.
    value
        The constant: a text for text, a number for numbers, true or false for flags, an ISO date for dates.
    how
        ``median``, ``mean`` (numbers) or ``mode`` (the most frequent value, the first in order among equals); spelt
        ``with`` in a declaration. Exactly one of ``value`` and ``how`` is given.
    by
        Group columns. ``[A, B]`` asks groups of A and B, then of A, then all rows; a list of lists names the groupings
        itself, finest first.

    Examples
    --------
    >>> X = pd.DataFrame({"area": [1.0, 3.0, None, None], "street": ["a", "a", "a", "b"]})
    >>> Fill("area", how="median", by="street").fit_transform(X)["area"].tolist()
    [1.0, 3.0, 2.0, 2.0]
    """

    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"columns": ["PoolQC"], "value": "none"},
        {"columns": ["LotFrontage"], "value": 0},
        {"columns": ["LotFrontage"], "how": "median", "by": ["Neighborhood", "Street"]},
        {"columns": "numeric", "how": "mean", "by": [["Street"]]},
        {"columns": ["PoolQC", "LotFrontage"], "how": "mode", "by": "Neighborhood"},
    )

    def __init__(
        self,
        columns: Selection,
        *,
        value: Constant | None = None,
        how: Literal["median", "mean", "mode"] | None = None,
        by: str | Sequence[str] | Sequence[Sequence[str]] | None = None,
    ) -> None:
        self.columns = columns
        self.value = value
        self.how = how
        self.by = by

    @property
    def learns(self) -> Learns:  # type: ignore[override]
        """Nothing for a constant, rows otherwise."""
        return Learns.NOTHING if self.how is None else Learns.ROWS

    def check(self) -> None:
        """Check the parameters as far as that needs no data."""
        super().check()
        if (self.value is None) == (self.how is None):
            raise InputError("Step 'fill' needs either 'value: <constant>' or 'with: median' (or mean, mode), and not both.")
        if isinstance(self.value, float) and not np.isfinite(self.value):
            raise InputError(f"Step 'fill' needs a finite number as 'value', found {self.value!r}.")
        if self.how is None and self.by is not None:
            raise InputError("Step 'fill' puts in a constant, where 'by' has no meaning: leave it out, or use 'with: median' (mean, mode).")

    def _beside(self, X: pd.DataFrame) -> list[str]:
        return select(X, [column for grouping in self._groupings() for column in grouping])

    def _groupings(self) -> list[list[str]]:
        """The group columns to ask, finest first; the last is none: all rows."""
        if self.by is None:
            return [[]]
        if isinstance(self.by, str):
            return [[self.by], []]
        if any(not isinstance(part, str) for part in self.by):
            return [*(list(part) for part in self.by), []]
        names = [str(part) for part in self.by]
        return [names[:length] for length in range(len(names), -1, -1)]

    def _learn(self, X: pd.DataFrame, y: pd.Series | None) -> None:
        if self.how is None:
            self._write(X)
            return
        groups = [learn_key_codes(X, grouping) for grouping in self._groupings()]
        self.keys_ = [keys for keys, _ in groups]
        self.levels_: dict[str, np.ndarray] = {}
        self.values_ = {}
        for column in self.selected_:
            values = self._learnable(X[column])
            self.values_[column] = [_usual(values, codes, n_groups(keys), self.how) for keys, codes in groups]

    def _learnable(self, column: pd.Series) -> Numbers:
        """The numbers to summarise: the values themselves, or for a mode the codes of their levels; NaN for missing."""
        name, kind = str(column.name), kind_of(column)
        refuse_all_missing(column, name, self.name, "Drop it, or fill a constant: 'fill: {columns: [...], value: ...}'.")
        if kind == "dates" or (kind != "numeric" and self.how != "mode"):
            wanted = "a date as 'value'" if kind == "dates" else "'with: mode' or a 'value'"
            raise InputError(f"Step 'fill' cannot take the {self.how} of column {name!r}, which is {kind}. Use {wanted}.")
        codes, self.levels_[name] = factorized(column) if self.how == "mode" else (np.empty(0), np.empty(0))
        if self.how != "mode":
            return as_numbers(column, self.name)
        return np.asarray(np.where(codes < 0, np.nan, codes), dtype=np.float64)

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        written = {column: self._filled(X, column) for column in self.selected_}
        return pd.DataFrame(written, index=X.index)

    def _filled(self, X: pd.DataFrame, column: str) -> pd.Series:
        gaps = X[column].isna().to_numpy()
        if self.how is None:
            assert self.value is not None
            return _with_constant(X[column], gaps, self.value)
        beside = list(dict.fromkeys(name for keys in self.keys_ for name in keys["by"]))
        usual = self._usual_for(X.loc[gaps, beside], column)
        if self.how == "mode":
            return _with_values(X[column], gaps, self.levels_[column][usual.astype(np.int64)])
        return _with_values(X[column], gaps, usual)

    def _usual_for(self, X: pd.DataFrame, column: str) -> Numbers:
        """The learnt value for each row, from the finest grouping that has one."""
        found = np.full(len(X), np.nan)
        for keys, values in zip(self.keys_, self.values_[column], strict=True):
            codes = key_codes(X, keys)
            open_ = np.isnan(found) & (codes >= 0)
            found[open_] = values[codes[open_]]
        return found


class MissingIndicator(Step):
    """Mark missing values: ``<column>__is_missing``, true where the value is missing.

    Every selected column gets its mark, whether or not the training rows lack a value; the source columns stay.

    Parameters
    ----------
    columns
        The columns to mark; all of them by default.
    """

    def __init__(self, columns: Selection = None) -> None:
        self.columns = columns

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({f"{column}__is_missing": X[column].isna() for column in self.selected_}, index=X.index)


def _usual(values: Numbers, codes: Codes, n: int, how: str) -> Numbers:
    """Median, mean or mode of each group's known values, of shape (n_groups,); NaN for a group without one."""
    known = (codes >= 0) & ~np.isnan(values)
    values, codes = values[known], codes[known]
    if how == "mode":
        return _modes(values, codes, n)
    groups = pd.Series(values).groupby(codes)
    summary = groups.median() if how == "median" else groups.mean()
    return np.asarray(summary.reindex(range(n)), dtype=np.float64)


def _modes(values: Numbers, codes: Codes, n: int) -> Numbers:
    """The most frequent value (0, 1, 2, ...) of each group, the smallest among equals."""
    size = int(values.max(initial=0.0)) + 1
    cells, rows = np.unique(codes * size + values.astype(np.int64), return_counts=True)
    groups, found = np.divmod(cells, size)
    order = np.lexsort((found, -rows, groups))
    seen, first = np.unique(groups[order], return_index=True)
    modes = np.full(n, np.nan)
    modes[seen] = found[order][first]
    return modes


def _with_constant(column: pd.Series, gaps: np.ndarray, value: Constant) -> pd.Series:
    if kind_of(column) == "dates":
        return _with_values(column, gaps, _as_date(column, value))
    wanted = _kind_of_values(column)
    found = "flags" if isinstance(value, bool) else "numeric" if isinstance(value, (int, float)) else "text"
    if wanted != found and not gaps.all():
        remedy = "Cast the column first, or fill a value of its kind."
        raise InputError(f"Step 'fill' cannot put {value!r} into column {column.name!r}, which holds {wanted} ({column.dtype}). {remedy}")
    return _with_values(column, gaps, value)


def _as_date(column: pd.Series, value: Constant) -> pd.Timestamp:
    try:
        return pd.Timestamp(str(value))
    except ValueError as error:
        message = f"Step 'fill' cannot put {value!r} into column {column.name!r}, which holds dates. Write it as 2010-01-31."
        raise InputError(message) from error


def _kind_of_values(column: pd.Series) -> str:
    """numeric, flags or text; an object column of booleans (a flag that a join left gaps in) counts as flags."""
    if column.dtype == object and pd.api.types.infer_dtype(column, skipna=True) == "boolean":
        return "flags"
    kind = kind_of(column)
    return "text" if kind == "categorical" else kind


def _with_values(column: pd.Series, gaps: np.ndarray, values: Any) -> pd.Series:
    """The column with ``values`` in its gaps, text for declared levels, plain booleans for filled flags."""
    if gaps.all() and kind_of(column) != "dates":
        # a column that is missing throughout says nothing of its type: it takes that of the values
        filled = pd.Series(values, index=column.index).infer_objects()
        return filled.astype("float64") if kind_of(filled) == "numeric" else filled
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = as_text(column)
    if not gaps.any():
        return column
    if kind_of(column) == "numeric":
        numbers = as_numbers(column, "fill")
        numbers[gaps] = values
        is_single = column.dtype == np.float32
        return pd.Series(numbers.astype(np.float32) if is_single else numbers, index=column.index)
    is_flags = _kind_of_values(column) == "flags"
    filled = column.copy()
    filled[gaps] = values
    return filled.astype("bool") if is_flags else filled
