"""Ranks, powers and limits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import QuantileTransformer

from features.errors import InputError
from features.ranks import Clip, Power, RankGauss, raised, rank_among

RNG = np.random.default_rng(8)
X = pd.DataFrame({"skewed": RNG.lognormal(2.0, 1.0, 500), "ties": RNG.integers(0, 5, 500).astype(float)})


@pytest.mark.parametrize("into", ["normal", "uniform"])
@pytest.mark.parametrize("quantiles", [500, 50])
def test_ranks_agree_with_scikit_learn(into: Any, quantiles: int) -> None:
    theirs = QuantileTransformer(n_quantiles=quantiles, output_distribution=into, subsample=None).fit(X.to_numpy())
    new = pd.DataFrame({"skewed": RNG.lognormal(2.0, 1.5, 200), "ties": RNG.integers(-1, 7, 200).astype(float)})
    ours = RankGauss(into=into, quantiles=quantiles).fit(X)
    np.testing.assert_allclose(ours.transform(new), theirs.transform(new.to_numpy()), atol=1e-7)


@pytest.mark.parametrize(("into", "middle"), [("normal", 0.0), ("uniform", 0.5)])
def test_one_value(into: Any, middle: float) -> None:
    out = RankGauss(into=into).fit_transform(pd.DataFrame({"c": [3.0, 3.0, np.nan]}))["c"]
    assert out.tolist()[:2] == [middle, middle]
    assert np.isnan(out[2])


@given(st.lists(st.floats(-1e300, 1e300), min_size=2), st.lists(st.floats(-1e308, 1e308), min_size=1))
def test_ranks_keep_the_order(training: list[float], asked: list[float]) -> None:
    ranks = rank_among(np.sort(asked), np.sort(training))
    assert (np.diff(ranks) >= -1e-12).all()
    assert ((ranks >= 0) & (ranks <= 1)).all()


def test_powers() -> None:
    out = Power("c", powers=[2, 0.5, -1]).fit_transform(pd.DataFrame({"c": [4.0, -4.0, 0.0, 1e300, np.nan]}))
    np.testing.assert_array_equal(out["c__power_2"], [16, 16, 0, np.finfo(float).max, np.nan])
    np.testing.assert_array_equal(out["c__power_0.5"], [2, np.nan, 0, 1e150, np.nan])
    np.testing.assert_array_equal(out["c__power_-1"], [0.25, -0.25, np.nan, 1e-300, np.nan])


@given(st.lists(st.floats(allow_infinity=False), min_size=1), st.floats(-10, 10))
def test_no_power_is_infinite(values: list[float], power: float) -> None:
    assert not np.isinf(raised(np.array(values), power)).any()


def test_clip() -> None:
    ages = pd.DataFrame({"age": [-1.0, 50.0, 700.0, np.nan]})
    np.testing.assert_array_equal(Clip("age", low=0).fit_transform(ages)["age"], [0, 50, 700, np.nan])
    learnt = Clip("skewed", quantiles=[0.1, 0.9]).fit(X)
    out = learnt.transform(pd.DataFrame({"skewed": [-1e9, 1e9]}))["skewed"]
    np.testing.assert_allclose(out, np.quantile(X["skewed"], [0.1, 0.9]))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "needs either 'low' and 'high'"),
        ({"low": 1, "quantiles": [0, 1]}, "needs either 'low' and 'high'"),
        ({"low": 2, "high": 1}, "needs a low limit not above the high one"),
        ({"quantiles": [0.5]}, r"needs two quantiles, such as \[0.01, 0.99\]; found \[0.5\]"),
        ({"quantiles": [0.5, 1.5]}, "needs a low limit not above the high one .quantiles from 0 to 1."),
    ],
)
def test_clip_refuses(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=f"Step 'clip' {message}"):
        Clip("skewed", **parameters).fit(X)


@pytest.mark.parametrize("step", [RankGauss("c"), Clip("c", quantiles=[0, 1])])
def test_a_column_without_a_value_is_refused(step: Any) -> None:
    with pytest.raises(InputError, match=f"Step '{step.name}' learns from column 'c', which has no value"):
        step.fit(pd.DataFrame({"c": [np.nan]}))


def test_powers_are_finite() -> None:
    with pytest.raises(InputError, match=r"'power' needs finite powers, such as \[2, 0.5\]; found \[nan\]"):
        Power("c", powers=[np.nan]).fit(X.rename(columns={"ties": "c"}))
