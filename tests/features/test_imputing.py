"""Filling a column from what the other columns say."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer
from sklearn.tree import DecisionTreeRegressor

from features.errors import InputError
from features.imputing import IterativeFill, TreeFill
from features.step import Step
from features.trees import grow, walk

RNG = np.random.default_rng(14)
FULL = pd.DataFrame({"a": RNG.normal(size=200)})
FULL = FULL.assign(b=FULL["a"] * 2 + 0.1 * RNG.normal(size=200), c=RNG.normal(size=200), kind=np.where(FULL["a"] > 0, "high", "low"))
X = FULL.mask(RNG.random(FULL.shape) < 0.15)
X["air"] = pd.Series(FULL["a"] > 0).astype(object).mask(RNG.random(200) < 0.2)


def test_the_tree_walks_as_scikit_learn_does() -> None:
    rows = X[["a", "c"]].to_numpy()
    target = FULL["b"].to_numpy()
    theirs = DecisionTreeRegressor(max_leaf_nodes=8, min_samples_leaf=5, random_state=0).fit(rows, target)
    np.testing.assert_array_equal(walk(grow(rows, target, is_classes=False, max_leaves=8, min_rows=5), rows), theirs.predict(rows))


def test_tree_fill_says_what_the_others_say() -> None:
    out = TreeFill(["b", "kind", "air"], min_rows=5).fit_transform(X)
    assert not out[["b", "kind", "air"]].isna().any(axis=None)
    gaps = X["b"].isna() & X["a"].notna()
    assert np.abs(out["b"] - FULL["b"])[gaps].mean() < 0.5 * FULL["b"].std()
    assert (out["kind"] == FULL["kind"])[X["kind"].isna() & X["a"].notna()].mean() > 0.9
    assert out["air"].dtype == bool
    for column in ("b", "kind"):
        assert out[column][X[column].notna()].tolist() == X[column].dropna().tolist()


def test_iterative_fill_agrees_with_scikit_learn() -> None:
    numbers = X[["a", "b", "c"]]
    low, high = numbers.min().to_numpy(), numbers.max().to_numpy()
    theirs = IterativeImputer(max_iter=4, tol=0.0, min_value=low, max_value=high, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs.fit(numbers.to_numpy())
    ours = IterativeFill(["a", "b", "c"], rounds=4).fit(numbers)
    np.testing.assert_allclose(ours.transform(numbers), theirs.transform(numbers.to_numpy()), atol=1e-9)


def test_a_column_complete_in_training_is_filled_as_well() -> None:
    step = IterativeFill(["a", "b"]).fit(FULL)
    filled = step.transform(pd.DataFrame({"a": [np.nan, np.nan], "b": [1.0, np.nan]}))
    assert not filled.isna().any(axis=None)
    assert filled["a"].iloc[0] == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize(
    ("step", "X", "message"),
    [
        (TreeFill("b", max_leaves=1), X, "'tree_fill' needs max_leaves of at least 2"),
        (TreeFill("b"), X.assign(b=np.nan), "'tree_fill' learns from column 'b', which has no value"),
        (TreeFill("b", using=["b"]), X, "'tree_fill' needs at least 1 column"),
        (TreeFill("b"), X.assign(a=np.inf), "'tree_fill' found an infinite value in column 'a'"),
        (IterativeFill(["a"]), X, "'iterative_fill' needs at least 2 column"),
        (IterativeFill(["a", "b"], rounds=0), X, "'iterative_fill' needs at least 1 round"),
        (IterativeFill(["a", "b"]), X.assign(b=np.nan), "'iterative_fill' learns from column 'b', which has no value"),
    ],
)
def test_refuses(step: Step, X: pd.DataFrame, message: str) -> None:
    with pytest.raises(InputError, match=message):
        step.fit(X)
