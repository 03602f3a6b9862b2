"""Numbers in bins."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import KBinsDiscretizer
from sklearn.tree import DecisionTreeRegressor

from features.bins import Bins, KmeansBins, LogSquareBins, QuantileBins, TreeBins, kmeans_edges, quantile_edges
from features.errors import InputError

RNG = np.random.default_rng(4)
X = pd.DataFrame({"area": RNG.lognormal(3.0, 1.0, 300), "rooms": RNG.integers(1, 5, 300)})
NUMBERS = st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=40)


def test_a_value_on_a_border_belongs_above() -> None:
    out = Bins("area", edges=[1, 2.5]).fit_transform(pd.DataFrame({"area": [0.9, 1.0, 2.5, np.nan]}))["area__bin"]
    np.testing.assert_array_equal(out, [0.0, 1.0, 2.0, np.nan])


@pytest.mark.parametrize("edges", [[], [2, 1], [1, 1], [1, np.inf]])
def test_edges_rise(edges: list[float]) -> None:
    with pytest.raises(InputError, match=r"'bins' needs finite edges in rising order, such as \[13, 65\]; found"):
        Bins("area", edges=edges).fit(X)


def test_quantile_bins_hold_as_many_rows() -> None:
    bins = QuantileBins("area", bins=10).fit_transform(X)["area__quantile"]
    assert bins.value_counts().tolist() == [30] * 10


def test_equal_quantiles_count_once() -> None:
    assert QuantileBins("rooms", bins=50).fit_transform(X)["rooms__quantile"].nunique() == 4
    assert QuantileBins("c").fit_transform(pd.DataFrame({"c": [7.0] * 5}))["c__quantile"].tolist() == [0.0] * 5


def test_cluster_bins_agree_with_scikit_learn() -> None:
    expected = KBinsDiscretizer(n_bins=4, encode="ordinal", strategy="kmeans", subsample=None).fit_transform(
        X[["area"]].sort_values("area")
    )
    assert KmeansBins("area", bins=4).fit_transform(X.sort_values("area"))["area__cluster_bin"].tolist() == expected[:, 0].tolist()


def test_few_values_have_a_cluster_bin_each() -> None:
    assert KmeansBins("rooms", bins=9).fit_transform(X)["rooms__cluster_bin"].tolist() == (X["rooms"] - 1).tolist()


def test_tree_borders_agree_with_scikit_learn() -> None:
    y = pd.Series(np.where(X["area"] > 30, 5.5, 1.0) + RNG.normal(size=300))
    ours = TreeBins("area", bins=3, min_share=0.1).fit(X, y)
    tree = DecisionTreeRegressor(max_leaf_nodes=3, min_samples_leaf=30, random_state=0).fit(X[["area"]], y)
    np.testing.assert_allclose(ours.edges_["area"], np.sort(tree.tree_.threshold[tree.tree_.feature >= 0]), rtol=1e-6)
    assert 28 < ours.edges_["area"].min() < 32 or 28 < ours.edges_["area"].max() < 32


def test_tree_borders_of_neighbouring_floats() -> None:
    close = pd.DataFrame({"c": [1e17, 1e17, np.nextafter(1e17, 2e17), np.nextafter(1e17, 2e17)]})
    assert TreeBins("c").fit_transform(close, pd.Series([0, 0, 1, 1]))["c__target_bin"].tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize("values", [[np.nan, np.nan], [1.0, np.nan], [3.0, 3.0]])
@pytest.mark.parametrize("y", [[0.0, 1.0], [1.0, 1.0]])
def test_no_border_where_nothing_can_be_told(values: list[float], y: list[float]) -> None:
    step = TreeBins("c").fit(pd.DataFrame({"c": values}), pd.Series(y))
    assert step.transform(pd.DataFrame({"c": [5.0, np.nan]}))["c__target_bin"].tolist()[0] == 0.0


def test_log_squares() -> None:
    out = LogSquareBins().fit_transform(pd.DataFrame({"v": [-3, 0, 2, 3, 100, 1e308, np.nan]}))["v__log_square"]
    assert out.tolist()[:6] == ["s-3", "s0", "s2", "1", "21", str(int(np.log(1e308) ** 2))]
    assert out.isna().tolist() == [False] * 6 + [True]


@pytest.mark.parametrize("step", [QuantileBins("c"), KmeansBins("c")])
def test_a_column_without_a_value_is_refused(step: Any) -> None:
    with pytest.raises(InputError, match=f"Step '{step.name}' learns from column 'c', which has no value in the training rows"):
        step.fit(pd.DataFrame({"c": [np.nan]}))


@pytest.mark.parametrize("step", [QuantileBins("c", bins=1), KmeansBins("c", bins=0), TreeBins("c", bins=1)])
def test_at_least_two_bins(step: Any) -> None:
    with pytest.raises(InputError, match=f"Step '{step.name}' needs at least 2 bins, found"):
        step.fit(pd.DataFrame({"c": [1.0]}), pd.Series([1.0]))


@pytest.mark.filterwarnings("ignore:overflow")
@given(NUMBERS, st.integers(2, 12))
def test_borders_rise_and_lie_within_the_values(values: list[float], bins: int) -> None:
    known = np.array(values)
    edges = quantile_edges(known, bins)
    assert (np.diff(edges) > 0).all()
    assert len(edges) < bins
    assert ((edges > known.min()) & (edges <= known.max())).all()


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=12), st.integers(2, 15))
def test_cluster_borders_are_at_most_so_many(values: list[float], bins: int) -> None:
    edges = kmeans_edges(np.array(values), bins)
    assert len(edges) < bins
    assert (np.diff(edges) > 0).all()
