"""Out-of-fold predictions of the final against the truth, by task."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pipelines.metrics import Array, as_labels
from pipelines.report.binary import binary_figures
from pipelines.report.blocks import Block, Section, Table, Text
from pipelines.report.evidence import Evidence
from pipelines.report.multiclass import multiclass_figures
from pipelines.report.numbers import count, number
from pipelines.report.regression import regression_figures
from pipelines.splits import SCORED, Rows

WORST = 10
_FIGURES: dict[str, Callable[[Evidence], list[Block]]] = {
    "regression": regression_figures,
    "binary": binary_figures,
    "multiclass": multiclass_figures,
}


def truth_section(evidence: Evidence) -> Section:
    """Curves of the final's out-of-fold predictions, and the rows it got most wrong."""
    n, left = len(evidence.rows), int((evidence.folds.status == SCORED).any(axis=1).sum()) - len(evidence.rows)
    gap = f" {count(left)} more are scored by some fold, but the final has no prediction for them." if left else ""
    said = f"Predictions of '{evidence.probable}' for {count(n)} scored rows, each from a fit that did not see its row.{gap}"
    figures = _FIGURES[evidence.session.spec.task](evidence)
    return Section("truth", "Out-of-fold against truth", [Text(said), *figures, worst_rows(evidence)])


def worst_rows(evidence: Evidence) -> Table:
    """The rows with the largest errors."""
    errors = _errors(evidence)
    worst = np.argsort(np.where(np.isfinite(errors), -errors, np.inf), kind="stable")[:WORST]
    ids = evidence.prepared.ids.to_numpy()[evidence.rows[worst]]
    header, cells = _value_cells(evidence, worst) if evidence.session.spec.task == "regression" else _class_cells(evidence, worst)
    id_name = evidence.session.spec.data.id
    rows = []
    for at, name, own in zip(worst.tolist(), ids, cells, strict=True):
        rows.append([*([str(name)] if id_name else []), count(evidence.rows[at]), *own, number(errors[at])])
    return Table([*([id_name] if id_name else []), "row", *header], rows, f"The {len(rows)} rows with the largest errors")


def _errors(evidence: Evidence) -> Array:
    """Absolute error on the transformed scale, or log loss, of each scored row."""
    if evidence.session.spec.task == "regression":
        return np.abs(evidence.scaled(evidence.oof[evidence.final]) - evidence.scaled(evidence.y))
    return np.asarray(-np.log(np.clip(_of_truth(evidence), 1e-15, 1)), dtype=np.float64)


def _of_truth(evidence: Evidence) -> Array:
    """The probability given to the true class."""
    values, codes = evidence.oof[evidence.probable], evidence.y.astype(int)
    of_true = np.where(codes == 1, values, 1 - values) if values.ndim == 1 else values[np.arange(len(codes)), codes]
    return np.asarray(of_true, dtype=np.float64)


def _value_cells(evidence: Evidence, worst: Rows) -> tuple[list[str], list[list[str]]]:
    truth, predicted = evidence.y[worst], evidence.oof[evidence.final][worst]
    cells = [[number(one), number(other)] for one, other in zip(truth, predicted, strict=True)]
    return ["truth", "prediction", f"absolute error{evidence.scale_note}"], cells


def _class_cells(evidence: Evidence, worst: Rows) -> tuple[list[str], list[list[str]]]:
    classes = [str(name) for name in evidence.prepared.classes]
    codes = evidence.y[worst].astype(int), as_labels(evidence.oof[evidence.probable][worst]).astype(int)
    parts = zip(*codes, _of_truth(evidence)[worst], strict=True)
    cells = [[classes[true], classes[predicted], f"{100 * probability:.2g} %"] for true, predicted, probability in parts]
    return ["truth", "predicted", "probability of the truth", "log loss"], cells
