"""What a threshold decides: counts and rates of its nested classes, and where it lies in each fold."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipelines.known import Known
from pipelines.oof import Fitted, pooled
from pipelines.spec import Part
from pipelines.splits import Folds

DECIDED = "decided"
"""The name of the entry that a declared threshold makes."""


def decision_facts(decided: Fitted, declared: Part, known: Known, folds: Folds) -> dict[str, Any]:
    """The entry ``decision`` of ``metrics.json``; every count is of rows whose threshold was chosen without them.

    With repeated folds a row counts by the share of repeats that give it class 1.
    """
    said = pooled(decided.predictions, folds)
    there = ~np.isnan(said)
    y, p = known.y[there], said[there]
    w = np.ones(len(y)) if known.weights is None else known.weights[there]
    counts = {
        "tp": float(np.sum(w * y * p)),
        "fp": float(np.sum(w * (1 - y) * p)),
        "fn": float(np.sum(w * y * (1 - p))),
        "tn": float(np.sum(w * (1 - y) * (1 - p))),
    }
    marked, positive = counts["tp"] + counts["fp"], counts["tp"] + counts["fn"]
    params = declared.params["params"]
    costs = {name: params[name] for name in ("false_positive", "false_negative") if name in params}
    cost = {"cost": (counts["fp"] * costs["false_positive"] + counts["fn"] * costs["false_negative"]) / w.sum()} if len(costs) == 2 else {}
    return {
        "rule": declared.params["method"],
        "params": params,
        "of": declared.params["of"][0],
        **decided.deployed.describe(),
        "threshold": decided.deployed.describe().get("cut"),
        "folds": [one.describe().get("cut") for one in decided.by_fold],
        "precision": counts["tp"] / marked if marked else None,
        "recall": counts["tp"] / positive if positive else None,
        "f1": 2 * counts["tp"] / (marked + positive) if marked + positive else None,
        **cost,
        "counts": counts,
    }
