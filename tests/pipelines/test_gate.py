"""The gate takes the first of its members unless another is better on other folds, and pseudo-labels stay inside their fold."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipelines.ensembles import Problem
from pipelines.gate import BestOf, best_of
from pipelines.known import Known
from pipelines.metrics import metric_of
from pipelines.models.contract import Training
from pipelines.oof import Entry, Predictions, nested
from pipelines.pseudo import with_pseudo_labels
from pipelines.spec import PseudoLabels
from pipelines.splits import FIT, SCORED, Folds
from pipelines.store import read_json
from pipelines.targets import TRANSFORMS

PROBLEM = Problem("regression", metric_of("rmse", {}), TRANSFORMS["none"])


def members_with_losses(*losses: float) -> tuple[np.ndarray, Known]:
    y = np.linspace(0, 1, 50)
    return np.stack([y + loss for loss in losses], axis=1), Known(y)


@pytest.mark.parametrize(
    ("losses", "least_gain", "chosen"),
    [((1.0, 0.9, 0.8), 0.0, 2), ((1.0, 1.0), 0.0, 0), ((1.0, 0.95), 0.1, 0), ((1.0, 0.85), 0.1, 1), ((0.5, 0.9), 0.0, 0)],
)
def test_the_first_member_stays_unless_another_gains_enough(losses: tuple[float, ...], least_gain: float, chosen: int) -> None:
    members, known = members_with_losses(*losses)
    gate = best_of(PROBLEM, least_gain=least_gain)
    assert (gate.predict(members, known) == members[:, 0]).all(), "before any fit"
    gate.fit(members, known)
    again = BestOf(PROBLEM, 0.0)
    again.restore(gate.describe())
    assert gate.describe()["losses"] == pytest.approx(losses)
    for one in (gate, again):
        assert (one.predict(members, known) == members[:, chosen]).all()


def test_a_fold_does_not_choose_by_its_own_rows() -> None:
    y = np.zeros(4)
    status = np.full((4, 2), FIT, dtype=np.int8)
    status[:2, 0] = status[2:, 1] = SCORED
    # "late" is right in the second fold alone: there it may not be chosen, in the first it must
    early = Predictions([np.array([1.0, 1.0]), np.array([3.0, 3.0])], np.zeros(1))
    late = Predictions([np.array([5.0, 5.0]), np.array([0.0, 0.0])], np.ones(1))
    entry = Entry("gate", ("early", "late"), lambda: best_of(PROBLEM))
    found = nested([entry], {"early": early, "late": late}, Known(y), Known(np.empty(0)), Folds(status))["gate"]
    assert [fold.tolist() for fold in found.predictions.folds] == [[5.0, 5.0], [3.0, 3.0]]


@pytest.mark.parametrize(
    ("predicted", "labels"),
    [
        ([0.99, 0.5, 0.02, 0.94], [1.0, 0.0]),
        ([[0.96, 0.02, 0.02], [0.4, 0.3, 0.3], [0.01, 0.01, 0.98], [0.5, 0.5, 0.0]], [0.0, 2.0]),
        ([0.5, 0.5, 0.5, 0.5], []),
    ],
)
def test_test_rows_join_with_the_class_the_model_is_sure_of(predicted: Any, labels: list[float]) -> None:
    train, test = pd.DataFrame({"x": [1.0, 2.0]}), pd.DataFrame({"x": [10.0, 20.0, 30.0, 40.0]})
    training = Training(train, np.array([0.0, 1.0]), np.array([1.0, 3.0]), "multiclass", 3, 0, times=np.array([1.0, 2.0]))
    both = with_pseudo_labels(training, test, np.array(predicted), PseudoLabels(confidence=0.95, weight=0.5))
    assert both.y[2:].tolist() == labels and both.y[:2].tolist() == [0.0, 1.0]
    assert both.X["x"].tolist() == [1.0, 2.0, *([10.0, 30.0] if labels else [])]
    assert both.weights is not None and both.weights[2:].tolist() == [1.0] * len(labels), "half the mean weight of 2"
    assert training.X.equals(pd.DataFrame({"x": [1.0, 2.0]})) and both.times is None


PSEUDO = ("ensemble:\n", "  again: {decision_tree: {max_depth: 3}, view: linear, pseudo_labels: {confidence: 0.8}}\nensemble:\n")


def test_a_run_with_pseudo_labels_behind_a_gate(make_tiny: Callable[..., Any], foldwise: Callable[..., Any], tmp_path: Path) -> None:
    tiny = make_tiny("binary")
    tiny.edit(PSEUDO)
    tiny.edit(("final: {blend: {method: mean}}", "final: {best_of: {of: [tree, again], least_gain: 0.001}}"))
    assert foldwise("run", tiny.folder, "--runs", "runs").code == 0
    latest = tmp_path / "runs" / "tiny"
    metrics, learnt = read_json(latest / "metrics.json"), read_json(latest / "ensemble.json")["entries"]["final"]
    assert metrics["models"]["again"]["score"] != metrics["models"]["tree"]["score"]
    assert learnt["chosen"] in (0, 1) and len(learnt["losses"]) == 2
    said = foldwise("predict", tiny.folder, "--runs", "runs", "--input", str(tiny.folder / "test.csv"), "--output", "out.csv")
    assert said.code == 0, said.err
    mine, theirs = (pd.read_csv(path).sort_values("Id", ignore_index=True) for path in (tmp_path / "out.csv", latest / "submission.csv"))
    pd.testing.assert_frame_equal(mine[theirs.columns], theirs)


@pytest.mark.parametrize(
    ("task", "change", "message"),
    [
        ("regression", PSEUDO, "a model is sure of classes, not of numbers; the task is 'regression'"),
        ("binary", (PSEUDO[0], PSEUDO[1].replace("0.8", "0.4")), "confidence"),
        ("binary", ("method: mean}}", "method: mean}}\n  gate: {best_of: {least_gain: 1.5}}"), "least_gain"),
    ],
)
def test_what_cannot_be(
    task: str, change: tuple[str, str], message: str, make_tiny: Callable[..., Any], foldwise: Callable[..., Any]
) -> None:
    tiny = make_tiny(task)
    tiny.edit(change)
    said = foldwise("run", tiny.folder, "--runs", "runs")
    assert said.code == 2 and message in said.err


def test_pseudo_labels_need_test_rows(make_tiny: Callable[..., Any], foldwise: Callable[..., Any]) -> None:
    tiny = make_tiny("binary")
    tiny.edit(PSEUDO)
    tiny.edit(("test: test.csv, sample_submission: sample.csv, ", ""))
    said = foldwise("run", tiny.folder, "--runs", "runs")
    assert said.code == 2 and "needs test rows to name; 'data' has no 'test'" in said.err
