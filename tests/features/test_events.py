"""Events of a key in time."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import InputError
from features.events import EventCount, EventGap, EventRank
from features.step import Step

X = pd.DataFrame(
    {
        "ip": ["a", "a", "a", "a", "b", None, "a"],
        "app": [1, 1, 2, 1, 1, 1, 1],
        "at": [0.0, 60.0, 60.0, 90.0, 60.0, 60.0, np.nan],
    }
)
"""Two events of ``a`` at the same second; a key and a time that are missing."""

NONE = np.nan


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (EventCount("ip", time="at", windows=[60]), [0, 1, 1, 2, 0, 0, NONE]),
        (EventCount("ip", time="at", windows=[59]), [0, 0, 0, 2, 0, 0, NONE]),
        (EventCount("ip", time="at", windows=[1], unit="minute"), [0, 1, 1, 2, 0, 0, NONE]),
        (EventCount("ip", time="at", windows=[60], inclusive=True), [1, 3, 3, 3, 1, 1, NONE]),
        (EventCount("ip", time="at", windows=[0], inclusive=True), [1, 2, 2, 1, 1, 1, NONE]),
        (EventCount("ip", time="at", windows=[60], direction="next"), [2, 1, 1, 0, 0, 0, NONE]),
        (EventCount("ip", time="at", windows=[60], direction="next", inclusive=True), [3, 3, 3, 1, 1, 1, NONE]),
        (EventCount(["ip", "app"], time="at", windows=[90]), [0, 1, 0, 2, 0, 0, NONE]),
        (EventGap("ip", time="at", directions=["last"]), [NONE, 60, 60, 30, NONE, NONE, NONE]),
        (EventGap("ip", time="at", directions=["next"], unit="minute"), [1, 0.5, 0.5, NONE, NONE, NONE, NONE]),
        (EventGap(["ip", "app"], time="at", directions=["next"]), [60, 30, NONE, NONE, NONE, NONE, NONE]),
        (EventRank("ip", time="at"), [0, 1, 1, 3, 0, 0, NONE]),
        (EventRank("ip", time="at", statistics=["later"]), [3, 1, 1, 0, 0, 0, NONE]),
        (EventRank("ip", time="at", statistics=["share"]), [0.125, 0.5, 0.5, 0.875, 0.5, NONE, NONE]),
    ],
)
def test_what_rows_are_told(step: Step, expected: list[float]) -> None:
    out = step.fit(X).write(X)
    assert out.shape[1] == 1
    np.testing.assert_array_equal(out.iloc[:, 0], expected)


def test_names_of_several_keys_and_windows() -> None:
    step = EventCount([["ip"], ["ip", "app"]], time="at", windows=[1, 0.5, 1], unit="hour", direction="next")
    assert list(step.fit(X).write(X)) == [
        "ip__events_next_1_hour",
        "ip__events_next_0.5_hour",
        "ip_app__events_next_1_hour",
        "ip_app__events_next_0.5_hour",
    ]
    assert list(EventGap("ip", time="at", unit="day").fit(X).write(X)) == ["ip__days_since_last", "ip__days_to_next"]
    assert list(EventRank(["ip", "app"], time="at", statistics=["later", "share"]).fit(X).write(X)) == [
        "ip_app__events_later",
        "ip_app__events_share",
    ]


def test_dates_count_as_their_seconds() -> None:
    dated = X.assign(at=pd.Timestamp("2017-11-06") + pd.to_timedelta(X["at"], unit="s"))
    for step in (EventCount("ip", time="at", windows=[60]), EventGap("ip", time="at"), EventRank("ip", time="at")):
        pd.testing.assert_frame_equal(step.fit(dated).write(dated), step.fit(X).write(X))


rows = st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 8)), min_size=1, max_size=12)


@given(rows, st.integers(0, 8))
def test_counts_agree_with_counting(events: list[tuple[str, int]], window: int) -> None:
    table = pd.DataFrame(events, columns=["key", "at"])
    out = EventCount("key", time="at", windows=[window], inclusive=True).fit_transform(table)[f"key__events_last_{window}_second"]
    expected = [sum(key == own and at - window <= other <= at for own, other in events) for key, at in events]
    assert out.tolist() == expected


@given(rows)
def test_gaps_agree_with_searching(events: list[tuple[str, int]]) -> None:
    table = pd.DataFrame(events, columns=["key", "at"])
    out = EventGap("key", time="at").fit_transform(table)
    earlier = [max((other for own, other in events if own == key and other < at), default=NONE) for key, at in events]
    np.testing.assert_array_equal(out["key__seconds_since_last"], [at - one for (_, at), one in zip(events, earlier, strict=True)])
    later = [min((other for own, other in events if own == key and other > at), default=NONE) for key, at in events]
    np.testing.assert_array_equal(out["key__seconds_to_next"], [one - at for (_, at), one in zip(events, later, strict=True)])


@given(rows, st.sampled_from("abc"), st.integers(0, 8))
def test_a_new_row_is_told_what_a_learnt_one_at_a_time_of_its_own_is_told(events: list[tuple[str, int]], key: str, at: int) -> None:
    """Whether a row is among the learnt events changes nothing, as long as no other event is at its time."""
    others = pd.DataFrame([event for event in events if event != (key, at)], columns=["key", "at"])
    new = pd.DataFrame({"key": [key], "at": [at]})
    both = pd.concat([others.astype({"at": "int64"}), new], ignore_index=True)
    steps: list[Step] = [
        EventCount("key", time="at", windows=[3], inclusive=True),
        EventCount("key", time="at", windows=[3], direction="next"),
        EventGap("key", time="at"),
        EventRank("key", time="at", statistics=["earlier", "later"]),
    ]
    for step in steps:
        np.testing.assert_array_equal(step.fit(others.astype({"at": "int64"})).write(new), step.fit(both).write(new))


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (EventCount([], time="at", windows=[1]), "Step 'event_count' needs at least one column in 'by'"),
        (EventCount("ip", time="at", windows=[]), "Step 'event_count' needs windows of 0 or more seconds, such as [1, 24]; found []"),
        (EventCount("ip", time="at", windows=[-1], unit="day"), "needs windows of 0 or more days, such as [1, 24]; found [-1]"),
        (EventGap("ip", time="at", directions=[]), "Step 'event_gap' needs at least one of the directions 'last' and 'next'"),
        (EventRank("ip", time="at", statistics=[]), "Step 'event_rank' needs at least one of the statistics"),
        (EventRank("ip", time="when"), "No column 'when' here"),
        (EventGap("at", time="ip"), "Step 'event_gap' needs dates in column 'ip'; it holds text (str). Cast it first"),
    ],
)
def test_refused(step: Step, message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        step.fit(X)
