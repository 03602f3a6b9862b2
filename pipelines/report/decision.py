"""Deciding for class 1: what every threshold brings, and what the chosen one brought on rows it was not chosen on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from pipelines.metrics import Array
from pipelines.report.blocks import Block, Facts, Figure, Section, Text, axis
from pipelines.report.confusion import confusion_figure
from pipelines.report.evidence import Evidence
from pipelines.report.numbers import number
from pipelines.report.outcomes import Thresholds, outcomes_of
from pipelines.report.scales import Scale
from pipelines.report.traces import Trace, guide, line, points

_GRID = 201


def decision_section(evidence: Evidence) -> Section | None:
    """Precision, recall, F1 and cost over the threshold, and the decisions; none for other tasks or where one class is missing."""
    if evidence.session.spec.task != "binary":
        return None
    declared: Mapping[str, Any] | None = evidence.metrics.get("decision")
    outcomes = outcomes_of(evidence, declared["of"] if declared else evidence.probable)
    if not outcomes.has_both:
        return None
    classes = [str(name) for name in evidence.prepared.classes]
    thresholds, scale = outcomes.thresholds, Scale.of(outcomes.y, outcomes.p)
    chosen = declared or at_one_half(thresholds)
    costs = cost_figures(thresholds, scale, chosen)
    figures = [replace(rates_figure(thresholds, scale, chosen), is_wide=bool(costs)), *costs]
    said = (
        "Class 1 above the threshold. The threshold is chosen on out-of-fold rows, for each fold on the other folds' rows; the decisions "
        "counted here are those of rows whose threshold was chosen without them."
        if declared
        else "No threshold is declared; the decisions counted here are those above one half."
    )
    matrix = confusion_figure(_matrix(chosen["counts"]), classes, "Decisions")
    blocks: list[Block] = [Text(said), Facts(_facts(chosen)), *figures, matrix]
    return Section("decision", "Decision", blocks)


def at_one_half(thresholds: Thresholds) -> dict[str, Any]:
    """The decisions above one half, in the form that ``metrics.json`` has for declared ones."""
    there = thresholds.at(np.array([0.5]))
    counts = {name: float(getattr(there, name)[0]) for name in ("tp", "fp", "fn", "tn")}
    measured = {name: float(getattr(there, name)[0]) for name in ("precision", "recall", "f1")}
    rates = {name: value if math.isfinite(value) else None for name, value in measured.items()}
    return {"rule": "above one half", "params": {}, "threshold": 0.5, "folds": [], **rates, "counts": counts}


def _matrix(counts: Mapping[str, float]) -> Array:
    return np.array([[counts["tn"], counts["fp"]], [counts["fn"], counts["tp"]]], dtype=np.float64)


def _facts(chosen: Mapping[str, Any]) -> list[tuple[str, str]]:
    folds = [fold for fold in chosen["folds"] if fold is not None]
    params = ", ".join(
        f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in chosen["params"].items()
        if value is not None
    )
    spread = [("chosen in the folds", f"{number(min(folds))} to {number(max(folds))}")] if folds else []
    threshold = [("threshold", number(chosen["threshold"]))] if chosen.get("threshold") is not None else []
    measured = [(name, number(chosen[name])) for name in ("precision", "recall", "f1", "cost") if name in chosen]
    return [("rule", f"{chosen['rule']} ({params})" if params else chosen["rule"]), *threshold, *spread, *measured]


def rates_figure(thresholds: Thresholds, scale: Scale, chosen: Mapping[str, Any]) -> Figure:
    """Precision, recall and F1 of deciding for class 1 above each threshold; the chosen point marked."""
    grid = scale.grid(_GRID)
    there = thresholds.at(grid)
    rates = {"precision": (there.precision, "$second"), "recall": (there.recall, "$accent"), "f1": (there.f1, "$ink")}
    said = _percent(grid)
    traces = [
        line((scale.at(grid), values), "%{y} above %{customdata}", color=color, name=name, customdata=said)
        for name, (values, color) in rates.items()
    ]
    marks = [_mark(scale, chosen, name, color) for name, (_, color) in rates.items()]
    layout = {"xaxis": scale.axis("threshold"), "yaxis": axis("", range=[-0.02, 1.03]), "showlegend": True}
    traces += [*_uprights(scale, chosen, 1.0), *(one for one in marks if one)]
    return Figure("Decisions over the threshold", traces, layout, _caption(chosen), 360)


def _caption(chosen: Mapping[str, Any]) -> str:
    if chosen.get("threshold") is None:
        return "There is no one threshold to mark."
    if not any(fold is not None for fold in chosen["folds"]):
        return "Upright: the threshold. Points: what the decisions came to."
    return "Upright: the chosen threshold; short strokes: those of the folds. Points: what the decisions came to, nested."


def cost_figures(thresholds: Thresholds, scale: Scale, chosen: Mapping[str, Any]) -> list[Figure]:
    """The mean cost of a row over the threshold, where both costs are declared."""
    costs = [chosen["params"].get(name) for name in ("false_positive", "false_negative")]
    alarm, miss = (float(cost) if isinstance(cost, int | float) else math.nan for cost in costs)
    if not math.isfinite(alarm + miss):
        return []
    grid = scale.grid(_GRID)
    values = thresholds.at(grid).cost(alarm, miss)
    least = float(thresholds.at(np.append(thresholds.threshold, -1.0)).cost(alarm, miss).min())
    top = float(values.max())
    curve = line((scale.at(grid), values), "%{y} above %{customdata}", name="cost", customdata=_percent(grid))
    mark = _mark(scale, chosen, "cost", "$accent")
    layout = {"xaxis": scale.axis("threshold"), "yaxis": axis("mean cost of a row", range=[0, 1.05 * top])}
    caption = f"A false alarm costs {alarm:g}, a missed row of class 1 {miss:g}. The best threshold for all rows together would cost {number(least)}."
    return [Figure("Cost over the threshold", [*_uprights(scale, chosen, top), curve, *([mark] if mark else [])], layout, caption, 360)]


def _percent(p: Array) -> list[str]:
    return [f"{100 * one:.4g} %" for one in p]


def _uprights(scale: Scale, chosen: Mapping[str, Any], top: float) -> list[Trace]:
    """The chosen threshold, and those of the folds as short strokes at the bottom."""
    folds = [fold for fold in chosen["folds"] if fold is not None]
    strokes = [
        line(([at, at], [0, 0.05 * top]), "", color="$muted", width=1.5, hoverinfo="skip", hovertemplate=None, showlegend=False)
        for at in scale.at(np.array(folds)).tolist()
    ]
    if chosen.get("threshold") is None:
        return strokes
    at = float(scale.at(np.array([chosen["threshold"]]))[0])
    return [*strokes, guide(([at, at], [0, top]))]


def _mark(scale: Scale, chosen: Mapping[str, Any], name: str, color: str) -> Trace | None:
    if chosen.get("threshold") is None or chosen.get(name) is None:
        return None
    at = scale.at(np.array([chosen["threshold"]]))
    return points((at, [chosen[name]]), f"{name} %{{y}}", color=color, size=9, showlegend=False)
