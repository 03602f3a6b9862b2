"""One-hot flags, ordinal codes and declared levels."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import InputError
from features.levels import AsCategory, OneHot, Ordinal, model_safe_names

X = pd.DataFrame({"c": ["b", "a", None], "n": [20.0, 30.0, None], "f": [True, False, True]})


@pytest.mark.parametrize(
    ("columns", "parameters", "flags"),
    [
        ("c", {}, {"c__a": [0, 1, 0], "c__b": [1, 0, 0]}),
        ("c", {"drop_first": True}, {"c__b": [1, 0, 0]}),
        ("c", {"missing": "column"}, {"c__a": [0, 1, 0], "c__b": [1, 0, 0], "c__missing": [0, 0, 1]}),
        ("n", {}, {"n__20": [1, 0, 0], "n__30": [0, 1, 0]}),
        ("f", {"drop_first": True}, {"f__True": [1, 0, 1]}),
        (["f", "c"], {"drop_first": True}, {"f__True": [1, 0, 1], "c__b": [1, 0, 0]}),
    ],
)
def test_one_hot(columns: Any, parameters: dict[str, Any], flags: dict[str, list[int]]) -> None:
    step = OneHot(columns, **parameters)
    out = step.fit_transform(X)
    assert {name: out[name].astype(int).tolist() for name in step.names_} == flags
    assert not set(step.selected_) & set(out.columns)
    assert set(out[step.names_].dtypes) == {np.dtype(bool)}


def test_unseen_sets_no_flag() -> None:
    assert not OneHot("c").fit(X).write(pd.DataFrame({"c": ["new"]})).to_numpy().any()


def test_too_many_levels() -> None:
    with pytest.raises(InputError, match="would make 3 columns of 'c'; max_levels is 2"):
        OneHot("c", max_levels=2).fit(pd.DataFrame({"c": list("abc")}))


def test_awkward_levels_get_distinct_names() -> None:
    levels = ["a b", "a_b", "a<b", "a[b", "missing", '{"x": 1}', None]
    out = OneHot("c", missing="column").fit_transform(pd.DataFrame({"c": levels}))
    assert list(out.columns) == ["c__a_b", "c__a_b_2", "c__a_b_3", "c__a_b_4", "c__missing", "c____x___1_", "c__missing_2"]
    assert len(set(out.columns)) == 7
    assert (out.sum(axis=1) == 1).all()
    assert (out.sum(axis=0) == 1).all()


@given(st.lists(st.text(max_size=6), unique=True, max_size=8))
def test_names_are_safe_and_unique(names: list[str]) -> None:
    safe = model_safe_names(names)
    assert len(set(safe)) == len(names)
    assert not any(re.search(r"[\[\]<>{}:,\"'\s]", name) for name in safe)
    assert safe == model_safe_names(names)


@given(st.lists(st.none() | st.text(max_size=3), min_size=1))
def test_each_known_value_has_one_flag(values: list[str | None]) -> None:
    column = pd.Series(values, dtype="str")
    flags = OneHot("c").fit_transform(pd.DataFrame({"c": column}))
    assert flags.sum(axis=1).tolist() == column.notna().astype(int).tolist()


@pytest.mark.parametrize(
    ("column", "order", "expected"),
    [
        ("c", None, [1.0, 0.0, None]),
        ("c", {"c": ["b", "x", "a"]}, [0.0, 2.0, None]),
        ("n", {"n": [30, 20]}, [1.0, 0.0, None]),
        ("f", None, [1.0, 0.0, 1.0]),
    ],
)
def test_ordinal(column: str, order: Any, expected: list[float | None]) -> None:
    codes = Ordinal(column, order=order).fit_transform(X)[column]
    assert codes.dtype == "float64"
    assert [None if pd.isna(code) else code for code in codes] == expected


def test_unseen_is_minus_one() -> None:
    assert Ordinal("c").fit(X).transform(pd.DataFrame({"c": ["new", "a"]}))["c"].tolist() == [-1.0, 0.0]


@pytest.mark.parametrize(
    ("order", "message"),
    [
        ({"c": ["a"]}, "found 'b', which the order lacks, for column 'c'"),
        ({"c": ["a", "b", "a"]}, "found a level twice in the order, for column 'c'"),
        ({"cc": ["a"]}, "has an order for 'cc', which it does not work on.*Closest: 'c'"),
    ],
)
def test_ordinal_refuses(order: dict[str, list[str]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Ordinal("c", order=order).fit(X)


def test_declared_levels_are_the_same_in_every_table() -> None:
    step = AsCategory(["c", "n"]).fit(X)
    some = step.transform(pd.DataFrame({"c": ["a", "new"], "n": [30, 99]}))
    assert some["c"].cat.categories.tolist() == ["a", "b"]
    assert some["n"].cat.categories.tolist() == [20.0, 30.0]
    assert some.isna().to_numpy().tolist() == [[False, False], [True, True]]
    assert some.dtypes.equals(step.transform(X)[["c", "n"]].dtypes)


def test_declared_levels_can_be_read_again() -> None:
    declared = AsCategory("c").fit_transform(X)
    assert AsCategory("c").fit_transform(declared)["c"].equals(declared["c"])
    assert Ordinal("c").fit_transform(declared)["c"].equals(Ordinal("c").fit_transform(X)["c"])
