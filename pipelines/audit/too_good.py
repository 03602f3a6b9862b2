"""Columns that know too much: copies of the target in the tables, and in what steps make of them."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from pipelines.audit.case import Case, named
from pipelines.audit.finding import Finding, Severity, passed
from pipelines.audit.single import explained
from pipelines.prepare import fold_blocks, transformed_target

CHECK = "columns that explain the target too well"
_ALL_BUT_NOISE = 0.98
"""No honest measurement we know of explains a competition's target so well by itself; copies, codes and sums of it do."""
_FOLDS = 3
_MADE_ROWS = 2_000
"""Steps make hundreds of columns; so many rows tell 0.98 from 0.9 with ease."""
_FEWEST_ROWS = 50
"""On fewer rows than this an honest column can separate two classes by luck."""


def check(case: Case) -> Iterator[Finding]:
    """Score each raw column that reaches a model, then each column that steps made, on rows not seen."""
    raw = {name: score for name in case.used if (score := _score(case, case.train[name], case.y)) >= _ALL_BUT_NOISE}
    for name, score in raw.items():
        yield _finding(
            f"column {name!r}", score, "Is it known before the target is? If it is made from the target or known only afterwards, drop it."
        )
    made = list(_made(case, set(raw)))
    yield from made
    if not raw and not made:
        yield passed(CHECK, f"{len(case.used)} raw columns and what is made of them: none explains the target by itself")


def _score(case: Case, column: pd.Series, y: object, **limits: int) -> float:
    return explained(column, y, case.session.spec.task, **limits) if len(column) >= _FEWEST_ROWS else 0.0  # type: ignore[arg-type]


def _made(case: Case, known: set[str]) -> Iterator[Finding]:
    """Columns of views that are not raw ones; what several views share is looked at once."""
    seen = set()
    for view, column in _columns(case):
        name = str(column.name)
        looks = (name, int(pd.util.hash_pandas_object(column, index=False).sum()))
        if name in known or looks in seen or (name in case.train and column.equals(case.train[name].loc[column.index])):
            continue
        seen.add(looks)
        score = _score(case, column, case.y[column.index], most_rows=_MADE_ROWS)
        if score >= _ALL_BUT_NOISE:
            advice = "A step makes it. What does that step know of the rows it is scored on? Is the target a sum or a product of columns?"
            yield _finding(f"column {name!r} of {named(view)}", score, advice)


def _columns(case: Case) -> Iterator[tuple[str, pd.Series]]:
    """The columns each view ends with: shared ones in all training rows, fold-bound ones in rows that their fold scores."""
    which = range(min(_FOLDS, case.folds.n_folds))
    bound: dict[str, list[pd.DataFrame]] = {}
    for block in fold_blocks(case.planned, case.folds, transformed_target(case.session.spec, case.y), case.rows_of(which)):
        bound.setdefault(block.view, []).append(block.bound.loc[block.rows.scored])
    for view, frames in case.planned.views.items():
        for table in (frames.shared.iloc[: case.tables.n_train], pd.concat(bound[view])):
            yield from ((view, table[name]) for name in table.columns)


def _finding(where: str, score: float, advice: str) -> Finding:
    return Finding(CHECK, Severity.LEAK, where, f"by itself it explains {score:.1%} of the target on rows not seen", advice)
