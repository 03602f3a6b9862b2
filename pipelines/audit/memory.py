"""What a step writes in a fold may depend on that fold's rows alone: not on the folds before it, and not on chance."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from pipelines.audit.alike import unlike
from pipelines.audit.case import Case
from pipelines.audit.finding import Finding, Severity, passed
from pipelines.audit.walk import walk

CHECK = "nothing kept from fold to fold"
_Written = dict[str, pd.DataFrame]
"""What each step wrote, by its place. A later step (a scale, say) could wipe out what an earlier one should not know."""


def check(case: Case) -> Iterator[Finding]:
    """Run one fold after another fold, then twice with own steps loaded anew: all three must write the same."""
    fold = min(1, case.folds.n_folds - 1)
    _written(case, 0)
    after = _written(case, fold)
    case.forget()
    alone = _written(case, fold)
    case.forget()
    again = _written(case, fold)
    findings = list(_findings(fold, after, alone, again))
    yield from findings or [passed(CHECK, f"fold {fold} comes out the same after another fold, by itself, and when it is run again")]


def _written(case: Case, fold: int) -> _Written:
    return {met.place: met.written for met in walk(case, fold) if met.written is not None}


def _findings(fold: int, after: _Written, alone: _Written, again: _Written) -> Iterator[Finding]:
    for place, written in alone.items():
        by_chance = unlike(written, again[place])
        kept = [name for name in unlike(written, after[place]) if name not in by_chance]
        if by_chance:
            seen = f"columns {by_chance[:5]} of fold {fold} come out otherwise when it is run again"
            advice = "Draw random numbers in fit, from a generator that is made there: np.random.default_rng(self.random_state)."
            yield Finding(CHECK, Severity.LEAK, place, seen, advice)
        if kept:
            seen = f"columns {kept[:5]} of fold {fold} come out otherwise after another fold, which fits on rows that fold {fold} scores"
            advice = "A step may keep what it learnt in attributes of itself that end in '_'; not in its class, its module or a file."
            yield Finding(CHECK, Severity.LEAK, place, seen, advice)
