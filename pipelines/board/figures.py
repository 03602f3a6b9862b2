"""The pictures of many runs: their course, and how they fared in public."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from pipelines.board.course import agreement, bests, drawn, sight
from pipelines.board.records import Record
from pipelines.report.blocks import Figure, axis, label
from pipelines.report.traces import Trace, band, guide, line, points, reach

_MOST_TICKS = 20
_MOST_BARS = 80
"""Runs whose intervals are drawn as bars; those of more become a band."""


def course_figure(records: Sequence[Record]) -> Figure | None:
    """Scores with their intervals from run to run, and the best so far; None for fewer than two runs, or where none has a score."""
    at = drawn([record.loss for record in records])
    seen = [records[place] for place in at]
    ends = sight([value for record in seen for value in (record.score, record.low, record.high)])
    if ends is None or len(records) < 2:
        return None
    newest = points(([len(records)], [records[-1].score]), "latest: %{y}", color="$ink", size=10, name="latest")
    caption = "Dots are out-of-fold scores in the order of the runs, with 95 % intervals over rows."
    if len(at) < len(records):
        caption += f" {len(at)} of {len(records):,} runs are drawn: the bests, the newest and an even choice of the others."
    layout = {
        "xaxis": axis("run", range=_room(len(records)), **({"dtick": 1} if len(records) <= _MOST_TICKS else {})),
        "yaxis": axis(seen[-1].kind.metric, range=[*ends]),
        "showlegend": True,
    }
    return Figure("Runs", [*_dots(seen, at), _best(records), newest], layout, caption, is_wide=True)


def _room(n: int) -> list[float]:
    return [0.5 - 0.01 * n, n + 0.5 + 0.01 * n]


def _dots(seen: Sequence[Record], at: Sequence[int]) -> list[Trace]:
    x, scores = [place + 1 for place in at], [record.score for record in seen]
    ends = [record.low for record in seen], [record.high for record in seen]
    is_few = len(seen) <= _MOST_BARS
    bars: Trace = {"error_y": reach(scores, ends, color="$bar/60")} if is_few else {}
    said = [f"{label(record.run_id, most=60)}<br>{record.when}" for record in seen]
    dots = points((x, scores), "%{text}<br>%{y}", size=8 if is_few else 5, name="a run", text=said, **bars)
    return [dots] if is_few else [*band(np.asarray(x, dtype=np.float64), ends), dots]


def _best(records: Sequence[Record]) -> Trace:
    best = bests([record.loss for record in records])
    x = [place + 1 for place in [*best, len(records) - 1]]
    scores = [records[place].score for place in [*best, best[-1]]]
    style = {"color": "$second", "width": 2, "shape": "hv"}
    return line((x, scores), "best up to run %{x}: %{y}", name="best so far", line=style)


def public_figure(records: Sequence[Record], public: dict[str, float]) -> Figure | None:
    """Out-of-fold against public scores; None for fewer than two runs that have both."""
    seen = [record for record in records if record.run_id in public and math.isfinite(record.score)]
    if len(seen) < 2:
        return None
    own, other, metric = [record.score for record in seen], [public[record.run_id] for record in seen], seen[-1].kind.metric
    dots = points((own, other), "%{text}<br>out-of-fold %{x}, public %{y}", text=[label(record.run_id, most=60) for record in seen], size=9)
    low, high = max(min(own), min(other)), min(max(own), max(other))
    alike = [guide(([low, high], [low, high]))] if low < high else []
    found = agreement([*zip(own, other, strict=True)])
    said = [f"{len(seen)} submitted runs."]
    said += ["On the dotted line both scores are the same."] if alike else []
    said += [f"Spearman's rank correlation: {found:.2f}."] if found is not None else []
    layout = {"xaxis": axis(f"out-of-fold {metric}"), "yaxis": axis(f"public {metric}")}
    return Figure("Out-of-fold and public score", [*alike, dots], layout, " ".join(said))
