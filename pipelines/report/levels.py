"""A column as levels that can be told apart on a page: bins of numbers, rare levels gathered, the missing as one of their own."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd

from features.expressions import parse

LEAST_ROWS, MOST_LEVELS = 10, 30
MOST_VALUES = 12
"""Numbers with more values than that are cut into bins."""
_BINS = 8


def levels_of(entry: str, raw: pd.DataFrame) -> pd.Categorical[Any]:
    """The level of each row, levels in the order they are shown: a column's values, or whether an expression holds.

    Raises
    ------
    InputError
        When the entry is neither a column nor an expression on columns.
    """
    if entry not in raw.columns:
        holds = parse(entry).mask(raw).to_numpy(dtype=bool)
        return pd.Categorical(np.where(holds, "holds", "does not hold"), ["holds", "does not hold"])
    column = raw[entry]
    if not pd.api.types.is_numeric_dtype(column.dtype):
        names = column.astype("object").map(str, na_action="ignore")
        return _merged(names, [*names.value_counts().index])
    if column.nunique() > MOST_VALUES:
        return _merged(*_binned(column))
    values = np.sort(column.dropna().unique())
    return _merged(column.astype("object").map(_plain, na_action="ignore"), [_plain(value) for value in values])


def _binned(column: pd.Series) -> tuple[pd.Series, list[str]]:
    """A numeric column in bins of about equal count, named by their ends, and the names in order."""
    edges = np.unique(np.nanquantile(column, np.linspace(0, 1, _BINS + 1)))
    names = [f"{_plain(low)} to {_plain(high)}" for low, high in itertools.pairwise(edges)]
    at = np.searchsorted(edges[1:-1], column.to_numpy(dtype=np.float64), side="left")
    return pd.Series(np.asarray(names, dtype=object)[at], index=column.index).where(column.notna()), names


def _plain(value: float) -> str:
    return f"{value:.6g}"


def _merged(names: pd.Series, order: list[str]) -> pd.Categorical[Any]:
    """Levels of few rows, and those beyond the most frequent, as one; it and the missing come last."""
    counts = names.value_counts()
    small = counts.index[(counts < LEAST_ROWS) | (np.arange(len(counts)) >= MOST_LEVELS)]
    other, missing = f"other ({len(small)} level{'s' if len(small) != 1 else ''})", "(missing)"
    shown = names.where(~names.isin(small), other).where(names.notna(), missing)
    kept = [name for name in order if name not in small]
    return pd.Categorical(shown, [*dict.fromkeys(kept), *(name for name in (other, missing) if (shown == name).any())])
