"""How many targets lie at or below predictions of a quantile: about that share of them should."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from pipelines.known import Known
from pipelines.metrics import Array, Metric
from pipelines.metrics.means import mean_of
from pipelines.metrics.metric import REGRESSION, Judge
from pipelines.oof import Predictions
from pipelines.scores import Groups, score_table
from pipelines.splits import Folds


def _at_or_below(y: Array, p: Array) -> Judge:
    return mean_of((y <= p).astype(np.float64))


COVERAGE = Metric("coverage", _at_or_below, True, "values", REGRESSION)
"""The share of rows at or below their prediction. As a metric so that it has an interval; its best value is the quantile."""


def coverage_of(predictions: Predictions, known: Known, folds: Folds, quantile: float, groups: Groups | None) -> dict[str, Any]:
    """The out-of-fold coverage of a model, as ``score_table`` gives scores: ``score``, ``interval``, ``folds``; and ``quantile``.

    Parameters
    ----------
    groups
        What tells groups of rows apart that are drawn whole for the interval, shape (n_rows,).
    """
    metric = replace(COVERAGE, target=quantile)
    table = score_table(predictions, known.y, folds, metric, groups=groups, weights=known.weights)
    return {"quantile": quantile, **{key: table[key] for key in ("score", "interval", "folds")}}
