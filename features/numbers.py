"""Columns as plain floats, with missing as NaN and infinities refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import InputError

Numbers = NDArray[np.float64]

VANISHING = 1e-150
"""The square of a difference below this is hardly a number any more."""


def as_numbers(column: pd.Series, step: str) -> Numbers:
    """A column's values as a new float array of shape (n_rows,), missing as NaN.

    Parameters
    ----------
    column
        A column of numbers or booleans of any type, nullable ones too.
    step
        The asking step's name, for the message.

    Raises
    ------
    InputError
        When a value is no number, or is infinite.
    """
    try:
        values = np.array(column.to_numpy(dtype=np.float64, na_value=np.nan))
    except (TypeError, ValueError) as error:
        raise InputError(
            f"Step {step!r} needs numbers in column {column.name!r}; it holds {column.dtype} ({error}). "
            "Cast it first: 'cast: {columns: [...], to: number}'."
        ) from error
    if np.isinf(values).any():
        at = column.index[np.isinf(values)][0]
        raise InputError(
            f"Step {step!r} found an infinite value in column {column.name!r} (row {at!r}). "
            "Replace infinite values by missing ones or finite bounds before this step."
        )
    return values


def refuse_all_missing(values: Numbers | pd.Series, column: str, step: str, remedy: str) -> None:
    """Raise InputError when a column has no value at all in the training rows."""
    if bool(pd.isna(values).all()):
        raise InputError(f"Step {step!r} learns from column {column!r}, which has no value in the training rows. {remedy}")


def sample_skewness(values: Numbers) -> float:
    """Skewness of the known values (third moment over the cubed standard deviation); 0 for a constant or fewer than three.

    >>> sample_skewness(np.array([1.0, 1.0, 1.0]))
    0.0
    """
    known = values[~np.isnan(values)]
    if len(known) < 3 or is_constant(known):
        return 0.0
    centred = (known - known.mean()) / known.std()
    return float((centred**3).mean())


def is_constant(known: Numbers) -> bool:
    """Whether known values differ by no more than the rounding of a sum of them, or so little that the squares vanish."""
    low, high = known.min(), known.max()
    return bool(high - low <= max(10 * np.finfo(np.float64).eps * max(abs(low), abs(high)), VANISHING))


def bounded(values: Numbers) -> Numbers:
    """Values with the largest float in place of infinity, so that none comes out of finite ones; NaN stays.

    >>> bounded(np.array([1.0, -np.inf])).tolist()
    [1.0, -1.7976931348623157e+308]
    """
    return np.nan_to_num(values, nan=np.nan)
