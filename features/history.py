"""History: what was known of a row's keys before its cutoff. The base of the steps that look back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.columns import select
from features.cutoffs import NO_DAY, Days, block_cutoffs, check_cutoff, day_numbers, gap_cutoffs
from features.errors import InputError
from features.keys import key_codes, learn_key_codes, n_groups
from features.numbers import Numbers, as_numbers
from features.step import Learns, Step

KeySets: TypeAlias = str | Sequence[str] | Sequence[Sequence[str]]
"""A column, columns that together are one key, or several such keys."""

Positions = NDArray[np.int64]
Narrow = NDArray[np.float32]


@dataclass(frozen=True)
class Past:
    """The history of one key: rows in order of group, then day."""

    order: Days
    """Group and day of each row as one number, ascending."""
    days: Days
    values: Numbers

    @classmethod
    def of(cls, groups: Positions, days: Days, values: Numbers) -> Past:
        """The rows that have a group, sorted."""
        order = numbered(groups, days)
        by_day = np.argsort(order, kind="stable")
        by_day = by_day[np.searchsorted(groups[by_day], 0) :] if len(groups) and groups.min() < 0 else by_day
        return cls(order[by_day], days[by_day], values[by_day])

    def before(self, groups: Positions, days: Days) -> Positions:
        """How many rows stand before a day of a group, those of earlier groups counted: where a slice ends or begins."""
        return np.searchsorted(self.order, numbered(groups, days))

    def start(self, groups: Positions) -> Positions:
        """How many rows stand before those of a group."""
        return self.before(groups, np.full(len(groups), NO_DAY))

    def by_day(self) -> Past:
        """One row for each group and day, with the mean of its values."""
        from features.kernels.segments import means

        is_first = np.diff(self.order, prepend=-1) != 0
        first = np.flatnonzero(is_first)
        values = means(self.values, first, np.append(first[1:], len(self.order)).astype(np.int64))[:, 0]
        return Past(self.order[first], self.days[first], values)


def numbered(groups: Positions, days: Days) -> NDArray[np.int64]:
    """One number for each pair of a group and a day, in order of group, then day."""
    return groups * (1 << 32) + np.clip(days, -(1 << 30), 1 << 30) + (1 << 31)


class HistoryStep(Step):
    """Base of the steps that look back: a row sees only rows of the history fitted on that lie before its cutoff.

    History is every row fitted on that has a date, a key and a value; a row's cutoff is never later than its own day, so
    that rows fitted on need no values of their own kind. A subclass assigns ``date``, ``by``, ``of``, ``gap``, ``block`` and
    ``label_delay`` among its parameters and fills ``_look_back``.
    """

    abstract = True
    learns = Learns.PAST
    accepts = ("dates",)
    date: str
    by: KeySets
    of: str | None
    gap: int | None
    block: int | None
    label_delay: int

    def _look_back(self, past: Past, groups: Positions, cutoffs: Days, days: Days) -> Iterator[tuple[str, Narrow]]:
        """The name and the values of each column, for rows of some groups (-1 for none), cutoffs and days.

        Values are float32 (``as_float32``), to hold many columns in half the memory.
        """
        raise NotImplementedError

    def check(self) -> None:
        """Check the cutoff."""
        super().check()
        check_cutoff(self.name, self.gap, self.block, self.label_delay)

    @property
    def key_sets(self) -> list[list[str]]:
        """The columns of each key."""
        return key_sets(self.by)

    def _selected(self, X: pd.DataFrame) -> list[str]:
        return select(X, [self.date])

    def _beside(self, X: pd.DataFrame) -> list[str]:
        of = [] if self.of is None else [self.of]
        return select(X, [*(column for columns in self.key_sets for column in columns), *of])

    def _learn(self, X: pd.DataFrame, y: pd.Series | None) -> None:
        assert y is not None
        if self.of is None and isinstance(y.dtype, pd.CategoricalDtype):
            raise InputError(f"Step {self.name!r} looks back on numbers; a target of several classes is none. Name a column: 'of: ...'.")
        values = y.to_numpy(dtype=np.float64) if self.of is None else as_numbers(X[self.of], self.name)
        days = day_numbers(X[self.date], self.name)
        known = ~np.isnan(values) & (days != NO_DAY)
        if not known.any():
            what = "the target" if self.of is None else repr(self.of)
            raise InputError(
                f"Step {self.name!r} needs rows with a date in {self.date!r} and a value of {what}; none of {len(X)} has both."
            )
        self.last_ = int(days[known].max())
        self.days_ = days[known].astype(np.int32)
        self.values_ = values[known]
        learnt = [learn_key_codes(X, columns) for columns in self.key_sets]
        self.keys_ = [keys for keys, _ in learnt]
        self.groups_ = [groups[known].astype(np.min_scalar_type(-n_groups(keys) - 1)) for keys, groups in learnt]

    def cutoffs(self, X: pd.DataFrame) -> Days:
        """The day, counted from 1970-01-01, before which each row of X sees history; of shape (n_rows,).

        With ``gap`` it is the row's day less the gap. With ``block`` it is the first day of the row's block less the label
        delay; blocks are anchored at the day on which the last fitted label was known (``label_delay`` after it) and one
        more. It is never later than the day after the last fitted label; a row without a date sees nothing (``NO_DAY``).
        """
        return self._cutoffs(day_numbers(X[self.date], self.name))

    def _cutoffs(self, days: Days) -> Days:
        if self.block is None:
            found = gap_cutoffs(days, (self.gap or 0) + self.label_delay)
        else:
            found = block_cutoffs(days, self.block, self.last_ + 1 + self.label_delay, self.label_delay)
        return np.minimum(found, self.last_ + 1)

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        days = day_numbers(X[self.date], self.name)
        cutoffs, written = self._cutoffs(days), {}
        for keys, groups in zip(self.keys_, self.groups_, strict=True):
            past = Past.of(groups.astype(np.int64), self.days_.astype(np.int64), self.values_)
            asking = np.where(days == NO_DAY, -1, key_codes(X, keys))
            for name, values in self._look_back(past, asking, cutoffs, days):
                written[column_name(self.of, name, keys["by"])] = values
        return pd.DataFrame(written, index=X.index, copy=False)


def key_sets(by: KeySets) -> list[list[str]]:
    """The columns of each key.

    >>> key_sets("Store"), key_sets(["Store", "Promo"]), key_sets([["Store"], []])
    ([['Store']], [['Store', 'Promo']], [['Store'], []])
    """
    if isinstance(by, str):
        return [[by]]
    if all(isinstance(part, str) for part in by):
        return [[str(part) for part in by]]
    return [[part] if isinstance(part, str) else list(part) for part in by]


def column_name(of: str | None, what: str, by: Sequence[str]) -> str:
    """The name of a column: source, what is said of it, and the key.

    >>> column_name(None, "mean_91d", ["Store", "Promo"])
    'target__mean_91d_by_Store_Promo'
    """
    return "_".join([f"{of or 'target'}__{what}", *(["by", *by] if by else [])])


def as_float32(values: Numbers) -> Narrow:
    """Values in half the memory, to seven digits, the largest such number in place of a larger one."""
    most = np.finfo(np.float32).max
    return np.clip(values, -most, most).astype(np.float32)


def distinct(groups: Positions, cutoffs: Days) -> tuple[Positions, Days, Positions]:
    """The different pairs of a group and a cutoff in order, and which of them each row asks for."""
    pairs = numbered(groups, cutoffs)
    order = np.argsort(pairs, kind="stable")
    is_new = np.append(True, np.diff(pairs[order]) != 0)[: len(pairs)]
    asked = np.empty(len(pairs), dtype=np.int64)
    asked[order] = np.cumsum(is_new) - 1
    different = order[is_new]
    return groups[different], cutoffs[different], asked
