"""Parts of texts and keys made of them."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from features.errors import InputError
from features.step import Step
from features.text_parts import Concat, MaskLast, NormaliseText, Prefix, SplitTake

X = pd.DataFrame({"name": ["Braund, Mr. Owen", "no comma", None], "ticket": ["A/5 21171", "7", None], "class": [3.0, 1.0, None]})


def plain(column: pd.Series) -> list[Any]:
    return [None if pd.isna(value) else value for value in column]


@pytest.mark.parametrize(
    ("step", "made", "expected"),
    [
        (SplitTake("name", at=","), "name__part_0", ["Braund", "no comma", None]),
        (SplitTake("name", at=",", take=1), "name__part_1", ["Mr. Owen", None, None]),
        (SplitTake("name", at=" ", take=-2), "name__part_-2", ["Mr.", "no", None]),
        (Prefix("ticket", length=3), "ticket__prefix_3", ["A/5", "7", None]),
        (Prefix("ticket", length=-2), "ticket__suffix_2", ["71", "7", None]),
        (Prefix("class", length=1), "class__prefix_1", ["3", "1", None]),
        (MaskLast("ticket", length=2, mark="#"), "ticket__masked", ["A/5 211##", "#", None]),
        (NormaliseText("name"), "name", ["braund, mr. owen", "no comma", None]),
        (NormaliseText("name", lower=False, punctuation=False), "name", ["Braund Mr Owen", "no comma", None]),
        (Concat(["name", "class"], into="key", separator="/"), "key", ["Braund, Mr. Owen/3", "no comma/1", None]),
        (Concat(["class", "ticket"], into="key"), "key", ["3-A/5 21171", "1-7", None]),
    ],
)
def test_parts(step: Step, made: str, expected: list[str | None]) -> None:
    assert plain(step.fit_transform(X)[made]) == expected


def test_one_spelling() -> None:
    cities = pd.DataFrame({"city": [" São\tPaulo", "SAO  PAULO!", "...", ""]})
    assert plain(NormaliseText("city", punctuation=False, accents=False).fit_transform(cities)["city"]) == [
        "sao paulo",
        "sao paulo",
        None,
        None,
    ]


def test_a_part_of_the_key_may_be_missing() -> None:
    half = pd.DataFrame({"a": ["x", None], "b": [None, 2.0]})
    assert Concat(["a", "b"], into="k").fit_transform(half)["k"].tolist() == ["x-", "-2"]


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (SplitTake("name", at=""), "'split_take' needs a separator"),
        (SplitTake("class", at=","), "'split_take' works on categorical or text columns; 'class' is numeric"),
        (Prefix("name", length=0), "'prefix' needs a length other than 0"),
        (MaskLast("name", length=0), "'mask_last' needs a length of at least 1, found 0"),
        (Concat("dates", into="k"), "'concat' needs at least 1 column"),
    ],
)
def test_refuses(step: Step, message: str) -> None:
    with pytest.raises(InputError, match=message):
        step.fit(X)
