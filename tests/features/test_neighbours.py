"""What the nearest training rows say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.neighbors import KNeighborsRegressor, NearestNeighbors
from sklearn.preprocessing import StandardScaler

from features.crossfit import inner_folds
from features.errors import InputError
from features.neighbours import Neighbours, NeighbourTarget

RNG = np.random.default_rng(13)
X = pd.DataFrame(RNG.normal(size=(90, 3)), columns=list("abc"), index=50 + 7 * np.arange(90))
NEW = pd.DataFrame(RNG.normal(size=(20, 3)), columns=list("abc"))
Y = pd.Series(RNG.normal(size=90), index=X.index)
SCALER = StandardScaler().fit(X)


def test_distances_agree_with_scikit_learn() -> None:
    step = Neighbours(k=4).fit(X)
    tree = NearestNeighbors(n_neighbors=4).fit(SCALER.transform(X))
    np.testing.assert_allclose(step.transform(NEW)["neighbours__distance"], tree.kneighbors(SCALER.transform(NEW))[0].mean(axis=1))
    # without a question scikit-learn leaves a row out of its own neighbours
    np.testing.assert_allclose(step.transform(X)["neighbours__distance"], tree.kneighbors()[0].mean(axis=1))


def test_twins_are_neighbours_of_one_another() -> None:
    twins = pd.DataFrame({"a": [0.0, 0.0, 4.0]})
    assert Neighbours(k=1).fit_transform(twins)["neighbours__distance"].tolist()[:2] == [0.0, 0.0]


@pytest.mark.parametrize("values", [[1.0], [1.0, 1.0], [np.nan, np.nan]])
def test_few_rows(values: list[float]) -> None:
    assert Neighbours().fit_transform(pd.DataFrame({"a": values}))["neighbours__distance"].tolist() == [0.0] * len(values)


def test_targets_of_new_rows_agree_with_scikit_learn() -> None:
    theirs = KNeighborsRegressor(5).fit(SCALER.transform(X), Y)
    np.testing.assert_allclose(NeighbourTarget(k=5).fit(X, Y).transform(NEW)["neighbours__target"], theirs.predict(SCALER.transform(NEW)))


def test_training_rows_ask_the_other_inner_folds() -> None:
    out = NeighbourTarget(k=5).fit_transform(X, Y)["neighbours__target"]
    folds = inner_folds(X.index, 5, 0)
    rows = SCALER.transform(X)
    for fold in range(5):
        theirs = KNeighborsRegressor(5).fit(rows[folds != fold], Y[folds != fold])
        np.testing.assert_allclose(out[folds == fold], theirs.predict(rows[folds == fold]))


def test_fewer_rows_than_neighbours_all_count() -> None:
    assert NeighbourTarget(k=500).fit(X, Y).transform(NEW)["neighbours__target"].tolist() == pytest.approx([Y.mean()] * 20)


def test_each_class_is_a_target_of_its_own() -> None:
    classes = pd.Series(pd.Categorical(RNG.integers(0, 3, 90), categories=[0, 1, 2, 3]), index=X.index)
    step = NeighbourTarget(k=5)
    for out, of_one in ((step.fit_transform(X, classes), "fit_transform"), (step.transform(NEW), "transform")):
        made = out.drop(columns=list("abc"))
        assert list(made.columns) == [f"neighbours__target_{one}" for one in range(4)]
        np.testing.assert_allclose(made.sum(axis=1), 1.0)
        for one in range(4):
            alone = NeighbourTarget(k=5)
            training = alone.fit_transform(X, (classes == one).astype(float))
            expected = training if of_one == "fit_transform" else alone.transform(NEW)
            np.testing.assert_allclose(made[f"neighbours__target_{one}"], expected["neighbours__target"])


@pytest.mark.parametrize(
    ("step", "X", "message"),
    [
        (Neighbours(k=0), X, "'neighbours' needs k of at least 1, found 0"),
        (NeighbourTarget(inner_folds=1), X, "'neighbour_target' needs at least 2 inner folds"),
        (NeighbourTarget(), X.iloc[:1], r"'neighbour_target' has 1 training row\(s\), all in one inner fold"),
        (NeighbourTarget(), X.assign(b=np.inf), "'neighbour_target' found an infinite value in column 'b'"),
        (Neighbours("text"), X, "'neighbours' needs at least 1 column"),
    ],
)
def test_refuses(step: Neighbours | NeighbourTarget, X: pd.DataFrame, message: str) -> None:
    with pytest.raises(InputError, match=message):
        step.fit_transform(X, Y.loc[X.index])
