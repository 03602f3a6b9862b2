"""Days and cutoffs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.cutoffs import NO_DAY, block_cutoffs, day_numbers, gap_cutoffs
from features.errors import InputError


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1970-01-01 00:00", "1970-01-01 23:59", "1969-12-31 23:59"], [0, 0, -1]),
        (["2015-07-31 00:00", None], [16647, NO_DAY]),
        ([None, None], [NO_DAY, NO_DAY]),
    ],
)
def test_day_numbers(values: list[str | None], expected: list[int]) -> None:
    for unit in ("s", "us", "ns"):
        column = pd.Series(pd.to_datetime(values)).astype(f"datetime64[{unit}]")
        assert day_numbers(column, "lag").tolist() == expected


def test_days_are_those_of_utc() -> None:
    column = pd.Series(pd.to_datetime(["2015-07-31 01:00"]).tz_localize("Europe/Berlin"))
    assert day_numbers(column, "lag").tolist() == [16646]


def test_no_dates() -> None:
    with pytest.raises(InputError, match="Step 'lag' needs dates in column 'n'; it holds numeric"):
        day_numbers(pd.Series([1.0], name="n"), "lag")


@given(st.lists(st.integers(-500, 500), min_size=1), st.integers(1, 50), st.integers(-200, 200), st.integers(0, 9))
def test_a_block_begins_before_its_rows(days: list[int], block: int, anchor: int, delay: int) -> None:
    day = np.array(days)
    cutoffs = block_cutoffs(day, block, anchor, delay)
    assert ((cutoffs + delay - anchor) % block == 0).all(), "blocks are anchored"
    assert ((day - cutoffs >= delay) & (day - cutoffs < block + delay)).all()


@given(st.lists(st.integers(-500, 500)), st.integers(0, 50))
def test_a_gap_is_that_of_blocks_of_one_day(days: list[int], gap: int) -> None:
    day = np.array(days, dtype=np.int64)
    np.testing.assert_array_equal(gap_cutoffs(day, gap), block_cutoffs(day, 1, 7, gap))


def test_a_row_without_a_day_has_no_cutoff() -> None:
    days = np.array([NO_DAY])
    assert gap_cutoffs(days, 5).tolist() == block_cutoffs(days, 7, 0, 3).tolist() == [NO_DAY]
