"""Statistics across a row."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import InputError
from features.rows import RowStatistics

ALL = ("missing", "zeros", "sum", "mean", "min", "max", "sd")
CELLS = st.floats(-1e6, 1e6) | st.just(np.nan) | st.just(0.0)


@given(st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1))
def test_agrees_with_pandas(rows: list[tuple[float, float, float]]) -> None:
    X = pd.DataFrame(rows, columns=list("abc"), dtype=float)
    out = RowStatistics(None, statistics=ALL).fit(X).write(X)
    expected = [
        X.isna().sum(axis=1),
        (X == 0).sum(axis=1),
        X.sum(axis=1),
        X.mean(axis=1),
        X.min(axis=1),
        X.max(axis=1),
        X.std(axis=1, ddof=0),
    ]
    np.testing.assert_allclose(out, np.column_stack(expected), rtol=1e-9, atol=1e-6)


def test_large_values_stay_finite() -> None:
    X = pd.DataFrame({"a": [1e308], "b": [1e308], "c": [-1e308]})
    assert np.isfinite(RowStatistics(None, statistics=ALL).fit(X).write(X).to_numpy()).all()


def test_gaps_are_counted_in_any_column() -> None:
    X = pd.DataFrame({"a": [1.0, np.nan], "t": [None, None], "f": [True, False]})
    assert RowStatistics(None, into="house").fit_transform(X)["house__missing"].tolist() == [1.0, 2.0]
    with pytest.raises(InputError, match="'row_statistics' works on numeric or flags columns; 't' is text"):
        RowStatistics(None, statistics=["sum"]).fit(X.astype({"t": "str"}))


def test_no_column_is_refused() -> None:
    with pytest.raises(InputError, match="'row_statistics' needs at least 1 column"):
        RowStatistics("dates").fit(pd.DataFrame({"a": [1]}))
