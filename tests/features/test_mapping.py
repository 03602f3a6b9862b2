"""Replacing values by declared ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import InputError
from features.mapping import Map, OrdinalMap


def plain(column: pd.Series) -> list[Any]:
    return [None if pd.isna(value) else value for value in column]


@pytest.mark.parametrize(
    ("values", "parameters", "expected", "dtype"),
    [
        (["a", "b", None], {"to": {"a": "x"}}, ["x", "b", None], "str"),
        (["a", "b", None], {"to": {"a": "x"}, "other": "missing"}, ["x", None, None], "str"),
        (["a", "b", None], {"to": {"a": "x"}, "default": "y"}, ["x", "y", None], "str"),
        (["a", "b", None], {"to": {"a": 1, "b": 2}}, [1.0, 2.0, None], "float64"),
        (["a", "b", None], {"to": {"a": 1, None: 0}, "default": 5}, [1.0, 5.0, 0.0], "float64"),
        (["a", "b", None], {"to": {"a": None}}, [None, "b", None], "str"),
        (["a", "b"], {"to": {"a": True}, "default": False}, [True, False], "bool"),
        (["a", "b", None], {"to": {"a": True, "b": False}}, [1.0, 0.0, None], "float64"),
        ([20, 30], {"to": {20: 21}}, [21.0, 30.0], "float64"),
        ([20.0, None], {"to": {20: "old"}}, ["old", None], "str"),
        ([20, 30], {"to": {20: "old"}}, ["old", "30"], "str"),
        ([20.0, 30.0], {"to": {20: "old"}}, ["old", "30"], "str"),
        ([True, False], {"to": {True: "yes", False: "no"}}, ["yes", "no"], "str"),
        (pd.Categorical(["a", "b"]), {"to": {"a": "x"}}, ["x", "b"], "str"),
        (["20", "x"], {"to": {20: "old"}}, ["old", "x"], "str"),
        ([None, None], {"to": {"a": "x", None: "none"}}, ["none", "none"], "str"),
    ],
)
def test_map(values: Any, parameters: dict[str, Any], expected: list[Any], dtype: str) -> None:
    mapped = Map("c", **parameters).fit_transform(pd.DataFrame({"c": values}))["c"]
    assert plain(mapped) == expected
    assert mapped.dtype == dtype


@pytest.mark.parametrize(
    ("values", "parameters", "message"),
    [
        (["a", "z"], {"to": {"a": 1}}, "no entry for 'z' of column 'c', and the new values are numeric.*'other: missing'"),
        (["a", "z"], {"to": {"a": "x"}, "other": "error"}, "no entry for 'z' of column 'c', and 'other' is 'error'"),
        ([1, 2], {"to": {"a": 1}}, "has the text 'a' for column 'c', which holds numeric"),
        (["1"], {"to": {1: "x", "1": "y"}}, "declares '1' more than once"),
        (["a"], {"to": {}}, "needs a table of values in 'to'"),
        (["a"], {"to": {"a": 1}, "other": "drop"}, "other='drop'; allowed: 'keep', 'missing', 'error'"),
    ],
)
def test_map_refuses(values: Any, parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Map("c", **parameters).fit(pd.DataFrame({"c": values}))


def test_map_refuses_unknown_values_in_new_rows() -> None:
    step = Map("c", to={"a": 1}).fit(pd.DataFrame({"c": ["a"]}))
    with pytest.raises(InputError, match="no entry for 'new' of column 'c'"):
        step.transform(pd.DataFrame({"c": ["new"]}))


def test_ordinal_map() -> None:
    X = pd.DataFrame({"c": ["Gd", None, "Po"], "d": ["Fa", "Fa", "Gd"]})
    out = OrdinalMap(["c", "d"], order=["Po", "Fa", "Gd"]).fit_transform(X)
    assert plain(out["c"]) == [2.0, None, 0.0]
    assert plain(out["d"]) == [1.0, 1.0, 2.0]
    assert plain(OrdinalMap("c", order=[3, 1]).fit_transform(pd.DataFrame({"c": [1.0, 3.0, np.nan]}))["c"]) == [1.0, 0.0, None]


@pytest.mark.parametrize(
    ("order", "message"),
    [
        (["Po", "Gd"], "found 'Fa' in column 'c', not in the order \\['Po', 'Gd'\\]. Add the level at its place"),
        (["Po", "Po"], "each level once in 'order', lowest first; found 'Po' more than once"),
        ([], "each level once in 'order', lowest first; found none"),
    ],
)
def test_ordinal_map_refuses(order: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        OrdinalMap("c", order=order).fit(pd.DataFrame({"c": ["Po", "Fa"]}))


def test_ordinal_map_makes_unknown_levels_missing_on_request() -> None:
    assert plain(OrdinalMap("c", order=["Po"], unknown="missing").fit_transform(pd.DataFrame({"c": ["Po", "Fa"]}))["c"]) == [0.0, None]


@given(st.lists(st.sampled_from("abcde"), min_size=1), st.permutations("abcde"))
def test_there_and_back(values: list[str], order: list[str]) -> None:
    placed = OrdinalMap("c", order=order).fit_transform(pd.DataFrame({"c": values}))
    back = Map("c", to=dict(enumerate(order))).fit_transform(placed)
    assert back["c"].tolist() == values
