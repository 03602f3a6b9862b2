"""Looking up levels gives the same for few rows, where a dictionary does it, and for many."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from features.step import missing_safe_codes

COPIES = 100
CASES: list[tuple[list[Any], Any, np.ndarray]] = [
    (["b", None, "x", "a"], "str", np.array(["a", "b"], dtype=object)),
    ([2.0, np.nan, 7.0, 1.0], "float64", np.array([1, 2])),
    ([2, 7, 1], "int64", np.array([1.0, 2.0])),
    ([0.1, 0.5], "float32", np.array([0.1, 0.5])),
    ([True, False], "bool", np.array([False, True])),
    (["a", "x", None], "category", np.array(["a", "b"], dtype=object)),
    ([1, 2], "int64", np.array(["1", "2"], dtype=object)),
    (["1", "2"], "str", np.array([1, 2])),
]


@pytest.mark.parametrize(("values", "dtype", "levels"), CASES)
def test_few_rows_as_many(values: list[Any], dtype: str, levels: np.ndarray) -> None:
    column = pd.Series(values, dtype=dtype)
    many = missing_safe_codes(pd.concat([column] * COPIES, ignore_index=True), levels)
    np.testing.assert_array_equal(np.tile(missing_safe_codes(column, levels), COPIES), many)
