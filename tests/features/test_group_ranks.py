"""A row's place in its group."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import InputError
from features.group_ranks import GroupRank, GroupShare, GroupUnique

RNG = np.random.default_rng(6)
X = pd.DataFrame(
    {
        "v": pd.Series(RNG.integers(0, 6, 80)).mask(RNG.random(80) < 0.1),
        "g": pd.Series(RNG.choice(["a", "b", "c"], 80)).mask(RNG.random(80) < 0.1),
        "h": RNG.integers(0, 2, 80),
    }
)


def test_ranks_agree_with_pandas() -> None:
    out = GroupRank("v", by=["g", "h"]).fit_transform(X)["v__rank_by_g_h"]
    grouped = X.groupby(["g", "h"])["v"]
    expected = (grouped.rank() - 0.5) / grouped.transform("count")
    alone = (X["v"].rank() - 0.5) / X["v"].count()
    np.testing.assert_allclose(out, expected.where(X["g"].notna(), alone))


@given(st.lists(st.tuples(st.floats(-9, 9), st.sampled_from("ab")), min_size=1), st.floats(-10, 10), st.sampled_from("abc"))
def test_the_rank_of_a_new_row(rows: list[tuple[float, str]], value: float, group: str) -> None:
    training = pd.DataFrame(rows, columns=["v", "g"])
    members = training.loc[training["g"] == group, "v"]
    members = members if len(members) else training["v"]
    expected = ((members < value).mean() + (members <= value).mean()) / 2
    new = pd.DataFrame({"v": [value], "g": [group]})
    assert GroupRank("v", by="g").fit(training).transform(new)["v__rank_by_g"].iloc[0] == pytest.approx(expected)


def test_ranks_among_all_rows_where_the_group_says_nothing() -> None:
    training = pd.DataFrame({"v": [1.0, 2.0, 2.0, 5.0, np.nan], "g": ["a", "a", None, "b", "c"]})
    new = pd.DataFrame({"v": [2.0, 2.0, 2.0, 9.0, np.nan], "g": ["c", None, "new", "a", "a"]})
    # c has no value: like a missing and an unseen group it is answered by all four known values
    np.testing.assert_allclose(GroupRank("v", by="g").fit(training).transform(new)["v__rank_by_g"], [0.5, 0.5, 0.5, 1.0, np.nan])


def test_shares_agree_with_pandas() -> None:
    out = GroupShare("v", by="g").fit_transform(X)["v__share_by_g"]
    sums = X.groupby("g")["v"].sum()
    expected = X["v"] / X["g"].map(sums).fillna(sums.mean())
    np.testing.assert_allclose(out, expected)


def test_a_total_of_zero_has_no_shares() -> None:
    zero = pd.DataFrame({"v": [1.0, -1.0, 2.0], "g": ["a", "a", "b"]})
    np.testing.assert_array_equal(GroupShare("v", by="g").fit_transform(zero)["v__share_by_g"], [np.nan, np.nan, 1.0])


def test_distinct_values_agree_with_pandas() -> None:
    out = GroupUnique("v", by="g").fit_transform(X)["v__unique_by_g"]
    np.testing.assert_array_equal(out, X["g"].map(X.groupby("g")["v"].nunique()).fillna(0))
    new = pd.DataFrame({"v": [1.0], "g": ["new"]})
    assert GroupUnique("v", by="g").fit(X).transform(new)["v__unique_by_g"].tolist() == [0.0]


def test_a_key_that_never_repeats() -> None:
    keyed = X.dropna().assign(key=lambda table: np.arange(len(table)))
    assert (GroupRank("v", by="key").fit_transform(keyed)["v__rank_by_key"] == 0.5).all()
    assert (GroupUnique("v", by="key").fit_transform(keyed)["v__unique_by_key"] == 1).all()


@pytest.mark.parametrize("kind", [GroupRank, GroupShare])
def test_refuses(kind: Any) -> None:
    with pytest.raises(InputError, match=f"Step '{kind.name}' learns from column 'v', which has no value"):
        kind("v", by="g").fit(X.assign(v=np.nan))
    with pytest.raises(InputError, match=f"Step '{kind.name}' needs at least one column in 'by'"):
        kind("v", by=[]).fit(X)
    with pytest.raises(InputError, match=f"Step '{kind.name}' works on numeric columns; 'g' is text"):
        kind("g", by="h").fit(X.astype({"g": "str"}))
