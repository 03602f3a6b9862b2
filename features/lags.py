"""Single days of a key's history: the value so many days before, or on the last days that have one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from features.cutoffs import Days
from features.errors import InputError
from features.history import HistoryStep, KeySets, Narrow, Past, Positions, as_float32


class AsOfLag(HistoryStep):
    """Take a key's value some days before a row: ``<of>__lag_<days>d_by_<keys>``, or on its n-th last day seen: ``<of>__last_<n>_by_<keys>``.

    A row sees only rows of the history fitted on that lie before its cutoff, the same cutoff for training rows and new
    ones: a lag that reaches to the cutoff or beyond is missing, or goes back further with ``repeat``. Several rows of a key
    and day count as one with their mean. Missing where the key has no row on that day. float32.

    Parameters
    ----------
    date
        The date column; a time of day is cut off.
    by
        The key: a column, a list of columns that together are one key, or a list of such lists for several keys at once.
        ``[]`` takes all rows for one key.
    days
        Lags in days before the row's own day.
    span
        A lag is the mean of the days up to so many before and after it: 364 days with a span of 10 are the same three
        weeks of the year before.
    repeat
        Whether a lag goes back by its days again, until all it takes lies before the cutoff: 7 days, for a row ten days
        after its cutoff, are 14.
    last
        Which days before the cutoff, counted back over the days that the key has a row on: 1 is the last one.
    of
        The numeric column to look up; the target, as models see it, when not given. Missing values are no history.
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
    >>> X = pd.DataFrame({"shop": [1, 1, 1], "day": pd.to_datetime(["2015-01-01", "2015-01-02", "2015-01-03"])})
    >>> AsOfLag("day", by="shop", days=[1]).fit_transform(X, pd.Series([4.0, 6.0, 9.0]))["target__lag_1d_by_shop"].tolist()
    [nan, 4.0, 6.0]
    """

    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"date": "Sold", "by": "Neighborhood", "days": [30, 364], "span": 40},
        {"date": "Sold", "by": [["Neighborhood"], []], "days": [7], "repeat": True, "last": [1, 2, 5], "block": 42},
        {"date": "Remodelled", "by": ["Street", "MSSubClass"], "last": [1], "of": "LotArea", "gap": 30, "label_delay": 2},
    )

    def __init__(
        self,
        date: str,
        *,
        by: KeySets,
        days: Sequence[int] = (),
        span: int = 0,
        repeat: bool = False,
        last: Sequence[int] = (),
        of: str | None = None,
        gap: int | None = None,
        block: int | None = None,
        label_delay: int = 0,
    ) -> None:
        self.date = date
        self.by = by
        self.days = days
        self.span = span
        self.repeat = repeat
        self.last = last
        self.of = of
        self.gap = gap
        self.block = block
        self.label_delay = label_delay

    def check(self) -> None:
        """Check lags and cutoff."""
        super().check()
        if not self.days and not self.last:
            raise InputError(f"Step {self.name!r} needs lags: 'days: [7, 364]', or 'last: [1, 2]' for the last days seen.")
        wrong = [lag for lag in (*self.days, *self.last) if lag < 1]
        if wrong or self.span < 0:
            raise InputError(
                f"Step {self.name!r} needs lags of at least 1 and a span of at least 0 days; found {wrong or f'span={self.span}'}."
            )

    def _look_back(self, past: Past, groups: Positions, cutoffs: Days, days: Days) -> Iterator[tuple[str, Narrow]]:
        from features.kernels.segments import means

        daily = past.by_day()
        for lag in dict.fromkeys(self.days):
            back = lag * np.maximum(-((cutoffs - 1 - self.span - days) // lag), 1) if self.repeat else np.full(len(days), lag)
            centre = days - back
            is_seen = centre + self.span < cutoffs
            first = daily.before(groups, centre - self.span)
            until = np.where(is_seen, daily.before(groups, centre + self.span + 1), first)
            yield f"lag_{lag}d", as_float32(means(daily.values, first, until)[:, 0])
        start, end = daily.start(groups), daily.before(groups, cutoffs)
        for number in dict.fromkeys(self.last):
            at = end - number
            found = daily.values[np.clip(at, 0, len(daily.values) - 1)] if len(daily.values) else np.full(len(at), np.nan)
            yield f"last_{number}", as_float32(np.where((at >= start) & (groups >= 0), found, np.nan))
