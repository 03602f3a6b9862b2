"""Changing what a column holds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.casting import Cast
from features.columns import kind_of
from features.errors import InputError


def cast(values: Any, **parameters: Any) -> pd.Series:
    return Cast("c", **parameters).fit_transform(pd.DataFrame({"c": values}))["c"]


@pytest.mark.parametrize(
    ("values", "to", "expected"),
    [
        ([20, 30], "category", ["20", "30"]),
        ([20.0, None], "category", ["20", None]),
        ([2.5, 3.0], "text", ["2.5", "3"]),
        ([True, False], "text", ["True", "False"]),
        (pd.Categorical(["x", None]), "text", ["x", None]),
        (["4", " 5.5 ", None], "number", [4.0, 5.5, None]),
        ([True, False], "number", [1.0, 0.0]),
        ([7, 8], "number", [7, 8]),
        (["4", "6"], "integer", [4, 6]),
        ([4.0, None], "integer", [4.0, None]),
        (["Yes", "n", "TRUE", "0"], "flag", [True, False, True, False]),
        ([1, 0], "flag", [True, False]),
        ([1.0, None], "flag", [1.0, None]),
        (["2010-01-31", None], "date", [pd.Timestamp("2010-01-31"), None]),
        (["2010-01-31T10:00:00+02:00", "2010-01-31"], "date", [pd.Timestamp("2010-01-31T08:00"), pd.Timestamp("2010-01-31")]),
    ],
)
def test_cast(values: Any, to: Any, expected: list[Any]) -> None:
    assert [None if pd.isna(value) else value for value in cast(values, to=to)] == expected


@pytest.mark.parametrize(
    ("to", "kind"),
    [("category", "text"), ("text", "text"), ("number", "numeric"), ("integer", "numeric"), ("flag", "flags"), ("date", "dates")],
)
def test_kinds(to: Any, kind: str) -> None:
    values = ["2010-01-01"] if to == "date" else ["1"]
    assert kind_of(cast(values, to=to)) == kind


def test_date_format() -> None:
    assert cast(["31.01.2010"], to="date", format="%d.%m.%Y").tolist() == [pd.Timestamp("2010-01-31")]
    assert cast([20100131], to="date", format="%Y%m%d").tolist() == [pd.Timestamp("2010-01-31")]
    with pytest.raises(InputError, match="has a format, which belongs to 'to: date'; found 'to: number'"):
        cast(["1"], to="number", format="%d")


@pytest.mark.parametrize(
    ("values", "to", "named"),
    [
        (["4", "many", "few"], "number", "'few', 'many'"),
        (["4", "inf"], "number", "'inf'"),
        (["nan"], "number", "'nan'"),
        ([2.5], "integer", "2.5"),
        (["2.0", "2.5"], "integer", "'2.5'"),
        ([1e300], "integer", "1e\\+300"),
        (["maybe"], "flag", "'maybe'"),
        ([2], "flag", "2"),
        (["31.01.2010"], "date", "'31.01.2010'"),
        (pd.to_datetime(["2010-01-01"]), "number", "2010"),
    ],
)
def test_unreadable(values: Any, to: Any, named: str) -> None:
    with pytest.raises(InputError, match=f"cannot read .*{named}.* in column 'c' as {to}.*'errors: missing'"):
        cast(values, to=to)
    assert cast(values, to=to, errors="missing").isna().any()


@given(st.lists(st.integers(-(2**53), 2**53), min_size=1))
def test_whole_numbers_survive_text(values: list[int]) -> None:
    X = pd.DataFrame({"c": np.array(values, dtype=float)})
    text = Cast("c", to="text").fit_transform(X)
    assert text["c"].tolist() == [str(value) for value in values]
    assert Cast("c", to="integer").fit_transform(text)["c"].tolist() == values


@given(st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_numbers_survive_text(values: list[float | None]) -> None:
    X = pd.DataFrame({"c": pd.Series(values, dtype=float)})
    back = Cast("c", to="number").fit_transform(Cast("c", to="text").fit_transform(X))
    np.testing.assert_allclose(back["c"], X["c"], rtol=1e-15)
