"""Events known in advance, against a reference that goes through every day."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import InputError
from features.known_events import DaysSinceEvent, DaysUntilEvent, EventRuns, KnownEvents, NearbyEvents
from features.saving import dumps

EVENTS = {"promo": "promo == 1"}


def table(rows: list[tuple[int | None, str | None, float | None]]) -> pd.DataFrame:
    """Rows of a day, a shop and whether there is a promotion."""
    day, shop, promo = ([row[part] for row in rows] for part in range(3))
    dates = pd.Series([pd.NaT if one is None else pd.Timestamp(one, unit="D") for one in day], dtype="datetime64[us]")
    return pd.DataFrame({"day": dates, "shop": pd.Series(shop, dtype="str"), "promo": pd.Series(promo, dtype="float64")})


drawn_rows = st.lists(
    st.tuples(st.none() | st.integers(0, 25), st.sampled_from(["a", "b", None]), st.sampled_from([0.0, 1.0, None])), min_size=1, max_size=40
)


def event_days(rows: list[tuple[int | None, str | None, float | None]], shop: str | None, by: list[str]) -> list[int]:
    """The event days of a row's key."""
    return sorted({day for day, own, promo in rows if day is not None and promo == 1 and own is not None and (not by or own == shop)})


def runs_of(days: list[int], bridge: int) -> list[tuple[int, int]]:
    """First and last day of each run."""
    runs: list[tuple[int, int]] = []
    for day in days:
        if runs and day - runs[-1][1] <= bridge + 1:
            runs[-1] = (runs[-1][0], day)
        else:
            runs.append((day, day))
    return runs


def expected_of(days: list[int], day: int, bridge: int) -> dict[str, float]:
    """Everything the steps say of a day."""
    runs = runs_of(days, bridge)
    inside = next(((first, last) for first, last in runs if first <= day <= last), None)
    return {
        "days_since": min((day - one for one in days if one <= day), default=np.nan),
        "days_until": min((one - day for one in days if one >= day), default=np.nan),
        "1d_before": float(day - 1 in days),
        "9d_before": float(sum(day - 9 <= one < day for one in days)),
        "4d_after": float(sum(day < one <= day + 4 for one in days)),
        "run_day": day - inside[0] + 1.0 if inside else 0.0,
        "run_length": inside[1] - inside[0] + 1.0 if inside else 0.0,
        "since_start": min((day - first for first, _ in runs if first <= day), default=np.nan),
        "until_start": min((first - day for first, _ in runs if first > day), default=np.nan),
    }


def steps(by: list[str], bridge: int) -> list[KnownEvents]:
    """One step of each kind."""
    what: Any = ["run_day", "run_length", "since_start", "until_start"]
    return [
        DaysSinceEvent("day", by=by, events=EVENTS),
        DaysUntilEvent("day", by=by, events=EVENTS),
        NearbyEvents("day", by=by, events=EVENTS, before=[1, 9], after=[4]),
        EventRuns("day", by=by, events=EVENTS, what=what, bridge=bridge),
    ]


@pytest.mark.parametrize("by", [["shop"], []], ids=str)
@given(rows=drawn_rows, bridge=st.integers(0, 3))
def test_as_the_reference_says(by: list[str], rows: list[tuple[int | None, str | None, float | None]], bridge: int) -> None:
    if not by:
        rows = [(day, "a", promo) for day, _, promo in rows]
    X = table(rows)
    asking = pd.concat([X, table([(0, "a", None), (30, "a", None), (3, "new", None)])], ignore_index=True)
    written = pd.concat([step.fit(X).write(asking) for step in steps(by, bridge)], axis=1)
    assert set(written.dtypes) == {np.dtype("float32")}
    known = {shop for _, shop, _ in rows if shop is not None}
    for number, row in enumerate(asking.itertuples()):
        has_none = pd.isna(row.day) or (bool(by) and (pd.isna(row.shop) or row.shop not in known))
        day = 0 if pd.isna(row.day) else row.day.toordinal() - 719163
        expected = expected_of(event_days(rows, row.shop, by), day, bridge)
        assert [f"promo__{what}" for what in expected] == list(written.columns)
        for what, value in expected.items():
            np.testing.assert_equal(float(written[f"promo__{what}"].iloc[number]), np.nan if has_none else value, err_msg=what)


