"""Numbers from dates."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.dates import PARTS, Cyclic, DateDifference, DateParts, SecondsToHour
from features.errors import InputError
from features.step import Step

X = pd.DataFrame(
    {
        "sold": pd.to_datetime(["2014-12-29 23:59:58", "2016-02-29 00:00:00", None]),
        "built": pd.to_datetime(["2014-01-31", None, "2000-01-01"]),
        "text": ["a", "b", "c"],
    }
)


@given(st.datetimes(dt.datetime(1800, 1, 1), dt.datetime(2200, 1, 1)))
def test_parts_agree_with_the_standard_library(moment: dt.datetime) -> None:
    out = DateParts("d", parts=[*PARTS, "day_number"]).fit_transform(pd.DataFrame({"d": [pd.Timestamp(moment)]})).iloc[0]
    iso = moment.isocalendar()
    assert [out["d__year"], out["d__month"], out["d__day"]] == [moment.year, moment.month, moment.day]
    assert [out["d__iso_year"], out["d__week"], out["d__weekday"]] == [iso.year, iso.week, moment.weekday()]
    assert [out["d__hour"], out["d__minute"], out["d__second"]] == [moment.hour, moment.minute, moment.second]
    assert out["d__day_of_year"] == moment.timetuple().tm_yday
    assert out["d__is_weekend"] == (moment.weekday() >= 5)
    assert out["d__is_month_end"] == ((moment + dt.timedelta(days=1)).day == 1)
    assert out["d__day_number"] == (moment.date() - dt.date(1970, 1, 1)).days


def test_a_missing_date_has_missing_parts() -> None:
    assert DateParts("sold", parts=[*PARTS, "day_number"]).fit(X).write(X).iloc[2].isna().all()


def test_time_zones_become_utc() -> None:
    zoned = pd.DataFrame({"d": pd.to_datetime(["2014-12-31 23:30"]).tz_localize("America/New_York")})
    assert DateParts("d", parts=["year", "hour"]).fit(zoned).write(zoned).iloc[0].tolist() == [2015.0, 4.0]


@pytest.mark.parametrize(
    ("since", "unit", "expected"),
    [
        ("built", "days", [332.999977, np.nan, np.nan]),
        ("2014-12-22", "weeks", [1.1428538, 62.0, np.nan]),
        ("built", "months", [11.0, np.nan, np.nan]),
        ("2015-12-31", "years", [-1.0, 1.0, np.nan]),
        ("2014-12-29", "seconds", [86398.0, 36892800.0, np.nan]),
        ("2014-12-30", "hours", [-2 / 3600, 10224.0, np.nan]),
    ],
)
def test_differences(since: str, unit: Any, expected: list[float]) -> None:
    out = DateDifference("sold", since=since, unit=unit).fit(X).write(X)
    assert list(out) == [f"sold__{unit}_since_{since}"]
    np.testing.assert_allclose(out.iloc[:, 0], expected, rtol=1e-6)


def test_hours() -> None:
    seconds = pd.DataFrame({"t": [0.0, 3599.0, 3600.0, 172792.0, -1e-20, -1.0, np.nan]})
    np.testing.assert_array_equal(SecondsToHour("t").fit_transform(seconds)["t__hour"], [0, 0, 1, 23, 0, 23, np.nan])
    np.testing.assert_array_equal(SecondsToHour("t", start=8).fit_transform(seconds)["t__hour"], [8, 8, 9, 7, 8, 7, np.nan])


@given(st.floats(allow_infinity=False, allow_nan=False), st.floats(1e-3, 1e6))
def test_circles(value: float, period: float) -> None:
    out = Cyclic("v", period=period).fit_transform(pd.DataFrame({"v": [value]})).iloc[0]
    assert out["v__sin"] ** 2 + out["v__cos"] ** 2 == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (DateParts("text"), "'date_parts' works on dates columns; 'text' is text"),
        (DateDifference("sold", since="text"), "'date_difference' needs dates in 'since'; column 'text' is text"),
        (DateDifference("sold", since="solt"), r"has since='solt', which is neither a date \(2010-01-31\) nor a column.*Closest: 'sold'"),
        (Cyclic("text", period=0), "'cyclic' needs a period above 0, such as 12 for months; found 0"),
    ],
)
def test_refuses(step: Step, message: str) -> None:
    with pytest.raises(InputError, match=message):
        step.fit(X)


def test_text_in_a_date_column_is_refused() -> None:
    with pytest.raises(InputError, match="'date_parts' needs dates in column 'sold'; it holds text"):
        DateParts("sold").fit(X).transform(X.assign(sold="2014-12-29"))
