"""A training part as one matrix of floats for nearest neighbours, and synthetic rows back as a frame of the same types."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
import pandas as pd
from pydantic import Field

from features.columns import kind_of
from features.errors import InputError, listed
from pipelines.metrics import Array
from pipelines.resample.balance import Codes

AtLeastOne = Annotated[int, Field(ge=1)]


def numbers_of(X: pd.DataFrame, name: str) -> Array:
    """Columns of numbers and flags as float64, shape (n_rows, n_columns), for the resampler ``name``.

    Raises
    ------
    InputError
        When a column holds no numbers, or a value is missing or infinite.
    """
    others = [column for column in X if kind_of(X[column]) not in ("numeric", "flags")]
    if others:
        raise InputError(
            f"{name!r} measures distances between numbers; these columns hold none: {listed(others)}. "
            "Use 'smotenc', which takes levels, or put 'one_hot' or 'ordinal' into the view."
        )
    refuse_missing(X, name)
    matrix = np.empty((len(X), X.shape[1]))
    for position, column in enumerate(X):
        matrix[:, position] = X[column].to_numpy(dtype=np.float64)
    infinite = [column for position, column in enumerate(X) if np.isinf(matrix[:, position]).any()]
    if infinite:
        raise InputError(
            f"{name!r} cannot measure distances to infinite values; columns {listed(infinite)} hold some. Clip them in 'clean'."
        )
    return matrix


def refuse_missing(X: pd.DataFrame, name: str) -> None:
    """Raise InputError when a value is missing, for the resampler ``name``."""
    missing = X.isna().sum()
    if missing.any():
        raise InputError(
            f"{name!r} cannot measure distances to missing values; {int(missing.sum())} are missing in columns {listed(missing.index[missing > 0])}. "
            "Fill them in 'clean', or use random_over or random_under, which take rows as they are."
        )


def refuse_few_neighbours(name: str, y: Codes, code: int, needed: int, parameter: str) -> None:
    """Raise InputError when a class has fewer rows than a parameter (with its value) of the resampler ``name`` needs."""
    there = int(np.sum(y == code))
    if there < needed:
        raise InputError(
            f"{name!r} with '{parameter}' needs at least {needed} rows of class {code}; the training part has {there}. "
            f"Lower {parameter.split(':')[0]!r}, use random_over or random_under, or fewer folds."
        )


def frame_like(columns: list[Any], X: pd.DataFrame) -> pd.DataFrame:
    """Synthetic columns as a frame of the types of ``X``; whole numbers and flags are rounded, which leaves them between their parents."""
    made = {name: _typed(values, X[name].dtype) for name, values in zip(X, columns, strict=True)}
    return pd.DataFrame(made, columns=X.columns)


def _typed(values: Any, dtype: Any) -> pd.Series:
    series = pd.Series(values)
    is_whole = pd.api.types.is_bool_dtype(dtype) or pd.api.types.is_integer_dtype(dtype)
    if is_whole and pd.api.types.is_float_dtype(series.dtype):
        series = series.round()
    return series.astype(dtype)
