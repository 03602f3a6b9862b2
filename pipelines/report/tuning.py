"""The searches behind a run's parameters: how each went, what mattered, and which trials were given up."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from pipelines.report.blocks import Block, Choice, Figure, Notes, Section, Table, Text, axis, label, ladder, ladder_height
from pipelines.report.evidence import Evidence
from pipelines.report.numbers import count, number, signed
from pipelines.report.traces import Trace, hover, line, lying_bars, points
from pipelines.store import read_json

_TABLE = "tuning.json"
_MOST_CURVES = 60
"""Trials whose scores on the way are drawn: the best, and the latest of the others."""


def tuning_section(evidence: Evidence) -> Section | None:
    """What is known of the searches whose parameters the run used; none where it used none."""
    found = tuned_of(evidence)
    if not found:
        return None
    said = (
        "Searched on folds of their own: the tuned score is the best of many tries on those and no estimate of how good the model is. "
        "The scores of this report are from other folds."
    )
    blocks: list[Block] = [Text(said), _searches(found, evidence.scores)]
    tables = _tables(evidence, found)
    shown: dict[str, Sequence[Block]] = {model: trials_blocks(table) for model, table in tables.items()}
    if len(shown) > 1:
        blocks.append(Choice("model", shown))
    else:
        blocks += [block for made in shown.values() for block in made]
    absent = [model for model in found if model not in tables]
    if absent:
        blocks.append(Notes("Trials that are not at hand", [f"{model}: {found[model]['study']}" for model in absent]))
    return Section("tuning", "Tuning", blocks)


def tuned_of(evidence: Evidence) -> dict[str, dict[str, Any]]:
    """What ``tuned.json`` said of the run's models, by model."""
    tune = evidence.session.declaration.data.get("tune") or {}
    return {model: tune[model]["found"] for model in evidence.metrics["models"] if "found" in (tune.get(model) or {})}


