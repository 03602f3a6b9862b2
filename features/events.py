"""Events of a key in time: how many there were, how far away the next one is, and which one this is.

A row is an event of the key that its columns ``by`` name. What a row is told hangs on the learnt events and on its own key
and time, not on whether the row is one of them: events at the very same time are neither earlier nor later. So rows that
were learnt and rows that were not are told the same, and the order of rows with equal times does not matter. With
``fit_on: all`` every row of train and test is an event; fitted on the training part only its rows are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd

from features.columns import select
from features.errors import InputError
from features.history import KeySets, key_sets
from features.keys import Codes, key_codes, learn_key_codes, n_groups
from features.numbers import Numbers, bounded
from features.step import Learns, Step
from features.times import SECONDS, as_seconds

Unit = Literal["second", "minute", "hour", "day", "week"]


@dataclass(frozen=True)
class Asked:
    """Rows that ask about the events of their keys: each row's key (-1 for none) and time, and the keys' sorted times."""

    times: Numbers
    starts: Codes
    keys: Codes
    own: Numbers

    def before(self, asked: Numbers, *, including: bool = False) -> Codes:
        """How many events of its key each row has before a time, or up to it."""
        from features.kernels.event_times import count_before

        return count_before(self.times, self.starts, self.keys, asked, including)

    def nearest(self, *, later: bool) -> Numbers:
        """The time of the last event before each row's own time, or of the first after it; NaN where there is none."""
        from features.kernels.event_times import nearest

        return nearest(self.times, self.starts, self.keys, self.own, later)

    @property
    def all_events(self) -> Codes:
        """How many events each row's key has."""
        return np.where(self.keys >= 0, np.diff(self.starts, append=0)[self.keys], 0)


class EventStep(Step):
    """Base of the steps on events: the sorted times of each key are learnt; a subclass fills ``_told``."""

    abstract = True
    learns = Learns.ROWS
    by: KeySets
    time: str

    def _told(self, asked: Asked) -> dict[str, Numbers]:
        """The columns made for one key, by the last part of their names."""
        raise NotImplementedError

    def check(self) -> None:
        """Check that there is a key."""
        super().check()
        if not self.by:
            raise InputError(f"Step {self.name!r} needs at least one column in 'by', those that name what an event is of.")

    def _selected(self, X: pd.DataFrame) -> list[str]:
        return select(X, [column for columns in key_sets(self.by) for column in columns])

    def _beside(self, X: pd.DataFrame) -> list[str]:
        return select(X, [self.time])

    def _learn(self, X: pd.DataFrame, y: pd.Series | None) -> None:
        # numba takes a second to load: only who needs it waits for it
        from features.kernels.sorted_groups import sorted_groups

        times = as_seconds(X[self.time], self.name)
        self.events_: list[dict[str, Any]] = []
        for columns in key_sets(self.by):
            keys, codes = learn_key_codes(X, columns)
            known, starts = sorted_groups(times, codes, n_groups(keys))
            self.events_.append({"keys": keys, "times": known[: starts[-1]], "starts": starts})

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        own = as_seconds(X[self.time], self.name)
        written: dict[str, Numbers] = {}
        for events in self.events_:
            asked = Asked(events["times"], events["starts"], key_codes(X, events["keys"]), own)
            told = {f"{'_'.join(events['keys']['by'])}__{what}": values for what, values in self._told(asked).items()}
            written |= {name: np.where(np.isnan(own), np.nan, values) for name, values in told.items()}
        return pd.DataFrame(written, index=X.index, copy=False)


class EventCount(EventStep):
    """Count the events of a key within a time before or after each row: ``<by>__events_last_<n>_<unit>``, ``_next_``.

    An event just as far away as the window is long still counts. Without ``inclusive`` events at the row's own time do not
    count; with it they do, and the row itself counts as one, whether it is among the learnt events or not. A key that is
    missing or was not learnt has no events; a missing time has a missing count. The source columns stay.

    Parameters
    ----------
    by
        The key: a column, a list of columns that together are one key, or a list of such lists for several keys at once.
    time
        The column of times: dates, or numbers that count seconds.
    windows
        How long the time is in which events count, in ``unit``; a column for each.
    unit
        The unit of the windows.
    direction
        Count the events before the row (``last``), or those after it (``next``).
    inclusive
        Whether events at the row's own time count, and the row itself.

    Examples
    --------
    >>> X = pd.DataFrame({"ip": [7, 7, 7, 8], "at": [0.0, 50.0, 60.0, 60.0]})
    >>> EventCount("ip", time="at", windows=[1], unit="minute").fit_transform(X)["ip__events_last_1_minute"].tolist()
    [0.0, 1.0, 2.0, 0.0]
    """

    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"by": "Neighborhood", "time": "Sold", "windows": [7, 30], "unit": "day"},
        {"by": ["Street", "MSSubClass"], "time": "Remodelled", "windows": [0, 52], "unit": "week", "direction": "next", "inclusive": True},
        {"by": "PoolQC", "time": "LotFrontage", "windows": [10]},
    )

    def __init__(
        self,
        by: KeySets,
        *,
        time: str,
        windows: Sequence[float],
        unit: Unit = "second",
        direction: Literal["last", "next"] = "last",
        inclusive: bool = False,
    ) -> None:
        self.by = by
        self.time = time
        self.windows = windows
        self.unit = unit
        self.direction = direction
        self.inclusive = inclusive

    def check(self) -> None:
        """Check the windows."""
        super().check()
        if not self.windows or not all(0 <= window < np.inf for window in self.windows):
            raise InputError(f"Step 'event_count' needs windows of 0 or more {self.unit}s, such as [1, 24]; found {self.windows!r}.")

    def _told(self, asked: Asked) -> dict[str, Numbers]:
        before, up_to = asked.before(asked.own), asked.before(asked.own, including=True)
        own = np.maximum(up_to - before, 1) if self.inclusive else 0
        told = {}
        for window in dict.fromkeys(self.windows):
            seconds = window * SECONDS[self.unit]
            if self.direction == "last":
                counts = before - asked.before(asked.own - seconds)
            else:
                counts = asked.before(asked.own + seconds, including=True) - up_to
            told[f"events_{self.direction}_{window:g}_{self.unit}"] = (counts + own).astype(np.float64)
        return told


