"""The confusion matrix."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipelines.metrics import Array
from pipelines.report.blocks import Figure, axis, label, ladder
from pipelines.report.traces import SEQUENTIAL, heat

_MOST_WITH_TEXT = 12


def confusion(y: Array, predicted: Array, n_classes: int) -> NDArray[np.int64]:
    """Row counts by true class (rows) and predicted class (columns)."""
    flat = y.astype(int) * n_classes + predicted.astype(int)
    return np.bincount(flat, minlength=n_classes**2).reshape(n_classes, n_classes)


def confusion_figure(counts: Array | NDArray[np.int64], classes: list[str], title: str) -> Figure:
    """Counts of true classes (rows) and predicted ones (columns), shaded by their share of the true class."""
    n = len(classes)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    shown = "%{text}<br>%{z:.0%}" if n <= 5 else "%{text}"
    trace = heat(shares, "%{text} rows, %{z:.1%} of the true class", SEQUENTIAL, (0, 1), xgap=2, ygap=2)
    trace |= {"text": [[f"{round(cell, 1):,.10g}" for cell in row] for row in counts.tolist()]}
    trace |= {"texttemplate": shown} if n <= _MOST_WITH_TEXT else {}
    names = [label(name, most=14) for name in classes]
    layout = {"xaxis": axis("predicted", tickvals=[*range(n)], ticktext=names, showgrid=False), "yaxis": ladder(classes, "truth")}
    return Figure(title, [trace], layout, height=int(np.clip(120 + 40 * n, 300, 700)), is_wide=n > 5)
