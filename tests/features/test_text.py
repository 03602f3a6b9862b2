"""Columns from text."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from features.errors import InputError
from features.text import RegexExtract

X = pd.DataFrame({"Name": ["Braund, Mr. Owen", "no title", None], "Cabin": ["C85", "B2", None]})


@pytest.mark.parametrize(
    ("columns", "pattern", "into", "written"),
    [
        ("Name", r" ([A-Za-z]+)\.", "Title", {"Title": ["Mr", None, None]}),
        ("Cabin", r"^(.)", None, {"Cabin__extract": ["C", "B", None]}),
        (["Name", "Cabin"], r"(?:^)(.)", "first", {"Name__first": ["B", "n", None], "Cabin__first": ["C", "B", None]}),
        ("Cabin", r"(?P<digits>\d+)", "digits", {"digits": ["85", "2", None]}),
    ],
)
def test_extract(columns: Any, pattern: str, into: str | None, written: dict[str, list[str | None]]) -> None:
    out = RegexExtract(columns, pattern=pattern, into=into).fit(X).write(X)
    assert {name: [None if pd.isna(value) else value for value in out[name]] for name in out} == written


def test_declared_levels_are_text() -> None:
    assert RegexExtract("Cabin", pattern="(.)").fit(X).write(X.astype("category")).iloc[0, 0] == "C"


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("(", r"cannot read the pattern '\('"),
        ("a", "needs one group in the pattern 'a', found 0. Put the part to cut out in brackets"),
        ("(a)(b)", "needs one group in the pattern '\\(a\\)\\(b\\)', found 2"),
    ],
)
def test_refuses(pattern: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        RegexExtract("Name", pattern=pattern).reads(X)


def test_numbers_are_refused() -> None:
    with pytest.raises(InputError, match="works on categorical or text columns; 'n' is numeric"):
        RegexExtract("n", pattern="(.)").fit(pd.DataFrame({"n": [1]}))
