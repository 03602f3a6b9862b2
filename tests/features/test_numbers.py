"""Columns as plain floats."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from features.errors import InputError
from features.numbers import as_numbers, is_constant, refuse_all_missing


@pytest.mark.parametrize(
    "values",
    [
        [1.0, np.nan],
        pd.array([1, None], dtype="Int64"),
        pd.array([1.0, None], dtype="Float64"),
        pd.array([True, None], dtype="boolean"),
        np.array([1, None], dtype=object),
    ],
)
def test_missing_is_nan(values: Any) -> None:
    np.testing.assert_array_equal(as_numbers(pd.Series(values), "scale"), [1.0, np.nan])


def test_the_result_can_be_written_to() -> None:
    column = pd.Series([1.0, 2.0])
    as_numbers(column, "scale")[0] = 9.0
    assert column.tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1.0, np.inf], "Step 'scale' found an infinite value in column 'c' \\(row 'y'\\)"),
        (["1", "many"], "Step 'scale' needs numbers in column 'c'; it holds str .*Cast it first"),
    ],
)
def test_refuses(values: list[Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        as_numbers(pd.Series(values, index=["x", "y"], name="c"), "scale")


def test_all_missing() -> None:
    refuse_all_missing(np.array([np.nan, 1.0]), "c", "scale", "Drop it.")
    with pytest.raises(InputError, match="'c', which has no value in the training rows"):
        refuse_all_missing(np.array([np.nan]), "c", "scale", "Drop it.")


@pytest.mark.parametrize(
    ("values", "expected"),
    [([0.1 + 0.2, 0.3], True), ([0.0, 0.0], True), ([1.0, 1.001], False), ([0.0, 1e-300], True), ([0.0, 1e-100], False)],
)
def test_is_constant(values: list[float], expected: bool) -> None:
    assert is_constant(np.array(values)) is expected
