"""Statistics of a key's history as of a row's cutoff, over several windows of time at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from features.cutoffs import Days
from features.errors import InputError
from features.history import HistoryStep, KeySets, Narrow, Past, Positions, as_float32, distinct
from features.numbers import Numbers

Statistic = Literal["mean", "median", "sd", "hmean", "min", "max", "skew", "kurtosis", "count", "age", "q10", "q25", "q75", "q90"]

_SHARES = {"median": 0.5, "q10": 0.1, "q25": 0.25, "q75": 0.75, "q90": 0.9}
_OTHERS = ("mean", "sd", "hmean", "min", "max", "skew", "kurtosis", "count", "age")


class AsOfStatistics(HistoryStep):
    """Summarise what a row's keys did before its cutoff: ``<of>__<statistic>_<window>_by_<keys>``, such as ``target__mean_91d_by_Store``.

    A row sees only rows of the history fitted on that lie before its cutoff, the same cutoff for training rows and new
    ones. A window goes back from the cutoff. Rows without a date or a part of the key are no history and see none; a key
    without history has missing statistics and a count of 0. Several rows of a key and day all count. Results are float32
    (seven digits). The cost is that of going through each window of each key and cutoff once: blocks make it small.

    Parameters
    ----------
    date
        The date column; a time of day is cut off.
    by
        The key: a column, a list of columns that together are one key, or a list of such lists for several keys at once.
        ``[]`` takes all rows for one key.
    windows
        How far each window goes back: a number of days (``91``), ``all``, or ``last_10`` for the last ten days that have
        rows of the key.
    statistics
        ``mean``, ``median``, ``sd`` (of the population), ``hmean`` (harmonic mean, missing unless all values are above 0),
        ``min``, ``max``, ``skew`` and ``kurtosis`` (excess; of at least three and four values, 0 without spread),
        ``count``, ``age`` (days from the last row in the window to the cutoff; 1 is the day before), and the quantiles
        ``q10``, ``q25``, ``q75``, ``q90``.
    of
        The numeric column to summarise; the target, as models see it, when not given. Missing values are no history.
    min_count
        How many rows a statistic needs to be there (a count is always there).
    gap
        A row's cutoff is its day less so many days, and so many whole days lie between it and what it sees. 0, the day
        before is seen, when neither ``gap`` nor ``block`` is given.
    block
        A row's cutoff is the first day of its block of so many days. Blocks are counted from the day after the last
        fitted label, back and forth: with blocks as long as the horizon, training rows are as far from their history as
        the rows to be predicted.
    label_delay
        After how many days a value is known; cutoffs move back by as much.

    Examples
    --------
    >>> import pandas as pd
    >>> X = pd.DataFrame({"shop": [1, 1, 1], "day": pd.to_datetime(["2015-01-01", "2015-01-02", "2015-01-05"])})
    >>> step = AsOfStatistics("day", by="shop", windows=["all"], statistics=["mean"])
    >>> step.fit_transform(X, pd.Series([4.0, 6.0, 9.0]))["target__mean_all_by_shop"].tolist()
    [nan, 4.0, 5.0]
    """

    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"date": "Sold", "by": "Neighborhood", "windows": [200, "all"], "statistics": ["mean", "median", "count"]},
        {
            "date": "Sold",
            "by": [["Neighborhood"], ["Neighborhood", "Street"], []],
            "windows": [365, "last_5"],
            "statistics": [*_OTHERS, *_SHARES],
            "of": "LotArea",
            "min_count": 2,
            "block": 42,
            "label_delay": 3,
        },
        {"date": "Remodelled", "by": ["Street", "MSSubClass"], "gap": 30},
    )

    def __init__(
        self,
        date: str,
        *,
        by: KeySets,
        windows: Sequence[int | str] = (91, 365, "all"),
        statistics: Sequence[Statistic] = ("mean", "median", "sd"),
        of: str | None = None,
        min_count: int = 1,
        gap: int | None = None,
        block: int | None = None,
        label_delay: int = 0,
    ) -> None:
        self.date = date
        self.by = by
        self.windows = windows
        self.statistics = statistics
        self.of = of
        self.min_count = min_count
        self.gap = gap
        self.block = block
        self.label_delay = label_delay

    def check(self) -> None:
        """Check windows, statistics and cutoff."""
        super().check()
        wrong = [window for window in self.windows if not _is_window(window)]
        if wrong or not self.windows:
            raise InputError(f"Step {self.name!r} takes windows such as 91 (days), 'all' or 'last_10'; found {wrong or 'none'}.")
        if not self.statistics:
            raise InputError(f"Step {self.name!r} needs at least one of 'statistics', such as mean.")
        if self.min_count < 1:
            raise InputError(f"Step {self.name!r} needs 'min_count' of at least 1 row, found {self.min_count!r}.")

    def _look_back(self, past: Past, groups: Positions, cutoffs: Days, days: Days) -> Iterator[tuple[str, Narrow]]:
        asked_groups, asked_cutoffs, asked = distinct(groups, cutoffs)
        last = past.before(asked_groups, asked_cutoffs)
        windows, wanted = list(dict.fromkeys(self.windows)), list(dict.fromkeys(self.statistics))
        first = [_window_start(past, window, asked_groups, asked_cutoffs, last) for window in windows]
        averages = _averages(past, first, last) if {"mean", "sd"} & {*wanted} else []
        for number, window in enumerate(windows):
            found = {
                "count": (last - first[number]).astype(np.float64),
                **({"mean": averages[number][:, 0], "sd": averages[number][:, 1]} if averages else {}),
                **_by_share(past, first[number], last, wanted),
                **_by_shape(past, first[number], last, wanted),
            }
            is_enough = last - first[number] >= self.min_count
            if "age" in wanted:
                found["age"] = _ages(past, last, asked_cutoffs, is_enough)
            for statistic in wanted:
                values = found[statistic] if statistic == "count" else np.where(is_enough, found[statistic], np.nan)
                yield f"{statistic}_{window if isinstance(window, str) else f'{window}d'}", as_float32(values)[asked]


def _averages(past: Past, first: Sequence[Positions], last: Positions) -> list[Numbers]:
    """The means and deviations of the slices of each window, shape (n_slices, 2), in one pass through the longest."""
    from features.kernels.segments import nested_means

    shortest_first = np.argsort([-starts.sum() for starts in first], kind="stable")
    found = nested_means(past.values, np.stack([first[number] for number in shortest_first], axis=1), last)
    return [found[:, place] for place in np.argsort(shortest_first)]


def _by_share(past: Past, first: Positions, last: Positions, wanted: Iterable[str]) -> dict[str, Numbers]:
    """The quantiles among the statistics."""
    from features.kernels.segments import quantiles

    names = [name for name in wanted if name in _SHARES]
    return (
        dict(zip(names, quantiles(past.values, first, last, np.array([_SHARES[name] for name in names])).T, strict=True)) if names else {}
    )


def _by_shape(past: Past, first: Positions, last: Positions, wanted: Iterable[str]) -> dict[str, Numbers]:
    """The extremes, the harmonic mean and the shape of the distribution, where one of them is among the statistics."""
    from features.kernels.segments import extremes, harmonic_means, shapes

    kernels = {("hmean",): harmonic_means, ("min", "max"): extremes, ("skew", "kurtosis"): shapes}
    asked = [(names, kernel) for names, kernel in kernels.items() if {*names} & {*wanted}]
    found = [(names, kernel(past.values, first, last).reshape(len(first), len(names))) for names, kernel in asked]
    return {name: table[:, number] for names, table in found for number, name in enumerate(names)}


def _ages(past: Past, last: Positions, cutoffs: Days, is_enough: NDArray[np.bool_]) -> Numbers:
    """Days from the last row of each slice to its cutoff."""
    ages = np.full(len(last), np.nan)
    ages[is_enough] = cutoffs[is_enough] - past.days[last[is_enough] - 1]
    return ages


def _is_window(window: object) -> bool:
    if isinstance(window, str):
        return window == "all" or re.fullmatch(r"last_[1-9]\d*", window) is not None
    return isinstance(window, int) and not isinstance(window, bool) and window >= 1


def _window_start(past: Past, window: int | str, groups: Positions, cutoffs: Days, last: Positions) -> Positions:
    """Where the slices of a window begin; ``last`` is where they end."""
    if isinstance(window, int):
        return past.before(groups, cutoffs - window)
    start = past.start(groups)
    if window == "all" or not len(past.order):
        return start
    is_first = np.diff(past.order, prepend=-1) != 0
    begins = np.flatnonzero(is_first)
    nth_day = np.cumsum(is_first) - 1
    back = nth_day[np.maximum(last, 1) - 1] - int(window.removeprefix("last_")) + 1
    return np.where(last > start, np.maximum(begins[np.maximum(back, 0)], start), last)
