"""Curves of a classification with several classes: what is taken for what, and how well each class is found."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipelines.metrics import Array, as_labels
from pipelines.report.blocks import Block, Figure, Table, axis, ladder, ladder_height
from pipelines.report.confusion import confusion, confusion_figure
from pipelines.report.evidence import Evidence
from pipelines.report.numbers import MISSING, count, number, share
from pipelines.report.thinning import equal_count
from pipelines.report.traces import guide, line, points


def multiclass_figures(evidence: Evidence) -> list[Block]:
    """The figures of the final's out-of-fold probabilities."""
    p = evidence.oof[evidence.final]
    known = np.isfinite(p).all(axis=1)
    p, y = p[known], evidence.y[known]
    if not len(y):
        return []
    classes = [str(name) for name in evidence.prepared.classes]
    predicted = as_labels(p)
    recall, precision = rates(y, predicted, len(classes))
    return [
        confusion_figure(confusion(y, predicted, len(classes)), classes, "Most probable class against truth"),
        _rates_figure(recall, precision, classes),
        _calibration_figure(p.max(axis=1), predicted == y),
        _table(y, p, predicted, classes),
    ]


def rates(y: Array, predicted: Array, n_classes: int) -> tuple[Array, Array]:
    """Recall and precision of each class; NaN where there is nothing to count."""
    counts = confusion(y, predicted, n_classes).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.diag(counts) / counts.sum(axis=1), np.diag(counts) / counts.sum(axis=0)


def _rates_figure(recall: Array, precision: Array, classes: list[str]) -> Figure:
    at, diamond = [*range(len(classes))], {"color": "$second", "size": 10, "symbol": "diamond"}
    found = points((recall, at), "%{x:.1%}", size=10, name="recall")
    right = points((precision, at), "%{x:.1%}", name="precision", marker=diamond)
    layout = {"xaxis": axis("share", range=[-0.02, 1.02], tickformat="~%"), "yaxis": ladder(classes), "showlegend": True}
    title, height = "Recall and precision of each class", ladder_height(len(classes), least=300)
    return Figure(title, [found, right], layout, height=height, is_wide=len(classes) > 15)


def _calibration_figure(top: Array, is_right: NDArray[np.bool_]) -> Figure:
    """How often the most probable class is right, over its probability."""
    groups = equal_count(top, len(top) // 20, most=10)
    at = [float(top[group].mean()) for group in groups], [float(is_right[group].mean()) for group in groups]
    curve = line(at, "probability %{x}<br>right %{y:.1%}", mode="lines+markers", marker={"size": 7})
    layout = {"xaxis": axis("probability of the most probable class", range=[-0.01, 1.01])}
    layout |= {"yaxis": axis("share that is right", range=[-0.02, 1.02])}
    return Figure("Calibration of the most probable class", [guide(([0, 1], [0, 1])), curve], layout, "Bins of equal count.")


def _table(y: Array, p: Array, predicted: Array, classes: list[str]) -> Table:
    recall, precision = rates(y, predicted, len(classes))
    f1 = 2 * recall * precision / np.where(recall + precision > 0, recall + precision, np.nan)
    rows = []
    for code, name in enumerate(classes):
        n = int((y == code).sum())
        measured = [number(values[code], 5) for values in (recall, precision, f1)]
        rows.append([name, count(n), share(n / len(y)), *measured, _auc(y == code, p[:, code])])
    return Table(["class", "rows", "share", "recall", "precision", "f1", "roc_auc against the rest"], rows, "Classes")


def _auc(is_class: NDArray[np.bool_], p: Array) -> str:
    from sklearn.metrics import roc_auc_score

    return number(float(roc_auc_score(is_class, p)), 5) if 0 < is_class.sum() < len(is_class) else MISSING
