"""Splitters in order of time: which rows each window takes, how columns are read as times, and how windows are shown."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import InputError
from pipelines.splits import SPLITTERS, Folds, Splittable, make_folds
from pipelines.time_splits import TIME_SPLITTERS
from pipelines.times import as_days, as_times
from pipelines.windows import windows

START = pd.Timestamp("2015-01-05")
"""A Monday."""


def table(days: list[int] | np.ndarray, **more: Any) -> Splittable:
    """Rows of some days after ``START``."""
    date = START + pd.to_timedelta(np.asarray(days), unit="D")
    return Splittable(pd.DataFrame({"date": date, **more}), np.arange(len(days), dtype=float), "regression")


def pairs(splitter: str, rows: Splittable, **params: Any) -> list[tuple[list[int], list[int]]]:
    """Fit and scored rows of each fold."""
    return [(fit.tolist(), scored.tolist()) for fit, scored in SPLITTERS[splitter](rows, **{"column": "date", **params})]


# ---------------------------------------------------------------------- which rows


@pytest.mark.parametrize(
    ("splitter", "params", "expected"),
    [
        ("last_days", {"days": 2}, [(range(8), range(8, 10))]),
        ("last_days", {"days": 2, "gap": 3}, [(range(5), range(8, 10))]),
        ("rolling", {"days": 2, "windows": 2}, [(range(6), range(6, 8)), (range(8), range(8, 10))]),
        ("rolling", {"days": 2, "windows": 2, "gap": 1}, [(range(5), range(6, 8)), (range(7), range(8, 10))]),
        ("rolling", {"days": 2, "windows": 2, "train_days": 3}, [(range(3, 6), range(6, 8)), (range(5, 8), range(8, 10))]),
        ("rolling", {"days": 3, "windows": 1, "gap": 1, "train_days": 2}, [(range(4, 6), range(7, 10))]),
        ("forward", {"blocks": 5, "windows": 2}, [(range(6), range(6, 8)), (range(8), range(8, 10))]),
        ("forward", {"blocks": 2}, [(range(5), range(5, 10))]),
        ("blocks", {"unit": "day", "folds": 2}, [(range(5, 10), range(5)), (range(5), range(5, 10))]),
        ("blocks", {"unit": 5, "folds": 2, "purge": 2}, [(range(7, 10), range(5)), (range(3), range(5, 10))]),
        ("blocks", {"unit": 5, "folds": 2, "purge": 1, "embargo": 2}, [(range(8, 10), range(5)), (range(4), range(5, 10))]),
        ("blocks", {"unit": "week", "folds": 2}, [(range(7, 10), range(7)), (range(7), range(7, 10))]),
    ],
)
def test_ten_days(splitter: str, params: dict[str, Any], expected: list[tuple[range, range]]) -> None:
    assert pairs(splitter, table(range(10)), **params) == [(list(fit), list(scored)) for fit, scored in expected]


@given(st.lists(st.integers(0, 30), min_size=12), st.integers(1, 5), st.integers(1, 3), st.integers(0, 3), st.none() | st.integers(1, 9))
def test_rolling_windows_by_their_definition(days: list[int], length: int, n_windows: int, gap: int, train_days: int | None) -> None:
    day, end = np.array(days), max(days) + 1
    try:
        found = pairs("rolling", table(days), days=length, windows=n_windows, gap=gap, train_days=train_days)
    except InputError:
        return
    for (fit, scored), number in zip(found, range(n_windows, 0, -1), strict=True):
        start = end - number * length
        assert scored == [row for row in range(len(day)) if start <= day[row] < start + length]
        assert fit == [
            row for row in range(len(day)) if day[row] < start - gap and (train_days is None or day[row] >= start - gap - train_days)
        ]


@given(st.lists(st.integers(0, 40), min_size=10), st.integers(2, 4), st.integers(0, 4), st.integers(0, 4), st.booleans())
def test_blocks_are_scored_once_and_purged(days: list[int], folds: int, purge: int, embargo: int, shuffle: bool) -> None:
    day = np.array(days)
    try:
        found = pairs("blocks", table(days), unit=3, folds=folds, purge=purge, embargo=embargo, shuffle=shuffle)
    except InputError:
        return
    assert sorted(row for _, scored in found for row in scored) == list(range(len(day)))
    for fit, scored in found:
        assert not {(day[row] - day.min()) // 3 for row in scored} & {(day[row] - day.min()) // 3 for row in fit}
        is_near = [
            any(0 < one - day[row] <= purge or 0 < day[row] - one <= purge + embargo for one in day[scored]) for row in range(len(day))
        ]
        assert fit == [row for row in range(len(day)) if not is_near[row] and row not in scored]


@given(st.lists(st.integers(0, 9), min_size=8), st.integers(2, 4))
def test_equal_times_never_cross_a_border(days: list[int], blocks: int) -> None:
    try:
        found = pairs("forward", table(days), blocks=blocks)
    except InputError as error:
        assert "different values, and rows of equal time stay together" in str(error)
        return
    assert len(found) == blocks - 1
    for fit, scored in found:
        assert max(days[row] for row in fit) < min(days[row] for row in scored)


def test_forward_blocks_have_equally_many_rows() -> None:
    rows = table(np.random.default_rng(0).permutation(1000))
    assert [(len(fit), len(scored)) for fit, scored in pairs("forward", rows, blocks=4, windows=3)] == [(250, 250), (500, 250), (750, 250)]


def test_scored_groups_are_new_to_the_fit() -> None:
    rng = np.random.default_rng(1)
    rows = table(rng.integers(0, 60, 600), card=rng.integers(0, 40, 600))
    day, card = rows.columns["date"], rows.columns["card"]
    found = pairs("group_time", rows, group="card", days=10, windows=3, gap=2, share=0.3)
    assert len(found) == 3
    for fit, scored in found:
        assert not set(card.iloc[fit]) & set(card.iloc[scored])
        assert day.iloc[fit].max() + pd.Timedelta(days=2) < day.iloc[scored].min()
    chosen = [frozenset(card.iloc[scored]) for _, scored in found]
    assert len(set(chosen)) == 3, "every window draws its own groups"
    assert all(0.2 < len(groups) / 40 < 0.4 for groups in chosen)


def test_a_time_of_day_is_cut_off() -> None:
    rows = table([0, 1, 2, 3])
    late = rows.columns["date"] + pd.to_timedelta([23, 0, 23, 1], unit="h")
    assert pairs("last_days", Splittable(rows.columns.assign(date=late), rows.y, rows.task), days=2) == [([0, 1], [2, 3])]


# ---------------------------------------------------------------------- what cannot be split


@pytest.mark.parametrize(
    ("splitter", "params", "message"),
    [
        ("last_days", {"days": 10}, r"1 window\(s\) of 10 days need more than 10 days; 'date' goes from 2015-01-05 to 2015-01-14, 10 days"),
        (
            "rolling",
            {"days": 3, "windows": 3, "gap": 2},
            r"3 window\(s\) of 3 days and a gap of 2 need more than 11 days.*Use fewer or shorter",
        ),
        ("forward", {"blocks": 11}, "'date' cannot be cut into 11 blocks of equally many rows: it has 10 different values"),
        ("forward", {"blocks": 3, "windows": 3}, "3 windows need at least 4 blocks, one to fit on first; there are 3"),
        ("blocks", {"unit": "week", "folds": 3}, "3 folds need at least as many blocks of time; 'date' has 2. Use fewer folds or shorter"),
        ("group_time", {"group": "one", "days": 2}, "at least two groups of 'one' in every window; window 0 has 1"),
        ("last_days", {"days": 2, "column": "dat"}, "needs column 'dat'; train has 'date', 'number', 'one'. Closest: 'date'"),
        (
            "last_days",
            {"days": 2, "column": "number"},
            "cuts by days, but 'number' holds numbers such as 0. Say what they count, 'numbers: seconds'",
        ),
        ("last_days", {"days": 2, "numbers": "seconds"}, "told that 'date' counts seconds, but it holds dates. Leave out 'numbers'"),
    ],
)
def test_refused(splitter: str, params: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        pairs(splitter, table(range(10), one=1, number=np.arange(10.0)), **params)


def test_a_window_without_rows() -> None:
    with pytest.raises(InputError, match=r"The window 2015-01-08 to 2015-01-10 has no row in 'date'\. Use longer windows, or fewer"):
        pairs("rolling", table([0, 1, 2, 8]), days=3, windows=2)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            ["2015-01-05", "soon", "31.12.2015"],
            r"needs dates in 'date', such as 2015-07-31; 2 of 3 values are none: '31.12.2015', 'soon'. Write",
        ),
        (
            ["2015-01-05 10:00+01:00", "2015-01-06 10:00+02:00", "2015-01-07 10:00+01:00"],
            r"in one time zone; it has 2, as in '2015-01-05 10:00\+01:00'",
        ),
        (
            ["2015-01-05T10:00Z", "2015-01-06 10:00", "2015-01-07"],
            "needs 'date' in one time zone; it has 2, as in '2015-01-05T10:00Z', '2015-01-06",
        ),
        (["2015-01-05", None, "2015-01-07"], "needs a value of 'date' in every row; 1 are missing"),
        ([0.0, np.inf, 3.0], "needs finite numbers in 'date'; some are infinite"),
    ],
)
@pytest.mark.parametrize("splitter", TIME_SPLITTERS)
def test_values_that_are_no_times(splitter: str, values: list[Any], message: str) -> None:
    needed = {"days": 1, "group": "card", "numbers": "days" if isinstance(values[0], float) else None}
    params = {name: needed[name] for name in needed if name in TIME_SPLITTERS[splitter].__annotations__}
    with pytest.raises(InputError, match=message):
        pairs(splitter, Splittable(pd.DataFrame({"date": values, "card": [1, 2, 3]}), np.zeros(3), "regression"), **params)


# ---------------------------------------------------------------------- columns as times


@pytest.mark.parametrize(
    ("values", "numbers", "expected"),
    [
        (pd.to_datetime(["1970-01-02 23:59", "1969-12-31 00:00"]), None, [1, -1]),
        (["1970-01-03", "1970-01-01T05:00:00"], None, [2, 0]),
        (["1970-01-03T01:00+02:00", "1970-01-03T03:00+02:00"], None, [1, 2]),
        (["1970-01-03 01:00:00Z", "1970-01-01 00:00:00+00:00"], None, [2, 0]),
        (pd.to_datetime(["1970-01-03 01:00"]).tz_localize("Europe/Berlin"), None, [2]),
        (pd.Categorical(["1970-01-03", "1970-01-02"]), None, [2, 1]),
        ([0.0, 86399.0, 86400.0, -1.0], "seconds", [0, 0, 1, -1]),
        ([23, 24], "hours", [0, 1]),
        ([1.5, 7.0], "days", [1, 7]),
    ],
)
def test_days(values: Any, numbers: Any, expected: list[int]) -> None:
    assert as_days(pd.Series(values), numbers).tolist() == expected


def test_times_of_numbers_are_the_numbers() -> None:
    assert as_times(pd.Series([3, 1])).tolist() == [3.0, 1.0]


# ---------------------------------------------------------------------- windows as they are


def folds_of(rows: Splittable, splitter: str, **params: Any) -> Folds:
    """Folds without roles."""
    none = np.zeros(len(rows.y), dtype=bool)
    return make_folds(rows, splitter, {"column": "date", **params}, fit_only=none, not_in_fit=none, not_scored=none)


def test_lines() -> None:
    rows = table(range(20))
    shown = [window.line for window in windows(folds_of(rows, "rolling", days=3, windows=2, gap=4), rows.columns["date"])]
    assert shown == [
        "fold 0: fit 2015-01-05 to 2015-01-14 (10 rows), gap 4, scored 2015-01-19 to 2015-01-21 (3 rows), 7 unused",
        "fold 1: fit 2015-01-05 to 2015-01-17 (13 rows), gap 4, scored 2015-01-22 to 2015-01-24 (3 rows), 4 unused",
    ]


@pytest.mark.parametrize(
    ("times", "gap", "start"),
    [
        (pd.Series(np.arange(8) * 2.5), 2.5, "0"),
        (pd.Series(START + pd.to_timedelta(np.arange(8), unit="D")).astype("str"), 0, "2015-01-05"),
        (pd.Series(START + pd.to_timedelta(np.arange(8) * 3, unit="D")), 2, "2015-01-05"),
        (pd.Series(START + pd.to_timedelta(np.arange(8), unit="h")), None, "2015-01-05 00:00"),
        (pd.Series([None, 1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 3.0]), 1, "1"),
    ],
)
def test_gap_and_text_of_windows(times: pd.Series, gap: float | None, start: str) -> None:
    status = np.array([[1], [1], [1], [1], [1], [1], [2], [2]], dtype=np.int8)
    (window,) = windows(Folds(status), times)
    assert (window.gap, window.fit_from, window.fit_rows, window.scored_rows) == (gap, start, 6, 2)


def test_windows_of_folds_that_do_not_go_by_time() -> None:
    rows = table([0, 0, 1, 1])
    status = np.array([[1, 2], [2, 1], [1, 2], [2, 1]], dtype=np.int8)
    assert [window.gap for window in windows(Folds(status), rows.columns["date"])] == [None, None]


def test_rows_of_no_time_are_counted() -> None:
    rows = pd.Series([pd.NaT, pd.NaT, START])
    (window,) = windows(Folds(np.array([[1], [1], [2]], dtype=np.int8)), rows)
    assert (window.fit_from, window.fit_rows, window.scored_to) == ("", 2, "2015-01-05")
