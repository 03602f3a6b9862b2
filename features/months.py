"""Months: is a row's month in a list, and how long ago was a year and month, or a year and week."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from features.columns import Selection, select
from features.cutoffs import NO_DAY, day_numbers
from features.dates import as_dates
from features.errors import InputError
from features.expressions import as_text
from features.numbers import Numbers, as_numbers
from features.step import Step

_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december")

DAYS_A_MONTH = 146097 / 4800
"""The mean length of a month: 400 years of the Gregorian calendar have 146,097 days."""


class MonthInList(Step):
    """Say whether the month of a row's date is in a list such as ``Jan,Apr,Jul,Sept``: ``<column>__has_month``, 1 or 0.

    Months are English names cut after three letters or more, in any case, or numbers 1 to 12; what stands between them is
    a comma, a semicolon or a blank. A missing list has no month (0). Missing for a row without a date, and where a part of
    the list names no month. The source columns stay.

    Parameters
    ----------
    columns
        The columns that hold lists of months.
    date
        The date column.

    Examples
    --------
    >>> X = pd.DataFrame({"promo": ["Mar,Jun,Sept,Dec", None], "day": pd.to_datetime(["2015-09-01", "2015-09-01"])})
    >>> MonthInList("promo", date="day").fit_transform(X)["promo__has_month"].tolist()
    [1.0, 0.0]
    """

    accepts = ("text", "categorical", "numeric")
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"columns": ["Rooms", "Quarter"], "date": "Sold"},
        {"columns": "PoolQC", "date": "Sold"},
    )

    def __init__(self, columns: Selection, *, date: str) -> None:
        self.columns = columns
        self.date = date

    def _beside(self, X: pd.DataFrame) -> list[str]:
        return select(X, [self.date])

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        dates = as_dates(X[self.date], self.name)
        month = dates.dt.month.to_numpy(dtype=np.float64, na_value=np.nan)
        return pd.DataFrame({f"{column}__has_month": _has_month(as_text(X[column]), month) for column in self.selected_}, index=X.index)


class MonthsSince(Step):
    """Count the months from a year and month, or from a year and ISO week, to a row's date: ``<year>__months_since``.

    From a month, the calendar's borders that lie between are counted, so that the last of January and the first of
    February are one month apart; from a week, its Monday's distance in months of 30.44 days, with fractions. Negative
    before the start. Missing where a part is missing or is no year (1 to 9999), month (1 to 12) or week (1 to 53). The
    source columns stay.

    Parameters
    ----------
    date
        The date column.
    year
        The numeric column of years.
    month
        The numeric column of months 1 to 12; exactly one of ``month`` and ``week`` is given.
    week
        The numeric column of ISO 8601 weeks.
    floor
        The smallest count written (0 makes a start that is still to come count as now).
    cap
        The largest count written.

    Examples
    --------
    >>> X = pd.DataFrame({"y": [2014.0, 2016.0], "m": [11.0, 1.0], "day": pd.to_datetime(["2015-01-31", "2015-01-31"])})
    >>> MonthsSince("day", year="y", month="m", floor=0).fit_transform(X)["y__months_since"].tolist()
    [2.0, 0.0]
    """

    accepts = ("dates",)
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"date": "Sold", "year": "YearBuilt", "week": "MSSubClass", "cap": 600},
        {"date": "Remodelled", "year": "YrSold", "month": "LotFrontage", "floor": 0},
    )

    def __init__(
        self,
        date: str,
        *,
        year: str,
        month: str | None = None,
        week: str | None = None,
        floor: float | None = None,
        cap: float | None = None,
    ) -> None:
        self.date = date
        self.year = year
        self.month = month
        self.week = week
        self.floor = floor
        self.cap = cap

    def check(self) -> None:
        """Check that a month or a week is named, and the bounds."""
        super().check()
        if (self.month is None) == (self.week is None):
            raise InputError("Step 'months_since' needs the column of the 'month' or that of the 'week' beside 'year', one of them.")
        if self.floor is not None and self.cap is not None and self.floor > self.cap:
            raise InputError(f"Step 'months_since' has a floor of {self.floor:g} above its cap of {self.cap:g}. Swap them.")

    def _selected(self, X: pd.DataFrame) -> list[str]:
        return select(X, [self.date])

    def _beside(self, X: pd.DataFrame) -> list[str]:
        return select(X, [self.year, *(part for part in (self.month, self.week) if part is not None)])

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        year = _whole(as_numbers(X[self.year], self.name), 1, 9999)
        if self.week is None:
            month = _whole(as_numbers(X[str(self.month)], self.name), 1, 12)
            dates = as_dates(X[self.date], self.name)
            months = 12 * (dates.dt.year.to_numpy(np.float64, na_value=np.nan) - year)
            months += dates.dt.month.to_numpy(np.float64, na_value=np.nan) - month
        else:
            days = day_numbers(X[self.date], self.name)
            monday = week_starts(year, _whole(as_numbers(X[self.week], self.name), 1, 53))
            months = (np.where(days == NO_DAY, np.nan, days) - monday) / DAYS_A_MONTH
        low, high = (-np.inf if self.floor is None else self.floor), (np.inf if self.cap is None else self.cap)
        return pd.DataFrame({f"{self.year}__months_since": np.clip(months, low, high)}, index=X.index)


def week_starts(year: Numbers, week: Numbers) -> Numbers:
    """The Mondays of ISO weeks as days since 1970-01-01; missing where year or week is.

    >>> week_starts(np.array([2015.0]), np.array([1.0])).tolist()  # 2014-12-29
    [16433.0]
    """
    known = ~np.isnan(year)
    fourth = (np.where(known, year, 1970).astype(np.int64) - 1970).astype("datetime64[Y]").astype("datetime64[D]").astype(np.int64) + 3
    # the fourth of January always lies in week 1, and day 0 was a Thursday
    first_monday = fourth - (fourth + 3) % 7
    return np.where(known, first_monday + 7 * (week - 1), np.nan)


def _whole(values: Numbers, least: int, most: int) -> Numbers:
    """Whole numbers within bounds; everything else missing."""
    is_fine = (values >= least) & (values <= most) & (values == np.floor(values))
    return np.where(is_fine, values, np.nan)


def _has_month(lists: pd.Series, month: Numbers) -> Numbers:
    """1 where a row's month is in its list, 0 where not; lists are read once each."""
    codes, different = pd.factorize(lists)
    table = np.zeros((len(different) + 1, 13))
    for number, text in enumerate(different):
        table[number] = _months_of(str(text))
    at = np.where(np.isnan(month), 0, month).astype(np.int64)
    # a missing list has code -1, the last row: no month
    return np.where(np.isnan(month), np.nan, table[codes, at])


def _months_of(text: str) -> Numbers:
    """Flags of the months 1 to 12 in a list, at their numbers; NaN throughout where a part is no month."""
    flags = np.zeros(13)
    for part in filter(None, re.split(r"[,;\s]+", text.strip().lower())):
        number = _month_number(part)
        if number is None:
            return np.full(13, np.nan)
        flags[number] = 1.0
    return flags


def _month_number(part: str) -> int | None:
    if part.isascii() and part.isdigit():
        return int(part) if 1 <= int(part) <= 12 else None
    return next((number for number, name in enumerate(_MONTHS, start=1) if len(part) >= 3 and name.startswith(part)), None)
