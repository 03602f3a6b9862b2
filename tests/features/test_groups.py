"""Statistics within groups."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import InputError
from features.groups import GroupStatistics

X = pd.DataFrame(
    {
        "v": [1.0, 3.0, 8.0, np.nan, np.nan],
        "g": ["a", "a", "b", "b", "c"],
        "h": [1, 2, 1, 1, 1],
    }
)
OVERALL = {"mean": 4.0, "median": 3.0, "sd": float(np.std([1, 3, 8])), "min": 1.0, "max": 8.0, "count": 0.0}


@pytest.mark.parametrize(
    ("statistic", "expected"),
    [
        ("mean", [2.0, 2.0, 8.0, 8.0, 4.0]),
        ("median", [2.0, 2.0, 8.0, 8.0, 3.0]),
        ("sd", [1.0, 1.0, 0.0, 0.0, OVERALL["sd"]]),
        ("min", [1.0, 1.0, 8.0, 8.0, 1.0]),
        ("max", [3.0, 3.0, 8.0, 8.0, 8.0]),
        ("count", [2.0, 2.0, 1.0, 1.0, 0.0]),
        ("difference", [-1.0, 1.0, 0.0, np.nan, np.nan]),
        ("ratio", [0.5, 1.5, 1.0, np.nan, np.nan]),
    ],
)
def test_statistics(statistic: Any, expected: list[float]) -> None:
    out = GroupStatistics("v", by="g", statistics=[statistic]).fit_transform(X)
    np.testing.assert_allclose(out[f"v__{statistic}_by_g"], expected)


@pytest.mark.parametrize("statistic", list(OVERALL))
def test_unseen_groups_get_the_overall_statistic(statistic: Any) -> None:
    step = GroupStatistics("v", by=["g", "h"], statistics=[statistic]).fit(X)
    new = pd.DataFrame({"v": [5.0] * 3, "g": ["new", None, "b"], "h": [1, 1, 2]})
    assert step.transform(new)[f"v__{statistic}_by_g_h"].tolist() == pytest.approx([OVERALL[statistic]] * 3)


def test_groups_of_two_columns() -> None:
    out = GroupStatistics("v", by=["g", "h"]).fit_transform(X)
    assert out["v__mean_by_g_h"].tolist() == [1.0, 3.0, 8.0, 8.0, 4.0]


def test_ratio_to_a_mean_of_zero_is_missing() -> None:
    rows = pd.DataFrame({"v": [-1.0, 1.0], "g": ["a", "a"]})
    assert GroupStatistics("v", by="g", statistics=["ratio"]).fit_transform(rows)["v__ratio_by_g"].isna().all()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"by": []}, "needs at least one column in 'by'"),
        ({"by": "g", "statistics": ["average"]}, "statistics='average'; allowed: 'mean', 'median'"),
        ({"by": "gg"}, "No column 'gg'"),
        ({"by": "g", "columns": "g"}, "works on numeric columns; 'g' is text"),
    ],
)
def test_refuses(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        GroupStatistics(**{"columns": "v", **parameters}).fit(X)


def test_a_column_without_values() -> None:
    with pytest.raises(InputError, match="'v', which has no value in the training rows"):
        GroupStatistics("v", by="g").fit(X.assign(v=np.nan))


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.sampled_from("abc"), st.sampled_from([1, 2])), min_size=1))
def test_agrees_with_pandas(rows: list[tuple[float, str, int]]) -> None:
    table = pd.DataFrame(rows, columns=["v", "g", "h"])
    out = GroupStatistics("v", by=["g", "h"], statistics=["mean", "max", "count", "difference"]).fit_transform(table)
    groups = table.groupby(["g", "h"])["v"]
    for statistic in ("mean", "max", "count"):
        np.testing.assert_allclose(out[f"v__{statistic}_by_g_h"], groups.transform(statistic), atol=1e-6)
    np.testing.assert_allclose(out["v__difference_by_g_h"], table["v"] - groups.transform("mean"), atol=1e-6)


def test_keys_that_are_missing_throughout() -> None:
    bare = X.assign(g=pd.Series([None] * 5, dtype="str"))
    out = GroupStatistics("v", by="g", statistics=["mean", "count", "sd"]).fit_transform(bare)
    np.testing.assert_allclose(out[["v__mean_by_g", "v__count_by_g", "v__sd_by_g"]], [[4.0, 0.0, OVERALL["sd"]]] * 5)


def test_statistics_are_written_in_the_order_asked_for_once() -> None:
    out = GroupStatistics("v", by="g", statistics=["ratio", "count", "mean", "count"]).fit_transform(X)
    assert list(out.columns[3:]) == ["v__ratio_by_g", "v__count_by_g", "v__mean_by_g"]