def _tables(evidence: Evidence, found: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The trials of these very studies, where ``foldwise tune`` left them beside the runs."""
    path = evidence.session.latest / _TABLE
    kept = read_json(path) if path.is_file() else {}
    return {model: kept[model] for model, entry in found.items() if kept.get(model, {}).get("study") == entry["study"]}


def _searches(found: dict[str, dict[str, Any]], scores: dict[str, dict[str, Any]]) -> Table:
    rows = []
    for model, entry in found.items():
        declared, changes = entry.get("declared_score"), {**entry.get("params", {}), **entry.get("keys", {}), **entry.get("steps", {})}
        gain = None if declared is None else entry["score"] - declared
        chosen = ", ".join(f"{name} {_short(value)}" for name, value in changes.items()) or "the declared ones"
        figures = [count(entry["trials"]), number(entry["score"]), number(declared), signed(gain), number(scores[model]["score"])]
        rows.append([model, chosen, *figures])
    header = ["model", "parameters", "trials", "tuned", "declared", "gain on tuning folds", "out-of-fold here"]
    folds = "; ".join(dict.fromkeys(f"{entry['folds']}" for entry in found.values()))
    return Table(header, rows, caption=f"Tuned and declared: scores on the tuning folds ({folds}).", n_text=2)


def trials_blocks(table: dict[str, Any]) -> list[Block]:
    """The figures of one search, from its entry in ``tuning.json``."""
    complete = [trial for trial in table["trials"] if trial["state"] == "complete"]
    made = [_history(table, complete), _importances(table), _intermediate(table, complete), _coordinates(table, complete)]
    return [figure for figure in made if figure is not None]


def _history(table: dict[str, Any], complete: Sequence[dict[str, Any]]) -> Figure:
    """Every finished trial's score, and the best so far."""
    numbers, scores = [trial["number"] for trial in complete], [trial["values"][0] for trial in complete]
    best = (np.maximum if table["greater_is_better"] else np.minimum).accumulate(np.asarray(scores, dtype=np.float64))
    pruned = [trial["number"] for trial in table["trials"] if trial["state"] == "pruned"]
    traces = [points((numbers, scores), "trial %{x}: %{y}", size=7, name="finished")]
    traces.append(
        line((numbers, best), "best up to trial %{x}: %{y}", color="$second", name="best so far", line={"color": "$second", "shape": "hv"})
    )
    own = [trial["number"] for trial in table["trials"] if trial["is_declared"]]
    at = [score for number_, score in zip(numbers, scores, strict=True) if number_ in own]
    if at:
        traces.append(
            points(
                (own, at),
                "declared: %{y}",
                color="$ink",
                size=10,
                name="declared",
                marker={"symbol": "diamond", "size": 10, "color": "$ink"},
            )
        )
    failed = sum(trial["state"] == "fail" for trial in table["trials"])
    caption = f"{count(len(complete))} finished, {count(len(pruned))} pruned, {count(failed)} failed."
    return Figure("History", traces, {"xaxis": axis("trial"), "yaxis": axis(table["metric"])}, caption)


def _importances(table: dict[str, Any]) -> Figure | None:
    """How much of the score's variance each parameter explains."""
    found = sorted(table["importances"].items(), key=lambda item: -item[1])
    if not found:
        return None
    names = [name for name, _ in found]
    layout = {"xaxis": axis("share of the variance", rangemode="tozero"), "yaxis": ladder(names), "bargap": 0.35}
    caption = "By functional ANOVA (Hutter et al., 2014), over finished trials."
    bars = lying_bars([value for _, value in found], "%{x:.3f}")
    return Figure("Importance of parameters", [bars], layout, caption, ladder_height(len(names), each=30))


def _intermediate(table: dict[str, Any], complete: Sequence[dict[str, Any]]) -> Figure | None:
    """Scores on the way through the first fold and of the folds, by what was fitted so far."""
    with_steps = [trial for trial in table["trials"] if trial["steps"]]
    if not with_steps:
        return None
    best = _best_of(table, complete)
    shown = [trial for trial in with_steps if trial is not best][-_MOST_CURVES:]
    traces = [_curve(trial, "$muted/40" if trial["state"] == "pruned" else "$bar", 1) for trial in shown]
    traces += [_curve(best, "$accent", 2.5)] if best is not None and best["steps"] else []
    more = f" The latest {_MOST_CURVES} of {len(with_steps)} trials." if len(with_steps) > _MOST_CURVES else ""
    caption = f"Folds fitted; points before 1 lie inside the first fold's fit. The best trial stands out, pruned ones are pale.{more}"
    layout = {"xaxis": axis("folds"), "yaxis": axis(table["metric"]), "showlegend": False}
    return Figure("Scores on the way", traces, layout, caption, is_wide=True)


def _curve(trial: dict[str, Any], color: str, width: float) -> Trace:
    steps = sorted((int(step), value) for step, value in trial["steps"].items())
    at = [step / 100 for step, _ in steps], [value for _, value in steps]
    drawn = line(at, f"trial {trial['number']}, %{{x}} folds: %{{y}}", color=color, width=width)
    return {**drawn, "mode": "lines+markers", "marker": {"size": 4, "color": color}}


def _best_of(table: dict[str, Any], complete: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    if not complete:
        return None
    choose = max if table["greater_is_better"] else min
    return choose(complete, key=lambda trial: float(trial["values"][0]))


def _coordinates(table: dict[str, Any], complete: Sequence[dict[str, Any]]) -> Figure | None:
    """Finished trials as lines over the parameters, each scaled to its range; good ones stand out."""
    names = [name for name in table["space"] if any(name in trial["params"] for trial in complete)]
    if len(complete) < 2 or not names:
        return None
    scores = np.asarray([trial["values"][0] for trial in complete], dtype=np.float64)
    worth = scores if table["greater_is_better"] else -scores
    ranks = np.argsort(np.argsort(-worth, kind="stable"), kind="stable")
    # all alike: none is better than the middle
    places = (worth - worth.min()) / np.ptp(worth) if np.ptp(worth) > 0 else np.full(len(worth), 0.5)
    traces = []
    for place in np.argsort(-ranks):
        trial, is_good = complete[place], ranks[place] < max(1, len(complete) // 5)
        heights = [*(_height(table["space"][name], trial["params"].get(name)) for name in names), round(float(places[place]), 4)]
        texts = [*(f"{label(name)} {_short(trial['params'].get(name))}" for name in names), table["metric"]]
        color = "$accent" if is_good else "$bar/50"
        drawn: Trace = {"type": "scatter", "mode": "lines+markers", "x": [*range(len(texts))], "y": heights, "text": texts}
        drawn |= {"line": {"color": color, "width": 2 if is_good else 1}, "marker": {"size": 4, "color": color}}
        traces.append({**drawn, **hover(f"trial {trial['number']}, {number(float(scores[place]))}: %{{text}}")})
    ends = [*(label(name, most=22) for name in names), f"<b>{label(table['metric'], most=22)}</b>"]
    ticks = {"tickvals": [*range(len(ends))], "ticktext": ends}
    y = axis("from low to high", range=[-0.05, 1.05], tickvals=[0, 1], ticktext=["low", "high"])
    layout = {"xaxis": axis("", **ticks), "yaxis": y, "showlegend": False}
    caption = "A line is a finished trial; the best fifth stands out. Heights are places in the searched range, on its own scale; of the score, from the worst trial to the best."
    return Figure("Parameters of the trials", traces, layout, caption, 360, is_wide=True)


def _height(dimension: dict[str, Any], value: Any) -> float | None:
    """Where a value lies in its range, from 0 to 1."""
    if value is None:
        return None
    if "choice" in dimension:
        labels = [option if isinstance(option, str) else json.dumps(option) for option in dimension["choice"]]
        return labels.index(str(value)) / max(1, len(labels) - 1)
    scale = math.log if dimension.get("log") else float
    low, high = (scale(end) for end in dimension["int" if "int" in dimension else "float"])
    at = scale(value)
    return round((at - low) / (high - low), 4) if high > low else 0.5


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
