"""Numbers from dates: parts of the calendar, time between two dates, hours of a count of seconds, and circles."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd

from features.columns import Selection, kind_of
from features.errors import InputError, closest, listed
from features.numbers import Numbers, as_numbers
from features.step import Step

_EPOCH = pd.Timestamp("1970-01-01")
_SECONDS = {"seconds": 1.0, "hours": 3600.0, "days": 86400.0, "weeks": 7 * 86400.0}

PARTS: dict[str, Callable[[Any], Any]] = {
    "year": lambda dt: dt.year,
    "quarter": lambda dt: dt.quarter,
    "month": lambda dt: dt.month,
    "week": lambda dt: dt.isocalendar().week,
    "iso_year": lambda dt: dt.isocalendar().year,
    "day": lambda dt: dt.day,
    "day_of_year": lambda dt: dt.day_of_year,
    "weekday": lambda dt: dt.day_of_week,
    "hour": lambda dt: dt.hour,
    "minute": lambda dt: dt.minute,
    "second": lambda dt: dt.second,
    "days_in_month": lambda dt: dt.days_in_month,
    "is_weekend": lambda dt: dt.day_of_week >= 5,
    "is_month_start": lambda dt: dt.is_month_start,
    "is_month_end": lambda dt: dt.is_month_end,
    "is_quarter_end": lambda dt: dt.is_quarter_end,
    "is_year_end": lambda dt: dt.is_year_end,
}

Part = Literal[
    "year",
    "quarter",
    "month",
    "week",
    "iso_year",
    "day",
    "day_of_year",
    "weekday",
    "hour",
    "minute",
    "second",
    "days_in_month",
    "is_weekend",
    "is_month_start",
    "is_month_end",
    "is_quarter_end",
    "is_year_end",
    "day_number",
]


class DateParts(Step):
    """Read parts of the calendar off dates: ``<column>__<part>``, numbers.

    A missing date has missing parts. The source columns stay.

    Parameters
    ----------
    columns
        The date columns to read.
    parts
        ``year``, ``quarter``, ``month``, ``week`` and ``iso_year`` (ISO 8601), ``day``, ``day_of_year``, ``weekday`` (0 is
        Monday), ``hour``, ``minute``, ``second``, ``days_in_month``, ``day_number`` (days since 1970-01-01), and the flags
        0 or 1 ``is_weekend``, ``is_month_start``, ``is_month_end``, ``is_quarter_end``, ``is_year_end``.

    Examples
    --------
    >>> X = pd.DataFrame({"sold": pd.to_datetime(["2014-12-29"])})
    >>> DateParts("sold", parts=["week", "iso_year"]).fit(X).write(X).to_numpy().tolist()
    [[1.0, 2015.0]]
    """

    accepts = ("dates",)
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = ({}, {"columns": ["Sold"], "parts": [*PARTS, "day_number"]})

    def __init__(self, columns: Selection = "dates", *, parts: Sequence[Part] = ("year", "month", "day", "weekday")) -> None:
        self.columns = columns
        self.parts = parts

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        dates = {column: as_dates(X[column], self.name) for column in self.selected_}
        written = {f"{column}__{part}": _part(dates[column], part) for column in self.selected_ for part in dict.fromkeys(self.parts)}
        return pd.DataFrame(written, index=X.index)


class DateDifference(Step):
    """Count the time from one date to another: ``<column>__<unit>_since_<since>``.

    It is negative where the column's date is the earlier one, and missing where either date is. The source columns stay.

    Parameters
    ----------
    columns
        The later dates.
    since
        The earlier date: the name of a date column, or one date for all rows, written as 2010-01-31.
    unit
        ``seconds``, ``hours``, ``days`` and ``weeks`` count fractions; ``months`` and ``years`` count the calendar's
        borders that lie between, so that the last of January and the first of February are one month apart.

    Examples
    --------
    >>> X = pd.DataFrame({"sold": pd.to_datetime(["2010-03-01"])})
    >>> DateDifference("sold", since="2009-11-30", unit="months").fit(X).write(X).iloc[0].tolist()
    [4.0]
    """

    accepts = ("dates",)
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"columns": ["Sold"], "since": "Remodelled"},
        {"columns": "dates", "since": "2009-06-30", "unit": "months"},
    )

    def __init__(
        self, columns: Selection, *, since: str, unit: Literal["seconds", "hours", "days", "weeks", "months", "years"] = "days"
    ) -> None:
        self.columns = columns
        self.since = since
        self.unit = unit

    def _beside(self, X: pd.DataFrame) -> list[str]:
        if self.since not in X.columns:
            self._fixed(X.columns)
            return []
        if kind_of(X[self.since]) != "dates":
            raise InputError(
                f"Step 'date_difference' needs dates in 'since'; column {self.since!r} is {kind_of(X[self.since])}. "
                "Cast it first: 'cast: {columns: [...], to: date}'."
            )
        return [self.since]

    def _fixed(self, there: Sequence[str] | pd.Index) -> pd.Timestamp:
        try:
            return pd.Timestamp(str(self.since))
        except ValueError as error:
            raise InputError(
                f"Step 'date_difference' has since={self.since!r}, which is neither a date (2010-01-31) nor a column; there are "
                f"{listed(there)}.{closest(self.since, there)}"
            ) from error

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        since = as_dates(X[self.since], self.name) if self.since in self.reads_ else pd.Series(self._fixed(self.reads_), index=X.index)
        later = {column: as_dates(X[column], self.name) for column in self.selected_}
        written = {f"{column}__{self.unit}_since_{self.since}": _elapsed(dates, since, self.unit) for column, dates in later.items()}
        return pd.DataFrame(written, index=X.index)


class SecondsToHour(Step):
    """Read the hour of the day, 0 to 23, off a running count of seconds: ``<column>__hour``.

    Missing stays missing. The source columns stay.

    Parameters
    ----------
    columns
        The numeric columns that count seconds.
    start
        The hour of the day at second 0.

    Examples
    --------
    >>> SecondsToHour("Time").fit_transform(pd.DataFrame({"Time": [0.0, 3600.0, 90000.0]}))["Time__hour"].tolist()
    [0.0, 1.0, 1.0]
    """

    accepts = ("numeric",)
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = ({"columns": ["LotArea"]}, {"columns": ["LotFrontage", "Slope"], "start": 6.0})

    def __init__(self, columns: Selection, *, start: float = 0.0) -> None:
        self.columns = columns
        self.start = start

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({f"{column}__hour": self._hours(as_numbers(X[column], self.name)) for column in self.selected_}, index=X.index)

    def _hours(self, seconds: Numbers) -> Numbers:
        # the remainder of a tiny negative number rounds up to the whole day
        return np.mod(np.floor(np.mod(seconds + 3600.0 * self.start, 86400.0) / 3600.0), 24.0)


class Cyclic(Step):
    """Put a number that starts over onto a circle: ``<column>__sin`` and ``<column>__cos``.

    So December stands beside January. Missing stays missing. The source columns stay.

    Parameters
    ----------
    columns
        The numeric columns (``month``, ``weekday``, ``hour`` of ``date_parts``, say).
    period
        After how many units the number starts over: 12 for months, 7 for weekdays, 24 for hours.

    Examples
    --------
    >>> Cyclic("hour", period=24).fit_transform(pd.DataFrame({"hour": [0, 6]})).round(9).to_numpy().tolist()
    [[0.0, 0.0, 1.0], [6.0, 1.0, 0.0]]
    """

    accepts = ("numeric",)
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = ({"columns": ["MSSubClass"], "period": 12}, {"columns": "numeric", "period": 7.5})

    def __init__(self, columns: Selection, *, period: float) -> None:
        self.columns = columns
        self.period = period

    def check(self) -> None:
        """Check the period."""
        super().check()
        if not self.period > 0 or not np.isfinite(self.period):
            raise InputError(f"Step 'cyclic' needs a period above 0, such as 12 for months; found {self.period!r}.")

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        written: dict[str, Numbers] = {}
        for column in self.selected_:
            angle = 2 * np.pi * np.mod(as_numbers(X[column], self.name), self.period) / self.period
            written |= {f"{column}__sin": np.sin(angle), f"{column}__cos": np.cos(angle)}
        return pd.DataFrame(written, index=X.index)


def as_dates(column: pd.Series, step: str) -> pd.Series:
    """A column's dates without a time zone (one is turned into UTC), missing as NaT.

    Raises
    ------
    InputError
        When the column holds something else; one that is missing throughout counts as dates.
    """
    if kind_of(column) == "dates":
        return column.dt.tz_convert("UTC").dt.tz_localize(None) if getattr(column.dt, "tz", None) is not None else column
    if not bool(column.isna().all()):
        raise InputError(
            f"Step {step!r} needs dates in column {column.name!r}; it holds {kind_of(column)} ({column.dtype}). "
            "Cast it first: 'cast: {columns: [...], to: date}'."
        )
    return pd.Series(pd.NaT, index=column.index, dtype="datetime64[us]")


def _part(dates: pd.Series, part: str) -> Numbers:
    if part == "day_number":
        return np.asarray(np.floor((dates - _EPOCH).dt.total_seconds() / _SECONDS["days"]), dtype=np.float64)
    values = pd.Series(PARTS[part](dates.dt)).to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(dates.isna().to_numpy(), np.nan, values)


def _elapsed(later: pd.Series, since: pd.Series, unit: str) -> Numbers:
    years = later.dt.year - since.dt.year
    if unit == "years":
        return np.asarray(years, dtype=np.float64)
    if unit == "months":
        return np.asarray(12 * years + later.dt.month - since.dt.month, dtype=np.float64)
    return np.asarray((later - since).dt.total_seconds() / _SECONDS[unit], dtype=np.float64)
