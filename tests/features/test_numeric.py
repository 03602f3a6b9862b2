"""Skewness and scales."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from scipy import stats
from sklearn.base import clone
from sklearn.preprocessing import MinMaxScaler, PowerTransformer, RobustScaler, StandardScaler

from features import numeric
from features.errors import InputError
from features.numeric import Scale, Skew, blocks, box_cox, quartiles, skewness, yeo_johnson

RNG = np.random.default_rng(3)
X = pd.DataFrame({"skewed": RNG.lognormal(2.0, 1.0, 200), "even": RNG.normal(0.0, 1.0, 200), "negative": -RNG.lognormal(2.0, 1.0, 200)})
FINITE = st.floats(-1e12, 1e12, allow_subnormal=False)


@pytest.mark.parametrize(
    ("parameters", "changed"),
    [
        ({}, ["skewed"]),
        ({"how": "boxcox"}, ["skewed"]),
        ({"how": "yeo_johnson"}, ["skewed", "negative"]),
        ({"threshold": 1000.0}, []),
        ({"columns": "even", "threshold": 0.0, "how": "yeo_johnson"}, ["even"]),
    ],
)
def test_skewed_columns_are_transformed(parameters: dict[str, Any], changed: list[str]) -> None:
    step = Skew(**parameters).fit(X)
    written = step.write(X)
    assert [column for column in written if not written[column].equals(X[column])] == changed
    for column in changed:
        assert abs(stats.skew(step.transform(X)[column])) <= abs(stats.skew(X[column]))


def test_log1p_is_log1p() -> None:
    np.testing.assert_allclose(Skew().fit_transform(X)["skewed"], np.log1p(X["skewed"]), rtol=1e-15)


def test_fixed_power() -> None:
    step = Skew(how="boxcox", lam=0.15).fit(X)
    np.testing.assert_allclose(step.transform(X)["skewed"], ((X["skewed"] + 1) ** 0.15 - 1) / 0.15)


def test_likeliest_powers_agree_with_the_libraries() -> None:
    boxcox = Skew("skewed", how="boxcox").fit(X).powers_["skewed"]
    assert boxcox == pytest.approx(stats.boxcox_normmax(X["skewed"] + 1, method="mle"), abs=1e-4)
    yeo = Skew("negative", how="yeo_johnson").fit(X).powers_["negative"]
    assert yeo == pytest.approx(PowerTransformer().fit(X[["negative"]]).lambdas_[0], abs=1e-4)


@pytest.mark.parametrize("how", ["log1p", "boxcox"])
def test_new_values_below_zero_count_as_zero(how: Any) -> None:
    step = Skew("skewed", how=how).fit(X)
    assert step.transform(pd.DataFrame({"skewed": [-5.0, 0.0, None]}))["skewed"].tolist()[:2] == [0.0, 0.0]
    assert step.transform(pd.DataFrame({"skewed": [None]}, dtype=float))["skewed"].isna().all()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"threshold": -1.0}, "needs a threshold of at least 0, found -1.0"),
        ({"lam": 0.1}, "has a power 'lam', which 'log1p' does not use"),
        ({"how": "sqrt"}, "how='sqrt'; allowed: 'log1p', 'boxcox', 'yeo_johnson'"),
    ],
)
def test_skew_refuses(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Skew(**parameters).fit(X)


@given(st.lists(st.floats(-1e300, 1e300), min_size=1), st.floats(-5, 5))
def test_power_transforms_are_finite_and_keep_the_order(values: list[float], power: float) -> None:
    ordered = np.sort(values)
    for transformed in (box_cox(ordered, power), yeo_johnson(ordered, power)):
        assert np.isfinite(transformed).all()
        assert (np.diff(transformed) >= -1e-9 * np.abs(transformed[1:])).all()


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.floats(-3, 3))
def test_yeo_johnson_agrees_with_scipy(values: list[float], power: float) -> None:
    expected = stats.yeojohnson(np.array(values), lmbda=power)
    np.testing.assert_allclose(yeo_johnson(np.array(values), power), expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(("how", "scaler"), [("standard", StandardScaler()), ("robust", RobustScaler()), ("min_max", MinMaxScaler())])
def test_scales_agree_with_scikit_learn(how: Any, scaler: Any) -> None:
    gaps = X.mask(RNG.random(X.shape) < 0.1)
    np.testing.assert_allclose(Scale(how=how).fit_transform(gaps), scaler.fit_transform(gaps), atol=1e-12)


@pytest.mark.parametrize("how", ["standard", "robust", "min_max"])
@pytest.mark.parametrize("values", [[0.1] * 7, [1e9] * 3, [0.0], [5, 5], [np.nan, np.nan], [7.0, np.nan]])
def test_constant_columns_are_only_shifted(how: Any, values: list[float]) -> None:
    step = Scale(how=how)
    out = step.fit_transform(pd.DataFrame({"c": values}))["c"]
    assert step.spreads_.tolist() == [1.0]
    assert (out.dropna() == 0).all()


def test_equal_quartiles_are_only_shifted() -> None:
    assert Scale(how="robust").fit_transform(pd.DataFrame({"c": [0.0] * 9 + [4.0]}))["c"].tolist() == [0.0] * 9 + [4.0]


@given(st.lists(FINITE, min_size=1), st.sampled_from(["standard", "robust", "min_max"]))
def test_scaled_values_are_finite(values: list[float], how: Any) -> None:
    out = Scale(how=how).fit_transform(pd.DataFrame({"c": values}))["c"]
    assert np.isfinite(out).all()
    if how == "min_max":
        assert out.between(-1e-9, 1 + 1e-9).all() or np.ptp(values) == 0 or np.ptp(values) < 1e-9 * np.abs(values).max()


def test_flags_are_not_numbers() -> None:
    with pytest.raises(InputError, match="'scale' works on numeric columns; 'f' is flags"):
        Scale("f").fit(pd.DataFrame({"f": [True, False]}))
    assert Scale().fit(pd.DataFrame({"f": [True, False], "c": [1, 2]})).selected_ == ["c"]


@given(st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=50))
def test_skewness_agrees_with_scipy(values: list[float]) -> None:
    known = np.array(values)
    if np.ptp(known) > 1e-6 * np.abs(known).max() + 1e-100:
        with_gap = np.column_stack([np.append(known, np.nan), np.full(len(known) + 1, 3.0)])
        np.testing.assert_allclose(skewness(with_gap), [stats.skew(known), 0.0], atol=1e-6)


def test_few_values_have_no_skewness() -> None:
    assert skewness(np.array([[1.0, np.nan], [2.0, np.nan], [np.nan, np.nan]])).tolist() == [0.0, 0.0]
    assert skewness(np.empty((0, 2))).tolist() == [0.0, 0.0]
    assert skewness(np.empty((3, 0))).tolist() == []


@given(st.lists(FINITE, min_size=1, max_size=40))
def test_quartiles_agree_with_numpy(values: list[float]) -> None:
    known = np.array(values)
    np.testing.assert_allclose(quartiles(known), np.quantile(known, [0.25, 0.5, 0.75]), rtol=1e-12, atol=1e-12 * np.abs(known).max())


@pytest.mark.parametrize("width", [1, 2, 3, 50])
@pytest.mark.parametrize("step", [Scale(how="robust"), Skew(threshold=0.0, how="yeo_johnson")], ids=lambda step: step.name)
def test_a_large_table_is_cut_into_blocks(step: Any, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = clone(step).fit_transform(X)
    monkeypatch.setattr(numeric, "_BLOCK", width * len(X))
    assert [len(names) for names, _ in blocks(X, "scale")] == {1: [1, 1, 1], 2: [2, 1]}.get(width, [3])
    assert_frame_equal(clone(step).fit_transform(X), whole)


def test_the_column_of_a_wrong_value_is_named() -> None:
    for wrong, message in ((np.inf, "found an infinite value in column 'even'"), ("a", "needs numbers in column 'even'")):
        table = X.assign(even=pd.Series([wrong, *X["even"].iloc[1:]], dtype=object))
        with pytest.raises(InputError, match=message):
            list(blocks(table, "scale"))
