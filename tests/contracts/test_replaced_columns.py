"""What the forward pass over the steps rests on: which columns a step replaces or removes does not hang on its rows.

Columns that a step takes away in one fold are hidden in all of them (``pipelines/frames.py``): a step that leaves a column
alone in another fold must write it there as it is. New columns may differ.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from features.errors import InputError
from features.registry import steps
from features.step import Learns, Step

CASES = [
    pytest.param(cls, dict(example), id=f"{cls.name}-{number}")
    for cls in steps().values()
    for number, example in enumerate(cls.examples or ({},))
    if cls(**example).learns not in (Learns.NOTHING, Learns.LEVELS)
]


@pytest.mark.parametrize(("cls", "example"), CASES)
def test_replaced_columns(cls: type[Step], example: dict[str, Any], table: pd.DataFrame, target: pd.Series) -> None:
    replaced = set()
    for seed in range(6):
        rows = np.sort(np.random.default_rng(seed).choice(len(table), 20 if seed % 2 else 50, replace=False))
        try:
            step = cls(**example).fit(table.iloc[rows], target.iloc[rows])
        except InputError:
            continue  # too few rows for this step
        written = step.write(table.iloc[:5])
        replaced.add(frozenset({*written.columns, *step.dropped} & {*table.columns}))
    assert len(replaced) == 1
