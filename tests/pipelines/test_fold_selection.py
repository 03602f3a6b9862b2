"""Selecting steps in folds: every fold has the columns that its own training part chose, and no other fold's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipelines.build_spec import build_spec
from pipelines.declaration import Declaration
from pipelines.frames import FoldRows
from pipelines.prepare import fold_blocks, plan, split, transformed_target
from pipelines.step_parameters import build_step
from pipelines.tables import Tables

N_TRAIN, N_ROWS = 60, 75


def noise(seed: int = 1) -> Tables:
    """Twelve columns that say nothing of the target, so that folds choose differently."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(rng.normal(size=(N_ROWS, 12)), columns=[f"v{number}" for number in range(12)])
    none = np.zeros(N_TRAIN, dtype=bool)
    masks = {"fit_only": none, "not_in_fit": none, "not_scored": none}
    return Tables(table, rng.normal(size=N_TRAIN), [], pd.Series(range(N_ROWS), name="row"), masks)


@pytest.mark.parametrize(
    "steps",
    [
        [{"select_by_gain": {"keep": 4, "trees": 5}}],
        [{"correlated": {"above": 0.1}}],
        [{"select_univariate": {"keep": 5}}, {"scale": "standard"}],
        [{"scale": "standard"}, {"select_l1": {"keep": 3}}, {"polynomial_top": {"top": 2}}],
        [{"pca": {"components": 0.85, "replace": True}}],
    ],
    ids=lambda steps: "-".join(next(iter(step)) for step in steps),
)
def test_every_fold_has_its_own_choice(steps: list[Any]) -> None:
    data = {
        "data": {"train": "train.csv", "target": "y"},
        "task": "regression",
        "metric": "rmse",
        "split": {"kfold": {"folds": 4}},
        "features": steps,
        "models": {"ridge": {"ridge": {}}},
    }
    declaration, tables = Declaration(Path("pipeline.yaml"), data, {}), noise()
    spec = build_spec(declaration)
    folds = split(spec, tables)
    made = plan(declaration, spec, tables, folds, [""])
    headers = set()
    rows = [FoldRows.of(folds, fold, N_ROWS) for fold in range(folds.n_folds)]
    for block in fold_blocks(made, folds, transformed_target(spec, tables.y), rows):
        training, others = tables.features.iloc[block.rows.fit], tables.features.iloc[block.rows.others]
        y = pd.Series(tables.y, index=range(N_TRAIN)).iloc[block.rows.fit]
        for part in spec.features:
            step = build_step(part)
            training, others = step.fit_transform(training, y), step.transform(others)
        expected = pd.concat([training, others])
        found = pd.concat([made.views[""].shared.iloc[block.rows.all], block.bound], axis=1)
        assert sorted(found) == sorted(expected)
        np.testing.assert_allclose(found[list(expected)], expected, rtol=1e-9, atol=1e-9)
        headers.add(tuple(sorted(expected)))
    assert len(headers) > 1, "all folds chose the same columns: this test says nothing"
