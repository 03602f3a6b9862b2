"""One file of predictions, in the order of the rows it is for: rows told by position or id, values checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import InputError, listed
from pipelines.metrics import Array

ROW, PREDICTION, FOLD = "row", "prediction", "fold"
_SUM_OFF, _EDGE = 1e-3, 1e-6
"""How far the probabilities of a row may be from 1 in all, and each from 0 to 1: files are written with few digits."""


@dataclass(frozen=True)
class Awaited:
    """The rows that a file is to predict."""

    table: str
    """Their own file, as messages call it."""
    ids: pd.Series
    """Their ids, or positions where there is no id; shape (n_rows,)."""
    needed: NDArray[np.bool_]
    """Those that must have a prediction, shape (n_rows,)."""
    id_name: str | None = None


@dataclass(frozen=True)
class Predicted:
    """What is predicted: a number, or one of some classes."""

    task: str
    classes: list[Any]


def positions(table: pd.DataFrame, file: str, rows: Awaited) -> NDArray[np.intp]:
    """The position of each row of a file among the awaited rows, by the id column or by ``row``; shape (n_file_rows,).

    Raises
    ------
    InputError
        When there is neither column, the two tell different rows, or a row is unknown or comes twice.
    """
    found = {}
    if rows.id_name in table.columns:
        found[rows.id_name] = _by_id(table[rows.id_name], rows.ids)
    if ROW in table.columns and rows.id_name != ROW:
        found[ROW] = _by_row(table[ROW], len(rows.ids))
    if not found:
        wanted = repr(ROW) if rows.id_name is None else f"{ROW!r} or {rows.id_name!r}"
        raise InputError(f"{file} has no column {wanted} to tell rows by; it has {listed(table.columns)}. Add one.")
    name, at = next(iter(found.items()))
    unknown = at < 0
    if unknown.any():
        first = table[name].to_numpy()[np.argmax(unknown)]
        raise InputError(
            f"{file} names {int(unknown.sum())} rows that {rows.table} does not have, first {name} {first}. Remove them, or name the right file."
        )
    apart = at != found.get(ROW, at)
    if apart.any():
        raise InputError(
            f"{file}: {name!r} and {ROW!r} tell different rows in {int(apart.sum())} of {len(at)} cases. Remove the one that is wrong."
        )
    again = pd.Series(at).duplicated().to_numpy()
    if again.any():
        first = table[name].to_numpy()[np.argmax(again)]
        raise InputError(f"{file} has {int(again.sum())} rows again, first {name} {first}. One prediction for each row is needed.")
    return at


def _by_row(column: pd.Series, n_rows: int) -> NDArray[np.intp]:
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    is_there = np.isin(numbers, np.arange(n_rows))
    return np.where(is_there, numbers, -1).astype(np.intp)


def _by_id(column: pd.Series, ids: pd.Series) -> NDArray[np.intp]:
    are_numbers = [pd.api.types.is_numeric_dtype(part.dtype) for part in (column, ids)]
    if are_numbers[0] != are_numbers[1]:
        # ids that are numbers in one file and text in the other, where a single one is no number
        column, ids = column.astype("str"), ids.astype("str")
    return np.asarray(pd.Index(ids).get_indexer(pd.Index(column)), dtype=np.intp)


def values(table: pd.DataFrame, at: NDArray[np.intp], file: str, rows: Awaited, target: Predicted) -> Array:
    """The predictions in the order of the awaited rows, shape (n_rows,) or (n_rows, n_classes); NaN where none is needed.

    Probabilities that files write with few digits are taken to 0 to 1, and those of a row to a sum of 1.

    Raises
    ------
    InputError
        When a column is not there or holds no numbers, or a needed row has no prediction or one that cannot be.
    """
    columns = _columns(table, file, target)
    raw = table[columns].to_numpy(dtype=np.float64, na_value=np.nan)
    placed = np.full((len(rows.ids), len(columns)), np.nan)
    placed[at] = raw
    placed[~rows.needed] = np.nan
    needed = placed[rows.needed]
    gaps = np.isnan(needed).any(axis=1)
    if gaps.any():
        first = rows.ids.to_numpy()[np.flatnonzero(rows.needed)[np.argmax(gaps)]]
        raise InputError(
            f"{file} has no prediction for {int(gaps.sum())} of {len(needed)} needed rows of {rows.table}, "
            f"first {rows.id_name or ROW} {first}. Predict every row that is scored or tested."
        )
    infinite = ~np.isfinite(needed).all(axis=1)
    if infinite.any():
        raise InputError(f"{file} has {int(infinite.sum())} rows whose prediction is not finite. Numbers are needed.")
    if target.task != "regression":
        _check_probabilities(needed, file)
        placed = np.clip(placed, 0, 1)
        placed = placed if len(columns) == 1 else placed / placed.sum(axis=1, keepdims=True)
    return placed if target.task == "multiclass" else placed[:, -1]


def _columns(table: pd.DataFrame, file: str, target: Predicted) -> list[str]:
    by_class = [f"p_{name}" for name in target.classes]
    one = target.task != "multiclass" and (PREDICTION in table.columns or not set(by_class) & set(table.columns))
    wanted = [PREDICTION] if one else by_class
    lost = [name for name in wanted if name not in table.columns]
    if lost:
        what = {"regression": "the value", "binary": f"the probability of {target.classes[-1]!r}"} if one else {}
        meant = f" ({what[target.task]})" if what else ""
        raise InputError(f"{file} lacks column(s) {listed(lost)}{meant}; it has {listed(table.columns)}.")
    for name in wanted:
        if not pd.api.types.is_numeric_dtype(table[name].dtype):
            first = next(iter(table[name].dropna()), None)
            raise InputError(f"{file}: column {name!r} holds what is no number, such as {first!r}. Numbers are needed.")
    return wanted


def _check_probabilities(needed: Array, file: str) -> None:
    outside = ((needed < -_EDGE) | (needed > 1 + _EDGE)).any(axis=1)
    if outside.any():
        raise InputError(
            f"{file}: {int(outside.sum())} of {len(needed)} rows have a probability outside 0 to 1 "
            f"(lowest {needed.min():g}, highest {needed.max():g}). Probabilities are needed, not scores or labels."
        )
    off = np.abs(needed.sum(axis=1) - 1) > _SUM_OFF
    if needed.shape[1] > 1 and off.any():
        raise InputError(f"{file}: the probabilities of {int(off.sum())} of {len(needed)} rows do not sum to 1. Every class is needed.")
