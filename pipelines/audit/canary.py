"""The own-row canary: one training row's target is changed, and its own features may not follow."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from features.step import Learns
from pipelines.audit.alike import is_close
from pipelines.audit.case import Case
from pipelines.audit.finding import Finding, Severity, passed
from pipelines.audit.walk import Met, walk
from pipelines.frames import FoldRows, SharedTotals, run_in_fold
from pipelines.prepare import transformed_target

CHECK = "own-row canary"
_ROWS = 12
"""A value made with the own target follows it in nearly every row; so many rows do not miss one that follows in a third."""
_MOST_BY_STRUCTURE = 0.5
"""A border or an order learnt from the target may move with one row, but it does so for few rows; a row's own value does for all."""


def check(case: Case) -> Iterator[Finding]:
    """Change the target of single training rows of fold 0; see whether what a step writes for that row follows.

    Each step is looked at by itself, on the same input: a scale fitted later on its columns may move with any row.
    """
    rows = FoldRows.of(case.folds, 0, len(case.tables.features))
    changed = np.random.default_rng(0).choice(rows.fit, size=min(_ROWS, len(rows.fit)), replace=False)
    met = [one for one in walk(case, 0) if one.event.learns.needs_target]
    findings = [finding for one in met for finding in _findings(case, one, rows, changed)]
    seen = (
        f"{len(met)} steps that learn from the target; {len(changed)} rows' targets were changed one by one: no row's own values followed"
    )
    yield from findings or [passed(CHECK, seen if met else "no step learns from the target")]


def _findings(case: Case, met: Met, rows: FoldRows, changed: NDArray[np.intp]) -> Iterator[Finding]:
    allowed = _MOST_BY_STRUCTURE * len(changed) if met.event.learns == Learns.TARGET_STRUCTURE else 0
    for column, count in _followed(case, met, rows, changed).items():
        if count > allowed:
            yield Finding(
                CHECK,
                Severity.LEAK,
                f"column {column!r} of {met.place}",
                f"for {count} of {len(changed)} training rows it changes when only the row's own target changes",
                "Make a training row's values without its own target: learns = Learns.TARGET_VALUES and write_training, as target_encode.",
            )


def _followed(case: Case, met: Met, rows: FoldRows, changed: NDArray[np.intp]) -> dict[str, int]:
    """For each column that a step writes, how many of the changed rows have another value in it."""
    before = met.written
    if before is None:  # it ran once, for all folds
        before = run_in_fold(met.event, met.bound, rows, transformed_target(case.session.spec, case.y))[2]
    followed: dict[str, int] = {}
    for row in changed:
        target = transformed_target(case.session.spec, case.other_target(np.array([row], dtype=np.float64)))
        after = run_in_fold(met.event, met.bound, rows, target, SharedTotals(case.folds, target))[2]
        for column in before.columns.intersection(after.columns):
            followed[column] = followed.get(column, 0) + (not is_close(before.at[row, column], after.at[row, column]))
    return followed
