"""Corrections, rules and routes on finished predictions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from features.errors import InputError
from pipelines.combiners import COMBINERS
from pipelines.ensembles import Problem
from pipelines.known import Known
from pipelines.metrics import METRICS
from pipelines.targets import TRANSFORMS

SALES = Problem("regression", METRICS["rmspe"], TRANSFORMS["log1p"])
RNG = np.random.default_rng(0)
N = 4_000
TRUTH = np.exp(RNG.normal(8.0, 1.0, N))
PREDICTED = TRUTH * np.exp(RNG.normal(0.0, 0.1, N))
STORE = pd.DataFrame({"store": RNG.integers(0, 5, N)})


def made(name: str, **params: Any) -> Any:
    """A combiner of one member."""
    return COMBINERS[name](SALES, of=["model"], **params)


def as_members(values: np.ndarray) -> np.ndarray:
    """One member."""
    return values[:, None]


def test_theory_and_fit_agree_on_log_normal_residuals() -> None:
    """With residual sd s the best factor on RMSPE is exp(-1.5 s^2) (Wilhelm, 2019)."""
    theory, fitted = made("correct", method="theory"), made("correct")
    for one in (theory, fitted):
        one.fit(as_members(PREDICTED), Known(TRUTH))
    assert theory.factor == pytest.approx(np.exp(-1.5 * 0.01), abs=0.002)
    assert fitted.factor == pytest.approx(theory.factor, abs=0.005)


def test_a_fitted_factor_is_the_best_one() -> None:
    fitted = made("correct")
    fitted.fit(as_members(PREDICTED), Known(TRUTH))
    best = METRICS["rmspe"].score(TRUTH, fitted.predict(as_members(PREDICTED), Known(np.empty(0))))
    for factor in (0.99, 1.01):
        assert METRICS["rmspe"].score(TRUTH, factor * fitted.predict(as_members(PREDICTED), Known(np.empty(0)))) > best


def test_zero_targets_are_not_scored_and_teach_nothing() -> None:
    one, other = made("correct"), made("correct")
    one.fit(as_members(PREDICTED), Known(TRUTH))
    with_closed = np.concatenate([TRUTH, np.zeros(50)]), np.concatenate([PREDICTED, np.full(50, 1e4)])
    other.fit(as_members(with_closed[1]), Known(with_closed[0]))
    assert other.factor == one.factor


def test_a_factor_by_key_is_drawn_to_that_of_all() -> None:
    off = np.where(STORE["store"] == 3, 1.2, 1.0)
    by_key, drawn = made("correct", by="store", shrink=1.0), made("correct", by="store", shrink=1e9)
    for one in (by_key, drawn):
        one.fit(as_members(PREDICTED * off), Known(TRUTH, columns=STORE))
    assert by_key.factors["3"] == pytest.approx(by_key.factors["1"] / 1.2, abs=0.01)
    assert drawn.factors["3"] == pytest.approx(drawn.factor, rel=1e-6)
    unseen = Known(np.empty(0), columns=pd.DataFrame({"store": [99]}))
    assert by_key.predict(np.array([[100.0]]), unseen)[0] == pytest.approx(100.0 * by_key.factor)


def test_before_any_fit_nothing_is_corrected() -> None:
    np.testing.assert_array_equal(made("correct").predict(as_members(PREDICTED), Known(np.empty(0))), PREDICTED)


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([("clip", {"low": 0.0, "high": None})], [0.0, 2.6, 9.0]),
        ([("clip", {"low": None, "high": 3.0})], [-1.0, 2.6, 3.0]),
        ([("round", {"decimals": 0})], [-1.0, 3.0, 9.0]),
        ([("force", {"where": "Open == 0", "value": 0.0})], [-1.0, 0.0, 9.0]),
        ([("clip", {"low": 1.0, "high": None}), ("force", {"where": "Open == 0", "value": 0.0})], [1.0, 0.0, 9.0]),
    ],
)
def test_rules(rules: list[tuple[str, dict[str, Any]]], expected: list[float]) -> None:
    known = Known(np.empty(0), columns=pd.DataFrame({"Open == 0": [False, True, False]}))
    assert made("postprocess", rules=rules).predict(np.array([[-1.0], [2.6], [9.0]]), known).tolist() == expected


@pytest.mark.parametrize(
    ("name", "task", "params", "message"),
    [
        ("correct", "binary", {}, "'correct' is for regression targets; the task is 'binary'"),
        ("calibrate", "regression", {}, "'calibrate' is for binary and multiclass targets"),
        ("calibrate", "binary", {"method": "plat"}, "no calibration 'plat'; there are "),
        ("threshold", "multiclass", {}, "'threshold' is for binary targets"),
        ("threshold", "binary", {"method": "f2"}, "no threshold 'f2'; there are f1"),
        ("correct", "regression", {"method": "theory", "by": "store"}, "a correction by theory has one factor for all rows"),
    ],
)
def test_what_does_not_fit(name: str, task: str, params: dict[str, Any], message: str) -> None:
    problem = Problem(task, METRICS["rmspe" if task == "regression" else "log_loss"], TRANSFORMS["none"])
    with pytest.raises(InputError, match=message):
        COMBINERS[name](problem, of=["model"], **params)


def test_one_member_only() -> None:
    with pytest.raises(InputError, match="'correct' takes one member; 'of' names 2"):
        COMBINERS["correct"](SALES, of=["one", "two"])


def test_a_fitted_correction_knows_two_metrics() -> None:
    with pytest.raises(InputError, match="a fitted correction is there for the metrics rmspe, rmse; found 'mae'"):
        COMBINERS["correct"](Problem("regression", METRICS["mae"], TRANSFORMS["none"]), of=["model"])
