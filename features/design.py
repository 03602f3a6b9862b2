"""Several columns as one matrix of floats: on one scale and without gaps for distances and products, or coded for trees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from features.columns import kind_of
from features.dates import as_dates
from features.errors import InputError
from features.keys import levels_of
from features.numbers import Numbers, as_numbers, is_constant
from features.step import missing_safe_codes

FAR = 1e100
"""How many spreads from its centre a value counts as at most: squares and sums of such values are still finite."""

_LARGEST = float(np.finfo(np.float32).max)
"""Trees of scikit-learn read single precision."""


def by_label(X: pd.DataFrame, y: pd.Series | None = None) -> tuple[pd.DataFrame, pd.Series | None]:
    """Rows in the order of their index labels.

    What is learnt by sums, random draws or ties then does not hang on the order in which the rows came.
    """
    if X.index.is_monotonic_increasing:
        return X, y
    order = X.index.argsort()
    return X.iloc[order], None if y is None else y.iloc[order]


def refuse_too_few(columns: Sequence[str], least: int, step: str) -> None:
    """Raise InputError when a step has fewer columns to work on than it needs."""
    if len(columns) < least:
        raise InputError(
            f"Step {step!r} needs at least {least} column(s) to work on, found {list(columns)!r}. "
            "Select more columns, move the step to where they are there, or leave it out."
        )


def learn_scales(X: pd.DataFrame, step: str, *, standardise: bool = True) -> dict[str, Numbers]:
    """Centre and spread of every column, for ``on_one_scale``: mean and standard deviation of the known values.

    A column that is constant or missing throughout has spread 1, and so has every column without ``standardise``.
    """
    learnt = [_centre_and_spread(as_numbers(X[column], step)) for column in X.columns]
    centres, spreads = np.array(learnt, dtype=np.float64).reshape(-1, 2).T
    return {"centres": centres.copy(), "spreads": spreads.copy() if standardise else np.ones(len(learnt))}


def on_one_scale(X: pd.DataFrame, scales: dict[str, Numbers], step: str) -> Numbers:
    """Columns less their centres over their spreads, of shape (n_rows, n_columns); missing stands at the centre, 0."""
    raw = np.empty((len(X), X.shape[1]))
    for position, column in enumerate(X.columns):
        raw[:, position] = as_numbers(X[column], step)
    with np.errstate(over="ignore"):
        scaled = (raw - scales["centres"]) / scales["spreads"]
    return np.nan_to_num(np.clip(scaled, -FAR, FAR), nan=0.0)


def learn_codes(X: pd.DataFrame) -> dict[str, Any]:
    """The levels of every column that is neither number, flag nor date, for ``coded``; None for the others."""
    return {str(column): None if kind_of(X[column]) in ("numeric", "flags", "dates") else levels_of(X[column]) for column in X.columns}


def coded(X: pd.DataFrame, codes: dict[str, Any], step: str) -> Numbers:
    """Numbers as they are, dates in days, levels as codes in sorted order; missing and unseen are NaN.

    Values are cut at the largest single-precision float. The shape is (n_rows, n_columns).
    """
    matrix = np.empty((len(X), len(codes)))
    for position, (column, levels) in enumerate(codes.items()):
        matrix[:, position] = _coded(X[column], levels, step)
    return np.clip(matrix, -_LARGEST, _LARGEST)


def _coded(column: pd.Series, levels: Any, step: str) -> Numbers:
    if levels is not None:
        positions = missing_safe_codes(column, levels).astype(np.float64)
        return np.asarray(np.where(positions < 0, np.nan, positions))
    if kind_of(column) == "dates":
        return np.asarray((as_dates(column, step) - pd.Timestamp("1970-01-01")).dt.total_seconds() / 86400.0, dtype=np.float64)
    return as_numbers(column, step)


def _centre_and_spread(values: Numbers) -> tuple[float, float]:
    known = values[~np.isnan(values)]
    if len(known) == 0:
        return 0.0, 1.0
    if is_constant(known):
        return float(known[0]), 1.0
    with np.errstate(over="ignore"):
        spread = float(known.std())
    return float(known.mean()), spread if np.isfinite(spread) else FAR
