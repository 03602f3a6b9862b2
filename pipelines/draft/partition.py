"""How rows are split into folds: as test stands to train."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from features.errors import InputError
from pipelines.draft.columns import Column, Role
from pipelines.draft.date_texts import read_dates
from pipelines.draft.goal import Goal
from pipelines.draft.repairs import is_text
from pipelines.draft.vocabulary import is_time_name

_MOST_ROWS_FOR_8 = 50_000
_WINDOWS = 4
_FEWEST_WINDOWS = 3
_FEWEST_GROUPS = 10


@dataclass(frozen=True)
class Partition:
    """A splitter with its parameters, the reason, and what goes with it."""

    splitter: str
    params: dict[str, Any]
    why: str
    time: str | None = None
    key: str | None = None
    """A column whose values test does not share with train."""
    fit_only: list[object] = field(default_factory=list)
    """Classes with too few rows to be scored."""

    @property
    def follows_time(self) -> bool:
        """Whether what is scored is later than what is fitted on."""
        return self.time is not None


def partition_of(
    train: pd.DataFrame,
    test: pd.DataFrame | None,
    goal: Goal,
    columns: list[Column],
    *,
    time: str | None,
    group: str | None,
    is_asked: bool,
) -> Partition:
    """The folds: as asked for, in time where there is a column of it, by groups where a key never crosses, else at random.

    Parameters
    ----------
    train
        With the target.
    time
        A column of time, in ISO spelling where it is text.
    group
        A column of groups.
    is_asked
        Whether a person named these columns; otherwise rows are split at random where they do not serve.

    Raises
    ------
    InputError
        When rows cannot be split by the columns asked for.
    """
    key = None if time else group or _never_crossing(train, test, columns)
    if time:
        wanted = _by_time(train, test, time, columns, group, is_asked=is_asked)
    elif key:
        wanted = _by_group(train, key, goal, is_asked=bool(group))
    else:
        return _at_random(len(train), goal)
    for params in _gentler(wanted):
        found = replace(wanted, params=params)
        fault = _fault(found, train, goal)
        if fault is None:
            return found
    if is_asked and (time or group):
        raise InputError(f"Rows cannot be split by {time or group!r}: {fault} Leave the option out to split at random.")
    return _at_random(len(train), goal)


def _gentler(wanted: Partition) -> Iterator[dict[str, Any]]:
    """Parameters with fewer and fewer folds."""
    name = next(key for key in ("windows", "blocks", "folds") if key in wanted.params)
    for number in range(wanted.params[name], 0 if name == "windows" else 1, -1):
        yield {**wanted.params, name: number}


def _fault(partition: Partition, train: pd.DataFrame, goal: Goal) -> str | None:
    """Why a run could not use these folds: a class that a fold does not fit on, say."""
    from pipelines.splits import make_folds
    from pipelines.splittable import Splittable

    y = train[goal.target]
    numbers = y.to_numpy(dtype=np.float64) if goal.task == "regression" else pd.factorize(y, sort=True)[0].astype(np.float64)
    nowhere = np.zeros(len(train), dtype=bool)
    fit_only = y.isin(partition.fit_only).to_numpy() if partition.fit_only else nowhere
    try:
        table = Splittable(train.drop(columns=goal.target), numbers, goal.task)
        make_folds(table, partition.splitter, partition.params, fit_only=fit_only, not_in_fit=nowhere, not_scored=nowhere)
    except InputError as error:
        return str(error)
    return None


def _at_random(n_rows: int, goal: Goal) -> Partition:
    folds = n_folds(n_rows)
    if goal.task == "regression":
        return Partition("kfold", {"folds": folds, "seed": 0}, f"rows look exchangeable; {folds} folds for {n_rows} rows")
    # classes that cannot be in every fold are fitted on and not scored; two classes are always scored
    rare = [level for level, count in goal.counts.items() if count < min(folds, 5)] if len(goal.counts) > 2 else []
    kept = goal.counts[~goal.counts.index.isin(rare)]
    if len(kept) < 2:
        rare, kept = [*goal.counts.index[goal.counts < 2]], goal.counts[goal.counts >= 2]
    if len(kept) < 2:
        raise InputError(f"Target {goal.target!r} has no two classes with at least two rows each. Choose another --target, or add rows.")
    folds = int(min(folds, kept.min()))
    why = f"the same share of each class in each of {folds} folds"
    return Partition("stratified", {"folds": folds, "seed": 0}, why, fit_only=rare)


def n_folds(n_rows: int) -> int:
    """How many folds so many rows are worth."""
    if n_rows < 50:
        return 5
    return 8 if n_rows < _MOST_ROWS_FOR_8 else 5


def times_of(values: pd.Series, format: str) -> pd.Series:
    """A column as dates or numbers, missing where it is neither."""
    if pd.api.types.is_numeric_dtype(values.dtype) and not format:
        return values.astype("float64")
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return values
    return read_dates(values, format or "ISO8601")


def later_by(train: pd.DataFrame, test: pd.DataFrame | None, columns: list[Column]) -> str | None:
    """A column of time by which all test rows are later than train's."""
    if test is None or len(test) < 10:
        return None
    for column in columns:
        is_count = column.role in (Role.NUMBER, Role.KEY_NUMBER, Role.SERIAL) and is_time_name(column.name) and column.n_levels >= 20
        if not (column.role == Role.DATE or is_count) or column.missing > 0 or column.number_text is not None:
            continue
        before, after = (times_of(table[column.name], column.date_format) for table in (train, test))
        if before.notna().all() and after.notna().all() and after.min() >= before.max() and before.nunique() >= 8:
            return column.name
    return None


