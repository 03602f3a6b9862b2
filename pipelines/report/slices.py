"""The final's score on parts of the rows: by the levels of a column, or where an expression holds."""

from __future__ import annotations

import itertools
import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import InputError
from features.expressions import parse
from pipelines.metrics import Array, Metric
from pipelines.report.blocks import Block, Figure, Folded, Notes, Section, Table, Text, axis, ladder, ladder_height
from pipelines.report.evidence import Evidence
from pipelines.report.numbers import count, interval, number
from pipelines.report.traces import points, reach
from pipelines.scores import bootstrap_interval
from pipelines.tables import Tables, read_tables

LEAST_ROWS, MOST_LEVELS = 10, 30
_BINS = 8
_MOST_VALUES = 12
_RESAMPLES = 200


@dataclass(frozen=True)
class Slice:
    """A part of the scored rows and the score on it."""

    name: str
    n: int
    score: float
    ends: list[float]


def slices_section(evidence: Evidence) -> Section | None:
    """A figure and a table for each declared slice; none where none is declared."""
    session = evidence.session
    if not session.spec.report.slices:
        return None
    raw = raw_table(evidence, read_tables(session.spec, session.data, sample=session.keys.sample)).iloc[evidence.rows]
    figures, tables, faults = list[Block](), list[Block](), list[str]()
    for entry in session.spec.report.slices:
        try:
            names = levels_of(entry, raw)
        except InputError as error:
            faults.append(f"Slice {entry!r} is left out: {error}")
            continue
        slices = score_slices(names, evidence.y, evidence.oof[evidence.final], evidence.metric)
        figures.append(_figure(entry, slices, evidence))
        tables.append(_table(entry, slices, evidence))
    said = f"The score of '{evidence.final}' on parts of the scored rows, with 95 % intervals. Dotted: its score on all; in brackets: rows."
    shown: list[Block] = [*figures, Folded("The same as tables", tables)] if figures else []
    return Section("slices", "Slices", [Text(said), *shown, *([Notes("Left out", faults)] if faults else [])])


def raw_table(evidence: Evidence, tables: Tables) -> pd.DataFrame:
    """The raw training rows with target and id, as expressions name them."""
    data, n_train = evidence.session.spec.data, tables.n_train
    target = np.asarray(tables.classes, dtype=object)[tables.y.astype(int)] if tables.classes else tables.y
    added = {data.target: target, **({data.id: tables.ids.iloc[:n_train].to_numpy()} if data.id else {})}
    named = {name: pd.Series(values).infer_objects() for name, values in added.items()}
    return pd.concat([tables.features.iloc[:n_train], tables.only_train], axis=1).assign(**named)


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
    if column.nunique() > _MOST_VALUES:
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


def score_slices(levels: pd.Categorical[Any], y: Array, predictions: Array, metric: Metric) -> list[Slice]:
    """The score and its interval on each level that has rows."""
    masks = {str(name): np.asarray(levels == name) for name in levels.categories}
    return [_score(name, rows, y, predictions, metric) for name, rows in masks.items() if rows.any()]


def _score(name: str, rows: NDArray[np.bool_], y: Array, predictions: Array, metric: Metric) -> Slice:
    ends = [math.nan, math.nan]
    # a slice may lack a class, or hold a zero target only: then the metric says so, and there is no number
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            score = metric.score(y[rows], predictions[rows])
            if math.isfinite(score):
                ends = bootstrap_interval(metric, y[rows], predictions[rows], resamples=_RESAMPLES)
        except (ValueError, ZeroDivisionError):
            score = math.nan
    return Slice(name, int(rows.sum()), score, ends)


def _table(entry: str, slices: list[Slice], evidence: Evidence) -> Table:
    rows = [[one.name, count(one.n), number(one.score, evidence.decimals), interval(one.ends, evidence.decimals)] for one in slices]
    return Table([entry, "rows", evidence.metric.name, "95 % interval"], rows)


def _figure(entry: str, slices: list[Slice], evidence: Evidence) -> Figure:
    scores = [one.score for one in slices]
    intervals = reach(scores, ([one.ends[0] for one in slices], [one.ends[1] for one in slices]))
    marks = points((scores, [*range(len(slices))]), "%{x}, %{customdata} rows", error_x=intervals, customdata=[one.n for one in slices])
    overall, style = evidence.metrics["final"]["score"], {"color": "$muted", "width": 1, "dash": "dot"}
    upright = {"type": "line", "x0": overall, "x1": overall, "yref": "paper", "y0": 0, "y1": 1, "line": style}
    names = [f"{one.name} ({count(one.n)})" for one in slices]
    layout = {"xaxis": axis(evidence.metric.name), "yaxis": ladder(names), "shapes": [upright]}
    return Figure(entry, [marks], layout, height=ladder_height(len(slices), each=22), is_wide=len(slices) > 10)
