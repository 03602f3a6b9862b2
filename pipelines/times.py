"""Raw columns as times: dates or running numbers, read strictly."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.columns import kind_of
from features.errors import InputError, listed
from features.expressions import as_text

Days = NDArray[np.int64]
Unit = Literal["seconds", "hours", "days"]

_A_DAY: dict[str, float] = {"seconds": 86400.0, "hours": 24.0, "days": 1.0}
_ZONE = r"\d{2}:\d{2}.*?(Z|[+-]\d{2}:?\d{2})$"


def as_times(values: pd.Series) -> pd.Series:
    """A column without gaps as dates without a time zone (one is turned into UTC), or as floats where it holds numbers.

    Raises
    ------
    InputError
        When a value is no date, or the dates are of several time zones: days would begin at different hours.
    """
    kind = kind_of(values)
    if kind == "numeric":
        return _finite(values.astype("float64"))
    if kind == "dates":
        return values.dt.tz_convert("UTC").dt.tz_localize(None) if getattr(values.dt, "tz", None) is not None else values
    return _read(as_text(values))


def _read(text: pd.Series) -> pd.Series:
    zones = text.str.extract(_ZONE, expand=False).fillna("none").replace("Z", "+00:00")
    if zones.nunique() > 1:
        examples = [text[zones == zone].iloc[0] for zone in sorted(zones.unique())]
        raise InputError(
            f"The split needs {text.name!r} in one time zone; it has {zones.nunique()}, as in {listed(examples)}. Write them all in UTC."
        )
    dates = pd.to_datetime(text, format="ISO8601", errors="coerce", utc=True)
    if dates.isna().any():
        unread = text[dates.isna()]
        raise InputError(
            f"The split needs dates in {text.name!r}, such as 2015-07-31; {len(unread)} of {len(text)} values are none: {listed(unread.unique())}. "
            "Write them as ISO dates, or leave these rows out."
        )
    return dates.dt.tz_localize(None)


def _finite(numbers: pd.Series) -> pd.Series:
    if not np.isfinite(numbers).all():
        raise InputError(f"The split needs finite numbers in {numbers.name!r}; some are infinite. Correct them, or leave these rows out.")
    return numbers


def as_days(values: pd.Series, numbers: Unit | None) -> Days:
    """The day of each value: since 1970-01-01 for dates, since 0 for numbers that count ``numbers``.

    Raises
    ------
    InputError
        When the column holds numbers and nobody says what they count, or the other way round.
    """
    times = as_times(values)
    if kind_of(times) == "dates":
        if numbers is not None:
            raise InputError(f"The split is told that {values.name!r} counts {numbers}, but it holds dates. Leave out 'numbers'.")
        return times.to_numpy(dtype="datetime64[D]").astype(np.int64)
    if numbers is None:
        raise InputError(
            f"The split cuts by days, but {values.name!r} holds numbers such as {times.iloc[0]:g}. Say what they count, "
            "'numbers: seconds' (hours, days), or split by 'forward', which only needs their order."
        )
    return np.floor(times.to_numpy() / _A_DAY[numbers]).astype(np.int64)


def day_text(day: int, numbers: Unit | None) -> str:
    """A day as people write it.

    >>> day_text(16433, None), day_text(1, "seconds")
    ('2014-12-29', 'day 1')
    """
    return f"day {day}" if numbers is not None else str(np.datetime64(int(day), "D"))
