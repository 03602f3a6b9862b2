"""Whether probabilities can be believed: observed rates over them, before and after calibration."""

from __future__ import annotations

import numpy as np

from pipelines.metrics import METRICS, Array
from pipelines.metrics.calibration import CalibrationCurve, calibration_curve, calibration_slope_intercept
from pipelines.report.blocks import Figure, Section, Table, Text
from pipelines.report.evidence import Evidence
from pipelines.report.numbers import number
from pipelines.report.outcomes import Outcomes, outcomes_of
from pipelines.report.scales import Scale
from pipelines.report.traces import guide, histogram, line, reach

_BINS = 40
_EXPECTED = 5.0
_MEASURES = ("log_loss", "brier", "ece", "calibration_ratio", "normalised_entropy")


def calibration_section(evidence: Evidence) -> Section | None:
    """The final's calibration, beside that of what it was calibrated from; none for other tasks or where one class is missing."""
    if evidence.session.spec.task != "binary" or not outcomes_of(evidence, evidence.probable).has_both:
        return None
    stages = {title: outcomes_of(evidence, name) for title, name in calibration_stages(evidence).items()}
    # one scale for both, or they could not be compared
    everything = [*stages.values()]
    scale = Scale.of(everything[0].y, np.concatenate([one.p for one in everything]))
    figures = [calibration_figure(title, outcomes, scale) for title, outcomes in stages.items()]
    said = "A probability can be believed when, of the rows that are given it, that share is of class 1: points on the dotted line."
    return Section("calibration", "Calibration", [Text(said), *figures, calibration_table(stages)])


def calibration_stages(evidence: Evidence) -> dict[str, str]:
    """What to look at, by title: the final alone, or the probabilities before and after the last calibration on its way."""
    learnt, name = evidence.combined.learnt, evidence.probable
    while name in learnt and learnt[name]["kind"] == "postprocess":
        name = learnt[name]["of"][0]
    if name not in learnt or learnt[name]["kind"] != "calibrate":
        return {f"Calibration of {evidence.probable}": evidence.probable}
    before = learnt[name]["of"][0]
    return {f"Before calibration: {before}": before, f"After calibration: {name} ({learnt[name]['method']})": name}


def calibration_figure(title: str, outcomes: Outcomes, scale: Scale) -> Figure:
    """Observed rate over mean probability with 95 % intervals; the histogram of probabilities below."""
    curve = reliability(outcomes, scale)
    ends = wilson(curve.observed, curve.weight * outcomes.rows_per_weight)
    at = scale.at(curve.predicted), scale.at(curve.observed)
    intervals = reach(at[1], (scale.at(ends[0]), scale.at(ends[1])))
    said = [
        f"predicted {number(p)}<br>observed {number(rate)}<br>{n:,.0f} rows"
        for p, rate, n in zip(curve.predicted, curve.observed, curve.weight, strict=True)
    ]
    shown = line(at, "%{customdata}", mode="lines+markers", error_y=intervals, customdata=said, marker={"size": 7})
    below = histogram(*scale.histogram(outcomes.p, _BINS), color="$muted/60", yaxis="y2", hovertemplate="%{y} rows<extra></extra>")
    diagonal = scale.at(np.array([scale.low, scale.high]))
    layout = {
        "xaxis": scale.axis("probability", anchor="y2"),
        "yaxis": scale.axis("observed rate", domain=[0.28, 1]),
        "yaxis2": {
            "title": {"text": "rows"},
            "domain": [0, 0.18],
            "nticks": 3,
            **({"type": "log", "dtick": 2, "exponentformat": "SI"} if scale.is_odds else {}),
        },
        "bargap": 0,
    }
    bins = "of equal count" if not scale.is_odds else "even in log odds"
    return Figure(
        title,
        [guide((diagonal, diagonal)), shown, below],
        layout,
        f"Bins {bins}, with 95 % intervals; below, how the probabilities are spread.",
        400,
    )


def reliability(outcomes: Outcomes, scale: Scale, *, most: int = 10) -> CalibrationCurve:
    """Observed rates in bins of rows: of equal weight, or where one class is rare even in log odds.

    Of rare events nine tenths of the rows say the same, and bins of equal weight would tell nothing of those that matter. Bins
    that are even in log odds are joined with the next until they expect ``_EXPECTED`` rows of either class.
    """
    y, p, weights = outcomes.y, outcomes.p, outcomes.weights
    if not scale.is_odds:
        return calibration_curve(y, p, weights, bins=int(np.clip(len(y) // 20, 2, most)))
    edges = scale.at(scale.grid(2 * most + 1))[1:-1]
    bins = np.searchsorted(edges, scale.at(p), side="right")
    w = np.ones(len(y)) if weights is None else weights
    sums = np.stack([np.bincount(bins, values, minlength=2 * most) for values in (w, w * p, w * y)]).astype(np.float64)
    weight, predicted, found = _joined(sums)
    return CalibrationCurve(predicted / weight, found / weight, weight)


def _joined(sums: Array) -> Array:
    """Columns of weight, expected and found rows, neighbours added until enough of either class are expected."""
    joined, current = list[Array](), np.zeros(len(sums))
    for column in sums.T:
        current = current + column
        if min(current[1], current[0] - current[1]) >= _EXPECTED:
            joined.append(current)
            current = np.zeros(len(sums))
    if joined:
        joined[-1] = joined[-1] + current
    return np.stack(joined or [current], axis=1)


def wilson(rate: Array, n: Array) -> tuple[Array, Array]:
    """Low and high end of the 95 % Wilson interval of an observed rate."""
    z = 1.959964
    centre = (rate + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(rate * (1 - rate) / n + z**2 / (4 * n**2))
    # rounding may put an end beyond a rate of exactly 0 or 1
    return np.minimum(centre - half, rate), np.maximum(centre + half, rate)


def calibration_table(stages: dict[str, Outcomes]) -> Table:
    """What the curves come to, in numbers."""
    rows = []
    for title, outcomes in stages.items():
        on_line = calibration_slope_intercept(outcomes.y, outcomes.p, outcomes.weights)
        measured = [outcomes.score(METRICS[name]) for name in _MEASURES]
        rows.append([title, *map(number, [*measured, on_line.slope, on_line.intercept])])
    caption = (
        "ece: expected calibration error in 15 bins of equal count. calibration_ratio: predicted over observed rows of class 1. "
        "normalised_entropy: log loss over that of always saying the base rate (He et al., 2014). Slope and intercept: of the outcome's "
        "log odds over the predicted ones (Cox, 1958); 1 and 0 are perfect, a slope below 1 says too extreme."
    )
    return Table(["probabilities", *_MEASURES, "slope", "intercept"], rows, caption=caption)
