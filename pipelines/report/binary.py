"""The truth of a binary classification: how well probabilities order the rows, and how they are spread."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipelines.report.blocks import Block, Figure, axis, label
from pipelines.report.curves import gain_figure, lift_blocks, precision_recall_figure, roc_figure
from pipelines.report.evidence import Evidence
from pipelines.report.outcomes import Outcomes, outcomes_by_fold, outcomes_of
from pipelines.report.scales import Scale
from pipelines.report.traces import line

_BINS = 40


def binary_figures(evidence: Evidence) -> list[Block]:
    """The figures of the final's out-of-fold probabilities; none where there is one class only."""
    whole = outcomes_of(evidence, evidence.probable)
    if not whole.has_both:
        return []
    parts = outcomes_by_fold(evidence, evidence.probable)
    return [
        roc_figure(whole, parts),
        precision_recall_figure(whole, parts),
        gain_figure(whole, parts),
        *lift_blocks(whole),
        distribution_figure(whole, [str(name) for name in evidence.prepared.classes]),
    ]


def distribution_figure(outcomes: Outcomes, classes: list[str]) -> Figure:
    """How the probabilities of each class's rows are spread: shares of the class, or rows on a log axis where one class is rare."""
    scale = Scale.of(outcomes.y, outcomes.p)
    traces = []
    for code, color in enumerate(("$second", "$accent")):
        counts, edges = scale.histogram(outcomes.p[outcomes.y == code], _BINS)
        # a log axis has no place for zero: half a row is its ground
        heights = np.maximum(counts, 0.5) if scale.is_odds else counts / max(counts.sum(), 1)
        at = np.repeat(edges, 2)[1:-1], np.repeat(heights, 2)
        said = [f"{n:,.0f}" for n in np.repeat(counts, 2)]
        style: dict[str, Any] = {"fill": "tozeroy", "fillcolor": f"{color}/15", "customdata": said}
        traces.append(line(at, "%{customdata} rows", color=color, name=label(classes[code]), **style))
    upright = (
        axis("rows", type="log", exponentformat="SI", dtick=1)
        if scale.is_odds
        else axis("share of the class", tickformat="~%", rangemode="tozero")
    )
    layout = {"xaxis": scale.axis(f"probability of {label(classes[1])}"), "yaxis": upright, "showlegend": True}
    caption = "Rows in each bin, on a log axis, because one class is rare." if scale.is_odds else ""
    return Figure("Probabilities by class", traces, layout, caption, 340, is_wide=True)
