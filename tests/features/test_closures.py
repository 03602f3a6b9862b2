"""Long stretches without an open day."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.closures import Closures
from features.errors import InputError


def table(days: list[int | None], shop: list[str] | str = "a", is_open: list[bool] | bool = True) -> pd.DataFrame:
    """Rows of days after 1970-01-01."""
    dates = pd.Series([pd.NaT if day is None else pd.Timestamp(day, unit="D") for day in days], dtype="datetime64[us]")
    return pd.DataFrame({"day": dates, "shop": shop, "open": is_open})


@given(st.lists(st.none() | st.integers(0, 60), min_size=1, max_size=30), st.integers(1, 20))
def test_as_the_reference_says(days: list[int | None], min_days: int) -> None:
    X = table(days)
    asking = pd.concat([X, table(list(range(-2, 64)))], ignore_index=True)
    out = Closures("day", by="shop", min_days=min_days).fit(X).write(asking)
    there = sorted({day for day in days if day is not None})
    closures = [(one + 1, other) for one, other in itertools.pairwise(there) if other - one - 1 >= min_days]
    for number, day in enumerate([*days, *range(-2, 64)]):
        past = [(first, reopened) for first, reopened in closures if day is not None and reopened <= day]
        come = [first for first, _ in closures if day is not None and first >= day]
        expected = [day - past[-1][1], past[-1][1] - past[-1][0]] if past and day is not None else [np.nan, np.nan]
        np.testing.assert_equal(out.iloc[number].tolist(), [*expected, come[0] - day if come and day is not None else np.nan])


def test_rows_that_say_closed_and_rows_that_are_not_there() -> None:
    said = table(list(range(40)), is_open=[day < 5 or day >= 30 for day in range(40)])
    left_out = said[said["open"]]
    one = Closures("day", by="shop", open="open").fit(said).write(said)
    other = Closures("day", by="shop").fit(left_out).write(said)
    pd.testing.assert_frame_equal(one, other)
    assert one["closure__length"].iloc[-1] == 25
    assert one["closure__days_until"].iloc[0] == 5


def test_each_key_has_its_own_closures() -> None:
    X = table([0, 30, 0, 15, 30], shop=["a", "a", "b", "b", "b"])
    out = Closures("day", by="shop", min_days=20, into="pause").fit_transform(X)
    np.testing.assert_equal(out["pause__days_since"].tolist(), [np.nan, 0, np.nan, np.nan, np.nan])


def test_the_end_of_one_key_and_the_start_of_the_next_are_no_closure() -> None:
    X = table([0, 50], shop=["a", "b"])
    assert Closures("day", by="shop").fit_transform(X).filter(like="closure").isna().all(axis=None)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (Closures("day", by="shop", min_days=0), "needs 'min_days' of at least 1, found 0"),
        (Closures("day", by="shop", open="open +"), "cannot be read"),
        (Closures("shop", by="shop"), "works on dates columns; 'shop' is text"),
    ],
)
def test_refuses(step: Closures, message: str) -> None:
    with pytest.raises(InputError, match=message):
        step.fit(table([0]))
