"""The folds of a search are others than the reported ones, as far as there are others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipelines.splits import make_folds
from pipelines.splittable import Splittable
from pipelines.tuning.split import tuning_split

ROWS = 120
NOBODY = np.zeros(ROWS, dtype=bool)
TABLE = Splittable(
    pd.DataFrame(
        {
            "day": pd.date_range("2024-01-01", periods=ROWS, freq="D"),
            "shop": np.arange(ROWS) % 40,
            "ready": np.arange(ROWS) % 4,
        }
    ),
    (np.arange(ROWS) % 2).astype(np.float64),
    "binary",
)


def _scored(splitter: str, params: dict[str, Any], folds: range | None = None) -> set[frozenset[int]]:
    made = make_folds(TABLE, splitter, params, fit_only=NOBODY, not_in_fit=NOBODY, not_scored=NOBODY)
    return {frozenset(made.scored_rows(fold).tolist()) for fold in (folds or range(made.n_folds))}


@pytest.mark.parametrize(
    "splitter, params, wanted",
    [
        ("kfold", {"folds": 5, "shuffle": True, "seed": 0, "repeats": 3}, 5),
        ("kfold", {"folds": 5, "shuffle": False, "seed": 0, "repeats": 1}, 6),
        ("stratified", {"folds": 5, "shuffle": True, "seed": 1, "repeats": 1, "bins": 10}, 5),
        ("group", {"column": "shop", "folds": 4, "seed": 0, "repeats": 1}, 4),
        ("blocks", {"column": "day", "unit": "week", "folds": 4, "shuffle": False, "seed": 0}, 5),
        ("blocks", {"column": "day", "unit": "week", "folds": 4, "shuffle": True, "seed": 0}, 4),
        ("last_days", {"column": "day", "days": 20}, 1),
        ("rolling", {"column": "day", "days": 10, "windows": 1}, 1),
        ("forward", {"column": "day", "blocks": 2, "windows": None}, 1),
        ("forward", {"column": "day", "blocks": 4, "windows": 1}, 1),
    ],
)
def test_no_tuning_fold_is_a_reported_one(splitter: str, params: dict[str, Any], wanted: int) -> None:
    split = tuning_split(splitter, params)
    n_folds = make_folds(TABLE, split.splitter, split.params, fit_only=NOBODY, not_in_fit=NOBODY, not_scored=NOBODY).n_folds
    tuned = _scored(split.splitter, split.params, split.used(n_folds))
    assert len(tuned) == wanted
    assert not tuned & _scored(splitter, params)


@pytest.mark.parametrize(
    "splitter, params",
    [
        ("rolling", {"column": "day", "days": 10, "windows": 3}),
        ("forward", {"column": "day", "blocks": 5, "windows": None}),
    ],
)
def test_of_several_windows_the_last_one_is_never_looked_at(splitter: str, params: dict[str, Any]) -> None:
    split = tuning_split(splitter, params)
    made = make_folds(TABLE, split.splitter, split.params, fit_only=NOBODY, not_in_fit=NOBODY, not_scored=NOBODY)
    used = split.used(made.n_folds)
    last = set(made.scored_rows(made.n_folds - 1).tolist())
    for fold in used:
        assert not last & {*made.fit_rows(fold).tolist(), *made.scored_rows(fold).tolist()}
    assert len(used) == made.n_folds - 1
    assert "less the last" in split.said


def test_ready_made_folds_are_used_and_that_is_said() -> None:
    split = tuning_split("column", {"column": "ready"})
    assert split.params == {"column": "ready"}
    assert "a little too good" in split.said
