"""Leaving columns out."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from features.errors import InputError
from features.keeping import Drop, Keep

X = pd.DataFrame({"a1": [1], "a2": [2], "b": ["x"]})


@pytest.mark.parametrize(
    ("step", "left"),
    [
        (Drop("b"), ["a1", "a2"]),
        (Drop("a*"), ["b"]),
        (Drop({"select": "a*", "except": "a2"}), ["a2", "b"]),
        (Drop([]), ["a1", "a2", "b"]),
        (Keep(["b", "a1"]), ["a1", "b"]),
        (Keep("numeric"), ["a1", "a2"]),
    ],
)
def test_columns_left(step: Any, left: list[str]) -> None:
    assert list(step.fit_transform(X).columns) == left


@pytest.mark.parametrize("cls", [Drop, Keep])
def test_unknown_column(cls: Any) -> None:
    with pytest.raises(InputError, match="No column 'c'"):
        cls("c").fit(X)


def test_columns_that_appear_later_are_kept() -> None:
    assert list(Keep("b").fit(X).transform(X.assign(new=1)).columns) == ["b", "new"]
