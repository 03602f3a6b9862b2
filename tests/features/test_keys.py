"""Groups named by several columns."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from features.keys import key_codes, learn_keys, levels_of, n_groups
from features.step import missing_safe_codes

Row = tuple[str | None, int | None, bool]
ROWS = st.lists(st.tuples(st.none() | st.sampled_from("abc"), st.none() | st.integers(0, 3), st.sampled_from([True, False])), max_size=30)


def frame(rows: list[Row]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["s", "n", "f"])
    return table.astype({"s": "str", "n": "float64", "f": "bool"})


@given(ROWS)
def test_codes_are_one_to_one_with_combinations(rows: list[Row]) -> None:
    X = frame(rows)
    keys = learn_keys(X, ["s", "n", "f"])
    codes = key_codes(X, keys)
    known = X.notna().all(axis=1).to_numpy()
    assert (codes[~known] == -1).all()
    pairs = set(zip(codes[known].tolist(), X[known].itertuples(index=False, name=None), strict=True))
    assert len(pairs) == len({code for code, _ in pairs}) == len({row for _, row in pairs}) == n_groups(keys)
    assert {code for code, _ in pairs} == set(range(n_groups(keys)))


@given(ROWS, ROWS)
def test_combinations_not_learnt_have_no_code(rows: list[Row], others: list[Row]) -> None:
    keys = learn_keys(frame(rows), ["s", "n", "f"])
    codes = key_codes(frame(others), keys)
    seen = {row for row in rows if None not in row}
    assert [code >= 0 for code in codes] == [row in seen for row in others]


def test_no_column_is_one_group() -> None:
    X = frame([("a", 1, True), (None, None, False)])
    keys = learn_keys(X, [])
    assert n_groups(keys) == 1
    assert key_codes(X, keys).tolist() == [0, 0]


def test_many_levels_do_not_overflow() -> None:
    table = pd.DataFrame({f"c{number}": np.arange(2000) * (number + 1) for number in range(8)})
    keys = learn_keys(table, list(table.columns))
    assert sorted(key_codes(table, keys)) == list(range(2000))


def test_levels_are_sorted_and_known() -> None:
    assert levels_of(pd.Series(["b", None, "a", "b"])).tolist() == ["a", "b"]
    assert levels_of(pd.Series(pd.Categorical([30, 4, None]))).tolist() == ["30", "4"]
    assert levels_of(pd.Series(pd.to_datetime(["2010-01-02", None]))).tolist() == pd.to_datetime(["2010-01-02"]).to_numpy("M8[us]").tolist()


def test_number_levels_do_not_hang_on_gaps_elsewhere() -> None:
    column = pd.Series(pd.Categorical([1, 2, None], categories=[1, 2]))
    levels = levels_of(column)
    assert levels.tolist() == ["1", "2"]
    assert missing_safe_codes(column, levels).tolist() == [0, 1, -1]
    assert missing_safe_codes(column.iloc[:2], levels).tolist() == [0, 1]
