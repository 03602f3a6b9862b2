"""How the run went: the plan of its steps, the time it took, and the holdout scores where there are labels."""

from __future__ import annotations

import json
from typing import Any

from pipelines.report.blocks import Block, Figure, Folded, Section, Table, Text, axis, ladder, ladder_height
from pipelines.report.evidence import Evidence
from pipelines.report.numbers import count, duration, number
from pipelines.report.traces import lying_bars

_MOST_NAMES = 8


def holdout_section(evidence: Evidence) -> Section | None:
    """Scores on held-out labels; none where there are none."""
    scores = evidence.metrics.get("holdout")
    if not scores:
        return None
    names = [*scores]
    rows = [[name, number(scores[name], evidence.decimals), number(evidence.scores[name]["score"], evidence.decimals)] for name in names]
    said = "These labels were looked at once, at the end of the run: no fit, weight or choice has seen them."
    marked = names.index(evidence.final) if evidence.final in names else None
    limit = (evidence.metrics.get("limit") or {}).get("test")
    if limit is not None:
        said += f" Nobody can do better than {number(limit, evidence.decimals)} on these rows: the sample knows how they were drawn."
    table = Table(["name", f"holdout {evidence.metric}", "out-of-fold"], rows, marked=marked)
    return Section("holdout", "Holdout", [Text(said), table])


def time_section(evidence: Evidence) -> Section:
    """Where the time went."""
    stages = [("", "$bar", [*evidence.timings.values()])]
    figures = [_bars("Stages", [*evidence.timings], stages, "Wall-clock seconds of this run, up to this page.")]
    models = {name: facts for name, facts in evidence.metrics["models"].items() if "seconds" in facts}
    if models:
        names = sorted(models, key=lambda name: -float(models[name]["seconds"]))
        fitting = [float(models[name]["fit_seconds"]) for name in names]
        around = [max(0.0, float(models[name]["seconds"]) - seconds) for name, seconds in zip(names, fitting, strict=True)]
        parts = [("fitting", "$bar", fitting), ("reading, predicting, writing", "$fit", around)]
        caption = "Seconds over all folds; folds side by side add up. Fits found in the store count with the time they took then."
        figures.append(_bars("Models", names, parts, caption))
    return Section("time", "Time", [*figures])


def _bars(title: str, names: list[str], parts: list[tuple[str, str, list[float]]], caption: str) -> Figure:
    traces = []
    for name, color, values in parts:
        texts = {"text": [duration(value) for value in values], "textposition": "none"}
        traces.append(lying_bars(values, "%{text}", color=color, name=name, **texts))
    x, is_several = axis("seconds", rangemode="tozero"), len(parts) > 1
    layout = {"xaxis": x, "yaxis": ladder(names), "barmode": "stack", "bargap": 0.35, "showlegend": is_several}
    layout |= {"legend": {"traceorder": "normal"}}
    return Figure(title, traces, layout, caption, ladder_height(len(names), each=30))


def plan_section(evidence: Evidence) -> Section:
    """The steps of each view: what each learns from, where it runs and what it makes."""
    said = "A step runs per fold when it learns from rows or from the target, or reads a column that is made per fold; otherwise once."
    blocks: list[Block] = [Text(said)]
    for view, plan in evidence.plans.items():
        name = view or "(features)"
        bound = f"{count(len(plan['columns']))} columns, {count(len(plan['fold_bound']))} of them made per fold"
        users = ", ".join(model for model in evidence.fitted if evidence.session.spec.models[model].view == view)
        caption = f"{bound}. Used by {users}."
        steps = "1 step" if len(plan["steps"]) == 1 else f"{len(plan['steps'])} steps"
        blocks.append(Folded(f"View {name}: {steps}, {bound}", [_plan_table(plan, caption)]))
    return Section("plan", "Plan", blocks)


def _plan_table(plan: dict[str, Any], caption: str) -> Table:
    rows = [
        [step["step"], step["learns"], step["runs"], _names(step["writes"]), _names(step["drops"]), _params(step["params"])]
        for step in plan["steps"]
    ]
    return Table(["step", "learns from", "runs", "makes", "drops", "parameters"], rows, caption=caption, n_text=6)


def _names(names: list[str]) -> str:
    more = f" and {count(len(names) - _MOST_NAMES)} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(map(str, names[:_MOST_NAMES])) + more


def _params(params: dict[str, Any]) -> str:
    given = {name: value for name, value in params.items() if value is not None}
    text = ", ".join(f"{name}: {value if isinstance(value, str) else json.dumps(value, default=str)}" for name, value in given.items())
    return text if len(text) <= 200 else f"{text[:197]}..."
