"""From a frame to the numbers that libraries take."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.columns import kinds_of
from features.errors import InputError, listed

_EXACT = 1 << 24
"""Up to here float32 holds every whole number."""
_FEW = 10_000
"""Cells of a table that is looked at as a whole."""


def as_matrix(
    X: pd.DataFrame, model: str, *, allow_missing: bool, allow_categories: bool, allow_infinite: bool = True, compact: bool = False
) -> tuple[NDArray[np.float64], list[int]]:
    """A float64 array of shape (n_rows, n_columns) and the positions of the categorical columns.

    Categories become their codes, missing ones NaN; flags become 0 and 1. Infinite values pass where missing ones do,
    unless ``allow_infinite`` is false. With ``compact`` the array is float32 where that holds every value exactly: half the
    memory, for libraries that put values into bins and do no arithmetic with them.

    Raises
    ------
    InputError
        When a column is text, a date, or holds what the model cannot take.
    """
    if X.shape[1] == 0:
        raise InputError(f"Model {model!r} needs at least one column; its view has none left. Look at what its view drops.")
    kinds = kinds_of(X)
    refused = ("text", "dates") if allow_categories else ("text", "dates", "categorical")
    unfit = [name for name, kind in kinds.items() if kind in refused]
    if unfit:
        raise InputError(
            f"Model {model!r} needs numbers, found text, dates or categories in {listed(unfit)}. Add one_hot or ordinal to its view, or drop them."
        )
    categorical = [position for position, kind in enumerate(kinds.values()) if kind == "categorical"]
    if categorical:
        X = X.assign(**{str(X.columns[position]): _codes(X.iloc[:, position]) for position in categorical})
    is_small = compact and _fits_float32(X)
    matrix = X.to_numpy(dtype=np.float32 if is_small else np.float64, na_value=np.nan)
    if not allow_missing and len(matrix) and not np.isfinite(matrix.sum()):
        _refuse(X, ~np.isfinite(matrix), f"{model!r} needs a value in every cell; missing or infinite")
    if allow_missing and not allow_infinite:
        _refuse(X, np.isinf(matrix), f"{model!r} needs finite values; infinite")
    return matrix, categorical


def _codes(column: pd.Series) -> pd.Series:
    """The codes of a categorical column; NaN for a missing value."""
    codes = column.cat.codes
    return codes.astype("float64").where(codes >= 0, np.nan)


def _fits_float32(X: pd.DataFrame) -> bool:
    """Whether float32 holds every value of a table exactly."""
    if X.size > _FEW:
        return all(fits_float32(X[name]) for name in X.columns)
    # a look at each column would take longer than a model needs for a row
    values = X.to_numpy(dtype=np.float64, na_value=np.nan)
    with np.errstate(over="ignore"):
        return bool(np.array_equal(values.astype(np.float32), values, equal_nan=True))


def fits_float32(column: pd.Series) -> bool:
    """Whether float32 holds every value of a numeric column exactly."""
    if pd.api.types.is_float_dtype(column.dtype):
        values = column.to_numpy(dtype=np.float64, na_value=np.nan) if column.dtype != np.float32 else np.empty(0)
        with np.errstate(over="ignore"):
            return bool(np.array_equal(values.astype(np.float32), values, equal_nan=True))
    if pd.api.types.is_integer_dtype(column.dtype):
        return not len(column) or bool(max(abs(int(column.min())), abs(int(column.max()))) <= _EXACT)
    return True


def _refuse(X: pd.DataFrame, gaps: NDArray[np.bool_], needs: str) -> None:
    if not gaps.any():
        return
    named = [f"{name!r} ({int(count)})" for name, count in zip(X.columns, gaps.sum(axis=0), strict=True) if count]
    more = f" ... ({len(named)} in all)" if len(named) > 5 else ""
    raise InputError(f"Model {needs} in {', '.join(named[:5])}{more}. Add a fill to 'clean' or to its view.")


def no_predictions(task: str, n_classes: Callable[[], int]) -> NDArray[np.float64]:
    """The predictions of no rows."""
    return np.empty((0, n_classes()) if task == "multiclass" else 0)


def as_prediction(raw: NDArray[np.float64], task: str) -> NDArray[np.float64]:
    """Shape (n_rows,) for regression and binary, (n_rows, n_classes) for multiclass, from class probabilities or values.

    Raises
    ------
    InputError
        When a model of numbers gives several for each row: quantiles, say.
    """
    if task == "regression" and raw.ndim == 2 and raw.shape[1] > 1:
        raise InputError(f"gives {raw.shape[1]} values for each row, and a model predicts one. Declare a model for each quantile.")
    if task == "binary" and raw.ndim == 2:
        raw = raw[:, 1]
    return np.ascontiguousarray(raw, dtype=np.float64)
