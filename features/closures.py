"""Closures: long stretches without an open day, in a calendar of open days known in advance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from features.columns import select
from features.cutoffs import NO_DAY, day_numbers
from features.errors import InputError
from features.expressions import parse
from features.history import as_float32, numbered
from features.keys import key_codes, learn_key_codes
from features.known_events import key_columns, marks_of, passed, to_come
from features.step import Learns, Step


class Closures(Step):
    """Say how long ago a key reopened, how long it had been closed and when it closes: ``<into>__days_since``, ``<into>__length``, ``<into>__days_until``.

    A closure is a stretch of at least ``min_days`` days between two open days of a key, whether its rows say closed or are
    not there at all. Days since count from the first open day after it (0), days until to the first closed day; each is
    missing where no closure is known on that side. What lies before a key's first open day and after its last is no
    closure. Learnt as a calendar from train and test together: the columns named must be known in advance. float32.

    Parameters
    ----------
    date
        The date column; a time of day is cut off.
    by
        The columns that together name a key.
    open
        The expression that is true on rows of open days; every row's day is open when not given.
    min_days
        How many days without an open one make a closure.
    into
        The first part of the columns' names.

    Examples
    --------
    >>> X = pd.DataFrame({"shop": 1, "day": pd.to_datetime(["2015-01-01", "2015-01-20", "2015-01-22"])})
    >>> Closures("day", by="shop").fit_transform(X)[["closure__days_since", "closure__length"]].to_numpy().tolist()
    [[nan, nan], [0.0, 18.0], [2.0, 18.0]]
    """

    learns = Learns.LEVELS
    accepts = ("dates",)
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"date": "Sold", "by": "Neighborhood", "min_days": 20},
        {"date": "Sold", "by": ["Neighborhood", "Street"], "open": "HasAir", "min_days": 30, "into": "pause"},
    )

    def __init__(self, date: str, *, by: str | Sequence[str], open: str | None = None, min_days: int = 14, into: str = "closure") -> None:
        self.date = date
        self.by = by
        self.open = open
        self.min_days = min_days
        self.into = into

    def check(self) -> None:
        """Check the length of a closure and the expression."""
        super().check()
        if self.min_days < 1:
            raise InputError(f"Step 'closures' needs 'min_days' of at least 1, found {self.min_days!r}.")
        if self.open is not None:
            parse(self.open)

    def _selected(self, X: pd.DataFrame) -> list[str]:
        return select(X, [self.date])

    def _beside(self, X: pd.DataFrame) -> list[str]:
        return select(X, [*key_columns(self.by), *(parse(self.open).names if self.open is not None else ())])

    def _learn(self, X: pd.DataFrame, y: pd.Series | None) -> None:
        days = day_numbers(X[self.date], self.name)
        self.keys_, groups = learn_key_codes(X, key_columns(self.by))
        is_open = np.ones(len(X), dtype=bool) if self.open is None else parse(self.open).mask(X).to_numpy(dtype=bool)
        marks = marks_of(groups, days, is_open)
        closed = np.diff(marks) - 1
        is_closure = (closed >= self.min_days) & (closed < (1 << 31))
        self.reopened_ = marks[1:][is_closure]
        self.closed_ = marks[:-1][is_closure] + 1

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        days = day_numbers(X[self.date], self.name)
        groups = np.where(days == NO_DAY, -1, key_codes(X, self.keys_))
        since = passed(self.reopened_, groups, days)
        last = np.maximum(np.searchsorted(self.reopened_, numbered(groups, days), side="right") - 1, 0)
        lengths = (self.reopened_ - self.closed_)[last] if len(self.closed_) else np.zeros(len(X))
        written = {
            "days_since": since,
            "length": np.where(np.isnan(since), np.nan, lengths),
            "days_until": to_come(self.closed_, groups, days),
        }
        return pd.DataFrame({f"{self.into}__{name}": as_float32(values) for name, values in written.items()}, index=X.index, copy=False)
