"""Splitters in order of time: what is scored comes after what is fitted on, or stands well apart from it.

Rows of later time than a fold's window are unused in that fold. Folds come oldest first. Days are calendar days (of UTC
where dates have a time zone); a numeric column counts what ``numbers`` says, and its days begin at 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from features.errors import InputError
from pipelines.splittable import AtLeastOne, AtLeastTwo, NotNegative, Pairs, Splittable
from pipelines.times import Days, Unit, as_days, as_times, day_text

Share = Annotated[float, Field(gt=0, lt=1)]


def last_days(table: Splittable, *, column: str, days: AtLeastOne, gap: NotNegative = 0, numbers: Unit | None = None) -> Pairs:
    """One holdout window: the last ``days`` days are scored, rows earlier than the window less ``gap`` days are fitted on."""
    return rolling(table, column=column, days=days, windows=1, gap=gap, numbers=numbers)


def rolling(
    table: Splittable,
    *,
    column: str,
    days: AtLeastOne,
    windows: AtLeastOne = 3,
    gap: NotNegative = 0,
    train_days: AtLeastOne | None = None,
    numbers: Unit | None = None,
) -> Pairs:
    """A rolling origin: ``windows`` windows of ``days`` days, one behind the other, of which the last ends with the last day.

    A window is fitted on all rows earlier than its start less ``gap`` days, or with ``train_days`` on the last so many days
    of them.
    """
    day = as_days(table.column(column), numbers)
    for start in _window_starts(day, column, days=days, windows=windows, gap=gap, numbers=numbers):
        is_fit = day < start - gap
        if train_days is not None:
            is_fit &= day >= start - gap - train_days
        yield np.flatnonzero(is_fit), _rows_of_window(day, start, days, column, numbers)


def group_time(
    table: Splittable,
    *,
    column: str,
    group: str,
    days: AtLeastOne,
    windows: AtLeastOne = 1,
    gap: NotNegative = 0,
    share: Share = 0.2,
    seed: NotNegative = 0,
    numbers: Unit | None = None,
) -> Pairs:
    """Windows as in ``rolling``, in which a random ``share`` of the groups is scored; no row of those is fitted on.

    Fitted on are the earlier rows of the other groups, so that a model meets both a later time and groups it has never seen.
    """
    day, groups = as_days(table.column(column), numbers), table.column(group)
    for number, start in enumerate(_window_starts(day, column, days=days, windows=windows, gap=gap, numbers=numbers)):
        rows = _rows_of_window(day, start, days, column, numbers)
        there = np.sort(groups.iloc[rows].unique())
        n_chosen = min(max(round(share * len(there)), 1), len(there) - 1)
        if n_chosen < 1:
            raise InputError(f"The split needs at least two groups of {group!r} in every window; window {number} has {len(there)}.")
        chosen = groups.isin(np.random.default_rng([seed, number]).permutation(there)[:n_chosen]).to_numpy()
        yield np.flatnonzero((day < start - gap) & ~chosen), rows[chosen[rows]]


def blocks(
    table: Splittable,
    *,
    column: str,
    unit: Literal["day", "week"] | AtLeastOne = "week",
    folds: AtLeastTwo = 5,
    purge: NotNegative = 0,
    embargo: NotNegative = 0,
    shuffle: bool = False,
    seed: NotNegative = 0,
    numbers: Unit | None = None,
) -> Pairs:
    """K folds of whole blocks of time: days, weeks from Monday on, or ``unit`` days counted from the first one.

    A fold scores a stretch of blocks that follow each other, or blocks here and there with ``shuffle``, and is fitted on
    rows before and after them, less those within ``purge`` days of a scored block, and ``embargo`` days more after it.
    """
    day = as_days(table.column(column), numbers)
    block = _blocks(day, unit)
    present = np.unique(block)
    if len(present) < folds:
        raise InputError(
            f"{folds} folds need at least as many blocks of time; {column!r} has {len(present)}. Use fewer folds or shorter blocks."
        )
    if shuffle:
        present = np.random.default_rng(seed).permutation(present)
    for part in np.array_split(present, folds):
        is_scored = np.isin(block, part)
        is_near = _is_near(day, np.unique(day[is_scored]), before=purge, after=purge + embargo)
        yield np.flatnonzero(~is_scored & ~is_near), np.flatnonzero(is_scored)


def forward(table: Splittable, *, column: str, blocks: AtLeastTwo = 4, windows: AtLeastOne | None = None) -> Pairs:
    """Blocks of equally many rows in order of time; each of the last ``windows`` is scored after a fit on all earlier blocks.

    Rows of equal time stay in one block. All blocks but the first are scored when ``windows`` is not given.
    """
    times = as_times(table.column(column)).to_numpy()
    # a time belongs to the block of its first row in order: equal times never cross a border
    first = np.searchsorted(np.sort(times), times, side="left")
    block = first * blocks // max(len(times), 1)
    n_windows = blocks - 1 if windows is None else windows
    if n_windows >= blocks:
        raise InputError(f"{n_windows} windows need at least {n_windows + 1} blocks, one to fit on first; there are {blocks}.")
    empty = np.setdiff1d(np.arange(blocks), block)
    if len(empty):
        raise InputError(
            f"{column!r} cannot be cut into {blocks} blocks of equally many rows: it has {len(np.unique(times))} different values, and rows "
            "of equal time stay together. Use fewer blocks."
        )
    for scored in range(blocks - n_windows, blocks):
        yield np.flatnonzero(block < scored), np.flatnonzero(block == scored)


TIME_SPLITTERS: dict[str, Callable[..., Pairs]] = {
    splitter.__name__: splitter for splitter in (last_days, rolling, blocks, group_time, forward)
}


def _window_starts(day: Days, column: str, *, days: int, windows: int, gap: int, numbers: Unit | None) -> list[int]:
    """The first day of each window, oldest first; there are rows to fit on before the oldest."""
    first, last = int(day.min()), int(day.max())
    needed = days * windows + gap
    if last - first + 1 <= needed:
        raise InputError(
            f"{windows} window(s) of {days} days{f' and a gap of {gap}' if gap else ''} need more than {needed} days; {column!r} goes from "
            f"{day_text(first, numbers)} to {day_text(last, numbers)}, {last - first + 1} days. Use fewer or shorter windows."
        )
    return [last + 1 - days * number for number in range(windows, 0, -1)]


def _rows_of_window(day: Days, start: int, days: int, column: str, numbers: Unit | None) -> NDArray[np.intp]:
    rows = np.flatnonzero((day >= start) & (day < start + days))
    if not len(rows):
        shown = f"{day_text(start, numbers)} to {day_text(start + days - 1, numbers)}"
        raise InputError(f"The window {shown} has no row in {column!r}. Use longer windows, or fewer.")
    return rows


def _blocks(day: Days, unit: str | int) -> Days:
    """The number of each row's block."""
    if unit == "week":
        return (day + 3) // 7  # day 0 was a Thursday
    return day if unit == "day" else (day - day.min()) // int(unit)


def _is_near(day: Days, scored: Days, *, before: int, after: int) -> NDArray[np.bool_]:
    """Whether a day lies at most ``before`` days before, or ``after`` days after, one of the sorted days ``scored``."""
    following = np.searchsorted(scored, day)
    until = scored[np.minimum(following, len(scored) - 1)] - day
    since = day - scored[np.maximum(following - 1, 0)]
    return ((until >= 0) & (until <= before)) | ((since >= 0) & (since <= after))
