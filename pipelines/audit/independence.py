"""A fitted step gives a row the same values whatever rows stand beside it, and a step that claims to learn nothing does not."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from features.errors import InputError
from features.step import Learns, Step
from pipelines.audit.alike import unlike
from pipelines.audit.case import Case
from pipelines.audit.finding import Finding, Severity, passed
from pipelines.audit.walk import Met, walk
from pipelines.frames import Event, FoldRows
from pipelines.splits import Rows
from pipelines.step_parameters import build_step

BATCH, CLAIM = "order and batch independence", "what steps say they learn"
_ROWS = 400


def check(case: Case) -> Iterator[Finding]:
    """Look at every step of the plan, on some rows of fold 0 as the step meets them."""
    rows = FoldRows.of(case.folds, 0, len(case.tables.features)).all
    chosen = np.sort(np.random.default_rng(0).choice(rows, size=min(_ROWS, len(rows)), replace=False))
    met = list(walk(case, 0))
    findings = [finding for one in met for finding in _findings(case, one, _sample(one, chosen))]
    seen = f"{len(met)} steps: same values for a row in any order and any batch, and none learns more than it says"
    yield from findings or [passed(BATCH, seen)]


def _sample(met: Met, chosen: Rows) -> pd.DataFrame:
    shared, bound = met.event.shared, met.bound
    visible = [name for name in shared.columns if name not in bound.columns]
    return pd.concat([shared[visible].loc[chosen], bound.loc[chosen]], axis=1)


def _findings(case: Case, met: Met, X: pd.DataFrame) -> Iterator[Finding]:
    step = _fitted(case, met.event, X)
    for columns, how in _by_company(case, step, X) if step else ():
        advice = "What it takes from other rows belongs in fit (learns = Learns.ROWS): new rows come alone, and have no place in the file."
        yield Finding(BATCH, Severity.LEAK, met.place, f"columns {columns[:5]} come out otherwise for the same rows {how}", advice)
    columns = _beyond_claim(met.event, X)
    if columns:
        seen = f"says it learns {met.event.learns}, but columns {columns[:5]} depend on the rows it was fitted on, scored and test rows too"
        advice = "Set learns = Learns.ROWS (or what is true) on the step's class: then it is fitted on the training part of each fold."
        yield Finding(CLAIM, Severity.LEAK, met.place, seen, advice)


def _fitted(case: Case, event: Event, X: pd.DataFrame) -> Step | None:
    """The step as it ran once, or fitted on the training rows of X."""
    if event.fitted is not None:
        return event.fitted
    train = X[X.index < case.tables.n_train]
    try:
        return build_step(event.part).fit(train, pd.Series(case.y[train.index], index=train.index))
    except InputError:
        return None  # a few rows can lack what the step needs (a class, a value); the run itself would say so


def _by_company(case: Case, step: Step, X: pd.DataFrame) -> Iterator[tuple[list[str], str]]:
    """The first of three ways in which other rows, or a row's place among them, change what is written: columns and way."""
    labels = X.index + len(case.tables.features)
    ways: dict[str, Callable[[], pd.DataFrame]] = {
        "in two batches": lambda: pd.concat([step.write(X.iloc[::2]), step.write(X.iloc[1::2])]).loc[X.index],
        "in another order": lambda: step.write(X.iloc[::-1]).loc[X.index],
        "under other labels, as new rows have": lambda: step.write(X.set_axis(labels)).set_axis(X.index),
    }
    whole = step.write(X)
    found = ((unlike(whole, write()), how) for how, write in ways.items())
    yield from itertools.islice(((columns, how) for columns, how in found if columns), 1)


def _beyond_claim(event: Event, X: pd.DataFrame) -> list[str]:
    """Fit a step that says it learns nothing, or levels only, on two sets of rows that must teach it the same."""
    if event.learns not in _TEACHES_THE_SAME:
        return []
    try:
        one, two = (build_step(event.part).resolve(X).learn(rows).write(X) for rows in _TEACHES_THE_SAME[event.learns](X))
    except InputError:
        return []  # half of the rows can lack what the step needs
    return unlike(one, two)


def _halves(X: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    return X.iloc[::2], X.iloc[1::2]


def _same_levels(X: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows in another order, some of them twice: the same levels, other counts and means."""
    return X, pd.concat([X.iloc[::-1], X.iloc[: len(X) // 3]])


_TEACHES_THE_SAME: dict[Learns, Callable[[pd.DataFrame], tuple[pd.DataFrame, pd.DataFrame]]] = {
    Learns.NOTHING: _halves,
    Learns.LEVELS: _same_levels,
}
