"""Whether two frames say the same: to the last bit, or as far as sums in another order allow."""

from __future__ import annotations

import numpy as np
import pandas as pd

ROUNDING = 1e-9
"""Sums of the same values in another order, or less a summand, differ by this much at most: no model can use it."""


def unlike(one: pd.DataFrame, two: pd.DataFrame) -> list[str]:
    """Names of columns that differ by more than rounding, or are in one frame only; rows in the same order."""
    return [name for name in _names(one, two) if name not in one or name not in two or not _is_alike(one[name], two[name])]


def different(one: pd.DataFrame, two: pd.DataFrame) -> list[str]:
    """Names of columns that are not the same to the last bit, or in one frame only."""
    return [name for name in _names(one, two) if name not in one or name not in two or not one[name].equals(two[name])]


def is_close(one: object, two: object) -> bool:
    """Whether two cells are the same but for rounding."""
    if isinstance(one, float | int | np.number) and isinstance(two, float | int | np.number):
        first, second = float(one), float(two)
        return bool(abs(first - second) <= ROUNDING * max(1.0, abs(first)) or (np.isnan(first) and np.isnan(second)))
    return one == two or bool(pd.isna(one) and pd.isna(two))  # type: ignore[call-overload]


def _names(one: pd.DataFrame, two: pd.DataFrame) -> list[str]:
    return list(dict.fromkeys([*one.columns, *two.columns]))


def _is_alike(one: pd.Series, two: pd.Series) -> bool:
    if pd.api.types.is_float_dtype(one.dtype) and pd.api.types.is_numeric_dtype(two.dtype):
        first, second = (part.to_numpy(np.float64, na_value=np.nan) for part in (one, two))
        return bool(np.allclose(first, second, rtol=ROUNDING, atol=ROUNDING, equal_nan=True))
    first, second = one.astype(object).to_numpy(), two.astype(object).to_numpy()
    missing = pd.isna(first) & pd.isna(second)
    return bool((missing | (pd.Series(first).eq(pd.Series(second))).to_numpy()).all())
