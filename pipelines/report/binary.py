"""Curves of a binary classification: ranking, calibration, distribution, and the decision at one half."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from pipelines.metrics import Array, as_labels
from pipelines.report.blocks import Block, Figure, axis, label
from pipelines.report.confusion import confusion_figure
from pipelines.report.evidence import Evidence
from pipelines.report.numbers import number, share
from pipelines.report.thinning import along, equal_count
from pipelines.report.traces import Trace, guide, histogram, line, reach

_BINS = 40
Part: TypeAlias = tuple[Array, Array]
"""Truth and probability of some rows, each of shape (n_rows,)."""
Curve: TypeAlias = Callable[[Array, Array], tuple[Array, Array]]


def binary_figures(evidence: Evidence) -> list[Block]:
    """The figures of the final's out-of-fold probabilities."""
    y, p = whole = _known(evidence.y, evidence.oof[evidence.final])
    if len(np.unique(y)) < 2:
        return []
    folds, predictions = evidence.folds, evidence.combined.predictions[evidence.final].folds
    parts = [_known(evidence.prepared.y[folds.scored_rows(fold)], part) for fold, part in enumerate(predictions)]
    classes = [str(name) for name in evidence.prepared.classes]
    return [
        roc_figure(whole, parts),
        precision_recall_figure(whole, parts),
        calibration_figure(y, p),
        distribution_figure(y, p, classes),
        threshold_figure(y, p),
        confusion_figure(y, as_labels(p), classes, "Decisions at probability 0.5"),
    ]


def _known(y: Array, p: Array) -> Part:
    return y[np.isfinite(p)], p[np.isfinite(p)]


def roc_figure(whole: Part, parts: Sequence[Part]) -> Figure:
    """The receiver operating characteristic."""
    from sklearn.metrics import roc_auc_score, roc_curve

    def curve(y: Array, p: Array) -> tuple[Array, Array]:
        x, height, _ = roc_curve(y, p)
        return x, height

    caption = f"Pooled area {number(float(roc_auc_score(*whole)))}. Faint: each fold. Dotted: by chance."
    layout = {"xaxis": axis("false positive rate", range=[-0.01, 1.01]), "yaxis": axis("true positive rate", range=[-0.01, 1.03])}
    return Figure("Receiver operating characteristic", _over_thresholds(curve, whole, parts, [0, 1]), layout, caption, 380)


def precision_recall_figure(whole: Part, parts: Sequence[Part]) -> Figure:
    """Precision over recall."""
    from sklearn.metrics import average_precision_score, precision_recall_curve

    def curve(y: Array, p: Array) -> tuple[Array, Array]:
        precision, recall, _ = precision_recall_curve(y, p)
        return recall, precision

    rate, area = float(whole[0].mean()), number(float(average_precision_score(*whole)))
    caption = f"Pooled average precision {area}. Faint: each fold. Dotted: by chance ({share(rate)})."
    layout = {"xaxis": axis("recall", range=[-0.01, 1.01]), "yaxis": axis("precision", range=[-0.01, 1.03])}
    return Figure("Precision and recall", _over_thresholds(curve, whole, parts, [rate, rate]), layout, caption, 380)


def _over_thresholds(curve: Curve, whole: Part, parts: Sequence[Part], chance: list[float]) -> list[Trace]:
    """A curve over all thresholds: each fold's faintly, the pooled one in colour."""
    most = int(np.clip(4000 // max(len(parts), 1), 40, 150))
    usable = [(fold, part) for fold, part in enumerate(parts) if len(np.unique(part[0])) == 2]
    color = f"$muted/{int(np.clip(300 // max(len(parts), 1), 14, 40))}"
    faint = [line(along(*curve(*part), most), "%{x}, %{y}", color=color, width=1, name=f"fold {fold}") for fold, part in usable]
    return [*faint, guide(([0, 1], chance)), line(along(*curve(*whole)), "%{x}, %{y}", width=2.5, name="pooled")]


def calibration_figure(y: Array, p: Array) -> Figure:
    """Observed rate over mean probability in equal-count bins; the histogram of probabilities below."""
    groups = equal_count(p, len(p) // 20, most=10)
    n = np.array([len(group) for group in groups])
    mean, rate = (np.array([values[group].mean() for group in groups]) for values in (p, y))
    intervals = reach(rate, wilson(rate, n))
    template = "predicted %{x}<br>observed %{y}<br>%{customdata} rows"
    curve = line((mean, rate), template, mode="lines+markers", error_y=intervals, customdata=n.tolist(), marker={"size": 7})
    below = histogram(*np.histogram(p, bins=_BINS, range=(0, 1)), color="$muted/60", yaxis="y2")
    layout = {
        "xaxis": axis("probability", range=[-0.01, 1.01], anchor="y2"),
        "yaxis": axis("observed rate", domain=[0.26, 1], range=[-0.02, 1.02]),
        "yaxis2": axis("rows", domain=[0, 0.18], nticks=3),
    }
    caption = "Bins of equal count with 95 % intervals; below, how the probabilities are spread."
    return Figure("Calibration", [guide(([0, 1], [0, 1])), curve, below], layout, caption, 380)


def wilson(rate: Array, n: Array) -> tuple[Array, Array]:
    """Low and high end of the 95 % Wilson interval of an observed rate."""
    z = 1.959964
    centre = (rate + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(rate * (1 - rate) / n + z**2 / (4 * n**2))
    # rounding may put an end beyond a rate of exactly 0 or 1
    return np.minimum(centre - half, rate), np.maximum(centre + half, rate)


def threshold_figure(y: Array, p: Array) -> Figure:
    """Precision, recall and F1 of deciding for class 1 above each threshold."""
    thresholds = np.linspace(0, 1, 101)
    order = np.argsort(p, kind="stable")
    first_above = np.searchsorted(p[order], thresholds, side="right")
    hits_from = np.append(np.cumsum(y[order][::-1])[::-1], 0.0)
    hits, above = hits_from[first_above], len(p) - first_above
    rates = {
        "precision": (hits / np.where(above > 0, above, np.nan), "$second"),
        "recall": (hits / y.sum(), "$accent"),
        "f1": (2 * hits / (above + y.sum()), "$ink"),
    }
    traces = [line((thresholds, values), "%{y} above %{x}", color=color, name=name) for name, (values, color) in rates.items()]
    layout = {"xaxis": axis("threshold", range=[0, 1]), "yaxis": axis("", range=[-0.02, 1.03]), "showlegend": True}
    return Figure("Decisions over the threshold", [guide(([0.5, 0.5], [0, 1])), *traces], layout, height=320)


def distribution_figure(y: Array, p: Array, classes: list[str]) -> Figure:
    """How the probabilities of each class's rows are spread."""
    traces = []
    for code, color in enumerate(("$second", "$accent")):
        heights, edges = np.histogram(p[y == code], bins=_BINS, range=(0, 1))
        at = (edges[:-1] + edges[1:]) / 2, heights / max(heights.sum(), 1)
        style: dict[str, Any] = {"line": {"color": color, "width": 2, "shape": "hvh"}, "fill": "tozeroy", "fillcolor": f"{color}/15"}
        traces.append(line(at, "probability %{x}<br>%{y:.1%} of the class", name=label(classes[code]), **style))
    x = axis(f"probability of {label(classes[1])}", range=[0, 1])
    layout = {"xaxis": x, "yaxis": axis("share of the class", tickformat="~%", rangemode="tozero"), "showlegend": True}
    return Figure("Probabilities by class", traces, layout, height=380)
