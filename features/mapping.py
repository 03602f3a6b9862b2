"""Replacing values by declared ones."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.columns import Selection, kind_of
from features.errors import InputError, listed
from features.expressions import as_text
from features.step import Step

Value = str | int | float | bool


class Map(Step):
    """Replace values, in place, by the ones a table declares.

    When every new value is a number the column becomes numbers, when every one is true or false it becomes flags,
    otherwise text. Missing stays missing unless the table has an entry for ``null``.

    Parameters
    ----------
    columns
        The columns to map.
    to
        From an old value to the new one.
    other
        What becomes of a value without an entry: ``keep`` leaves it (as text where the result is text), ``missing`` makes
        it missing, ``error`` refuses it.
    default
        The value all values without an entry get; ``other`` is then not looked at.

    Examples
    --------
    >>> X = pd.DataFrame({"quality": ["Ex", "Fa", None]})
    >>> Map("quality", to={"Ex": 5, "Fa": 2}).fit_transform(X)["quality"].tolist()
    [5.0, 2.0, nan]
    """

    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"columns": ["Street"], "to": {"Pave": "paved"}},
        {"columns": ["Street"], "to": {"Pave": 1, "Grvl": 0}, "other": "missing"},
        {"columns": ["PoolQC"], "to": {"Ex": True, "Gd": True, None: False}, "default": False},
        {"columns": ["MSSubClass"], "to": {20: 21}},
    )
    accepts = ("numeric", "categorical", "text", "flags")

    def __init__(
        self,
        columns: Selection,
        *,
        to: dict[Value | None, Value | None],
        other: Literal["keep", "missing", "error"] = "keep",
        default: Value | None = None,
    ) -> None:
        self.columns = columns
        self.to = to
        self.other = other
        self.default = default

    def check(self) -> None:
        """Check the parameters as far as that needs no data."""
        super().check()
        if not isinstance(self.to, Mapping) or not self.to:
            raise InputError(f"Step 'map' needs a table of values in 'to', such as {{Y: 1, N: 0}}; found {self.to!r}.")

    def _learn(self, X: pd.DataFrame, y: pd.Series | None) -> None:
        for column in self.selected_:
            self._mapped(X[column].drop_duplicates())

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({column: self._spread(X[column]) for column in self.selected_}, index=X.index)

    def _spread(self, column: pd.Series) -> Any:
        """The column mapped, each distinct value once."""
        places, distinct = pd.factorize(column, use_na_sentinel=False)
        return self._mapped(pd.Series(distinct, name=column.name)).array.take(places)

    def _mapped(self, column: pd.Series) -> pd.Series:
        entries = [(old, new) for old, new in self.to.items() if old is not None]
        codes = _codes(column, [old for old, _ in entries], self.name)
        gaps = column.isna().to_numpy()
        others = (codes < 0) & ~gaps
        result = self._kept(column, others)
        # one slot for each entry, then the default and what missing becomes
        slots = np.array([*(new for _, new in entries), self.default, self.to.get(None)], dtype=object)
        at = np.where(gaps, len(entries) + 1, np.where(others, len(entries), codes))
        values = np.where(others & (self.default is None), result, slots[at])
        return self._typed(pd.Series(values, index=column.index, dtype=object))

    def _kept(self, column: pd.Series, others: NDArray[np.bool_]) -> NDArray[Any]:
        """What values without an entry become when there is no default, as objects of the result's kind."""
        kept = np.full(len(column), None, dtype=object)
        if self.default is not None or self.other == "missing" or not others.any():
            return kept
        own, wanted = "text" if kind_of(column) == "categorical" else kind_of(column), self._result_kind()
        if self.other == "error" or (own != wanted and wanted != "text"):
            why = f"and the new values are {wanted}" if self.other == "keep" else "and 'other' is 'error'"
            raise InputError(
                f"Step 'map' has no entry for {listed(column[others].unique())} of column {column.name!r}, {why}. "
                "Add entries, or set 'other: missing' or a 'default'."
            )
        chosen = column[others]
        kept[others] = (as_text(chosen) if wanted == "text" else chosen).to_numpy(dtype=object)
        return kept

    def _result_kind(self) -> str:
        new = [value for value in (*self.to.values(), self.default) if value is not None]
        if new and all(isinstance(value, bool) for value in new):
            return "flags"
        return "numeric" if all(isinstance(value, (bool, int, float)) for value in new) and new else "text"

    def _typed(self, values: pd.Series) -> pd.Series:
        """Numbers as floats, flags as booleans (1 and 0 where some are missing), anything else as text."""
        kind = self._result_kind()
        if kind == "text":
            return values.map(lambda value: value if value is None else str(value)).astype("str")
        return values.astype("bool") if kind == "flags" and not values.isna().any() else values.astype("float64")


