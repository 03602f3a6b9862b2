"""Several columns as one matrix."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from features.classes import indicators, is_classes
from features.design import FAR, by_label, coded, learn_codes, learn_scales, on_one_scale

X = pd.DataFrame(
    {
        "n": [1.0, 3.0, np.nan],
        "flag": [True, False, True],
        "when": pd.to_datetime(["1970-01-02 00:00", None, "1969-12-31 12:00"]),
        "word": pd.Series(["b", None, "a"], dtype="str"),
        "level": pd.Categorical(["q", "p", None], categories=["q", "p", "never"]),
    }
).set_axis([5, 9, 7])


def test_codes() -> None:
    codes = learn_codes(X)
    expected = [[1, 1, 1, 1, 1], [3, 0, np.nan, np.nan, 0], [np.nan, 1, -0.5, 0, np.nan]]
    np.testing.assert_array_equal(coded(X, codes, "test"), expected)
    strange = X.assign(word="unseen", level=None, n=-1e308)
    assert np.isnan(coded(strange, codes, "test")[:, 3:]).all()
    assert np.isfinite(coded(strange, codes, "test")[:, 0].astype(np.float32)).all()


def test_scales() -> None:
    numbers = pd.DataFrame({"a": [1.0, 3.0, np.nan], "constant": [0.1] * 3, "empty": [np.nan] * 3})
    rows = on_one_scale(numbers, learn_scales(numbers, "test"), "test")
    np.testing.assert_allclose(rows, [[-1, 0, 0], [1, 0, 0], [0, 0, 0]])
    far = on_one_scale(numbers.assign(a=-1.7e308), learn_scales(numbers, "test"), "test")
    assert far[0, 0] == -FAR


def test_rows_in_the_order_of_their_labels() -> None:
    y = pd.Series([1, 2, 3], index=X.index)
    rows, target = by_label(X, y)
    assert target is not None
    assert rows.index.tolist() == [5, 7, 9]
    assert target.tolist() == [1, 3, 2]


@pytest.mark.parametrize(
    ("values", "task", "expected"),
    [
        ([0.0, 1.0], "auto", True),
        ([0.0, 1.5], "auto", False),
        (list(range(21)), "auto", False),
        (list(range(21)), "classification", True),
        ([0.0, 1.0], "regression", False),
    ],
)
def test_classes_or_numbers(values: list[float], task: str, expected: bool) -> None:
    assert is_classes(pd.Series(values), task) is expected


def test_indicators() -> None:
    assert indicators(pd.Series([3.0, 5.0]), True).tolist() == [[0.0], [1.0]]
    assert indicators(pd.Series([3.0, 5.0]), False).tolist() == [[3.0], [5.0]]
    assert indicators(pd.Series([0, 1, 2]), True).tolist() == np.eye(3).tolist()
