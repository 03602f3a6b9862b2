"""Events known in advance (promotions, holidays): how far away they are, how many lie near, where in a run of them a day lies.

An event is a set of days for each key, taken from train and test together. Nothing is counted and no target is looked at,
but a row may look ahead: the columns that name an event must be known in advance, as a plan of promotions is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.columns import select
from features.cutoffs import NO_DAY, Days, day_numbers
from features.errors import InputError
from features.expressions import Expression, parse
from features.history import as_float32, numbered
from features.keys import key_codes, learn_key_codes
from features.numbers import Numbers
from features.step import Learns, Step

Marks = NDArray[np.int64]
"""Group and day of each event day as one number, ascending, none twice (``history.numbered``)."""

_FAR = 1 << 31
"""Further apart than any two days of one group, nearer than the days of two groups."""


class KnownEvents(Step):
    """Base of the steps on events known in advance: a calendar for each key, from all rows of train and test.

    A subclass assigns ``date``, ``by`` and ``events`` among its parameters and fills ``_describe``.
    """

    abstract = True
    learns = Learns.LEVELS
    accepts = ("dates",)
    date: str
    by: str | Sequence[str]
    events: dict[str, str]

    def _describe(self, marks: Marks, groups: Marks, days: Days) -> Iterator[tuple[str, Numbers]]:
        """The name and the values of each column, for rows of some groups (-1 for none) and days."""
        raise NotImplementedError

    def check(self) -> None:
        """Check that there are events and that each can be read."""
        super().check()
        if not isinstance(self.events, Mapping) or not self.events:
            raise InputError(f"Step {self.name!r} needs a table of events, such as {{promo: 'Promo == 1'}}; found {self.events!r}.")
        self._parsed()

    def _parsed(self) -> dict[str, Expression]:
        return {name: parse(source) for name, source in self.events.items()}

    def _selected(self, X: pd.DataFrame) -> list[str]:
        return select(X, [self.date])

    def _beside(self, X: pd.DataFrame) -> list[str]:
        named = [column for expression in self._parsed().values() for column in expression.names]
        return select(X, [*key_columns(self.by), *named])

    def _learn(self, X: pd.DataFrame, y: pd.Series | None) -> None:
        days = day_numbers(X[self.date], self.name)
        self.keys_, groups = learn_key_codes(X, key_columns(self.by))
        self.marks_ = {name: marks_of(groups, days, expression.mask(X).to_numpy(dtype=bool)) for name, expression in self._parsed().items()}

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        days = day_numbers(X[self.date], self.name)
        groups = np.where(days == NO_DAY, -1, key_codes(X, self.keys_))
        written = {
            f"{event}__{what}": as_float32(np.where(groups < 0, np.nan, values))
            for event, marks in self.marks_.items()
            for what, values in self._describe(marks, groups, days)
        }
        return pd.DataFrame(written, index=X.index, copy=False)


class DaysSinceEvent(KnownEvents):
    """Count the days since a key's last event: ``<event>__days_since``; 0 on a day of the event.

    Learnt as a calendar from train and test together: the columns named must be known in advance. Missing where no event
    of the key lies before, and for rows without a date or a known key. float32.

    Parameters
    ----------
    date
        The date column; a time of day is cut off.
    by
        The columns that together name a key with a calendar of its own; ``[]`` for one calendar.
    events
        From the event's name to the expression that is true on its rows.
    cap
        The largest count written: what is further away is as far as this.

    Examples
    --------
    >>> X = pd.DataFrame({"shop": 1, "promo": [1, 0], "day": pd.to_datetime(["2015-01-01", "2015-01-04"])})
    >>> DaysSinceEvent("day", by="shop", events={"promo": "promo == 1"}).fit_transform(X)["promo__days_since"].tolist()
    [0.0, 3.0]
    """

    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"date": "Sold", "by": "Neighborhood", "events": {"air": "HasAir", "large": "LotArea > 9000"}, "cap": 60},
    )

    def __init__(self, date: str, *, by: str | Sequence[str], events: dict[str, str], cap: int | None = None) -> None:
        self.date = date
        self.by = by
        self.events = events
        self.cap = cap

    def check(self) -> None:
        """Check events and cap."""
        super().check()
        check_days(self.name, "cap", [] if self.cap is None else [self.cap])

    def _describe(self, marks: Marks, groups: Marks, days: Days) -> Iterator[tuple[str, Numbers]]:
        yield "days_since", capped(passed(marks, groups, days), self.cap)


class DaysUntilEvent(KnownEvents):
    """Count the days until a key's next event: ``<event>__days_until``; 0 on a day of the event.

    Learnt as a calendar from train and test together: the columns named must be known in advance. Missing where no event
    of the key is known to come, and for rows without a date or a known key. float32.

    Parameters
    ----------
    date
        The date column; a time of day is cut off.
    by
        The columns that together name a key with a calendar of its own; ``[]`` for one calendar.
    events
        From the event's name to the expression that is true on its rows.
    cap
        The largest count written: what is further away is as far as this.
    """

    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"date": "Remodelled", "by": ["Neighborhood", "Street"], "events": {"old": "YearBuilt < 1950"}},
    )

    def __init__(self, date: str, *, by: str | Sequence[str], events: dict[str, str], cap: int | None = None) -> None:
        self.date = date
        self.by = by
        self.events = events
        self.cap = cap

    def check(self) -> None:
        """Check events and cap."""
        super().check()
        check_days(self.name, "cap", [] if self.cap is None else [self.cap])

    def _describe(self, marks: Marks, groups: Marks, days: Days) -> Iterator[tuple[str, Numbers]]:
        yield "days_until", capped(to_come(marks, groups, days), self.cap)


class NearbyEvents(KnownEvents):
    """Count a key's event days near a day: ``<event>__<days>d_before``, ``<event>__<days>d_after``; the day itself is in neither.

    With a single day it says whether the day before, or the day after, is one of the event. Learnt as a calendar from
    train and test together: the columns named must be known in advance. At the ends of the calendar only the days that are
    known count. Missing for rows without a date or a known key. float32.

    Parameters
    ----------
    date
        The date column; a time of day is cut off.
    by
        The columns that together name a key with a calendar of its own; ``[]`` for one calendar.
    events
        From the event's name to the expression that is true on its rows.
    before
        Of how many days before; several give a column each.
    after
        Of how many days after.
    """

    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"date": "Sold", "by": [], "events": {"air": "HasAir"}, "before": [1, 7], "after": [30]},
    )

    def __init__(
        self, date: str, *, by: str | Sequence[str], events: dict[str, str], before: Sequence[int] = (7,), after: Sequence[int] = (7,)
    ) -> None:
        self.date = date
        self.by = by
        self.events = events
        self.before = before
        self.after = after

    def check(self) -> None:
        """Check events and days."""
        super().check()
        check_days(self.name, "before", self.before)
        check_days(self.name, "after", self.after)
        if not self.before and not self.after:
            raise InputError(f"Step {self.name!r} needs days in 'before' or 'after', such as [7].")

    def _describe(self, marks: Marks, groups: Marks, days: Days) -> Iterator[tuple[str, Numbers]]:
        here = numbered(groups, days)
        for length in dict.fromkeys(self.before):
            yield f"{length}d_before", between(marks, here - length, here)
        for length in dict.fromkeys(self.after):
            yield f"{length}d_after", between(marks, here + 1, here + length + 1)


class EventRuns(KnownEvents):
    """Say where a day lies in a run of event days, or between two runs: ``<event>__<what>``.

    A promotion of five days every second week is a run and a pause. Learnt as a calendar from train and test together: the
    columns named must be known in advance. Missing for rows without a date or a known key. float32.

    Parameters
    ----------
    date
        The date column; a time of day is cut off.
    by
        The columns that together name a key with a calendar of its own; ``[]`` for one calendar.
    events
        From the event's name to the expression that is true on its rows.
    what
        ``run_day`` (1 on the first day of a run, 0 outside of runs), ``run_length`` in days (0 outside), ``since_start``
        (days since the last run began, 0 on that day) and ``until_start`` (days until the next run begins, at least 1);
        the last two are missing where no such run is known.
    bridge
        Up to so many days without the event do not end a run (2 for a weekend).
    """

    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"date": "Sold", "by": "Street", "events": {"air": "HasAir"}},
        {"date": "Sold", "by": [], "events": {"air": "HasAir"}, "what": ["run_day", "until_start"], "bridge": 20},
    )

    def __init__(
        self,
        date: str,
        *,
        by: str | Sequence[str],
        events: dict[str, str],
        what: Sequence[Literal["run_day", "run_length", "since_start", "until_start"]] = ("run_day", "run_length", "since_start"),
        bridge: int = 0,
    ) -> None:
        self.date = date
        self.by = by
        self.events = events
        self.what = what
        self.bridge = bridge

    def check(self) -> None:
        """Check events, columns and bridge."""
        super().check()
        if not self.what:
            raise InputError(f"Step {self.name!r} needs at least one of 'what', such as run_day.")
        if self.bridge < 0:
            raise InputError(f"Step {self.name!r} needs a 'bridge' of at least 0 days, found {self.bridge!r}.")

    def _describe(self, marks: Marks, groups: Marks, days: Days) -> Iterator[tuple[str, Numbers]]:
        is_start = np.diff(marks, prepend=-1 - 2 * _FAR) > self.bridge + 1
        starts, ends = marks[is_start], marks[np.roll(is_start, -1)]
        since = passed(starts, groups, days)
        at = np.maximum(np.searchsorted(starts, numbered(groups, days), side="right") - 1, 0)
        lengths = (ends - starts + 1)[at] if len(starts) else np.zeros(len(days))
        is_inside = since < lengths
        found = {
            "run_day": np.where(is_inside, since + 1, 0.0),
            "run_length": np.where(is_inside, lengths, 0.0),
            "since_start": since,
            "until_start": to_come(starts, groups, days + 1) + 1,
        }
        for name in dict.fromkeys(self.what):
            yield name, found[name]


def key_columns(by: str | Sequence[str]) -> list[str]:
    """The columns of one key."""
    return [by] if isinstance(by, str) else list(by)


def marks_of(groups: Marks, days: Days, is_event: NDArray[np.bool_]) -> Marks:
    """The event days of each group; rows without a group or a day give none."""
    chosen = is_event & (groups >= 0) & (days != NO_DAY)
    return np.unique(numbered(groups[chosen], days[chosen]))


def passed(marks: Marks, groups: Marks, days: Days) -> Numbers:
    """Days since the last event of the group, the day itself counted as 0; missing where there is none."""
    here = numbered(groups, days)
    at = np.searchsorted(marks, here, side="right") - 1
    return _within_group(here - marks[np.maximum(at, 0)] if len(marks) else here, at >= 0)


def to_come(marks: Marks, groups: Marks, days: Days) -> Numbers:
    """Days until the next event of the group, the day itself counted as 0; missing where there is none."""
    here = numbered(groups, days)
    at = np.searchsorted(marks, here)
    return _within_group(marks[np.minimum(at, len(marks) - 1)] - here if len(marks) else here, at < len(marks))


def between(marks: Marks, first: Marks, last: Marks) -> Numbers:
    """How many event days lie from ``first`` up to, not including, ``last``."""
    return (np.searchsorted(marks, last) - np.searchsorted(marks, first)).astype(np.float64)


def capped(counts: Numbers, cap: int | None) -> Numbers:
    """Counts no larger than ``cap``; missing stays missing."""
    return counts if cap is None else np.minimum(counts, cap)


def check_days(step: str, name: str, days: Sequence[int]) -> None:
    """Raise InputError when a number of days is below 1."""
    wrong = [number for number in days if number < 1]
    if wrong:
        raise InputError(f"Step {step!r} needs {name!r} in days, each at least 1; found {wrong}.")


def _within_group(distance: Marks, is_there: NDArray[np.bool_]) -> Numbers:
    return np.where(is_there & (distance < _FAR), distance, np.nan)