class OrdinalMap(Step):
    """Replace levels, in place, by their place in a declared order: 0 for the first.

    Missing stays missing.

    Parameters
    ----------
    columns
        The columns to map.
    order
        Every level there may be, lowest first.
    unknown
        What happens to a value that is not in the order: ``error`` refuses it, ``missing`` makes it missing.

    Examples
    --------
    >>> OrdinalMap("quality", order=["Po", "Fa", "Ex"]).fit_transform(pd.DataFrame({"quality": ["Ex", "Po"]}))["quality"].tolist()
    [2.0, 0.0]
    """

    examples: ClassVar[tuple[Mapping[str, Any], ...]] = ({"columns": ["PoolQC"], "order": ["Fa", "Gd", "Ex"], "unknown": "missing"},)
    accepts = ("numeric", "categorical", "text", "flags")

    def __init__(self, columns: Selection, *, order: Sequence[Value], unknown: Literal["error", "missing"] = "error") -> None:
        self.columns = columns
        self.order = order
        self.unknown = unknown

    def check(self) -> None:
        """Check the parameters as far as that needs no data."""
        super().check()
        twice = [level for level in self.order if list(self.order).count(level) > 1]
        if twice or not self.order:
            found = f"{listed(twice)} more than once" if twice else "none"
            raise InputError(f"Step 'ordinal_map' needs each level once in 'order', lowest first; found {found}.")

    def _learn(self, X: pd.DataFrame, y: pd.Series | None) -> None:
        self._write(X)

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({column: self._placed(X[column]) for column in self.selected_}, index=X.index)

    def _placed(self, column: pd.Series) -> Any:
        codes = _codes(column, list(self.order), self.name)
        unknown = (codes < 0) & column.notna().to_numpy()
        if self.unknown == "error" and unknown.any():
            raise InputError(
                f"Step 'ordinal_map' found {listed(column[unknown].unique())} in column {column.name!r}, not in the order "
                f"{list(self.order)!r}. Add the level at its place, or set 'unknown: missing'."
            )
        return np.where(codes < 0, np.nan, codes.astype(np.float64))


def _codes(column: pd.Series, keys: list[Any], step: str) -> NDArray[np.int64]:
    """The position of each value among the declared keys, -1 for none; numbers meet numbers and text meets text."""
    if bool(column.isna().all()):
        return np.full(len(column), -1, dtype=np.int64)
    if kind_of(column) in ("numeric", "flags"):
        wrong = [key for key in keys if not isinstance(key, (bool, int, float))]
        if wrong:
            raise InputError(
                f"Step {step!r} has the text {listed(wrong)} for column {column.name!r}, which holds {kind_of(column)} ({column.dtype}). "
                "Write numbers without quotes, or cast the column to text first."
            )
        values: pd.Index[Any] = pd.Index(column.to_numpy(dtype=np.float64, na_value=np.nan))
        return np.asarray(_unique([float(key) for key in keys], step).get_indexer(values), dtype=np.int64)
    return np.asarray(_unique([str(key) for key in keys], step).get_indexer(pd.Index(as_text(column))), dtype=np.int64)


def _unique(keys: Sequence[Hashable], step: str) -> pd.Index[Any]:
    index: pd.Index[Any] = pd.Index(keys)
    if not index.is_unique:
        raise InputError(f"Step {step!r} declares {listed(index[index.duplicated()])} more than once. Keep one entry for each value.")
    return index
