"""Groups named by several columns: the levels of a column and a code for each combination, as plain arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.expressions import as_text
from features.step import missing_safe_codes

Codes = NDArray[np.int64]


def levels_of(column: pd.Series) -> NDArray[Any]:
    """A column's distinct values in sorted order, missing left out; declared levels as text."""
    return factorized(column)[1]


def factorized(column: pd.Series) -> tuple[Codes, NDArray[Any]]:
    """Each row's place among a column's levels (-1 for missing), and the levels as ``levels_of`` gives them."""
    values = as_text(column) if isinstance(column.dtype, pd.CategoricalDtype) else column
    codes, levels = pd.factorize(values, sort=True)
    return codes.astype(np.int64), np.asarray(levels)


def learn_keys(X: pd.DataFrame, by: Sequence[str]) -> dict[str, Any]:
    """The combinations of the columns ``by`` that occur in X, for ``key_codes``.

    With no column at all there is one group, which every row is in.
    """
    return learn_key_codes(X, by)[0]


def learn_key_codes(X: pd.DataFrame, by: Sequence[str]) -> tuple[dict[str, Any], Codes]:
    """``learn_keys``, and the group of each row of X (-1 where a part is missing), without looking a value up twice."""
    codes: Codes = np.zeros(len(X), dtype=np.int64)
    levels: list[NDArray[Any]] = []
    cells: list[NDArray[Any]] = []
    for column in by:
        own, found = factorized(X[column])
        levels.append(found)
        combined = _combined(codes, own, len(found))
        known = combined >= 0
        # one column's levels all occur; of the combinations of several only some do
        present, places = (np.arange(len(found)), combined[known]) if not cells else np.unique(combined[known], return_inverse=True)
        cells.append(present)
        codes = np.full(len(X), -1, dtype=np.int64)
        codes[known] = places
    return {"by": list(by), "levels": levels, "cells": cells}, codes


def key_codes(X: pd.DataFrame, keys: dict[str, Any]) -> Codes:
    """Each row's group, 0 to ``n_groups(keys) - 1``; -1 where a part is missing or the combination was not learnt."""
    codes = np.zeros(len(X), dtype=np.int64)
    for column, levels, cells in zip(keys["by"], keys["levels"], keys["cells"], strict=True):
        codes = _positions(_combined(codes, missing_safe_codes(X[column], levels), len(levels)), cells)
    return codes


def n_groups(keys: dict[str, Any]) -> int:
    """How many groups ``learn_keys`` found."""
    return len(keys["cells"][-1]) if keys["by"] else 1


def _combined(codes: Codes, own: Codes, n_levels: int) -> Codes:
    """One number per pair of a group so far and a level of the next column; -1 where either is unknown."""
    return np.where((codes < 0) | (own < 0), -1, codes * n_levels + own)


def _positions(values: Codes, known: Codes) -> Codes:
    """Where each value stands in the sorted array ``known``; -1 where it does not."""
    if len(known) == 0:
        return np.full(len(values), -1, dtype=np.int64)
    if known[-1] == len(known) - 1:  # nothing is left out: a value is its own position
        return np.where(values < len(known), values, -1)
    at = np.minimum(np.searchsorted(known, values), len(known) - 1)
    return np.where(known[at] == values, at, -1)
