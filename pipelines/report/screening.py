"""What each raw column says of the class by itself: the distributions that lie furthest apart, and the rates of levels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from features.bins import binned, quantile_edges
from features.select_filter import information_value, ks_distance
from pipelines.metrics import Array
from pipelines.report.blocks import Figure, Folded, Gallery, Section, Table, Text, axis, label, ladder, ladder_height
from pipelines.report.calibration import wilson
from pipelines.report.evidence import Evidence
from pipelines.report.levels import MOST_VALUES, levels_of
from pipelines.report.numbers import MISSING, count, number, share
from pipelines.report.traces import line, points, reach, upright

TOP_NUMBERS, TOP_LEVELS = 12, 6
MOST_ROWS = 100_000
"""Rows of each class that distances are measured on; more only take longer."""
_BINS = 40
_IV_BINS = 10


@dataclass(frozen=True)
class Screened:
    """A raw column by itself: the Kolmogorov-Smirnov distance of its two distributions (NaN for levels) and its information value."""

    column: str
    ks: float
    iv: float
    missing: tuple[float, float]
    """Share of the rows of class 0 and of class 1 without a value."""


def screening_section(evidence: Evidence) -> Section | None:
    """Galleries of the most separating columns, and all of them as a table; none for other tasks or where one class is missing."""
    if evidence.session.spec.task != "binary" or len(np.unique(evidence.y)) < 2:
        return None
    data, classes = evidence.session.spec.data, [str(name) for name in evidence.prepared.classes]
    raw, rows = evidence.raw.drop(columns=[data.target, *([data.id] if data.id else [])]), drawn(evidence.y)
    some, y = raw.iloc[rows], evidence.y[rows]
    numbers = [name for name in raw.columns if is_measured(some[name])]
    measured = sorted((screen_numbers(some[name], y) for name in numbers), key=lambda one: -one.ks)
    listed = sorted((screen_levels(some, str(name), y) for name in raw.columns if name not in numbers), key=lambda one: -one.iv)
    galleries = [
        Gallery([distribution(some[one.column], y, one, classes) for one in measured[:TOP_NUMBERS]]),
        Gallery([rates(raw, evidence.y, one) for one in listed[:TOP_LEVELS]]),
    ]
    said = "Each raw column by itself, before any step. Columns that separate too well are worth a question: would they be known in time?"
    part = "" if len(rows) == len(raw) else f" Distances of {count(len(rows))} rows, drawn within the classes."
    table = Folded(f"All {len(raw.columns)} columns as a table", [_table([*measured, *listed], classes)])
    return Section("screening", "Screening", [Text(said + part), *(gallery for gallery in galleries if gallery.figures), table])


def drawn(y: Array, most: int = MOST_ROWS) -> np.ndarray:
    """Positions of at most ``most`` rows of each class, the same ones each time; distances do not hang on how frequent a class is."""
    rng = np.random.default_rng(0)
    parts = [np.flatnonzero(y == code) for code in (0, 1)]
    return np.sort(np.concatenate([part if len(part) <= most else rng.choice(part, most, replace=False) for part in parts]))


def is_measured(column: pd.Series) -> bool:
    """Whether a column holds numbers with more values than levels are shown for."""
    is_number = pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype)
    return is_number and column.nunique() > MOST_VALUES


def screen_numbers(column: pd.Series, y: Array) -> Screened:
    """Distance and information value of a numeric column."""
    values, is_high = _finite(column), y == 1
    gaps = np.isnan(values)
    cells = np.full(len(values), _IV_BINS)
    cells[~gaps] = binned(values[~gaps], quantile_edges(values[~gaps], _IV_BINS)) if not gaps.all() else _IV_BINS
    return Screened(str(column.name), ks_distance(values, is_high), information_value(cells, is_high), _missing(gaps, is_high))


def _finite(column: pd.Series) -> Array:
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isfinite(values), values, np.nan)


def screen_levels(raw: pd.DataFrame, name: str, y: Array) -> Screened:
    """Information value of a column's levels, rare ones gathered."""
    codes = levels_of(name, raw).codes.astype(np.int64)
    gaps = raw[name].isna().to_numpy()
    return Screened(name, float("nan"), information_value(codes, y == 1), _missing(gaps, y == 1))


def _missing(gaps: np.ndarray, is_high: np.ndarray) -> tuple[float, float]:
    return float(gaps[~is_high].mean()), float(gaps[is_high].mean())


def distribution(column: pd.Series, y: Array, screened: Screened, classes: Sequence[str]) -> Figure:
    """How a numeric column is distributed in each class; the outermost percent of either is put into the last bins."""
    values = _finite(column)
    parts = [values[(y == code) & ~np.isnan(values)] for code in (0, 1)]
    ends = np.array([np.quantile(part, [0.01, 0.99]) for part in parts if len(part)])
    low, high = float(ends[:, 0].min()), float(ends[:, 1].max())
    if low == high:
        low, high = low - 0.5, high + 0.5
    traces = []
    for part, name, color in zip(parts, classes, ("$second", "$accent"), strict=True):
        counts, edges = np.histogram(np.clip(part, low, high), bins=_BINS, range=(low, high))
        heights = counts / max(len(part), 1)
        style: dict[str, Any] = {"fill": "tozeroy", "fillcolor": f"{color}/15"}
        at = np.repeat(edges, 2), np.concatenate([[0], np.repeat(heights, 2), [0]])
        traces.append(line(at, "%{y:.1%} of the class near %{x}", color=color, width=1.5, name=label(name, most=12), **style))
    layout = {"xaxis": axis(nticks=5), "yaxis": axis(tickformat="~%", nticks=4, rangemode="tozero"), "showlegend": True}
    return Figure(f"{screened.column}: KS {number(screened.ks, 2)}, IV {number(screened.iv, 2)}", traces, layout, height=210)


def rates(raw: pd.DataFrame, y: Array, screened: Screened) -> Figure:
    """The rate of class 1 on each level, with 95 % intervals; dotted that of all rows."""
    levels = levels_of(screened.column, raw)
    n = np.bincount(levels.codes, minlength=len(levels.categories))
    found = np.bincount(levels.codes, weights=y, minlength=len(levels.categories))
    there = np.flatnonzero(n)
    rate = found[there] / n[there]
    bars = reach(rate, wilson(rate, n[there].astype(np.float64)))
    names = [f"{levels.categories[at]} ({count(n[at])})" for at in there.tolist()]
    marks = points((rate, [*range(len(there))]), "rate %{x:.3~%}", size=7, error_x=bars)
    x = axis("rate of class 1", tickformat="~%", rangemode="tozero", nticks=5)
    layout = {"xaxis": x, "yaxis": ladder(names), "shapes": [upright(float(y.mean()))]}
    title = f"{screened.column}: IV {number(screened.iv, 2)}"
    return Figure(title, [marks], layout, height=ladder_height(len(names), each=20, least=210))


def _table(screened: Sequence[Screened], classes: Sequence[str]) -> Table:
    rows = []
    for one in screened:
        gaps = [share(gap) for gap in one.missing]
        rows.append([one.column, number(one.ks, 3) if np.isfinite(one.ks) else MISSING, number(one.iv, 3), *gaps])
    caption = (
        "KS: largest distance of the two classes' distribution functions. IV: information value of ten quantile bins or of levels, missing "
        "being one; above 0.5 it is often called suspicious (Siddiqi, 2006)."
    )
    header = ["column", "KS", "IV", *(f"missing in {name}" for name in classes)]
    return Table(header, rows, caption=caption)
