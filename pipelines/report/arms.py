"""What resampling and class weights are worth: each arm minus its base, metric by metric."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from pipelines.arms import LEVEL
from pipelines.report.blocks import Block, Figure, Notes, Section, Table, axis, ladder, ladder_height
from pipelines.report.evidence import Evidence
from pipelines.report.numbers import number, p_value, signed, signed_interval
from pipelines.report.traces import Trace, guide, points, reach

_HEADER = ["arm", "what it does", "metric", "base", "arm", "difference", "95 % interval", "p", "adjusted p"]


def arms_section(evidence: Evidence) -> Section | None:
    """A forest plot and a table for each family; none where there is no family."""
    families: list[Mapping[str, Any]] = evidence.metrics.get("arms") or []
    if not families:
        return None
    sentences = [f"{family['base']}: {family['verdict']}, by {family['metric']}." for family in families]
    blocks: list[Block] = [Notes("Models that differ in resampling and class weights only", sentences)]
    for family in families:
        blocks += [forest(family, metric, evidence) for metric in family["greater_is_better"]]
        blocks.append(_table(family, evidence))
    return Section("arms", "Arms", blocks)


def forest(family: Mapping[str, Any], metric: str, evidence: Evidence) -> Figure:
    """The differences of all arms by one metric, with their intervals over folds; coloured where they are beyond chance."""
    arms = {name: arm["differences"][metric] for name, arm in family["arms"].items()}
    parts: dict[str, list[int]] = {"better": [], "worse": [], "unclear": []}
    for at, one in enumerate(arms.values()):
        parts[_kind(one, greater_is_better=family["greater_is_better"][metric])].append(at)
    colors = {"better": "$accent", "worse": "$second", "unclear": "$muted"}
    traces = [_marks([*arms.values()], places, colors[kind], kind) for kind, places in parts.items() if places]
    better = "right" if family["greater_is_better"][metric] else "left"
    layout = {"xaxis": axis(f"difference, better to the {better}"), "yaxis": ladder([*arms]), "showlegend": True}
    zero = guide(([0, 0], [-0.5, len(arms) - 0.5]))
    return Figure(f"{metric} minus {family['base']}'s", [zero, *traces], layout, height=ladder_height(len(arms), each=34, least=190))


def _kind(one: Mapping[str, float | None], *, greater_is_better: bool) -> str:
    if one["difference"] is None or one["p_value"] is None or one["p_value"] >= LEVEL:
        return "unclear"
    return "better" if (one["difference"] > 0) == greater_is_better else "worse"


def _marks(arms: list[Mapping[str, float | None]], places: list[int], color: str, kind: str) -> Trace:
    middle, low, high = ([_known(arms[at][key]) for at in places] for key in ("difference", "low", "high"))
    said = [p_value(_known(arms[at]["p_value"])) for at in places]
    bars = reach(middle, (low, high), color=color)
    return points((middle, places), "%{x}, p %{customdata}", color=color, size=10, name=kind, error_x=bars, customdata=said)


def _known(value: float | None) -> float:
    return math.nan if value is None else value


def _table(family: Mapping[str, Any], evidence: Evidence) -> Table:
    rows = []
    for name, arm in family["arms"].items():
        for metric, one in arm["differences"].items():
            ends = [_known(one["low"]), _known(one["high"])]
            adjusted = p_value(_known(arm["p_adjusted"])) if metric == family["metric"] else ""
            means = [number(one[key], evidence.decimals) for key in ("base", "arm")]
            tested = [
                signed(one["difference"], evidence.decimals),
                signed_interval(ends, evidence.decimals),
                p_value(_known(one["p_value"])),
            ]
            rows.append([name, arm["what"], metric, *means, *tested, adjusted])
    caption = (
        "Base and arm: mean score of the folds. Interval and p: corrected resampled t-test over folds (Nadeau and Bengio, 2003). "
        f"Adjusted p: for the number of arms (Holm, 1979); an arm is called better where it is below {LEVEL:g}."
    )
    return Table(_HEADER, rows, f"Arms of {family['base']}", caption, n_text=3)
