"""One pass over the rows for all folds gives what each fold would learn by itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.crossfit import inner_folds, outer_parts
from features.target import TargetEncode

RNG = np.random.default_rng(1)
N, N_TEST = 240, 30
X = pd.DataFrame({"a": RNG.choice(["p", "q", "r", None], N + N_TEST), "b": RNG.integers(0, 40, N + N_TEST)})
Y = RNG.normal(size=N) + (X["a"].iloc[:N] == "p")
OUTER = RNG.integers(0, 4, N)


def reference(column: str, y: pd.Series, smooth: float, rows: np.ndarray, i: int) -> float:
    """The smoothed mean of a row's level over some rows, the slow way."""
    level = X[column].iloc[i]
    members = rows & ((X[column].iloc[:N].isna() if pd.isna(level) else X[column].iloc[:N] == level).to_numpy())
    n, overall = int(members.sum()), y[rows].mean()
    return float((y[members].sum() + smooth * overall) / (n + smooth))


@pytest.mark.parametrize("column", ["a", "b"])
def test_values_equal_a_brute_force_reference(column: str) -> None:
    step = TargetEncode(column, smooth=2.5).resolve(X)
    totals = step.take_totals(X, pd.Series(Y), OUTER, 4)
    inner = inner_folds(X.index, 5, 0)[:N]
    for fold in range(4):
        fit, others = np.flatnonzero(fold != OUTER), np.concatenate([np.flatnonzero(fold == OUTER), np.arange(N, N + N_TEST)])
        written = step.learn_outside(totals, fold).write_outside(totals, fold, fit, others)[f"{column}__target"]
        for i in fit[::17]:
            assert written[i] == pytest.approx(reference(column, Y, 2.5, (fold != OUTER) & (inner != inner[i]), i), abs=1e-9)
        for i in others[::7]:
            assert written[i] == pytest.approx(reference(column, Y, 2.5, fold != OUTER, i), abs=1e-9)


@pytest.mark.parametrize(
    "params",
    [
        {"columns": ["a", "b"]},
        {"columns": ["a", "b"], "together": True, "statistics": ["mean", "sd", "count"], "min_size": 3, "smooth": 4.0},
    ],
)
@pytest.mark.parametrize("target", ["numbers", "classes"])
def test_totals_and_single_fits_agree(params: dict[str, Any], target: str) -> None:
    y = pd.Series(Y.to_numpy()) if target == "numbers" else pd.Series(pd.Categorical(np.digitize(Y, [-0.5, 0.5]).astype(float)))
    step = TargetEncode(**params).resolve(X)
    totals = step.take_totals(X, y, OUTER, 4)
    fit, others = np.flatnonzero(OUTER != 2), np.concatenate([np.flatnonzero(OUTER == 2), np.arange(N, N + N_TEST)])
    ours = step.learn_outside(totals, 2).write_outside(totals, 2, fit, others)
    alone = TargetEncode(**params).resolve(X).learn(X.iloc[fit], y.iloc[fit])
    theirs = pd.concat([alone.write_training(X.iloc[fit], y.iloc[fit]), alone.write(X.iloc[others])])
    pd.testing.assert_frame_equal(ours, theirs, rtol=1e-9, atol=1e-12)
    new = step.write(X.iloc[others])
    pd.testing.assert_frame_equal(new, ours.loc[new.index])


@given(st.integers(0, 3), st.integers(0, 2**16))
@settings(max_examples=25, deadline=None)
def test_targets_of_a_left_out_fold_change_no_byte(fold: int, seed: int) -> None:
    other = Y.to_numpy().copy()
    scored = fold == OUTER
    other[scored] = np.random.default_rng(seed).normal(scale=1e6, size=int(scored.sum()))
    fit, others = np.flatnonzero(~scored), np.flatnonzero(scored)
    written = []
    for y in (Y.to_numpy(), other):
        step = TargetEncode(["a", "b"]).resolve(X)
        totals = step.take_totals(X, pd.Series(y), OUTER, 4)
        written.append(step.learn_outside(totals, fold).write_outside(totals, fold, fit, others).to_numpy().tobytes())
    assert written[0] == written[1]


@pytest.mark.parametrize(
    ("fit", "expected"),
    [
        ([[0, 1], [1, 0]], [0, 1]),
        ([[0, 1], [1, 1]], [0, 2]),
        ([[0, 0], [1, 0]], [-1, 1]),
        ([[0, 0, 1], [1, 1, 0]], None),
    ],
)
def test_outer_parts(fit: list[list[int]], expected: list[int] | None) -> None:
    found = outer_parts(np.array(fit, dtype=bool))
    assert (None if found is None else found.tolist()) == expected