def _by_time(
    train: pd.DataFrame, test: pd.DataFrame | None, time: str, columns: list[Column], group: str | None, *, is_asked: bool
) -> Partition:
    column = next((one for one in columns if one.name == time), None)
    values = times_of(train[time], column.date_format if column else "")
    if values.isna().any():
        raise InputError(f"--time {time}: {int(values.isna().sum())} rows have no time that can be read. Complete it, or leave --time out.")
    why = "as asked for by --time" if is_asked else f"all test rows are later than train's by {time!r}, so folds look forward too"
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        days = (values - values.min()).dt.days.to_numpy()
        length = _window_days(days, test, time, column)
        windows = min(_WINDOWS, int(0.6 * (days.max() + 1) / length)) if length else 0
        if windows >= _FEWEST_WINDOWS and all(
            ((days > days.max() - length * (n + 1)) & (days <= days.max() - length * n)).any() for n in range(windows)
        ):
            params = {"column": time, "days": length, "windows": windows}
            if group:
                return Partition("group_time", {**params, "group": group}, f"{why}; groups of --group kept apart", time, group)
            return Partition("rolling", params, f"{why}; {windows} windows of {length} days, as long as test", time)
    blocks = int(min(_WINDOWS + 2, values.nunique() // 2))
    if blocks < 2:
        raise InputError(f"--time {time}: it has {values.nunique()} different values, too few to split by. Leave --time out.")
    why = f"{why}; each block is scored after a fit on all earlier ones" + ("; groups are not kept apart in it" if group else "")
    return Partition("forward", {"column": time, "blocks": blocks}, why, time)


def _window_days(days: np.ndarray, test: pd.DataFrame | None, time: str, column: Column | None) -> int:
    """The length of the test period where it is later than train; 0 where there is none, or it is longer than what there is to learn from."""
    if test is None or time not in test or len(test) < 10:
        return 0
    values = times_of(test[time], column.date_format if column else "").dropna()
    length = int((values.max() - values.min()).days) + 1 if len(values) else 0
    return length if 0 < length <= (days.max() + 1) // 2 else 0


def _never_crossing(train: pd.DataFrame, test: pd.DataFrame | None, columns: list[Column]) -> str | None:
    """A key that comes again within train and within test, and that no train row shares with a test row."""
    if test is None or len(test) < 20:
        return None
    candidates = [one for one in columns if one.role in (Role.KEY, Role.CODE, Role.MANY, Role.KEY_NUMBER, Role.NUMBER) and one.missing == 0]
    for column in candidates:
        values, others = train[column.name], test[column.name]
        is_whole = not pd.api.types.is_float_dtype(values.dtype) and is_text(values) == is_text(others)
        comes_again = column.n_levels >= _FEWEST_GROUPS and 1.5 * column.n_levels <= len(train) and others.nunique() < len(others)
        if not is_whole or not comes_again or values.isin(others.iloc[:500]).any():
            continue
        if not others.isin(values.unique()).any():
            return column.name
    return None


def _by_group(train: pd.DataFrame, key: str, goal: Goal, *, is_asked: bool) -> Partition:
    values = train[key]
    n_groups = int(values.nunique())
    if values.isna().any():
        raise InputError(f"--group {key}: {int(values.isna().sum())} rows have no group. Complete the column, or leave --group out.")
    if n_groups < 2:
        raise InputError(f"--group {key}: it has one value, and at least two groups are needed. Leave --group out.")
    why = "as asked for by --group" if is_asked else f"no value of {key!r} is in both files, so no group is fitted on and scored"
    several = goal.task == "multiclass"
    reach = values.groupby(train[goal.target]).nunique() if several else pd.Series(dtype="int64")
    params = {"column": key, "folds": min(n_folds(len(train)), n_groups), "seed": 0}
    return Partition("group", params, why, key=key, fit_only=[*reach.index[reach < 3]])
