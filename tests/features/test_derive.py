"""New columns from expressions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from features.derive import Derive
from features.errors import InputError


def table() -> pd.DataFrame:
    return pd.DataFrame({"a": [1.0, 2.0, np.nan], "1st": [10, 20, 30], "street": ["x", "y", None]})


@pytest.mark.parametrize(
    ("expressions", "column", "expected"),
    [
        ({"t": "a + `1st`"}, "t", [11.0, 22.0, None]),
        ({"t": "a / (a - 1)"}, "t", [None, 2.0, None]),
        ({"t": "a * 2", "u": "t * t"}, "u", [4.0, 16.0, None]),
        ({"a": "a * 2", "u": "a + 1"}, "u", [3.0, 5.0, None]),
        ({"t": "street == 'x'"}, "t", [True, False, False]),
        ({"t": "upper(street)"}, "t", ["X", "Y", None]),
        ({"t": "7"}, "t", [7, 7, 7]),
    ],
)
def test_derive(expressions: dict[str, str], column: str, expected: list[Any]) -> None:
    out = Derive(expressions).fit_transform(table())[column]
    assert [None if pd.isna(value) else value for value in out] == expected


def test_reads_what_no_earlier_expression_makes() -> None:
    assert Derive({"t": "a + 1", "u": "t * `1st`"}).reads(table()) == ["a", "1st"]
    assert Derive({"u": "street == 'x'", "street": "lower(street)"}).reads(table()) == ["street"]


def test_a_hundred_columns_are_not_fragmented() -> None:
    assert Derive({f"c{number}": f"a + {number}" for number in range(150)}).fit_transform(table()).shape == (3, 153)


@pytest.mark.parametrize(
    ("expressions", "message"),
    [
        ({}, "needs a table of expressions"),
        ({"t": "a +"}, "'a \\+' cannot be read"),
        ({"t": "__import__('os')"}, "calls '__import__'"),
        ({"t": "b + 1"}, "needs column 'b', which no earlier expression makes"),
        ({"t": "u + 1", "u": "a"}, "needs column 'u', which no earlier expression makes.*Closest: 'u'"),
        ({"t": "street + 1"}, "does not fit its columns \\(street: str\\)"),
    ],
)
def test_refuses(expressions: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Derive(expressions).fit(table())