class EventGap(EventStep):
    """Measure the time to the nearest events of a key: ``<by>__<unit>s_since_last`` and ``<by>__<unit>s_to_next``.

    Events at the row's own time are passed over (``event_count`` with the window 0 counts them). Where there is no event
    the time is missing. The source columns stay.

    Parameters
    ----------
    by
        The key: a column, a list of columns that together are one key, or a list of such lists for several keys at once.
    time
        The column of times: dates, or numbers that count seconds.
    directions
        To the event before (``last``), to the one after (``next``), or both.
    unit
        The unit of the result.

    Examples
    --------
    >>> X = pd.DataFrame({"ip": [7, 7, 8], "at": [0.0, 50.0, 60.0]})
    >>> EventGap("ip", time="at").fit_transform(X)["ip__seconds_to_next"].tolist()
    [50.0, nan, nan]
    """

    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"by": "Neighborhood", "time": "Sold", "unit": "day"},
        {"by": ["Street", "HasAir"], "time": "LotArea", "directions": ["next"]},
    )

    def __init__(
        self,
        by: KeySets,
        *,
        time: str,
        directions: Sequence[Literal["last", "next"]] = ("last", "next"),
        unit: Unit = "second",
    ) -> None:
        self.by = by
        self.time = time
        self.directions = directions
        self.unit = unit

    def check(self) -> None:
        """Check that a direction is asked for."""
        super().check()
        if not self.directions:
            raise InputError("Step 'event_gap' needs at least one of the directions 'last' and 'next'.")

    def _told(self, asked: Asked) -> dict[str, Numbers]:
        told = {}
        for direction in dict.fromkeys(self.directions):
            found = asked.nearest(later=direction == "next")
            with np.errstate(over="ignore"):
                gap = bounded(np.abs(found - asked.own)) / SECONDS[self.unit]
            told[f"{self.unit}s_{_TOWARDS[direction]}"] = gap
        return told


class EventRank(EventStep):
    """Say which of a key's events a row is: ``<by>__events_<statistic>``.

    With the day among the columns ``by`` (``day_number`` of ``date_parts``) it is the rank within key and day. A key that
    is missing or was not learnt has no events. The source columns stay.

    Parameters
    ----------
    by
        The key: a column, a list of columns that together are one key, or a list of such lists for several keys at once.
    time
        The column of times: dates, or numbers that count seconds.
    statistics
        ``earlier`` and ``later``: how many events there are before and after the row; ``share``: the share of the key's
        events before it, from 0 to 1, those at its own time counted half (missing without events).

    Examples
    --------
    >>> X = pd.DataFrame({"ip": [7, 7, 7, 8], "at": [0.0, 50.0, 50.0, 60.0]})
    >>> EventRank("ip", time="at").fit_transform(X)["ip__events_earlier"].tolist()
    [0.0, 1.0, 1.0, 0.0]
    """

    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"by": "Neighborhood", "time": "Sold"},
        {"by": [["Street", "YrSold"], ["PoolQC"]], "time": "Remodelled", "statistics": ["earlier", "later", "share"]},
    )

    def __init__(self, by: KeySets, *, time: str, statistics: Sequence[Literal["earlier", "later", "share"]] = ("earlier",)) -> None:
        self.by = by
        self.time = time
        self.statistics = statistics

    def check(self) -> None:
        """Check that a statistic is asked for."""
        super().check()
        if not self.statistics:
            raise InputError("Step 'event_rank' needs at least one of the statistics 'earlier', 'later' and 'share'.")

    def _told(self, asked: Asked) -> dict[str, Numbers]:
        before, up_to, size = asked.before(asked.own), asked.before(asked.own, including=True), asked.all_events
        known = {
            "earlier": before.astype(np.float64),
            "later": (size - up_to).astype(np.float64),
            "share": np.where(size > 0, (before + up_to) / 2 / np.maximum(size, 1), np.nan),
        }
        return {f"events_{statistic}": known[statistic] for statistic in dict.fromkeys(self.statistics)}


_TOWARDS = {"last": "since_last", "next": "to_next"}