def test_a_promotion_every_second_week() -> None:
    X = table([(day, "a", float(day % 14 < 5)) for day in range(28)])
    out = EventRuns("day", by="shop", events=EVENTS).fit_transform(X)
    assert out["promo__run_day"].tolist()[:14] == [1, 2, 3, 4, 5] + [0] * 9
    assert out["promo__since_start"].tolist() == [*range(14), *range(14)]
    assert out["promo__run_length"].max() == 5


def test_a_cap() -> None:
    X = table([(0, "a", 1.0), (3, "a", 0.0), (9, "a", 0.0), (30, "a", 1.0)])
    assert DaysSinceEvent("day", by="shop", events=EVENTS, cap=5).fit_transform(X)["promo__days_since"].tolist() == [0, 3, 5, 0]
    assert DaysUntilEvent("day", by="shop", events=EVENTS, cap=25).fit_transform(X)["promo__days_until"].tolist() == [0, 25, 21, 0]


def test_several_events_and_expressions() -> None:
    X = table([(0, "a", 1.0), (1, "a", None), (2, "a", 0.0)]).assign(holiday=["0", "a", "0"])
    events = {"promo": "promo == 1", "holiday": "holiday != '0'", "none": "promo > 5"}
    out = DaysSinceEvent("day", by=[], events=events).fit_transform(X)
    assert out["holiday__days_since"].tolist()[1:] == [0, 1]
    assert out["promo__days_since"].tolist() == [0, 1, 2]
    assert out["none__days_since"].isna().all()


@given(rows=drawn_rows, seed=st.integers(0, 99))
def test_a_calendar_is_a_set(rows: list[tuple[int | None, str | None, float | None]], seed: int) -> None:
    """Neither order nor repetition of rows is learnt."""
    X = table(rows)
    order = np.random.default_rng(seed).permutation(len(X))
    again = pd.concat([X.iloc[order], X.iloc[:3]])
    for step in steps(["shop"], 1):
        assert dumps(step.fit(again)) == dumps(step.fit(X))


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (DaysSinceEvent("day", by="shop", events={}), r"needs a table of events, such as \{promo: 'Promo == 1'\}; found \{\}"),
        (DaysSinceEvent("day", by="shop", events={"promo": "promo ="}), "Expression 'promo =' cannot be read"),
        (DaysSinceEvent("day", by="shop", events={"promo": "promo + 1"}), "must be true or false for each row"),
        (DaysSinceEvent("day", by="shop", events={"promo": "sale == 1"}), "No column 'sale' here"),
        (DaysSinceEvent("shop", by="shop", events=EVENTS), "works on dates columns; 'shop' is text"),
        (DaysUntilEvent("day", by="shop", events=EVENTS, cap=0), r"needs 'cap' in days, each at least 1; found \[0\]"),
        (NearbyEvents("day", by="shop", events=EVENTS, before=[0, 7]), r"needs 'before' in days, each at least 1; found \[0\]"),
        (NearbyEvents("day", by="shop", events=EVENTS, before=[], after=[]), "needs days in 'before' or 'after'"),
        (EventRuns("day", by="shop", events=EVENTS, bridge=-1), "needs a 'bridge' of at least 0 days, found -1"),
        (EventRuns("day", by="shop", events=EVENTS, what=[]), "needs at least one of 'what'"),
    ],
)
def test_refuses(step: KnownEvents, message: str) -> None:
    with pytest.raises(InputError, match=message):
        step.fit(table([(0, "a", 1.0)]))
