"""What the order of the rows gives away: a file or an id sorted by the target, and time that folds do not respect."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from pipelines.audit.case import Case
from pipelines.audit.clock import moments
from pipelines.audit.finding import Finding, Severity, passed
from pipelines.audit.single import explained
from pipelines.splits import Folds

CHECK = "order of the rows"
_SORTED = 0.5
"""From here on the order says more of the target than all that is left of it: rows were sorted or written in blocks."""
_NOTICED, _BY_CHANCE = 0.1, 1e-6
"""A rank correlation worth a warning, and the probability of one by chance that we accept over many columns and audits."""
_FOLDS = 3
_TEST_IS_LATER = 0.95
_AHEAD = 0.05
"""Rows of one moment may fall on both sides of a fold; so few of them look ahead of nothing."""


def check(case: Case) -> Iterator[Finding]:
    """Whether the position of a row or its id says something of its target; dated rows may, but not with random folds."""
    if case.session.spec.data.time is not None:
        yield from _dated(case)
        return
    ids = case.tables.ids.iloc[: case.tables.n_train].reset_index(drop=True)
    orders = {"position in the file": pd.Series(np.arange(len(ids)))}
    if case.session.spec.data.id is not None:
        orders[f"id {ids.name!r}"] = ids
    findings = [finding for name, order in orders.items() for finding in _order(case, name, order)]
    yield from findings or [passed(CHECK, "neither the position of a row nor its id says anything about the target")]


def _order(case: Case, name: str, order: pd.Series) -> Iterator[Finding]:
    from scipy.stats import spearmanr

    ranks = order.rank() if pd.api.types.is_numeric_dtype(order.dtype) else pd.Series(pd.factorize(order, sort=True)[0])
    found = [spearmanr(ranks, y) for y in case.contrasts]
    strongest = max(found, key=lambda one: abs(float(one.statistic)))
    r, p = float(strongest.statistic), float(strongest.pvalue) * len(found)
    share = explained(ranks, case.y, case.session.spec.task)
    is_sorted = abs(r) > _SORTED or share > _SORTED
    if is_sorted or (p < _BY_CHANCE and abs(r) > _NOTICED):
        yield Finding(
            CHECK,
            Severity.LEAK if is_sorted else Severity.WARNING,
            name,
            f"it says something of the target (Spearman {r:+.2f}, {max(share, 0):.0%} explained): random folds mix what test may not",
            "Find out how rows were sorted: if by time, name it in data.time and split by it; if by the target, shuffle and drop the id.",
        )


def _dated(case: Case) -> Iterator[Finding]:
    """For dated data: folds that fit on rows after those they score, although all of test comes after train."""
    when, n = moments(case), case.tables.n_train
    assert when is not None
    train, test = when.iloc[:n], when.iloc[n:]
    is_later = case.tables.n_test > 0 and bool((test > train.quantile(_TEST_IS_LATER)).mean() > _TEST_IS_LATER)
    ahead = [_share_ahead(train, case.folds, fold) for fold in range(min(_FOLDS, case.folds.n_folds))]
    if is_later and max(ahead) > _AHEAD:
        yield Finding(
            CHECK,
            Severity.WARNING,
            f"time {case.session.spec.data.time!r}",
            "test rows come after the training rows, but folds fit on rows later than those they score: scores may be too good",
            "Split by time, or by a column that names blocks of time.",
        )
        return
    yield passed(CHECK, "dated data: the target may change with time, and folds look as far ahead as test lets them")


def _share_ahead(when: pd.Series, folds: Folds, fold: int) -> float:
    """Share of the rows a fold fits on that are later than half of the rows it scores."""
    return float((when.iloc[folds.fit_rows(fold)] > when.iloc[folds.scored_rows(fold)].median()).mean())
