"""Curves of a run as small tables: ``plots/*.csv``, which DVC draws and compares, and which MLflow shows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from pipelines.prepare import Prepared
    from pipelines.report.evidence import Evidence
    from pipelines.session import Session
    from pipelines.stages import Combined

FOLDER, FOLDS = "plots", "folds"
_ROWS = 500
"""Points of a cloud; more cannot be told apart in a small plot, and DVC keeps every version of it."""


@dataclass(frozen=True)
class Plot:
    """A curve: its file below ``plots/``, its columns, what it says, and the DVC template that draws it."""

    name: str
    x: str
    y: str
    title: str
    template: str = "simple"


PLOTS: dict[str, tuple[Plot, ...]] = {
    "binary": (
        Plot("roc", "false_positive_rate", "true_positive_rate", "Receiver operating characteristic"),
        Plot("precision_recall", "recall", "precision", "Precision and recall"),
        Plot("calibration", "predicted", "observed", "Observed rate over predicted probability"),
    ),
    "multiclass": (Plot("confusion", "predicted", "actual", "Confusion, normalised by actual class", "confusion_normalized"),),
    "regression": (Plot("predicted", "actual", "predicted", "Prediction over truth, scored rows drawn at random", "scatter"),),
}
"""The curves of the final's out-of-fold predictions, by task; ``folds`` comes with every task."""


def write_plots(session: Session, prepared: Prepared, combined: Combined, out: Path) -> None:
    """Write ``plots/folds.csv`` (a row per fold, a column per model and entry) and the curves of the task into a run's folder."""
    from pipelines.report.evidence import Evidence

    evidence = Evidence(session, prepared, combined, {})
    (out / FOLDER).mkdir(parents=True, exist_ok=True)
    for name, table in {FOLDS: _folds(evidence), **_CURVES[session.spec.task](evidence)}.items():
        table.to_csv(out / FOLDER / f"{name}.csv", index=False, float_format="%.6g", lineterminator="\n")


def _folds(evidence: Evidence) -> pd.DataFrame:
    import pandas as pd

    scores = {name: pd.array(table["folds"], dtype="Float64") for name, table in evidence.scores.items()}
    return pd.DataFrame({"fold": range(evidence.folds.n_folds), **scores})


def _binary(evidence: Evidence) -> dict[str, pd.DataFrame]:
    import numpy as np
    import pandas as pd

    from pipelines.metrics.calibration import calibration_curve
    from pipelines.report.outcomes import outcomes_of
    from pipelines.report.thinning import along

    outcomes = outcomes_of(evidence, evidence.probable)
    if not outcomes.has_both:
        return {}
    found, believed = outcomes.thresholds, calibration_curve(outcomes.y, outcomes.p, outcomes.weights)
    curves = {
        "roc": along(np.append(0.0, found.false_positive_rate), np.append(0.0, found.recall)),
        "precision_recall": along(found.recall, found.precision),
        "calibration": (believed.predicted, believed.observed),
    }
    return {plot.name: pd.DataFrame(dict(zip((plot.x, plot.y), curves[plot.name], strict=True))) for plot in PLOTS["binary"]}


def _multiclass(evidence: Evidence) -> dict[str, pd.DataFrame]:
    import numpy as np
    import pandas as pd

    from pipelines.metrics import as_labels
    from pipelines.report.thinning import subsample

    classes, shown = np.asarray(evidence.prepared.classes, dtype=str), subsample(len(evidence.y), _ROWS)
    actual, predicted = evidence.y[shown].astype(int), as_labels(evidence.oof[evidence.probable][shown]).astype(int)
    return {"confusion": pd.DataFrame({"actual": classes[actual], "predicted": classes[predicted]})}


def _regression(evidence: Evidence) -> dict[str, pd.DataFrame]:
    import pandas as pd

    from pipelines.report.thinning import subsample

    shown = subsample(len(evidence.y), _ROWS)
    return {"predicted": pd.DataFrame({"actual": evidence.y[shown], "predicted": evidence.oof[evidence.final][shown]})}


_CURVES = {"binary": _binary, "multiclass": _multiclass, "regression": _regression}
