"""Filling and marking missing values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import InputError
from features.missing import Fill, MissingIndicator
from features.step import Learns

NUMBERS = st.floats(-1e9, 1e9, allow_subnormal=False)


def houses() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "area": [10.0, 20.0, 60.0, np.nan, 7.0, np.nan, np.nan],
            "street": ["a", "a", "b", "b", "a", "c", None],
            "zone": [1, 1, 1, 2, 2, 1, 1],
        }
    )


@pytest.mark.parametrize(
    ("values", "value", "expected", "dtype"),
    [
        (["x", None], "none", ["x", "none"], "str"),
        ([1.5, None], 0, [1.5, 0.0], "float64"),
        (pd.array([1, None], dtype="Int64"), 7, [1.0, 7.0], "float64"),
        (np.array([1.5, np.nan], dtype="float32"), 2, [1.5, 2.0], "float32"),
        ([1, 2], 0, [1, 2], "int64"),
        (pd.array([True, None], dtype="boolean"), False, [True, False], "bool"),
        (np.array([True, None], dtype=object), False, [True, False], "bool"),
        (pd.Categorical(["x", None]), "none", ["x", "none"], "str"),
        ([None, None], "none", ["none", "none"], "str"),
        ([np.nan, np.nan], "none", ["none", "none"], "str"),
        ([np.nan, np.nan], 3, [3.0, 3.0], "float64"),
        (pd.to_datetime(["2010-01-01", None]), "2011-02-03", [pd.Timestamp("2010-01-01"), pd.Timestamp("2011-02-03")], "datetime64[us]"),
    ],
)
def test_constant(values: Any, value: Any, expected: list[Any], dtype: str) -> None:
    filled = Fill("c", value=value).fit_transform(pd.DataFrame({"c": values}))["c"]
    assert filled.tolist() == expected
    assert filled.dtype == dtype


@pytest.mark.parametrize(
    ("values", "value", "message"),
    [
        ([1.0, None], "none", "cannot put 'none' into column 'c', which holds numeric"),
        (["x", None], 0, "cannot put 0 into column 'c', which holds text"),
        ([1.0, None], True, "cannot put True into column 'c', which holds numeric"),
        (pd.to_datetime(["2010-01-01", None]), "soon", "cannot put 'soon' into column 'c', which holds dates"),
    ],
)
def test_constant_of_another_kind(values: Any, value: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Fill("c", value=value).fit(pd.DataFrame({"c": values}))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "needs either 'value: <constant>' or 'with: median'"),
        ({"value": 1, "how": "mean"}, "and not both"),
        ({"value": 1, "by": "street"}, "'by' has no meaning"),
        ({"value": float("inf")}, "needs a finite number as 'value', found inf"),
        ({"how": "medain"}, "how='medain'; allowed: 'median', 'mean', 'mode'. Closest: 'median'"),
        ({"how": "mean", "by": "stret"}, "No column 'stret'.*Closest: 'street'"),
        ({"how": "mean", "columns": "street"}, "cannot take the mean of column 'street', which is text. Use 'with: mode'"),
    ],
)
def test_wrong_parameters(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Fill(**{"columns": "area", **parameters}).fit(houses())


def test_learns_from_rows_only_without_a_constant() -> None:
    assert Fill("area", value=0).learns is Learns.NOTHING
    assert Fill("area", how="median").learns is Learns.ROWS


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        (None, [15.0, 15.0, 15.0]),
        ("street", [60.0, 15.0, 15.0]),
        (["street", "zone"], [60.0, 15.0, 15.0]),
        (["zone", "street"], [7.0, 20.0, 20.0]),
        ([["street"], ["zone"]], [60.0, 20.0, 20.0]),
    ],
)
def test_median_asks_coarser_groups(by: Any, expected: list[float]) -> None:
    X = houses()
    filled = Fill("area", how="median", by=by).fit_transform(X)["area"]
    assert filled[X["area"].isna()].tolist() == expected


@pytest.mark.parametrize(("how", "expected"), [("mean", 24.25), ("median", 15.0), ("mode", 7.0)])
def test_how(how: Any, expected: float) -> None:
    assert Fill("area", how=how).fit_transform(houses())["area"].iloc[-1] == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["b", "a", "b", None], "b"),
        (["b", "a", None], "a"),
        ([True, False, True, None], True),
        (pd.Categorical(["y", "y", "x", None]), "y"),
    ],
)
def test_mode(values: Any, expected: object) -> None:
    assert Fill("c", how="mode").fit_transform(pd.DataFrame({"c": values}))["c"].iloc[-1] == expected


def test_mode_within_groups() -> None:
    X = pd.DataFrame({"c": ["x", "x", "y", "z", "y", None, None], "g": [1, 1, 1, 2, 2, 2, 3]})
    assert Fill("c", how="mode", by="g").fit_transform(X)["c"].tolist()[-2:] == ["y", "x"]


def test_whole_numbers_stay_whole() -> None:
    step = Fill("c", how="median").fit(pd.DataFrame({"c": [1, 2]}))
    assert step.transform(pd.DataFrame({"c": [5, 6]}))["c"].dtype == "int64"
    assert step.transform(pd.DataFrame({"c": [5, None]}))["c"].tolist() == [5.0, 1.5]


def test_keys_of_another_number_type_meet() -> None:
    step = Fill("c", how="mean", by="g").fit(pd.DataFrame({"c": [1.0, 5.0], "g": [1, 2]}))
    assert step.transform(pd.DataFrame({"c": [None, None], "g": [2.0, np.nan]}))["c"].tolist() == [5.0, 3.0]


@pytest.mark.parametrize("how", ["median", "mean", "mode"])
def test_nothing_to_learn_from(how: Any) -> None:
    X = pd.DataFrame({"c": [np.nan, np.nan]})
    with pytest.raises(InputError, match="column 'c', which has no value in the training rows"):
        Fill("c", how=how).fit(X)


@given(st.lists(st.tuples(st.none() | NUMBERS, st.sampled_from("ab")), min_size=1), st.sampled_from(["median", "mean", "mode"]))
def test_filled_values_lie_within_the_known_ones(rows: list[tuple[float | None, str]], how: Any) -> None:
    X = pd.DataFrame(rows, columns=["c", "g"]).astype({"c": float})
    known = X["c"].dropna()
    if known.empty:
        return
    filled = Fill("c", how=how, by="g").fit_transform(X)["c"]
    slack = 1e-6 * known.abs().max()
    assert filled.between(known.min() - slack, known.max() + slack).all()
    assert filled[known.index].tolist() == known.tolist()


def test_indicator() -> None:
    out = MissingIndicator(["area", "zone"]).fit_transform(houses())
    assert out["area__is_missing"].tolist() == houses()["area"].isna().tolist()
    assert out["zone__is_missing"].tolist() == [False] * 7
    assert out["area__is_missing"].dtype == "bool"
