"""The contract of a step: what it is given is its own, and levels are found whatever the column's type and length."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from features.keys import factorized, levels_of
from features.step import Step, missing_safe_codes


class Careless(Step):
    """Works in the frame that it is given, as notebooks do."""

    def __init__(self, columns: Any = None) -> None:
        self.columns = columns

    def _learn(self, X: pd.DataFrame, y: pd.Series | None) -> None:
        X["a"] = 0.0

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        X.loc[X["a"] > 1, "a"] = -1.0
        X["made"] = X["a"]
        return X


@pytest.mark.parametrize("columns", [None, ["a"]])
def test_a_step_that_works_in_its_frame_changes_no_other(columns: list[str] | None) -> None:
    X = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})
    out = Careless(columns).fit_transform(X)
    assert out["made"].tolist() == [1.0, -1.0]
    assert_frame_equal(X, pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]}))


@pytest.mark.parametrize("times", [1, 40])
@pytest.mark.parametrize(
    "values",
    [
        pd.Series(["b", None, "a", "b"]).astype("str"),
        pd.Series(["b", None, "a", "b"], dtype="object"),
        pd.Series(pd.Categorical(["b", None, "a", "b"])),
        pd.Series([2.5, np.nan, -1.0, 2.5]),
        pd.Series([7, 3, 3, 9]),
        pd.Series([True, False, False, True]),
        pd.Series(pd.to_datetime(["2020-02-01", None, "2019-01-01", "2020-02-01"])),
    ],
    ids=lambda values: str(values.dtype),
)
def test_codes_are_places_in_the_levels(values: pd.Series, times: int) -> None:
    column = pd.concat([values] * times, ignore_index=True)
    codes, levels = factorized(column)
    np.testing.assert_array_equal(missing_safe_codes(column, levels), codes)
    assert (codes < 0).tolist() == column.isna().tolist()
    fewer = missing_safe_codes(column, levels_of(column)[1:])
    np.testing.assert_array_equal(fewer, np.where(codes < 0, -1, codes - 1))
