"""Categories as few numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from features.errors import InputError
from features.ordering import HashEncode, TargetOrder

X = pd.DataFrame({"zone": ["a"] * 3 + ["b"] * 3 + ["c"] * 3 + [None] * 3 + ["d"]})
Y = pd.Series([5.0, 5, 5, 1, 1, 1, 9, 9, 9, 3, 3, 3, 0], index=X.index)


def test_levels_stand_in_the_order_of_their_means() -> None:
    step = TargetOrder("zone", min_rows=3).fit(X, Y)
    new = pd.DataFrame({"zone": ["b", None, "a", "c", "d", "new"]})
    # the mean of all rows, 4.15, lies between missing (3) and a (5)
    assert step.transform(new)["zone__target_order"].tolist() == [0.0, 1.0, 2.0, 3.0, 1.5, 1.5]


def test_equal_means_stand_in_the_order_of_their_names() -> None:
    assert TargetOrder("zone", min_rows=3).fit_transform(X, Y * 0)["zone__target_order"].tolist()[:9:3] == [0.0, 1.0, 2.0]


def test_a_key_that_never_repeats_says_nothing() -> None:
    keys = pd.DataFrame({"key": [str(number) for number in range(13)]})
    assert TargetOrder("key").fit_transform(keys, Y)["key__target_order"].nunique() == 1


def test_missing_that_training_lacks_is_unseen() -> None:
    step = TargetOrder("zone", min_rows=1).fit(X.dropna(), Y[X["zone"].notna()])
    assert step.transform(pd.DataFrame({"zone": [None, "new"]}))["zone__target_order"].nunique() == 1


def test_hashes_are_signed_and_stay() -> None:
    sites = pd.DataFrame({"site": [f"s{number}" for number in range(1000)], "app": [None] * 1000})
    out = HashEncode(["site", "app"], width=8).fit(sites).write(sites)
    assert (out.abs().sum(axis=1) == 1).all()
    assert (out.abs().sum() > 80).all()
    assert abs(out.to_numpy().sum()) < 120
    assert HashEncode(["site", "app"], width=8).fit(sites.iloc[:1]).write(sites).equals(out)


def test_one_text_in_two_columns_is_two_values() -> None:
    twice = pd.DataFrame({"a": ["x"], "b": ["x"]})
    assert HashEncode(width=64).fit(twice).write(twice).abs().to_numpy().sum() == 2


def test_numbers_hash_by_their_value() -> None:
    whole, floats = pd.DataFrame({"n": [1, 2]}), pd.DataFrame({"n": [1.0, 2.0]})
    np.testing.assert_array_equal(HashEncode("n").fit_transform(whole), HashEncode("n").fit_transform(floats))


@pytest.mark.parametrize("step", [TargetOrder("zone", min_rows=0), HashEncode("zone", width=0)])
def test_at_least_one(step: TargetOrder | HashEncode) -> None:
    with pytest.raises(InputError, match=f"Step '{step.name}' needs .* of at least 1, found 0"):
        step.fit(X, Y)
