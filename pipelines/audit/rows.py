"""Rows that know each other: duplicates and members of one group on both sides of a fold."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.columns import kind_of
from pipelines.audit.case import Case
from pipelines.audit.finding import Finding, Severity, passed

DUPLICATES, GROUPS = "duplicates across folds", "groups across folds"
_FOLDS = 3
_LEAKY_SHARE = 0.05
"""Fewer copied rows than this move no score beyond its interval."""
_SAME_TARGET = 0.9
"""Twins of other targets are measurements of the same thing, not copies."""
_PURE_GROUPS = 0.6
"""From here on a model does best to remember the group, which test rows do not belong to."""
_ONLY_IN_FOLDS = 0.3
_FEWEST_REPEATED, _FEWEST_GROUPS, _MOST_GROUPS, _LARGEST_MEAN = 20, 10, 0.67, 200
"""What a group key looks like: values that come again, more than a category has, and of a few rows each."""


def check_duplicates(case: Case) -> Iterator[Finding]:
    """Scored rows that have a twin (the same in every raw feature) among the rows their fold fits on."""
    keys = _keys(case.train)
    twins, scored = _twins(case, keys), _n_scored(case)
    if not len(twins):
        yield passed(DUPLICATES, f"no scored row has a twin among the rows its fold fits on ({scored} rows looked at)")
        return
    by_key = pd.Series(case.y).groupby(keys)
    agree = int((by_key.transform("max") == by_key.transform("min")).to_numpy()[twins].sum())
    share, by_chance = len(twins) / scored, len(_twins(case, _keys(_shuffled(case.train)))) / scored
    is_copied = share - by_chance >= _LEAKY_SHARE and agree >= _SAME_TARGET * len(twins)
    yield Finding(
        DUPLICATES,
        Severity.LEAK if is_copied and not _test_has_twins(case, keys, share) else Severity.WARNING,
        "train",
        f"{len(twins)} of {scored} scored rows ({share:.1%}; by chance {by_chance:.1%}) have a twin among the rows their fold fits on; "
        f"{agree} of them with the same target",
        "Keep twins together (split: group, by a column that names them) or remove them before the run.",
    )


def _keys(table: pd.DataFrame) -> NDArray[np.uint64]:
    """One number for each row's values."""
    return np.asarray(pd.util.hash_pandas_object(table, index=False), dtype=np.uint64)


def _twins(case: Case, keys: NDArray[np.uint64]) -> NDArray[np.intp]:
    """Scored rows of the first folds whose key is among the rows fitted on."""
    found = []
    for fold in range(min(_FOLDS, case.folds.n_folds)):
        rows = case.folds.scored_rows(fold)
        found.append(rows[np.isin(keys[rows], keys[case.folds.fit_rows(fold)])])
    return np.concatenate(found)


def _n_scored(case: Case) -> int:
    return sum(len(case.folds.scored_rows(fold)) for fold in range(min(_FOLDS, case.folds.n_folds)))


def _shuffled(table: pd.DataFrame) -> pd.DataFrame:
    """Each column in an order of its own: twins that are left are those of few values, not of copied rows."""
    rng = np.random.default_rng(0)
    return pd.DataFrame({name: table[name].array[rng.permutation(len(table))] for name in table.columns})


def _test_has_twins(case: Case, keys: NDArray[np.uint64], share: float) -> bool:
    """Whether test rows have twins in train about as often: then folds are as easy as the test is."""
    return case.tables.n_test > 0 and float(np.isin(_keys(case.test), keys).mean()) >= share / 2


def check_groups(case: Case) -> Iterator[Finding]:
    """Columns whose values name groups with one target each, known in folds but not in test."""
    findings = [finding for name in case.train.columns for finding in _group(case, name)]
    yield from findings or [passed(GROUPS, "no column names groups that folds tear apart and test does not share")]


def _group(case: Case, name: str) -> Iterator[Finding]:
    column = case.train[name]
    sizes = column.map(column.value_counts())
    n_groups, repeated = column.nunique(), int((sizes > 1).sum())
    is_key = kind_of(column) in ("text", "categorical") or pd.api.types.is_integer_dtype(column.dtype)
    if (
        not is_key
        or repeated < _FEWEST_REPEATED
        or not _FEWEST_GROUPS < n_groups <= _MOST_GROUPS * len(column)
        or len(column) > _LARGEST_MEAN * n_groups
    ):
        return
    explained = max(_explained_within(pd.Series(y, index=column.index), column) for y in case.contrasts)
    in_folds = _known_share(case, column)
    in_test = float(case.test[name].dropna().isin(column.dropna()).mean()) if case.tables.n_test else 1.0
    if explained > _PURE_GROUPS and in_folds - in_test > _ONLY_IN_FOLDS:
        yield Finding(
            GROUPS,
            Severity.LEAK,
            f"column {name!r}",
            f"rows with the same value share their target ({explained:.0%} explained by the others); {in_folds:.0%} of scored rows meet "
            f"their group in training, but only {in_test:.0%} of test rows will",
            f"Split by it: split: {{group: {{column: {name}}}}}",
        )


def _explained_within(y: pd.Series, column: pd.Series) -> float:
    """Squared correlation of a row's target with the mean target of the other rows of its group."""
    by_group = y.groupby(column)
    size = by_group.transform("size")
    others = (by_group.transform("sum") - y) / (size - 1).where(size > 1)
    known = others.notna()
    if known.sum() < 20 or others[known].nunique() < 2 or y[known].nunique() < 2:
        return 0.0
    r = float(np.corrcoef(others[known], y[known])[0, 1])
    return r * r if r > 0 else 0.0


def _known_share(case: Case, column: pd.Series) -> float:
    """Share of scored rows whose value also occurs among the rows their fold fits on."""
    shares = []
    for fold in range(min(_FOLDS, case.folds.n_folds)):
        scored = column.iloc[case.folds.scored_rows(fold)].dropna()
        shares.append(float(scored.isin(column.iloc[case.folds.fit_rows(fold)]).mean()) if len(scored) else 0.0)
    return float(np.mean(shares))
