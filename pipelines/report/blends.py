"""What the ensemble learnt, and how alike its members are."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipelines.metrics import Array
from pipelines.report.blocks import Block, Figure, Section, Table, Text, axis, label, ladder, ladder_height
from pipelines.report.evidence import Evidence
from pipelines.report.numbers import count, number, rounded
from pipelines.report.traces import DIVERGING, SCALE_BAR, SEQUENTIAL, heat, lying_bars

WEIGHING = ("blend", "stack", "log_pool")
"""Kinds of entry whose weights or coefficients are shown."""
_MOST_WITH_TEXT, _MOST_SAID = 12, 6


def blends_section(evidence: Evidence) -> Section | None:
    """Weights and coefficients of the entries, and the correlation of all predictions; none for a single model."""
    if len(evidence.oof) < 2:
        return None
    classes, learnt = [str(one) for one in evidence.prepared.classes], evidence.combined.learnt
    said = "What is deployed, fitted on all out-of-fold rows; the scores come from what was fitted without the scored fold."
    weighing = {name: entry for name, entry in learnt.items() if entry["kind"] in WEIGHING}
    others = {name: entry for name, entry in learnt.items() if name not in weighing}
    figures: list[Block] = [weights_figure(name, entry, classes) for name, entry in weighing.items()]
    blocks = [*([Text(said)] if learnt else []), *figures, *([_others(others)] if others else []), correlation_figure(evidence)]
    return Section("ensemble", "Ensemble", blocks)


def _others(entries: dict[str, dict[str, Any]]) -> Table:
    """Entries that weigh nothing (a calibration, a route, a correction), with what they learnt."""
    rows = []
    for name, entry in entries.items():
        facts = "; ".join(f"{key} {_said(value)}" for key, value in entry.items() if key not in ("kind", "of"))
        rows.append([name, entry["kind"], ", ".join(entry["of"]), facts])
    return Table(["entry", "kind", "of", "learnt"], rows, n_text=4)


def _said(value: Any) -> str:
    """A learnt value in few words: of what is long or nested, how much there is."""
    if isinstance(value, float):
        return number(value)
    if not isinstance(value, list | dict):
        return str(value)
    plain = [*(value.values() if isinstance(value, dict) else value)]
    if len(plain) > _MOST_SAID or any(isinstance(one, list | dict) for one in plain):
        return f"({count(len(plain))})"
    return ", ".join(map(_said, plain))


def weights_figure(name: str, learnt: dict[str, Any], classes: list[str]) -> Figure:
    """Weights or coefficients of a blend or a stack, as ``ensemble.json`` says them."""
    scale = f"on the {learnt['scale']} scale" if learnt.get("scale") else ""
    if learnt.get("coefficients"):
        return _stack(name, learnt, classes, scale)
    weights = learnt.get("weights")
    if weights is not None and learnt["kind"] == "log_pool":
        said = "Probabilities multiplied, each to the power of its weight; in all above one: surer than the members, below one: less sure."
        return _bars(f"{name}: weights", learnt["of"], weights, "weight", said)
    if weights is None:
        n = len(learnt["of"])
        return _bars(f"{name}: equal weights", learnt["of"], [1 / n] * n, "weight", f"A mean {scale}; there was nothing to fit weights on.")
    return _bars(f"{name}: weights", learnt["of"], weights, "weight", f"A weighted mean {scale}; weights sum to one.")


def _stack(name: str, learnt: dict[str, Any], classes: list[str], scale: str) -> Figure:
    coefficients = np.atleast_2d(np.asarray(learnt["coefficients"], dtype=np.float64))
    intercepts = ", ".join(number(value) for value in learnt.get("intercept", [])) or "none"
    title, caption = f"{name}: coefficients", f"A linear meta-model {scale}; intercept {intercepts}."
    if coefficients.shape == (1, len(learnt["of"])):
        return _bars(title, learnt["of"], coefficients[0].tolist(), "coefficient", caption)
    names = [f"{member}, {one}" for member in learnt["of"] for one in classes]
    names = names if len(names) == coefficients.shape[1] else [str(position) for position in range(coefficients.shape[1])]
    most = float(np.abs(coefficients).max()) or 1.0
    trace = heat(coefficients.T, "%{z}", DIVERGING, (-most, most), **SCALE_BAR)
    to = [label(one, most=14) for one in classes]
    layout = {"xaxis": axis("for class", tickvals=[*range(len(to))], ticktext=to, showgrid=False), "yaxis": ladder(names)}
    return Figure(title, [trace], layout, caption, ladder_height(len(names)))


def _bars(title: str, members: list[str], values: list[float], what: str, caption: str) -> Figure:
    order = sorted(range(len(members)), key=lambda position: -values[position])
    ranked = [values[position] for position in order]
    texts: dict[str, Any] = {"text": [number(value, 4) for value in ranked], "textposition": "outside", "cliponaxis": False}
    low, high = min(0.0, *values), max(0.0, *values)
    room = 0.2 * ((high - low) or 1.0)
    x = axis(what, range=rounded([low - (room if low < 0 else 0), high + room]))
    layout = {"xaxis": x, "bargap": 0.35, "yaxis": ladder([members[position] for position in order])}
    return Figure(title, [lying_bars(ranked, "%{x}", **texts)], layout, caption, ladder_height(len(order)))


def correlations(columns: list[Array]) -> Array:
    """Pearson correlations; NaN where predictions do not vary."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.atleast_2d(np.corrcoef(np.stack(columns)))


def correlation_figure(evidence: Evidence) -> Figure:
    """How alike the out-of-fold predictions of all models and entries are."""
    is_regression = evidence.session.spec.task == "regression"
    names = [*evidence.oof]
    columns = [(evidence.scaled(values) if is_regression else values).ravel() for values in evidence.oof.values()]
    known = np.isfinite(np.stack(columns)).all(axis=0)
    table = correlations([column[known] for column in columns]) if known.sum() > 1 else np.full((len(names), len(names)), np.nan)
    least = float(np.nanmin(table)) if np.isfinite(table).any() else 0.0
    said = {"texttemplate": "%{z:.3f}"} if len(names) <= _MOST_WITH_TEXT else SCALE_BAR
    trace = heat(table, "%{z}", SEQUENTIAL, (min(least, 0.99), 1), xgap=1, ygap=1, **said)
    texts = [label(name, most=16) for name in names]
    layout = {"xaxis": axis(tickvals=[*range(len(names))], ticktext=texts, showgrid=False, tickangle=-35), "yaxis": ladder(names)}
    note = evidence.scale_note if is_regression else ""
    caption = f"Pearson correlation of out-of-fold predictions{note}: the lower, the more there is to gain from combining."
    return Figure("How alike the predictions are", [trace], layout, caption, int(np.clip(130 + 34 * len(names), 300, 760)))
