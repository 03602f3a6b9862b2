"""Values far from the others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import median_abs_deviation

from features.errors import InputError
from features.outliers import Outliers

RNG = np.random.default_rng(9)
VALUES = RNG.normal(10.0, 2.0, 200)
X = pd.DataFrame({"area": np.append(VALUES, [100.0, -80.0, np.nan]), "zone": ["a"] * 100 + ["b"] * 100 + ["a", "b", "c"]})
KNOWN = X["area"].dropna()
MAD = median_abs_deviation(KNOWN) / 0.6745


@pytest.mark.parametrize(
    ("how", "low", "high"),
    [
        ("iqr", *(np.quantile(KNOWN, [0.25, 0.75]) + np.array([-1.5, 1.5]) * np.ptp(np.quantile(KNOWN, [0.25, 0.75])))),
        ("mad", KNOWN.median() - 3.5 * MAD, KNOWN.median() + 3.5 * MAD),
        ("z", KNOWN.mean() - 3 * KNOWN.std(ddof=0), KNOWN.mean() + 3 * KNOWN.std(ddof=0)),
    ],
)
def test_limits(how: Any, low: float, high: float) -> None:
    clipped = Outliers("area", how=how).fit_transform(X)["area"]
    np.testing.assert_allclose(clipped, X["area"].clip(low, high))
    gaps = Outliers("area", how=how, action="missing").fit_transform(X)["area"]
    np.testing.assert_allclose(gaps, X["area"].where(X["area"].between(low, high)))
    marks = Outliers("area", how=how, action="mark").fit_transform(X)["area__is_outlier"]
    assert marks.tolist() == [False] * 200 + [True, True, False]


def test_limits_of_the_own_group() -> None:
    table = pd.DataFrame({"v": [*range(10), *range(1000, 1010)], "g": ["a"] * 10 + ["b"] * 10})
    step = Outliers("v", by="g", action="mark").fit(table)
    new = pd.DataFrame({"v": [1005, 5, 1005, 1005], "g": ["a", "b", "b", "new"]})
    assert step.transform(new)["v__is_outlier"].tolist() == [True, True, False, False]
    assert Outliers("v", by="g", action="mark", min_rows=11).fit_transform(table)["v__is_outlier"].sum() == 0


def test_a_key_that_never_repeats_has_the_limits_of_all_rows() -> None:
    keyed = X.assign(key=np.arange(len(X)))
    np.testing.assert_array_equal(Outliers("area", by="key").fit_transform(keyed)["area"], Outliers("area").fit_transform(X)["area"])


@pytest.mark.parametrize("how", ["iqr", "mad", "z"])
def test_without_spread_nothing_is_an_outlier(how: Any) -> None:
    table = pd.DataFrame({"c": [0.1] * 9, "d": [0.0] * 8 + [5.0]})
    step = Outliers(how=how, action="mark").fit(table)
    assert not step.transform(pd.DataFrame({"c": [9.0], "d": [0.0]}))["c__is_outlier"].any()
    assert step.transform(table)["d__is_outlier"].any() == False  # noqa: E712


@pytest.mark.parametrize(
    ("parameters", "X", "message"),
    [
        ({"limit": 0.0}, X, "needs a limit above 0, found 0.0"),
        ({"columns": "area"}, X.assign(area=np.nan), "learns from column 'area', which has no value"),
        ({"columns": "zone"}, X, "works on numeric columns; 'zone' is text"),
        ({"columns": "area"}, X.assign(area=np.inf), "found an infinite value in column 'area'"),
    ],
)
def test_refuses(parameters: dict[str, Any], X: pd.DataFrame, message: str) -> None:
    with pytest.raises(InputError, match=f"Step 'outliers' {message}"):
        Outliers(**parameters).fit(X)
