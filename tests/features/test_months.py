"""Lists of months, and months since a start."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import InputError
from features.months import DAYS_A_MONTH, MonthInList, MonthsSince, week_starts


@pytest.mark.parametrize(
    ("text", "months"),
    [
        ("Jan,Apr,Jul,Oct", [1, 4, 7, 10]),
        ("Mar,Jun,Sept,Dec", [3, 6, 9, 12]),
        ("Feb, May; AUGUST  november", [2, 5, 8, 11]),
        ("1,12", [1, 12]),
        ("", []),
        (None, []),
    ],
)
def test_months_of_a_list(text: str | None, months: list[int]) -> None:
    days = pd.to_datetime([f"2015-{month:02d}-15" for month in range(1, 13)])
    X = pd.DataFrame({"promo": pd.Series([text] * 12, dtype="str"), "day": days})
    out = MonthInList("promo", date="day").fit_transform(X)["promo__has_month"]
    assert out.tolist() == [float(month in months) for month in range(1, 13)]


@pytest.mark.parametrize("text", ["soon", "Ja", "Jan,13", "Jan,Junk", "0", "5.5"])
def test_what_names_no_month_is_missing(text: str) -> None:
    X = pd.DataFrame({"promo": [text], "day": pd.to_datetime(["2015-01-01"])})
    assert MonthInList("promo", date="day").fit_transform(X)["promo__has_month"].isna().all()


def test_a_row_without_a_date_has_no_month() -> None:
    X = pd.DataFrame({"promo": ["Jan", None], "day": pd.Series([pd.NaT, pd.NaT])})
    assert MonthInList("promo", date="day").fit_transform(X)["promo__has_month"].isna().all()


@pytest.mark.parametrize(
    ("year", "month", "bounds", "expected"),
    [
        (2015.0, 7.0, {}, 0.0),
        (2015.0, 6.0, {}, 1.0),
        (2014.0, 7.0, {}, 12.0),
        (2016.0, 1.0, {}, -6.0),
        (2016.0, 1.0, {"floor": 0}, 0.0),
        (1900.0, 1.0, {"floor": 0, "cap": 24}, 24.0),
        (np.nan, 7.0, {"floor": 0}, np.nan),
        (2015.0, np.nan, {"cap": 5}, np.nan),
        (2015.0, 13.0, {}, np.nan),
        (2015.5, 1.0, {}, np.nan),
        (0.0, 1.0, {}, np.nan),
        (1e300, 1.0, {}, np.nan),
    ],
)
def test_months_since_a_month(year: float, month: float, bounds: dict[str, float], expected: float) -> None:
    X = pd.DataFrame({"y": [year], "m": [month], "day": pd.to_datetime(["2015-07-31"])})
    np.testing.assert_equal(MonthsSince("day", year="y", month="m", **bounds).fit_transform(X)["y__months_since"].tolist(), [expected])


@given(st.dates(datetime.date(1990, 1, 1), datetime.date(2030, 12, 31)), st.integers(0, 3000))
def test_months_since_a_week(start: datetime.date, days: int) -> None:
    year, week, _ = start.isocalendar()
    monday = start - datetime.timedelta(days=start.weekday())
    X = pd.DataFrame({"y": [year], "w": [week], "day": [pd.Timestamp(monday) + pd.Timedelta(days=days)]})
    found = MonthsSince("day", year="y", week="w").fit_transform(X)["y__months_since"].iloc[0]
    assert found == pytest.approx(days / DAYS_A_MONTH, abs=1e-12)


def test_weeks_that_do_not_exist_are_missing() -> None:
    X = pd.DataFrame({"y": [2015.0, 2015.0, 2015.0, np.nan], "w": [0.0, 54.0, 53.0, 1.0], "day": pd.Timestamp("2015-12-28")})
    assert MonthsSince("day", year="y", week="w").fit_transform(X)["y__months_since"].isna().tolist() == [True, True, False, True]


def test_the_first_week_begins_in_the_old_year() -> None:
    found = week_starts(np.array([2015.0, 2016.0, np.nan]), np.array([1.0, 1.0, 1.0]))
    assert found[:2].astype("datetime64[D]").astype(str).tolist() == ["2014-12-29", "2016-01-04"]
    assert np.isnan(found[2])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "needs the column of the 'month' or that of the 'week' beside 'year', one of them"),
        ({"month": "m", "week": "w"}, "needs the column of the 'month' or that of the 'week'"),
        ({"month": "m", "floor": 5, "cap": 1}, r"has a floor of 5 above its cap of 1\. Swap them"),
        ({"month": "x"}, "No column 'x' here"),
        ({"month": "t"}, "needs numbers in column 't'"),
    ],
)
def test_refuses(parameters: dict[str, Any], message: str) -> None:
    X = pd.DataFrame({"y": [2015], "m": [1], "w": [1], "t": ["Jan"], "day": pd.to_datetime(["2015-07-31"])})
    with pytest.raises(InputError, match=message):
        MonthsSince("day", year="y", **parameters).fit_transform(X)
