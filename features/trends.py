"""Where a key's history is heading as of a row's cutoff: recent means, lines and the change on the year before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np

from features.cutoffs import Days
from features.errors import InputError
from features.history import HistoryStep, KeySets, Narrow, Past, Positions, as_float32, distinct
from features.numbers import Numbers


class AsOfExponentialMean(HistoryStep):
    """Average a key's history with weights that fade with age: ``<of>__ewm_<half_life>d_by_<keys>``.

    A row sees only rows of the history fitted on that lie before its cutoff, the same cutoff for training rows and new
    ones. Several rows of a key and day all count. Missing for a key without history. float32.

    Parameters
    ----------
    date
        The date column; a time of day is cut off.
    by
        The key: a column, a list of columns that together are one key, or a list of such lists for several keys at once.
        ``[]`` takes all rows for one key.
    half_life
        After how many days a row's weight is halved; several give a column each.
    of
        The numeric column to average; the target, as models see it, when not given. Missing values are no history.
    gap
        A row's cutoff is its day less so many days. 0, the day before is seen, when neither ``gap`` nor ``block`` is given.
    block
        A row's cutoff is the first day of its block of so many days, counted from the day after the last fitted label,
        back and forth.
    label_delay
        After how many days a value is known; cutoffs move back by as much.
    """

    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"date": "Sold", "by": "Neighborhood"},
        {"date": "Sold", "by": [["Neighborhood", "Street"], []], "half_life": [0.5, 90], "of": "LotArea", "block": 42, "label_delay": 3},
    )

    def __init__(
        self,
        date: str,
        *,
        by: KeySets,
        half_life: Sequence[float] = (30,),
        of: str | None = None,
        gap: int | None = None,
        block: int | None = None,
        label_delay: int = 0,
    ) -> None:
        self.date = date
        self.by = by
        self.half_life = half_life
        self.of = of
        self.gap = gap
        self.block = block
        self.label_delay = label_delay

    def check(self) -> None:
        """Check half-lives and cutoff."""
        super().check()
        wrong = [days for days in self.half_life if not (days > 0 and np.isfinite(days))]
        if wrong or not self.half_life:
            raise InputError(f"Step {self.name!r} needs half-lives above 0 days, such as [30]; found {wrong or 'none'}.")

    def _look_back(self, past: Past, groups: Positions, cutoffs: Days, days: Days) -> Iterator[tuple[str, Narrow]]:
        from features.kernels.segments import decayed_means

        asked_groups, asked_cutoffs, asked = distinct(groups, cutoffs)
        first, last = past.start(asked_groups), past.before(asked_groups, asked_cutoffs)
        for half_life in dict.fromkeys(self.half_life):
            yield f"ewm_{half_life:g}d", as_float32(decayed_means(past.days, past.values, first, last, float(half_life)))[asked]


class AsOfTrend(HistoryStep):
    """Draw a line through a key's history and read it on the row's day: ``<of>__trend_<window>d_by_<keys>``; its slope a day: ``<of>__slope_<window>d_by_<keys>``.

    The line is a ridge regression on time. A row sees only rows of the history fitted on that lie before its cutoff, the
    same cutoff for training rows and new ones. Several rows of a key and day all count. Missing for a key without rows in
    the window. float32.

    Parameters
    ----------
    date
        The date column; a time of day is cut off.
    by
        The key: a column, a list of columns that together are one key, or a list of such lists for several keys at once.
        ``[]`` takes all rows for one key.
    windows
        How many days before the cutoff each line is drawn through.
    ridge
        How strongly a slope is pulled to 0: as strongly as so many rows at the far end of the window say there is none.
    of
        The numeric column to follow; the target, as models see it, when not given. Missing values are no history.
    gap
        A row's cutoff is its day less so many days. 0, the day before is seen, when neither ``gap`` nor ``block`` is given.
    block
        A row's cutoff is the first day of its block of so many days, counted from the day after the last fitted label,
        back and forth.
    label_delay
        After how many days a value is known; cutoffs move back by as much.

    Examples
    --------
    >>> import pandas as pd
    >>> X = pd.DataFrame({"shop": 1, "day": pd.to_datetime(["2015-01-01", "2015-01-02", "2015-01-03"])})
    >>> step = AsOfTrend("day", by="shop", windows=[10], ridge=0)
    >>> step.fit_transform(X, pd.Series([4.0, 6.0, 9.0]))["target__trend_10d_by_shop"].tolist()
    [nan, 4.0, 8.0]
    """

    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"date": "Sold", "by": "Neighborhood", "windows": [91, 365]},
        {"date": "Sold", "by": [["Street"], []], "windows": [300], "ridge": 0, "of": "LotArea", "block": 42, "label_delay": 3},
    )

    def __init__(
        self,
        date: str,
        *,
        by: KeySets,
        windows: Sequence[int] = (91, 365),
        ridge: float = 3.0,
        of: str | None = None,
        gap: int | None = None,
        block: int | None = None,
        label_delay: int = 0,
    ) -> None:
        self.date = date
        self.by = by
        self.windows = windows
        self.ridge = ridge
        self.of = of
        self.gap = gap
        self.block = block
        self.label_delay = label_delay

    def check(self) -> None:
        """Check windows, ridge and cutoff."""
        super().check()
        wrong = [window for window in self.windows if window < 2]
        if wrong or not self.windows:
            raise InputError(f"Step {self.name!r} needs windows of at least 2 days, such as [91, 365]; found {wrong or 'none'}.")
        if not (self.ridge >= 0 and np.isfinite(self.ridge)):
            raise InputError(f"Step {self.name!r} needs a ridge of 0 or more rows, found {self.ridge!r}.")

    def _look_back(self, past: Past, groups: Positions, cutoffs: Days, days: Days) -> Iterator[tuple[str, Narrow]]:
        from features.kernels.segments import lines

        asked_groups, asked_cutoffs, asked = distinct(groups, cutoffs)
        last = past.before(asked_groups, asked_cutoffs)
        for window in dict.fromkeys(self.windows):
            first = past.before(asked_groups, asked_cutoffs - window)
            day, value, slope = lines(past.days, past.values, first, last, float(self.ridge) * window**2)[asked].T
            yield f"trend_{window}d", as_float32(value + slope * (days - day))
            yield f"slope_{window}d", as_float32(slope)


class AsOfYearOnYear(HistoryStep):
    """Compare a key's mean over the last days with the same days a year earlier: ``<of>__year_on_year_<window>d_by_<keys>``.

    A year is 364 days, so that weekdays meet weekdays. A row sees only rows of the history fitted on that lie before its
    cutoff, the same cutoff for training rows and new ones. Several rows of a key and day all count. Missing where either
    stretch has no row. float32.

    Parameters
    ----------
    date
        The date column; a time of day is cut off.
    by
        The key: a column, a list of columns that together are one key, or a list of such lists for several keys at once.
        ``[]`` takes all rows for one key.
    windows
        How many days before the cutoff are compared, at most 364.
    how
        ``difference`` of the means, which for a target on a logarithmic scale is the logarithm of a ratio, or ``ratio``
        (missing where the earlier mean is 0).
    of
        The numeric column to compare; the target, as models see it, when not given. Missing values are no history.
    gap
        A row's cutoff is its day less so many days. 0, the day before is seen, when neither ``gap`` nor ``block`` is given.
    block
        A row's cutoff is the first day of its block of so many days, counted from the day after the last fitted label,
        back and forth.
    label_delay
        After how many days a value is known; cutoffs move back by as much.
    """

    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"date": "Sold", "by": "Street", "windows": [60]},
        {"date": "Sold", "by": [["Street"], []], "windows": [200], "how": "ratio", "of": "LotArea", "block": 42, "label_delay": 3},
    )

    def __init__(
        self,
        date: str,
        *,
        by: KeySets,
        windows: Sequence[int] = (28,),
        how: Literal["difference", "ratio"] = "difference",
        of: str | None = None,
        gap: int | None = None,
        block: int | None = None,
        label_delay: int = 0,
    ) -> None:
        self.date = date
        self.by = by
        self.windows = windows
        self.how = how
        self.of = of
        self.gap = gap
        self.block = block
        self.label_delay = label_delay

    def check(self) -> None:
        """Check windows and cutoff."""
        super().check()
        wrong = [window for window in self.windows if not 1 <= window <= YEAR]
        if wrong or not self.windows:
            raise InputError(f"Step {self.name!r} needs windows of 1 to {YEAR} days, such as [28]; found {wrong or 'none'}.")

    def _look_back(self, past: Past, groups: Positions, cutoffs: Days, days: Days) -> Iterator[tuple[str, Narrow]]:
        from features.kernels.segments import means

        asked_groups, asked_cutoffs, asked = distinct(groups, cutoffs)

        def mean(first: Days, last: Days) -> Numbers:
            return means(past.values, past.before(asked_groups, first), past.before(asked_groups, last))[:, 0]

        for window in dict.fromkeys(self.windows):
            now = mean(asked_cutoffs - window, asked_cutoffs)
            before = mean(asked_cutoffs - window - YEAR, asked_cutoffs - YEAR)
            yield f"year_on_year_{window}d", as_float32(now - before if self.how == "difference" else _ratio(now, before))[asked]


YEAR = 364
"""Days of a year of whole weeks."""


def _ratio(now: Numbers, before: Numbers) -> Numbers:
    """Now over before; missing where that is 0."""
    return np.asarray(np.divide(now, before, out=np.full(len(now), np.nan), where=before != 0))
