"""The final's score on parts of the rows: by the levels of a column, or where an expression holds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import InputError
from pipelines.known import Known
from pipelines.metrics import METRICS, Array, Metric
from pipelines.report.blocks import Block, Figure, Folded, Notes, Section, Table, Text, axis, ladder, ladder_height
from pipelines.report.calibration import wilson
from pipelines.report.evidence import Evidence
from pipelines.report.levels import levels_of
from pipelines.report.numbers import count, interval, number
from pipelines.report.outcomes import Outcomes
from pipelines.report.traces import points, reach, upright
from pipelines.scores import bootstrap_interval

_BELIEVED = ("normalised_entropy", "calibration_ratio")


@dataclass(frozen=True)
class Slice:
    """A part of the scored rows, by position, and the score on it; NaN where there is none."""

    name: str
    rows: NDArray[np.intp]
    score: float
    ends: list[float]

    @property
    def n(self) -> int:
        """How many rows it has."""
        return len(self.rows)


def slices_section(evidence: Evidence) -> Section | None:
    """Figures and a table for each declared slice; none where none is declared."""
    declared = evidence.session.spec.report.slices
    if not declared or not len(evidence.rows):
        return None
    figures, tables, faults = list[Block](), list[Block](), list[str]()
    for entry in declared:
        try:
            levels = levels_of(entry, evidence.raw)
        except InputError as error:
            faults.append(f"Slice {entry!r} is left out: {error}")
            continue
        slices = score_slices(levels, evidence.metric, evidence.known, evidence.oof[evidence.final], evidence.groups)
        figures += _figures(entry, slices, evidence)
        tables.append(_table(entry, slices, evidence))
    said = f"The score of '{evidence.final}' on parts of the scored rows, with 95 % intervals. Dotted: its score on all; in brackets: rows."
    shown: list[Block] = [*figures, Folded("The same as tables", tables, is_open=evidence.session.spec.task == "binary")] if figures else []
    return Section("slices", "Slices", [Text(said), *shown, *([Notes("Left out", faults)] if faults else [])])


def score_slices(
    levels: pd.Categorical[Any], metric: Metric, known: Known, predictions: Array, groups: NDArray[Any] | None = None
) -> list[Slice]:
    """The score and its interval on each level that has rows; groups, where there are any, are drawn whole."""
    parts = {str(name): np.flatnonzero(np.asarray(levels == name)) for name in levels.categories}
    return [_score(name, rows, metric, known, predictions, groups) for name, rows in parts.items() if len(rows)]


def _score(name: str, rows: NDArray[np.intp], metric: Metric, known: Known, predictions: Array, groups: NDArray[Any] | None) -> Slice:
    there, said = known.take(rows), predictions[rows]
    score = metric.score(there.y, said, there.weights, there.columns)
    if not math.isfinite(score):
        return Slice(name, rows, score, [math.nan, math.nan])
    whole = None if groups is None else groups[rows]
    resamples = int(np.clip(2e7 / len(rows), 100, 200))
    ends = bootstrap_interval(metric, there.y, said, columns=there.columns, groups=whole, weights=there.weights, resamples=resamples)
    return Slice(name, rows, score, ends)


def _outcomes(slices: list[Slice], evidence: Evidence) -> list[Outcomes]:
    """Of a binary task, what happened in each slice and how probable it was said to be."""
    if evidence.session.spec.task != "binary":
        return []
    y, p, weights = evidence.y, evidence.oof[evidence.probable], evidence.known.weights
    return [Outcomes(y[one.rows], p[one.rows], None if weights is None else weights[one.rows]) for one in slices]


def _table(entry: str, slices: list[Slice], evidence: Evidence) -> Table:
    rows = [[one.name, count(one.n), number(one.score, evidence.decimals), interval(one.ends, evidence.decimals)] for one in slices]
    header = [entry, "rows", str(evidence.metric), "95 % interval"]
    for row, outcomes in zip(rows, _outcomes(slices, evidence), strict=False):
        row += [number(value) for value in (outcomes.rate, outcomes.mean, *(outcomes.score(METRICS[name]) for name in _BELIEVED))]
    return Table([*header, *(["rate", "mean probability", *_BELIEVED] if len(rows[0]) > len(header) else [])], rows)


def _figures(entry: str, slices: list[Slice], evidence: Evidence) -> list[Figure]:
    """The score of each slice; of a binary task also its rate beside the mean probability."""
    outcomes = _outcomes(slices, evidence)
    names = [f"{one.name} ({count(one.n)})" for one in slices]
    height, is_wide = ladder_height(len(slices), each=22, least=180), len(slices) > 10 and not outcomes
    scores, overall = [one.score for one in slices], evidence.metrics["final"]["score"]
    intervals = reach(scores, ([one.ends[0] for one in slices], [one.ends[1] for one in slices]))
    marks = points((scores, _steps(slices)), "%{x}, %{customdata} rows", error_x=intervals, customdata=[one.n for one in slices])
    layout = {"xaxis": axis(str(evidence.metric)), "yaxis": ladder(names), "shapes": [upright(overall)]}
    # the lines of a pair stand at one height: the other one has a legend above
    layout |= {"margin": {"l": 12, "r": 12, "t": 42, "b": 12}} if outcomes else {}
    scored = Figure(entry, [marks], layout, height=height, is_wide=is_wide)
    return [scored, _rates(entry, names, outcomes, height)] if outcomes else [scored]


def _rates(entry: str, names: list[str], outcomes: list[Outcomes], height: int) -> Figure:
    """Observed rates with their intervals, and the mean probabilities: apart from each other where these are off."""
    rates, means = [one.rate for one in outcomes], [one.mean for one in outcomes]
    ends = wilson(np.array(rates), np.array([one.total * one.rows_per_weight or np.nan for one in outcomes]))
    steps, diamond = [*range(len(outcomes))], {"color": "$second", "size": 9, "symbol": "diamond"}
    observed = points((rates, steps), "rate %{x}", name="rate", error_x=reach(rates, ends))
    said = points((means, steps), "mean probability %{x}", name="mean probability", marker=diamond)
    layout = {"xaxis": axis("rate of class 1", rangemode="tozero", tickformat="~%"), "yaxis": ladder(names), "showlegend": True}
    return Figure(f"{entry}: rate and probability", [observed, said], layout, height=height)


def _steps(slices: list[Slice]) -> list[int]:
    return [*range(len(slices))]
