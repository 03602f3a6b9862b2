"""Target rates of earlier periods."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import InputError
from features.past_rates import PastTargetRate
from features.saving import dumps

X = pd.DataFrame({"site": ["a", "a", "b", "a", "b", "a", None], "day": [1, 1, 1, 2, 2, 4, 4]})
Y = pd.Series([1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0])
NONE = np.nan


def rates(X: pd.DataFrame = X, y: pd.Series = Y, **params: Any) -> list[float]:
    step = PastTargetRate(**{"by": "site", "time": "day", "period": "value", **params})
    return step.fit_transform(X, y).iloc[:, -1].tolist()


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"credibility": 0}, [NONE, NONE, NONE, 1 / 2, 0, 2 / 3, 3 / 5]),
        ({"credibility": 3}, [NONE, NONE, NONE, (3 / 3 + 1) / 5, (3 / 3 + 0) / 4, (3 * 3 / 5 + 2) / 6, 3 / 5]),
        ({"credibility": 0, "last": 2}, [NONE, NONE, NONE, 1 / 2, 0, 1, 1]),
        ({"credibility": 0, "gap": 2}, [NONE, NONE, NONE, NONE, NONE, 1 / 2, 1 / 3]),
        ({"credibility": 0, "by": []}, [NONE, NONE, NONE, 1 / 3, 1 / 3, 3 / 5, 3 / 5]),
        ({"counts": True}, [0, 0, 0, 2, 1, 3, 0]),
        ({"counts": True, "last": 3}, [0, 0, 0, 2, 1, 3, 0]),
        ({"counts": True, "last": 1}, [0, 0, 0, 2, 1, 0, 0]),
    ],
)
def test_rates(params: dict[str, Any], expected: list[float]) -> None:
    np.testing.assert_allclose(rates(**params), expected)


def test_new_rows_have_the_past_of_their_period() -> None:
    step = PastTargetRate("site", time="day", period="value", credibility=1.0).fit(X, Y)
    new = pd.DataFrame({"site": ["a", "c", "a", "a"], "day": [9, 9, 1, np.nan]})
    np.testing.assert_allclose(step.write(new)["site__past_rate"], [(4 / 7 + 2) / 5, 4 / 7, NONE, NONE])


@pytest.mark.parametrize(
    ("period", "times", "is_past"),
    [
        ("hour", ["2017-11-06 16:10:00", "2017-11-06 16:59:59"], False),
        ("hour", ["2017-11-06 16:59:59", "2017-11-06 17:00:00"], True),
        ("day", ["2017-11-06 16:00:00", "2017-11-06 23:59:59"], False),
        ("day", ["2017-11-06 23:59:59", "2017-11-07 00:00:00"], True),
        ("minute", ["2017-11-06 23:59:01", "2017-11-06 23:59:59"], False),
    ],
)
def test_periods_of_dates(period: str, times: list[str], is_past: bool) -> None:
    found = rates(pd.DataFrame({"site": ["a", "a"], "day": pd.to_datetime(times)}), pd.Series([1.0, 0.0]), period=period)
    np.testing.assert_array_equal(found, [NONE, 1.0 if is_past else NONE])


def test_names_and_classes() -> None:
    classes = pd.Series(pd.Categorical([0.0, 1.0, 2.0, 0.0, 1.0, 2.0, 0.0]))
    step = PastTargetRate([["site"], []], time="day", period="value", last=4, counts=True)
    assert list(step.fit(X, classes).write(X)) == [
        *("site__past_rate_4_0", "site__past_rate_4_1", "site__past_rate_4_2", "site__past_count_4"),
        *("all__past_rate_4_0", "all__past_rate_4_1", "all__past_rate_4_2", "all__past_count_4"),
    ]


observed = st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 4), st.floats(-3, 3)), min_size=1, max_size=12)


@given(observed, st.data())
def test_no_label_of_its_own_period_or_a_later_one(rows: list[tuple[str, int, float]], data: st.DataObject) -> None:
    """To the last bit: what rows up to a period are told stays when any label from that period on changes."""
    table = pd.DataFrame(rows, columns=["site", "day", "y"])
    day = data.draw(st.sampled_from(table["day"].tolist()))
    later = table["day"] >= day
    changed = table["y"].where(~later, 10.0 * table["y"] + 7.0)
    before = np.array(rates(table, table["y"]))[(table["day"] <= day).to_numpy()]
    after = np.array(rates(table, changed))[(table["day"] <= day).to_numpy()]
    np.testing.assert_array_equal(before, after)


def test_training_rows_and_new_ones_are_told_the_same() -> None:
    step = PastTargetRate("site", time="day", period="value").fit(X, Y)
    pd.testing.assert_frame_equal(step.write_training(X, Y), step.write(X))
    shuffled = X.sample(frac=1.0, random_state=1)
    assert dumps(PastTargetRate("site", time="day", period="value").fit(shuffled, Y[shuffled.index])) == dumps(step)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"credibility": -1.0}, "needs a credibility of at least 0 rows, found -1.0"),
        ({"last": 0}, "needs 'last' of at least 1 period and 'gap' of at least 0; found 0, 0"),
        ({"gap": -1}, "needs 'last' of at least 1 period and 'gap' of at least 0; found None, -1"),
        ({"time": "site"}, "needs dates in column 'site'; it holds text (str). Cast it first"),
    ],
)
def test_refused(params: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=re.escape(f"Step 'past_target_rate' {message}")):
        rates(**params)


def test_fractions_are_no_periods() -> None:
    with pytest.raises(InputError, match="takes column 'day' for numbers of periods, and it holds fractions"):
        rates(X.assign(day=X["day"] + 0.5))
