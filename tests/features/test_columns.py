"""Selecting columns."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from features.columns import belongs, kind_of, kinds_of, select
from features.errors import InputError

X = pd.DataFrame(
    {
        "a1": [1, 2],
        "a2": [0.5, None],
        "yes": [True, False],
        "day": pd.to_datetime(["2010-01-01", "2010-01-02"]),
        "name": pd.Series(["x", None], dtype="str"),
        "zone": pd.Categorical(["u", "v"]),
    }
)


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (None, list(X.columns)),
        ("a1", ["a1"]),
        ("a*", ["a1", "a2"]),
        ("numeric", ["a1", "a2"]),
        ("categorical", ["name", "zone"]),
        ("text", ["name"]),
        (["zone", "a?", "a1"], ["zone", "a1", "a2"]),
        ({"select": "a*", "except": ["a2"]}, ["a1"]),
        ({"except": ["numeric", "categorical"]}, ["yes", "day"]),
        ({"select": "dates"}, ["day"]),
        ([], []),
    ],
)
def test_what_is_selected(selection: Any, expected: list[str]) -> None:
    assert select(X, selection) == expected
    assert select(X.iloc[:0], selection) == expected, "only the header is looked at"


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        (
            {"exept": "a1"},
            r"has the key\(s\) 'exept'; allowed: 'select', 'except'\. Closest: 'except'\. Write \{select: \[A, 'B\*'\], except",
        ),
        ({"select": "a1", "columns": "a2"}, r"has the key\(s\) 'columns'; allowed: 'select', 'except'\. Write"),
        ({}, r"has no key; allowed: 'select', 'except'\. Write"),
        ("a3", r"No column 'a3' here; there are .*Select columns by name, glob or kind"),
        ("b*", r"No column 'b\*' here"),
        ({"select": "a1", "except": "b"}, "No column 'b' here"),
    ],
)
def test_refuses(selection: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        select(X, selection)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (pd.Series([1], dtype="Int64"), "numeric"),
        (pd.Series([1.5], dtype="float32"), "numeric"),
        (pd.Series([True], dtype="boolean"), "flags"),
        (pd.Series(["a"], dtype=object), "text"),
        (pd.Series(pd.Categorical([True, False])), "categorical"),
        (pd.Series(pd.Categorical([1, 2])), "categorical"),
        (pd.Series(pd.to_datetime(["2010-01-01"]).tz_localize("UTC")), "dates"),
    ],
)
def test_kinds(values: pd.Series, kind: str) -> None:
    assert kind_of(values) == kind
    assert kinds_of(values.to_frame("v")) == {"v": kind}
    assert belongs(kind_of(values), kind)
    assert belongs(kind_of(values), "categorical") == (kind in ("text", "categorical"))
