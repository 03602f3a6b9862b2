"""Columns that test does not have: filled or varied in train, empty or constant in test."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from pipelines.audit.case import Case
from pipelines.audit.finding import Finding, Severity, passed
from pipelines.audit.single import tells

CHECK = "columns test does not have"
_GAP = 0.5
"""Shares of filled rows that lie so far apart are no accident of drawing rows."""
_BY_CHANCE = 1e-6
"""The probability of a test file without a value by chance that we accept over many columns."""
_TELLING = 0.2
"""A correlation of being filled with the target that a model would make use of."""


def check(case: Case) -> Iterator[Finding]:
    """Compare how columns that reach a model are filled, and whether they vary, in train and in test."""
    if not case.tables.n_test:
        yield passed(CHECK, "there is no test file")
        return
    findings = [finding for name in case.used for finding in _column(case, name, case.train[name], case.test[name])]
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


def _finding(name: str, seen: str, *, is_leak: bool) -> Finding:
    advice = "A column that is not known when a prediction is due cannot be a feature. Drop it, or find out why test lacks it."
    return Finding(CHECK, Severity.LEAK if is_leak else Severity.WARNING, f"column {name!r}", seen, advice)
