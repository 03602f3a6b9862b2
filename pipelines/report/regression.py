"""Curves of a regression: truth against prediction, residuals, and how large errors are."""

from __future__ import annotations

import numpy as np

from pipelines.metrics import Array
from pipelines.report.blocks import Block, Figure, axis, label
from pipelines.report.evidence import Evidence
from pipelines.report.numbers import count
from pipelines.report.thinning import equal_count, subsample
from pipelines.report.traces import histogram, line, points

POINTS = 5000
_BINS = 60


def regression_figures(evidence: Evidence) -> list[Block]:
    """The figures of the final's out-of-fold predictions, on the transformed scale."""
    truth, predicted = evidence.scaled(evidence.y), evidence.scaled(evidence.oof[evidence.final])
    errors = {name: np.abs(evidence.scaled(values) - truth) for name, values in evidence.oof.items()}
    known = np.isfinite(truth) & np.isfinite(predicted)
    truth, predicted = truth[known], predicted[known]
    if not len(truth):
        return []
    note = evidence.scale_note
    return [
        against_truth(truth, predicted, note),
        residuals_over_prediction(predicted, truth - predicted, note),
        residual_histogram(truth - predicted, note),
        error_curves(errors, evidence.final, note),
    ]


def against_truth(truth: Array, predicted: Array, note: str) -> Figure:
    """Prediction over truth, with the line of equality."""
    shown = subsample(len(truth), POINTS)
    ends = [float(min(truth.min(), predicted.min())), float(max(truth.max(), predicted.max()))]
    cloud = points((truth[shown], predicted[shown]), "truth %{x}<br>prediction %{y}", color="$accent/35", size=4.5)
    equal = line((ends, ends), "", color="$ink", width=1, hoverinfo="skip", hovertemplate=None)
    drawn = f" {count(len(shown))} of {count(len(truth))} rows, drawn at random." if len(shown) < len(truth) else ""
    layout = {"xaxis": axis(f"truth{note}"), "yaxis": axis(f"prediction{note}")}
    return Figure("Prediction against truth", [cloud, equal], layout, f"The line: prediction and truth are equal.{drawn}", 380)


def residuals_over_prediction(predicted: Array, residual: Array, note: str) -> Figure:
    """Residuals with the median and the middle 80 % of equal-count bins of the prediction."""
    shown = subsample(len(predicted), POINTS)
    cloud = points((predicted[shown], residual[shown]), "prediction %{x}<br>residual %{y}", color="$accent/35", size=4.5)
    groups = equal_count(predicted, len(predicted) // 30, most=25)
    centres = [float(np.median(predicted[group])) for group in groups]
    lines = []
    for quantile, style in ((10, {"width": 1.2, "dash": "dot"}), (50, {"width": 2.2}), (90, {"width": 1.2, "dash": "dot"})):
        heights = [float(np.percentile(residual[group], quantile)) for group in groups]
        lines.append(line((centres, heights), "%{y}", name=f"{quantile} % quantile", line={"color": "$second", **style}))
    layout = {"xaxis": axis(f"prediction{note}"), "yaxis": axis(f"truth minus prediction{note}", zeroline=True)}
    caption = "Lines: median and middle 80 % of the residuals around that prediction."
    return Figure("Residuals over the prediction", [cloud, *lines], layout, caption, 380)


def residual_histogram(residual: Array, note: str) -> Figure:
    """How residuals are distributed; the outermost half percent of each side is put into the last bars."""
    low, high = (float(end) for end in np.percentile(residual, [0.5, 99.5]))
    if low == high:
        low, high = low - 0.5, high + 0.5
    bins = int(np.clip(len(residual) // 10, 10, _BINS))
    bars = histogram(*np.histogram(np.clip(residual, low, high), bins=bins, range=(low, high)))
    layout = {"xaxis": axis(f"truth minus prediction{note}"), "yaxis": axis("rows"), "bargap": 0}
    return Figure("Residuals", [bars], layout, "The outermost half percent of each side is gathered in the last bars.", 320)


def error_curves(errors: dict[str, Array], final: str, note: str) -> Figure:
    """The share of rows whose absolute error stays below a bound, for every model."""
    shares, traces = np.linspace(0, 0.99, 100), []
    for name in sorted(errors, key=lambda name: name == final):
        known = errors[name][np.isfinite(errors[name])]
        style = {"color": "$accent", "width": 2.5} if name == final else {"color": "$muted/60", "width": 1.2}
        if len(known):
            at = np.quantile(known, shares), shares
            traces.append(line(at, "%{y:.0%} of rows within %{x}", name=label(name), line=style))
    layout = {"xaxis": axis(f"absolute error at most{note}"), "yaxis": axis("share of rows", tickformat="~%")}
    caption = "One line per model, the final in colour; up and left is better. Cut at 99 %."
    return Figure("How large the errors are", traces, layout, caption, 320)
