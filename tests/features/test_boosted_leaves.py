"""Boosted trees as features."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

from features.boosted_leaves import BoostedLeaves, BoostedScores
from features.errors import InputError
from features.step import Step

RNG = np.random.default_rng(4)
N = 400
X = pd.DataFrame({"a": RNG.normal(size=N), "b": RNG.normal(size=N), "zone": RNG.choice(["n", "s"], N)})
Y = pd.Series(((X["a"] * X["b"] > 0) ^ (RNG.random(N) < 0.1)).astype(float))
SMALL: dict[str, Any] = {"trees": 4, "leaves": 4, "min_rows": 10}


def test_leaves_are_categories_that_tell_the_target() -> None:
    out = BoostedLeaves(["a", "b"], **SMALL).fit_transform(X, Y)
    made = [column for column in out if str(column).startswith("boosted__")]
    assert made == [f"boosted__{number}" for number in range(4)]
    assert all(isinstance(out[name].dtype, pd.CategoricalDtype) and len(out[name].cat.categories) <= 4 for name in made)
    by_leaf = Y.groupby(out["boosted__3"], observed=True).mean()
    assert by_leaf.max() - by_leaf.min() > 0.5


def test_scores_add_up_to_the_forecast() -> None:
    from sklearn.ensemble import HistGradientBoostingClassifier

    step = BoostedScores(["a", "b"], **SMALL).fit(X, Y)
    rows = X[["a", "b"]].to_numpy(np.float32).astype(float)
    booster = HistGradientBoostingClassifier(max_iter=4, max_leaf_nodes=4, min_samples_leaf=10, early_stopping=False).fit(rows, Y)
    expected = booster.decision_function(rows)
    found = step.write(X).sum(axis=1).to_numpy()
    np.testing.assert_allclose(found - found.mean(), expected - expected.mean(), atol=1e-9)


def test_training_rows_are_scored_by_trees_that_did_not_see_them() -> None:
    noise = pd.Series(RNG.integers(0, 2, N).astype(float))
    step = BoostedScores(["a", "b"], trees=30, leaves=16, min_rows=2)
    honest = step.fit_transform(X, noise).filter(like="boosted__").sum(axis=1)
    assert abs(np.corrcoef(honest, noise)[0, 1]) < 0.2
    assert np.corrcoef(step.write(X).sum(axis=1), noise)[0, 1] > 0.6, "the trees of all rows know their targets"


@pytest.mark.parametrize("kind", [BoostedLeaves, BoostedScores])
def test_classes_have_trees_of_their_own(kind: type[Step]) -> None:
    classes = pd.Series(pd.Categorical(RNG.integers(0, 3, N).astype(float)))
    out = kind(["a"], trees=2, min_rows=20).fit_transform(X, classes)  # type: ignore[call-arg]
    assert list(out.columns[3:]) == [f"boosted__{one}_{number}" for one in range(3) for number in range(2)]


@pytest.mark.parametrize("kind", [BoostedLeaves, BoostedScores])
@pytest.mark.parametrize("target", [np.zeros(N), np.linspace(-2, 5, N)], ids=["one value", "numbers"])
def test_other_targets(kind: type[Step], target: np.ndarray) -> None:
    out = kind(["a", "zone"], trees=2).fit_transform(X, pd.Series(target))  # type: ignore[call-arg]
    assert out.shape == (N, 5) and out.notna().all(axis=None)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (BoostedLeaves(trees=0), "Step 'boosted_leaves' needs at least 1 tree, 2 leaves and 1 row in a leaf, and a learning_rate above 0"),
        (BoostedScores(leaves=1), "Step 'boosted_scores' needs at least 1 tree, 2 leaves"),
        (BoostedScores(learning_rate=0.0), "found trees=30, leaves=8, min_rows=20, learning_rate=0.0"),
        (BoostedScores(inner_folds=1), "Step 'boosted_scores' needs at least 2 inner_folds, found 1"),
        (BoostedLeaves("flags"), "Step 'boosted_leaves' needs at least 1 column(s) to work on, found []"),
    ],
)
def test_refused(step: Step, message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        step.fit(X, Y)


def test_too_few_rows() -> None:
    with pytest.raises(InputError, match="Boosted trees need at least 2 rows to be grown on, found 1"):
        BoostedLeaves("a").fit(X.iloc[:1], Y.iloc[:1])
