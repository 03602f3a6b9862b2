"""Every model and ensemble entry beside the final one: scores, their uncertainty, and paired differences."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from pipelines.metrics import Metric
from pipelines.report.blocks import Block, Figure, Section, Table, axis, ladder, ladder_height
from pipelines.report.evidence import Evidence
from pipelines.report.numbers import count, duration, interval, number, p_value, signed, signed_interval
from pipelines.report.traces import Trace, points, reach
from pipelines.scores import paired_fold_test, paired_interval

Scores: TypeAlias = Mapping[str, Mapping[str, Any]]
"""The tables of ``metrics.json`` by model or ensemble entry."""

_HEADER = ["name", "kind", "score", "95 % interval", "fold sd", "minus final", "its 95 % interval", "p", "fitting", "columns", "rounds"]


@dataclass(frozen=True)
class Against:
    """A paired comparison with the final prediction: the interval over rows, and the corrected test over folds."""

    difference: float
    ends: list[float]
    p_value: float


def scoreboard_section(evidence: Evidence) -> Section:
    """The table of scores and its picture, best first."""
    names = sorted(evidence.scores, key=lambda name: _rank(evidence, name))
    rows = [[name, *_cells(evidence, name)] for name in names]
    caption = (
        "Score: the metric on the pooled out-of-fold predictions. Interval: bootstrap over rows. Minus final: the difference of the two "
        "scores on the rows that both predict, its interval over the same resampled rows, and p of the corrected resampled t-test over folds (Nadeau and Bengio, 2003). "
        "Fitting: seconds over all folds. Rounds: median over folds."
    )
    table = Table(_HEADER, rows, caption=caption, n_text=2, marked=names.index(evidence.final))
    blocks: list[Block] = [dot_plot(evidence.scores, names, evidence.final, evidence.metric), table]
    return Section("models", "Models", blocks)


def _rank(evidence: Evidence, name: str) -> float:
    score = float(evidence.scores[name]["score"])
    if math.isnan(score):
        return math.inf
    return evidence.metric.loss_of(score)


def dot_plot(scores: Scores, names: list[str], final: str, metric: Metric) -> Figure:
    """Scores with their intervals, from top to bottom as named; the folds' scores as faint dots."""
    by_fold = [(math.nan if score is None else score, at) for at, name in enumerate(names) for score in scores[name]["folds"]]
    faint = points(([x for x, _ in by_fold], [y for _, y in by_fold]), "%{x}", color="$muted/35", size=6, name="a fold")
    others = {at: name for at, name in enumerate(names) if name != final}
    shown = (others, "$ink", "pooled, with 95 % interval"), ({names.index(final): final}, "$accent", "final")
    traces = [faint, *(_with_intervals(scores, *one) for one in shown)]
    better = f"better to the {'right' if metric.greater_is_better else 'left'}" if metric.target is None else f"best at {metric.target:g}"
    layout = {"xaxis": axis(f"{metric}, {better}"), "yaxis": ladder(names), "showlegend": True}
    return Figure("Scores", traces, layout, height=ladder_height(len(names), each=30, least=200), is_wide=True)


def _with_intervals(scores: Scores, at: dict[int, str], color: str, title: str) -> Trace:
    pooled = [scores[name]["score"] for name in at.values()]
    low, high = ([scores[name]["interval"][end] for name in at.values()] for end in (0, 1))
    return points((pooled, [*at]), "%{x}", color=color, size=10, name=title, error_x=reach(pooled, (low, high), color=color))


def _cells(evidence: Evidence, name: str) -> list[str]:
    scores = evidence.scores[name]
    own = [write(scores[key], evidence.decimals) for key, write in (("score", number), ("interval", interval), ("fold_sd", number))]
    return [_kind(evidence, name), *own, *_against_cells(evidence, name), *_fit_cells(evidence, name)]


def _kind(evidence: Evidence, name: str) -> str:
    return str(evidence.combined.learnt[name]["kind"] if name in evidence.combined.learnt else evidence.scores[name]["kind"])


def _fit_cells(evidence: Evidence, name: str) -> list[str]:
    scores = evidence.scores[name]
    if name in evidence.combined.learnt:
        n = len(evidence.combined.learnt[name]["of"])
        return ["", f"{n} members" if n > 1 else "1 member", ""]
    if name not in evidence.fitted:
        return ["", "", ""]
    rounds = scores.get("rounds")
    return [duration(scores["seconds"]), count(scores["columns"]), f"{float(np.median(rounds)):g}" if rounds else ""]


def _against_cells(evidence: Evidence, name: str) -> list[str]:
    if name == evidence.final:
        return ["the final", "", ""]
    against = against_final(evidence, name)
    return [signed(against.difference, evidence.decimals), signed_interval(against.ends, evidence.decimals), p_value(against.p_value)]


def against_final(evidence: Evidence, name: str) -> Against:
    """A model's score minus the final one's, both on the rows that the model predicts."""
    metric, own = evidence.metric, evidence.oof[name]
    both = np.flatnonzero(np.isfinite(own.reshape(len(own), -1)).all(axis=1))
    known, one, other = evidence.known.take(both), own[both], evidence.oof[evidence.final][both]
    difference = metric.score(known.y, one, known.weights, known.columns) - metric.score(known.y, other, known.weights, known.columns)
    tested = paired_fold_test(*_by_fold(evidence, name), folds_per_repeat=len(evidence.folds.repeats[0]))
    ends = [math.nan, math.nan]
    if math.isfinite(difference):
        groups = None if evidence.groups is None else evidence.groups[both]
        ends = paired_interval(metric, known.y, one, other, columns=known.columns, groups=groups, weights=known.weights)
    return Against(difference, ends, tested["p_value"])


def _by_fold(evidence: Evidence, name: str) -> tuple[list[float], list[float]]:
    """Scores of a model and of the final in each fold, on the rows that both predict."""
    scores: tuple[list[float], list[float]] = [], []
    parts = zip(*(evidence.combined.predictions[one].folds for one in (name, evidence.final)), strict=True)
    for fold, pair in enumerate(parts):
        both = np.logical_and(*(np.isfinite(part.reshape(len(part), -1)).all(axis=1) for part in pair))
        known = evidence.prepared.known.take(evidence.folds.scored_rows(fold)[both])
        for kept, part in zip(scores, pair, strict=True):
            kept.append(evidence.metric.score(known.y, part[both], known.weights, known.columns))
    return scores
