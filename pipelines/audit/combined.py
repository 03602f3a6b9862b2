"""The exact test of what is fitted on out-of-fold predictions: weights and meta-models of a fold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from pipelines import oof
from pipelines.audit.case import Case
from pipelines.audit.finding import Severity
from pipelines.audit.stand_ins import stand_ins
from pipelines.combiners import entry_of
from pipelines.decision import DECIDED
from pipelines.ensembles import Problem
from pipelines.known import NOTHING_KNOWN
from pipelines.metrics import Array
from pipelines.targets import TRANSFORMS

_STOPPED = 1e-7
"""Searches for weights stop when little is left to gain; rounding moves where by less than this."""


def compare(case: Case, changed: Array, fold: int) -> Iterator[tuple[Severity, str, str, str]]:
    """Every declared entry, calibrator and threshold fitted for one fold, on stand-ins for the models, with both targets."""
    spec = case.session.spec
    problem = Problem(spec.task, case.session.metric, TRANSFORMS[spec.target.transform])
    declared = spec.ensemble if spec.decision is None else {**spec.ensemble, DECIDED: spec.decision}
    if not declared:
        return
    predicted = [*spec.models, *spec.members]
    # test rows are not looked at
    models = {name: replace(part, test=np.empty(0)) for name, part in stand_ins(case, predicted).items()}
    entries = [entry_of(name, part, problem) for name, part in declared.items()]
    one, two = (oof.nested(entries, models, replace(case.known, y=y), NOTHING_KNOWN, case.folds) for y in (case.y, changed))
    for name in declared:
        before, after = (side[name].predictions.folds[fold] for side in (one, two))
        if not np.allclose(before, after, rtol=_STOPPED, atol=0, equal_nan=True):
            advice = "Weights, meta-models, calibrators and thresholds of a fold are fitted on the out-of-fold rows of the other folds."
            yield Severity.LEAK, f"ensemble {name!r}", f"what it predicts for fold {fold} changes", advice
