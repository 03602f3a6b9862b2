"""Columns that test does not have: filled or varied in train; empty, constant or not there at all in test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from pipelines.audit.case import Case
from pipelines.audit.clock import moments
from pipelines.audit.finding import Finding, Severity, passed
from pipelines.audit.single import explained, tells

CHECK = "columns test does not have"
_GAP = 0.5
"""Shares of filled rows that lie so far apart are no accident of drawing rows."""
_BY_CHANCE = 1e-6
"""The probability of a test file without a value by chance that we accept over many columns."""
_TELLING = 0.2
"""A correlation of being filled with the target that a model would make use of."""
_BY_ITSELF = 0.9
"""What explains so much of the target alone is known only after it, most of the time."""


def check(case: Case) -> Iterator[Finding]:
    """Compare how columns that reach a model are filled, and whether they vary, in train and in test."""
    if not case.tables.n_test:
        yield passed(CHECK, "there is no test file")
        return
    findings = [_eased(case, name, finding) for name in case.used for finding in _column(case, name, case.train[name], case.test[name])]
    findings += [finding for name in case.tables.only_train.columns for finding in _trap(case, name)]
    yield from findings or [passed(CHECK, f"{len(case.used)} columns are filled in test about as in train")]


def _column(case: Case, name: str, train: pd.Series, test: pd.Series) -> Iterator[Finding]:
    in_train, in_test = float(train.notna().mean()), float(test.notna().mean())
    is_empty = in_test == 0 and (1 - in_train) ** len(test) < _BY_CHANCE
    if is_empty or in_train - in_test > _GAP:
        is_leak = is_empty or tells(np.asarray(train.notna(), dtype=np.float64), case.contrasts) > _TELLING
        yield _finding(name, f"filled in {in_train:.0%} of train and {in_test:.0%} of test rows", is_leak=is_leak)
    elif test.nunique() == 1 and test.notna().all() and train.nunique() > 1:
        differs = np.asarray(train != test.iloc[0], dtype=np.float64)
        if (1 - differs.mean()) ** len(test) < _BY_CHANCE:
            said = f"it has {train.nunique()} values in train and one in test"
            yield _finding(name, said, is_leak=tells(differs, case.contrasts) > _TELLING)


def _eased(case: Case, name: str, finding: Finding) -> Finding:
    """A leak is a warning where train, too, has a stretch of time as long as test without such values: holidays, seasons, campaigns."""
    when = moments(case)
    if finding.severity != Severity.LEAK or when is None:
        return finding
    test, train = case.test[name], case.train[name]
    other = train.notna().to_numpy() if test.isna().all() else (train != test.mode().iloc[0]).to_numpy()
    at, last = when.iloc[: case.tables.n_train], when.iloc[case.tables.n_train :]
    longest = at[other].drop_duplicates().sort_values().diff().max()
    if not longest >= last.max() - last.min():
        return finding
    return replace(finding, severity=Severity.WARNING, seen=f"{finding.seen}; train has a stretch of {longest} without them as well")


def _trap(case: Case, name: str) -> Iterator[Finding]:
    """A column of the training file only. It reaches no model; but who joins it to the test rows one day has the target in it."""
    column = case.tables.only_train[name]
    share = explained(column, case.y, case.session.spec.task)
    if share >= _BY_ITSELF:
        seen = f"test lacks it, so it is left out; in train it explains {share:.1%} of the target by itself (filled in {column.notna().mean():.1%} of the rows)"
        yield Finding(CHECK, Severity.WARNING, f"column {name!r}", seen, "It is known only after the target is. Keep it out of everything.")


def _finding(name: str, seen: str, *, is_leak: bool) -> Finding:
    advice = "A column that is not known when a prediction is due cannot be a feature. Drop it, or find out why test lacks it."
    return Finding(CHECK, Severity.LEAK if is_leak else Severity.WARNING, f"column {name!r}", seen, advice)
