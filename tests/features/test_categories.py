"""Rare levels and counts."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.categories import CountEncode, RareGroup
from features.errors import InputError

X = pd.DataFrame({"c": ["a", "a", "a", "b", "b", "z", None, None, None, None]})
LETTERS = st.lists(st.none() | st.sampled_from("abcd"), min_size=1)


@pytest.mark.parametrize(
    ("parameters", "kept"),
    [
        ({"min_count": 1}, {"a", "b", "z"}),
        ({"min_count": 2}, {"a", "b"}),
        ({"min_share": 0.3}, {"a"}),
        ({"min_share": 0.2}, {"a", "b"}),
        ({"min_share": 0.0, "min_count": 3}, {"a"}),
        ({"min_count": 99}, set()),
    ],
)
def test_rare(parameters: dict[str, Any], kept: set[str]) -> None:
    out = RareGroup("c", **parameters).fit_transform(X)["c"]
    assert out.isna().tolist() == X["c"].isna().tolist()
    assert out.dropna().tolist() == [level if level in kept else "rare" for level in X["c"].dropna()]


def test_a_share_on_the_border_stays() -> None:
    rows = pd.DataFrame({"c": ["a"] * 7 + ["b"] * 93})
    assert RareGroup("c", min_share=0.07).fit_transform(rows)["c"].iloc[0] == "a"


def test_unseen_is_rare() -> None:
    step = RareGroup("c", min_count=2, into="other").fit(X)
    assert step.transform(pd.DataFrame({"c": ["a", "new"]}))["c"].tolist() == ["a", "other"]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [({}, "needs a limit: 'min_count: 10'"), ({"min_share": 5}, "needs a min_share from 0 to 1, found 5")],
)
def test_rare_refuses(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        RareGroup("c", **parameters).fit(X)


@given(LETTERS, st.integers(1, 4))
def test_levels_that_stay_are_frequent(values: list[str | None], min_count: int) -> None:
    column = pd.Series(values, dtype="str")
    out = RareGroup("c", min_count=min_count).fit_transform(pd.DataFrame({"c": column}))["c"]
    stays = out == column
    assert (column[stays].map(column.value_counts()) >= min_count).all()
    assert (column[~stays].dropna().map(column.value_counts()) < min_count).all()


@pytest.mark.parametrize(("normalize", "unit"), [(False, 1.0), (True, 10.0)])
def test_count(normalize: bool, unit: float) -> None:
    step = CountEncode("c", normalize=normalize).fit(X)
    out = step.transform(pd.DataFrame({"c": ["a", "z", None, "new"]}))["c__count"]
    assert out.tolist() == [3 / unit, 1 / unit, 4 / unit, 0.0]


@given(LETTERS)
def test_counts_are_those_of_the_training_rows(values: list[str | None]) -> None:
    column = pd.Series(values, dtype="str")
    counted = CountEncode("c").fit_transform(pd.DataFrame({"c": column}))["c__count"]
    assert counted.tolist() == [values.count(value) for value in values]


def test_numbers_are_counted_whatever_their_type() -> None:
    step = CountEncode("n").fit(pd.DataFrame({"n": [1, 1, 2]}))
    assert step.transform(pd.DataFrame({"n": [1.0, None]}))["n__count"].tolist() == [2.0, 0.0]


PAIRS = pd.DataFrame({"n": [1, 1, 2, 1, 2], "c": ["a", "a", "a", None, None]})


def test_combinations_are_counted_together() -> None:
    step = CountEncode(["n", "c"], together=True).fit(PAIRS)
    assert step.write(PAIRS)["n_c__count"].tolist() == [2.0, 2.0, 1.0, 2.0, 2.0]
    new = pd.DataFrame({"n": [2, 3, 3, 1], "c": ["a", "a", None, "z"]})
    assert step.write(new)["n_c__count"].tolist() == [1.0, 0.0, 2.0, 0.0]
    shares = CountEncode(["n", "c"], together=True, normalize=True).fit_transform(PAIRS)["n_c__count"]
    assert shares.tolist() == [0.4, 0.4, 0.2, 0.4, 0.4]


def test_a_key_of_no_columns_is_refused() -> None:
    with pytest.raises(InputError, match="Step 'count_encode' needs at least 1 column\\(s\\) to work on, found \\[\\]"):
        CountEncode("dates", together=True).fit(PAIRS)
