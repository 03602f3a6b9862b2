"""Curves over all thresholds, each pooled and with the band of the folds: ROC, precision and recall, gain and lift."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pipelines.metrics import Array
from pipelines.metrics.calibration import LiftTable, lift_table
from pipelines.metrics.ordering import area, average_precision
from pipelines.report.blocks import Figure, Folded, Table, axis
from pipelines.report.numbers import count, number, share
from pipelines.report.outcomes import Outcomes, Thresholds
from pipelines.report.scales import is_rare
from pipelines.report.thinning import along
from pipelines.report.traces import band, guide, line, points, standing_bars

_GRID = 101
_MANY_FOLDS = 10


def roc_figure(whole: Outcomes, parts: Sequence[Outcomes]) -> Figure:
    """The receiver operating characteristic."""
    grid = np.linspace(0, 1, _GRID)
    curve = whole.thresholds
    pooled = line(along(_from(0, curve.false_positive_rate), _from(0, curve.recall)), "%{x}, %{y}", width=2.5, name="pooled")
    # of the thresholds with at most that many false alarms, the last one
    spread = _spread(parts, lambda one: _from(0, one.recall)[np.searchsorted(one.false_positive_rate, grid, side="right")])
    caption = f"Pooled area {number(area(curve.curve))}. {_said(parts)} Dotted: by chance."
    layout = {"xaxis": axis("false positive rate", range=[-0.01, 1.01]), "yaxis": axis("true positive rate", range=[-0.01, 1.03])}
    return Figure("Receiver operating characteristic", [*band(grid, spread), guide(([0, 1], [0, 1])), pooled], layout, caption, 380)


def precision_recall_figure(whole: Outcomes, parts: Sequence[Outcomes]) -> Figure:
    """Precision over recall."""
    grid = np.linspace(0.01, 1, _GRID - 1)
    curve = whole.thresholds
    # a first step of several rows is one point: up to it, no order is told
    at = along(_from(0, curve.recall), _from(curve.precision[0], curve.precision))
    pooled = line(at, "recall %{x}<br>precision %{y}", width=2.5, name="pooled")
    # of the thresholds that reach a recall, the first one
    spread = _spread(parts, lambda one: one.precision[np.searchsorted(one.recall, grid - 1e-12)])
    found = number(average_precision(curve.curve))
    caption = f"Pooled average precision {found}. {_said(parts)} Dotted: by chance ({share(whole.rate)})."
    layout = {"xaxis": axis("recall", range=[-0.01, 1.01]), "yaxis": axis("precision", range=[-0.01, 1.03])}
    traces = [*band(grid, spread), guide(([0, 1], [whole.rate, whole.rate])), pooled]
    return Figure("Precision and recall", traces, layout, caption, 380)


def gain_figure(whole: Outcomes, parts: Sequence[Outcomes]) -> Figure:
    """How much of class 1 is found in the most probable rows; over a log axis where class 1 is rare."""
    is_log, least = is_rare(whole.y), max(1 / len(whole.y), 1e-6)
    grid = np.geomspace(least, 1, 2 * _GRID) if is_log else np.linspace(0, 1, _GRID)

    # rows with one probability are found in even parts: their order is no merit of the model
    def found(one: Thresholds) -> Array:
        return np.asarray(np.interp(grid, _from(0, one.share), _from(0, one.recall)), dtype=np.float64)

    pooled = line((grid, found(whole.thresholds)), "%{y:.1%} of class 1 in %{x:.3~%} of the rows", width=2.5, name="pooled")
    tenths = np.arange(1, 11) / 10
    marks = points(
        (tenths, np.interp(tenths, grid, found(whole.thresholds))), "%{y:.1%} of class 1 in %{x:.0%} of the rows", size=6, name="tenths"
    )
    best = guide((grid, np.minimum(grid / max(whole.rate, 1e-12), 1)))
    layout = {"xaxis": _share_axis(least, is_log=is_log), "yaxis": axis("share of class 1 found", range=[-0.01, 1.03], tickformat="~%")}
    caption = f"{_said(parts)} Dotted: a perfect order, and chance."
    return Figure("Cumulative gain", [*band(grid, _spread(parts, found)), best, guide((grid, grid)), pooled, marks], layout, caption)


def _share_axis(least: float, *, is_log: bool) -> dict[str, Any]:
    title = "share of all rows, the most probable first"
    if not is_log:
        return axis(title, range=[-0.01, 1.01], tickformat="~%")
    ticks = [tick for tick in (1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 1.0) if tick >= least]
    texts = [f"{100 * tick:.6g}%" for tick in ticks]
    return axis(title, type="log", range=[np.log10(least), 0.02], tickvals=ticks, ticktext=texts)


def lift_blocks(whole: Outcomes) -> tuple[Figure, Folded]:
    """How many times as frequent class 1 is in each tenth of the rows as in all, and the numbers behind it."""
    table = lift_table(whole.y, whole.p, whole.weights)
    said: dict[str, Any] = {"customdata": [share(rate) for rate in table.rate], "text": [f"{lift:.2f}" for lift in table.lift]}
    bars = standing_bars(table.lift, "lift %{y}<br>rate %{customdata}", cliponaxis=False, textposition="outside", **said)
    even = guide(([-0.5, 9.5], [1, 1]))
    ticks = {"tickvals": [*range(10)], "ticktext": [str(at + 1) for at in range(10)]}
    x = axis("tenth of the rows, the most probable first", showgrid=False, range=[-0.5, 9.5], **ticks)
    layout = {"xaxis": x, "yaxis": axis("lift", range=[0, 1.12 * float(np.nanmax([1.0, *table.lift]))]), "bargap": 0.3}
    caption = f"The rate of class 1 in a tenth over that of all rows ({share(whole.rate)})."
    return Figure("Lift by tenths", [bars, even], layout, caption), Folded("Lift and gain as a table", [_lift_table(table)])


def _lift_table(table: LiftTable) -> Table:
    rows = []
    for at in range(len(table.top)):
        measured = [number(values[at], 5) for values in (table.predicted, table.rate)]
        rows.append([f"{at + 1}", count(table.weight[at]), *measured, number(table.lift[at], 3), share(float(table.gain[at]))])
    return Table(["tenth", "rows", "mean probability", "rate", "lift", "gain, cumulative"], rows)


def _from(start: float, values: Array) -> Array:
    return np.append(start, values)


def _spread(parts: Sequence[Outcomes], at_grid: Callable[[Thresholds], Array]) -> tuple[Array, Array] | None:
    """Low and high end of the folds' curves at each place of a grid; None for a single fold."""
    if len(parts) < 2:
        return None
    curves = np.stack([at_grid(part.thresholds) for part in parts])
    if len(parts) <= _MANY_FOLDS:
        return curves.min(axis=0), curves.max(axis=0)
    low, high = np.quantile(curves, [0.1, 0.9], axis=0)
    return low, high


def _said(parts: Sequence[Outcomes]) -> str:
    if len(parts) < 2:
        return ""
    return "Band: between the lowest and the highest fold." if len(parts) <= _MANY_FOLDS else "Band: the middle 80 % of the folds."
