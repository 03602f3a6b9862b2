"""Cross-fitted target statistics."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from features.crossfit import inner_folds
from features.errors import InputError
from features.group_rates import GroupTargetRate
from features.target import TargetEncode

RNG = np.random.default_rng(5)
X = pd.DataFrame({"c": RNG.choice(["a", "b", None], 60), "n": RNG.integers(0, 4, 60)}, index=100 + np.arange(60))
Y = pd.Series(RNG.normal(size=60), index=X.index)


def test_new_rows_get_the_level_means() -> None:
    step = TargetEncode("c", smooth=0.0).fit(X, Y)
    new = step.transform(pd.DataFrame({"c": ["a", "b", None, "new"]}))["c__target"]
    expected = [Y[X["c"] == "a"].mean(), Y[X["c"] == "b"].mean(), Y[X["c"].isna()].mean(), Y.mean()]
    np.testing.assert_allclose(new, expected)


def test_training_rows_get_the_means_of_the_other_inner_folds() -> None:
    out = TargetEncode("c", smooth=0.0).fit_transform(X, Y)["c__target"]
    folds = inner_folds(X.index, 5, 0)
    for position in (0, 7, 31):
        others = (folds != folds[position]) & (X["c"].fillna("") == ("" if pd.isna(X["c"].iloc[position]) else X["c"].iloc[position]))
        assert out.iloc[position] == pytest.approx(Y[others].mean())


def test_rates_leave_the_own_target_out() -> None:
    table = pd.DataFrame({"g": ["a", "a", "a", "b"]}, index=[1, 2, 3, 4])
    y = pd.Series([1.0, 0.0, 1.0, 0.0], index=table.index)
    step = GroupTargetRate("g")
    out = step.fit_transform(table, y)
    assert out["g__rate"].tolist()[:3] == [0.5, 1.0, 0.5]
    assert out["g__has_rate"].tolist() == [True, True, True, False]
    new = step.transform(pd.DataFrame({"g": ["a", "b", "c", None]}))
    assert new["g__rate"].tolist() == pytest.approx([2 / 3, 0.0, 0.5, 0.5])
    assert new["g__has_rate"].tolist() == [True, True, False, False]


def test_a_row_alone_gets_the_mean_of_other_inner_folds() -> None:
    alone = pd.DataFrame({"g": np.arange(60)}, index=X.index)
    out = GroupTargetRate("g").fit_transform(alone, Y)
    folds = inner_folds(X.index, 5, 0)
    assert not out["g__has_rate"].any()
    np.testing.assert_allclose(out["g__rate"], [Y[folds != fold].mean() for fold in folds])


@pytest.mark.parametrize("dtype", ["int64", "float64"])
def test_group_keys_meet_whatever_their_number_type(dtype: Any) -> None:
    step = GroupTargetRate(["c", "n"]).fit(X, Y)
    assert step.transform(X.astype({"n": dtype}))["c_n__rate"].equals(step.transform(X)["c_n__rate"])


def test_min_size_is_checked() -> None:
    with pytest.raises(InputError, match="needs min_size of at least 1, found 0"):
        GroupTargetRate("c", min_size=0).reads(X)


def test_a_rate_for_each_class() -> None:
    table = pd.DataFrame({"g": ["a", "a", "a", "b"]}, index=[1, 2, 3, 4])
    y = pd.Series(pd.Categorical([2, 0, 1, 2], categories=[0, 1, 2]), index=table.index)
    step = GroupTargetRate("g")
    out = step.fit_transform(table, y)
    assert list(out.columns) == ["g", "g__rate_0", "g__rate_1", "g__rate_2", "g__has_rate"]
    np.testing.assert_allclose(out[["g__rate_0", "g__rate_1", "g__rate_2"]].iloc[:3], [[0.5, 0.5, 0.0], [0.0, 0.5, 0.5], [0.5, 0.0, 0.5]])
    new = step.transform(pd.DataFrame({"g": ["a", "c"]}))
    np.testing.assert_allclose(new[["g__rate_0", "g__rate_1", "g__rate_2"]], [[1 / 3] * 3, [0.25, 0.25, 0.5]])


def test_each_class_is_a_target_of_its_own() -> None:
    classes = pd.Series(pd.Categorical(RNG.integers(0, 3, 60)), index=X.index)
    out = GroupTargetRate(["c", "n"], min_size=2, smooth=1.0).fit_transform(X, classes)
    for one in range(3):
        alone = GroupTargetRate(["c", "n"], min_size=2, smooth=1.0).fit_transform(X, (classes == one).astype(float))
        np.testing.assert_allclose(out[f"c_n__rate_{one}"], alone["c_n__rate"])
        assert out["c_n__has_rate"].equals(alone["c_n__has_rate"])
