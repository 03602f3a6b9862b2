"""Many numeric columns as few."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from features.errors import InputError
from features.reduce import Clusters, Pca

RNG = np.random.default_rng(12)
X = pd.DataFrame(RNG.normal(size=(120, 5)) @ RNG.normal(size=(5, 5)), columns=list("abcde"))


@pytest.mark.parametrize("components", [2, 5, 0.8])
def test_components_agree_with_scikit_learn(components: float) -> None:
    expected = PCA(components).fit_transform(StandardScaler().fit_transform(X))
    out = Pca(components=components).fit(X).write(X)
    assert out.shape == expected.shape
    np.testing.assert_allclose(np.abs(out), np.abs(expected), atol=1e-9)


def test_without_standardising() -> None:
    np.testing.assert_allclose(
        np.abs(Pca(components=2, standardise=False).fit(X).write(X)), np.abs(PCA(2).fit_transform(X.to_numpy())), atol=1e-9
    )


def test_a_missing_value_counts_as_the_mean() -> None:
    step = Pca(components=2).fit(X)
    gap = X.iloc[[0]].assign(a=np.nan)
    mean = X.iloc[[0]].assign(a=X["a"].mean())
    np.testing.assert_allclose(step.write(gap), step.write(mean), atol=1e-12)


def test_components_beyond_the_variance_are_zero() -> None:
    line = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [2.0, 4.0, 6.0], "c": [5.0, 5.0, 5.0]})
    step = Pca(components=4).fit(line)
    out = step.write(pd.DataFrame({"a": [9.0], "b": [-9.0], "c": [0.0]}))
    assert out.shape == (1, 4)
    assert (out.iloc[:, 1:] == 0).all(axis=None)
    assert Pca(components=0.9).fit(line.assign(a=1.0, b=1.0)).write(line).eq(0).all(axis=None)


def test_source_columns_are_replaced_on_request() -> None:
    assert list(Pca(["a", "b"], components=1, replace=True, into="ab").fit_transform(X)) == ["c", "d", "e", "ab__0"]


def test_clusters_agree_with_scikit_learn() -> None:
    apart = pd.DataFrame(np.repeat([[0.0, 0.0], [9.0, 9.0], [-9.0, 9.0]], 30, axis=0) + RNG.normal(size=(90, 2)), columns=["a", "b"])
    out = Clusters(clusters=3, make=["label", "distances"]).fit(apart).write(apart)
    rows = StandardScaler().fit_transform(apart)
    theirs = KMeans(3, n_init=3, random_state=0).fit(rows)
    assert len(set(zip(out["cluster__label"], theirs.labels_, strict=True))) == 3
    np.testing.assert_allclose(np.sort(out.iloc[:, 1:], axis=1), np.sort(theirs.transform(rows), axis=1), atol=1e-9)


def test_fewer_rows_than_clusters() -> None:
    out = Clusters(clusters=5, make=["label", "distances"]).fit_transform(pd.DataFrame({"a": [1.0, 1.0, 4.0]}))
    assert out["cluster__label"].tolist() == ["0", "0", "1"]
    assert out.shape == (3, 4)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (Pca(components=0), "'pca' needs a whole number of components or a share below 1, found 0"),
        (Pca(components=1.5), "'pca' needs a whole number of components or a share below 1, found 1.5"),
        (Pca("text"), "'pca' needs at least 1 column"),
        (Pca(), "'pca' found an infinite value in column 'a'"),
        (Clusters(clusters=0), "'clusters' needs at least 1 cluster"),
    ],
)
def test_refuses(step: Pca | Clusters, message: str) -> None:
    with pytest.raises(InputError, match=message):
        step.fit(X.assign(a=np.inf))
