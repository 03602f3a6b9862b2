"""What a person should look at before believing a score: leaks, drift, duplicates, classes out of balance."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from features.errors import listed
from features.expressions import as_text
from pipelines.audit.drift import adversarial
from pipelines.audit.single import as_order, explained, tells
from pipelines.draft.columns import EMPTY_IN_TEST, NOT_IN_TEST, Column, Role
from pipelines.draft.goal import Goal, classes_text
from pipelines.draft.partition import Partition
from pipelines.draft.repairs import is_text

SAMPLE = 100_000
"""Statistics that cost more than one look at a column are taken from so many rows."""
_CELLS = 200_000
_MOST_LOOKED_AT = 60
_FEWEST_ROWS = 50
_TOO_GOOD, _TELLING_ID = 0.98, 0.1
_FEWEST_OF_A_CLASS = 20
_ROWS = 20_000
_ROWS_OF_KEYS = 3_000
_FAR = 0.7
_MOST_COLUMNS_FOR_DRIFT = 300
_DUPLICATES = 0.01
_LOPSIDED = 0.1


def cautions_of(train: pd.DataFrame, test: pd.DataFrame | None, goal: Goal, columns: list[Column], partition: Partition) -> Iterator[str]:
    """Warnings, each one sentence or two: what was seen and what to do.

    Parameters
    ----------
    train
        With the target.
    """
    part = train if len(train) <= SAMPLE else train.sample(SAMPLE, random_state=0)
    y = part[goal.target]
    codes = y.to_numpy(dtype=np.float64) if goal.task == "regression" else pd.factorize(y, sort=True)[0].astype(np.float64)
    yield from _balance(goal, partition)
    yield from _too_good(part, codes, goal, columns)
    yield from _telling_ids(part, codes, goal, columns, partition)
    yield from _duplicates(part, test, goal, columns)
    yield from _other_columns(train, test, goal, columns)
    yield from _drift(part, test, columns, partition)


def _balance(goal: Goal, partition: Partition) -> Iterator[str]:
    if partition.fit_only:
        yield f"class(es) {listed(partition.fit_only)} of {goal.target!r} have too few rows for folds: they are fitted on and not scored."
    shares = goal.counts / max(goal.counts.sum(), 1)
    if len(shares) and shares.iloc[-1] < _LOPSIDED / max(1, len(shares) / 2):
        yield f"the classes of {goal.target!r} are out of balance: {classes_text(goal)}. Look at metric, threshold and resampling (docs)."


def _usable(columns: list[Column]) -> list[str]:
    left_out = (Role.ID, Role.ABSENT, Role.EMPTY, Role.CONSTANT, Role.COPY, Role.SERIAL, Role.TEXT, Role.CODE, Role.DATE)
    return [one.name for one in columns if one.role not in left_out]


def _too_good(part: pd.DataFrame, codes: np.ndarray, goal: Goal, columns: list[Column]) -> Iterator[str]:
    names = _foremost(part, codes, goal, _usable(columns))
    rows = int(np.clip(_CELLS / max(len(names), 1), 300, 20_000))
    if not names or not _can_tell(codes, goal, rows, _FEWEST_OF_A_CLASS):
        return
    keys = {one.name for one in columns if one.role == Role.KEY}
    for name in names:
        # thousands of levels take long to go through, and say little of the target in so few rows
        limit = min(rows, _ROWS_OF_KEYS) if name in keys else rows
        score = explained(_plain(part[name]), codes, goal.task, most_rows=limit)
        if score >= _TOO_GOOD:
            yield (
                f"column {name!r} by itself explains {score:.1%} of {goal.target!r} on rows not seen: a leak? "
                "If it is made from the target or known only afterwards, drop it under 'clean'."
            )


def _foremost(part: pd.DataFrame, codes: np.ndarray, goal: Goal, names: list[str]) -> list[str]:
    """Of very many columns those whose order goes with the target most."""
    if len(names) <= _MOST_LOOKED_AT:
        return names
    from scipy.stats import rankdata

    rows = np.random.default_rng(0).permutation(len(part))[:2_000]
    y = codes[rows]
    contrasts = [y] if goal.task != "multiclass" else [(y == code).astype(np.float64) for code in np.unique(y)[:20]]
    strengths = [tells(np.asarray(rankdata(as_order(_plain(part[name].iloc[rows]))), dtype=np.float64), contrasts) for name in names]
    return [names[at] for at in np.argsort(strengths)[::-1][:_MOST_LOOKED_AT]]


def _plain(column: pd.Series) -> pd.Series:
    return column.astype("str") if column.dtype == object else column


def _can_tell(codes: np.ndarray, goal: Goal, rows: int, least: int) -> bool:
    """Whether so many rows are enough for a column not to explain the target by luck."""
    share = min(1.0, rows / len(codes))
    smallest = len(codes) / 2 if goal.task == "regression" else float(np.unique(codes, return_counts=True)[1].min())
    return len(codes) >= _FEWEST_ROWS and smallest * share >= least


def _telling_ids(part: pd.DataFrame, codes: np.ndarray, goal: Goal, columns: list[Column], partition: Partition) -> Iterator[str]:
    if partition.follows_time or not _can_tell(codes, goal, _ROWS, 2 * _FEWEST_OF_A_CLASS):
        return
    for column in columns:
        if column.role in (Role.ID, Role.SERIAL) and column.name in part:
            score = explained(pd.Series(as_order(_plain(part[column.name]))), codes, goal.task, most_rows=_ROWS)
            if score > _TELLING_ID:
                yield (
                    f"{column.name!r} only numbers the rows, yet tells {score:.0%} of {goal.target!r}: rows may be sorted by it or by time. "
                    "Random folds are then too easy; split by --time or --group."
                )


def _duplicates(part: pd.DataFrame, test: pd.DataFrame | None, goal: Goal, columns: list[Column]) -> Iterator[str]:
    names = [one.name for one in columns if one.role not in (Role.ID, Role.ABSENT, Role.EMPTY, Role.CONSTANT, Role.COPY, Role.SERIAL)]
    if not names:
        return
    features = _hashes(part[names])
    whole = _hashes(part[[*names, goal.target]])
    again = float(whole.duplicated().mean())
    if again > _DUPLICATES:
        yield f"{again:.1%} of the rows repeat another one in all columns and the target: 'rows: {{duplicates: once}}' fits and scores them once."
    disputed = features.duplicated(keep=False) & ~whole.duplicated(keep=False)
    if float(disputed.mean()) > _DUPLICATES:
        yield f"{disputed.mean():.1%} of the rows equal another one in all columns but differ in the target: no model can tell them apart."
    if test is not None and set(names) <= set(test.columns):
        shared = float(_hashes(test[names].head(SAMPLE)).isin(set(features)).mean())
        if shared > max(_DUPLICATES, 2 * again):
            yield f"{shared:.1%} of the test rows equal a train row in all columns."


def _hashes(table: pd.DataFrame) -> pd.Series:
    return pd.util.hash_pandas_object(table.rename(columns=str), index=False)


def _other_columns(train: pd.DataFrame, test: pd.DataFrame | None, goal: Goal, columns: list[Column]) -> Iterator[str]:
    if test is None:
        return
    for why in (NOT_IN_TEST, EMPTY_IN_TEST):
        names = [one.name for one in columns if one.role == Role.ABSENT and one.why == why]
        if names:
            yield f"column(s) {listed(names, most=20)}: {why}, so no features; known only after the target is?"
    more = [name for name in test.columns if name not in train.columns]
    if more:
        yield f"column(s) {listed(more, most=20)} of the test file are not in train, so no features."
    if goal.target in test.columns and test[goal.target].notna().any():
        yield f"the test file holds the target {goal.target!r}; it is not looked at."


def alike(train: pd.DataFrame, test: pd.DataFrame) -> list[pd.DataFrame]:
    """Both tables with one type a column: text where one of them is text, numbers otherwise."""
    texts = {name for name in train.columns if is_text(train[name]) or is_text(test[name])}
    return [
        pd.DataFrame({name: as_text(table[name]) if name in texts else table[name] for name in train.columns}) for table in (train, test)
    ]


def _drift(part: pd.DataFrame, test: pd.DataFrame | None, columns: list[Column], partition: Partition) -> Iterator[str]:
    names = [name for name in _usable(columns) if name not in (partition.key, partition.time)]
    if test is None or len(test) < 100 or len(part) < 100 or not 0 < len(names) <= _MOST_COLUMNS_FOR_DRIFT:
        return
    auc, driving = adversarial(*alike(part[names], test[names]))
    if auc > _FAR:
        shown = ", ".join(f"{name!r}" for name, share in driving[:3] if share > 0.05)
        yield f"a model tells test rows from train rows (AUC {auc:.2f}), mostly by {shown}: folds at random are easier than test. Drop them or split as test is."
