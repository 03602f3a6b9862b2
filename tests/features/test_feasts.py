"""Movable feasts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from dateutil.easter import easter as reference
from hypothesis import given
from hypothesis import strategies as st

from features.errors import InputError
from features.feasts import DaysFromEaster, easter


def test_easter() -> None:
    years = np.arange(1583, 4000)
    assert easter(years).tolist() == [reference(year).toordinal() - 719163 for year in years.tolist()]


@given(st.dates(pd.Timestamp("1700-01-01").date(), pd.Timestamp("2200-01-01").date()))
def test_the_nearest_easter(day: object) -> None:
    X = pd.DataFrame({"day": [pd.Timestamp(day)]})
    found = DaysFromEaster("day", first=-400, last=400).fit_transform(X)["day__days_from_easter"].iloc[0]
    distances = [(day - reference(day.year + shift)).days for shift in (-1, 0, 1)]  # type: ignore[attr-defined,operator]
    assert found == min(distances, key=abs)


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2015-02-16", -48),
        ("2014-03-03", -48),
        ("2015-04-03", -2),
        ("2015-06-04", 60),
        ("2015-06-06", np.nan),
        ("2015-02-11", np.nan),
        (None, np.nan),
    ],
)
def test_feasts(day: str | None, expected: float) -> None:
    X = pd.DataFrame({"day": pd.Series([pd.Timestamp(day) if day else pd.NaT], dtype="datetime64[us]")})
    np.testing.assert_equal(DaysFromEaster().fit_transform(X)["day__days_from_easter"].tolist(), [expected])


def test_refuses() -> None:
    with pytest.raises(InputError, match="needs a first day before the last one; found 5 and 5"):
        DaysFromEaster(first=5, last=5).check()
