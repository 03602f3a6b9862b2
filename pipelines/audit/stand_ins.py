"""Predictions that stand in for those of models, where an audit looks at what is fitted on them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipelines.audit.case import Case
from pipelines.oof import Predictions


def stand_ins(case: Case, names: Sequence[str]) -> dict[str, Predictions]:
    """Predictions that know something of the true target: enough for what is fitted on them to depend on it. The same each time."""
    rng = np.random.default_rng(0)
    spec, folds, n_train = case.session.spec, case.folds, len(case.y)
    truth = np.resize(case.y, len(case.tables.features))
    found = {}
    for name in names:
        if spec.task == "regression":
            values = truth * np.exp(rng.normal(scale=0.1, size=len(truth)))
        elif spec.task == "binary":
            values = np.clip(0.25 + 0.5 * truth + rng.normal(scale=0.2, size=len(truth)), 0.01, 0.99)
        else:
            raw = rng.random((len(truth), len(case.tables.classes))) + np.eye(len(case.tables.classes))[truth.astype(int)]
            values = raw / raw.sum(axis=1, keepdims=True)
        found[name] = Predictions([values[folds.scored_rows(fold)] for fold in range(folds.n_folds)], values[n_train:])
    return found
