"""The permuted-target probe: with a shuffled target nothing can be learnt, so the out-of-fold score must fall to chance."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from features.columns import kind_of
from pipelines.audit.case import Case, named
from pipelines.audit.finding import Finding, Severity, passed
from pipelines.metrics import Array
from pipelines.models import kinds
from pipelines.models.contract import Training
from pipelines.prepare import FoldBlock

CHECK = "permuted-target probe"
_FOLDS = 3
_SIGMAS = 4.0


def check(case: Case) -> Iterator[Finding]:
    """For each view, a small booster on a shuffled target: its out-of-fold predictions may not follow that target."""
    shuffled = case.y[np.random.default_rng(0).permutation(len(case.y))]
    which = list(range(min(_FOLDS, case.folds.n_folds)))
    planned = case.plan_with(shuffled)
    blocks = case.blocks(shuffled, which, planned)
    findings = []
    for view in case.views:
        parts = [_fold(case, shuffled, planned.views[view].shared, blocks[view, fold]) for fold in which]
        z = _correlation_sigmas(np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts]))
        if z > _SIGMAS:
            findings.append(
                Finding(
                    CHECK,
                    Severity.LEAK,
                    named(view),
                    f"with a shuffled target, out-of-fold predictions still follow it ({z:.1f} standard errors above chance)",
                    "Something in this view sees targets of scored rows. Remove its steps one by one (--set) until the probe passes.",
                )
            )
    yield from findings or [passed(CHECK, f"{len(case.views)} views, {len(which)} folds: no view can predict a shuffled target")]


def _fold(case: Case, y: Array, shared: pd.DataFrame, block: FoldBlock) -> tuple[Array, Array]:
    """Truth and prediction of the rows that a fold scores, both less their mean."""
    table = pd.concat([shared.loc[block.rows.all], block.bound], axis=1)
    usable = [name for name in table.columns if kind_of(table[name]) in ("numeric", "flags")]
    n_fit, n_scored = len(block.rows.fit), len(block.rows.scored)
    X, scored = table[usable].iloc[:n_fit], table[usable].iloc[n_fit : n_fit + n_scored]
    target = pd.Series(y).rank().to_numpy(dtype=np.float64)
    training = Training(X, np.asarray(target[block.rows.fit], dtype=np.float64), None, "regression", 0, 0)
    params = {"n_estimators": 60, "learning_rate": 0.1, "num_leaves": 15, "min_data_in_leaf": 10}
    predicted = kinds()["lightgbm"].fit(params, training).predict(scored)
    truth = target[block.rows.scored]
    # k-fold alone makes the mean of a training part lean away from that of its scored rows; only what is within a fold counts
    return truth - truth.mean(), predicted - predicted.mean()


def _correlation_sigmas(truth: Array, predicted: Array) -> float:
    """How many standard errors the correlation lies above zero."""
    if np.std(truth) == 0 or np.std(predicted) == 0:
        return 0.0
    r = float(np.corrcoef(truth, predicted)[0, 1])
    return r * float(np.sqrt(len(truth)))
