"""Columns together."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from features.crosses import Cross, PolynomialTop, Products
from features.errors import InputError

X = pd.DataFrame({"zone": ["a", None, "b"], "kind": [20.0, 30.0, None], "air": [True, False, True]})
N = pd.DataFrame({"a": [6.0, 1e200, np.nan], "b": [3.0, 1e200, 1.0], "c": [0.0, -1e200, 1.0]})


def test_cross() -> None:
    out = Cross(["zone", "kind"]).fit_transform(X)["zone__x_kind"]
    assert out.tolist()[0] == "a|20"
    assert out.isna().tolist() == [False, True, True]


def test_pairs() -> None:
    out = Cross(["zone", "kind", "air"], degree=2).fit(X).write(X)
    assert list(out) == ["zone__x_kind", "zone__x_air", "kind__x_air"]
    assert out["kind__x_air"].tolist()[:2] == ["20|True", "30|False"]


def test_products() -> None:
    out = Products(how=["product", "ratio", "difference", "sum"]).fit(N).write(N)
    assert len(out.columns) == 12
    np.testing.assert_array_equal(out["a__times_b"], [18.0, np.finfo(float).max, np.nan])
    np.testing.assert_array_equal(out["a__over_c"], [np.nan, -1.0, np.nan])
    np.testing.assert_array_equal(out["b__minus_c"], [3.0, 2e200, 0.0])
    np.testing.assert_array_equal(out["b__plus_c"], [3.0, 0.0, 2.0])


def test_the_columns_that_go_with_the_target() -> None:
    rng = np.random.default_rng(1)
    table = pd.DataFrame(rng.normal(size=(200, 4)), columns=list("wxyz"))
    target = -3 * table["z"] + table["x"] + 0.1 * table["w"]
    out = PolynomialTop(top=2, powers=[2, 3]).fit_transform(table, target)
    assert list(out.columns[4:]) == ["x__power_2", "x__power_3", "z__power_2", "z__power_3", "x__times_z"]
    np.testing.assert_allclose(out["x__times_z"], table["x"] * table["z"])


@pytest.mark.parametrize(
    ("step", "X", "message"),
    [
        (Cross("zone"), X, "'cross' needs at least 2 column"),
        (Cross(["zone", "kind"], degree=1), X, "'cross' needs a degree of at least 2, found 1"),
        (Cross(["zone", "kind", "air"], degree=2, max_columns=2), X, "'cross' would make 3 columns; max_columns is 2"),
        (Products("a"), N, "'products' needs at least 2 column"),
        (Products(max_columns=2), N, "'products' would make 3 columns; max_columns is 2. Select fewer"),
        (Products(), N.assign(a=np.inf), "'products' found an infinite value in column 'a'"),
        (PolynomialTop(top=0), N, "'polynomial_top' needs a 'top' of at least 1"),
        (PolynomialTop(["zone"]), X, "'polynomial_top' works on numeric columns; 'zone' is text"),
        (PolynomialTop("text"), N, "'polynomial_top' needs at least 1 column"),
        (PolynomialTop(), N, "'polynomial_top' found one value only in the target of the 3 training rows"),
    ],
)
def test_refuses(step: Cross | Products | PolynomialTop, X: pd.DataFrame, message: str) -> None:
    with pytest.raises(InputError, match=message):
        step.fit(X, pd.Series([1.0, 1.0, 1.0])).transform(X)
