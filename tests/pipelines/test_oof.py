"""What is fitted on out-of-fold predictions: nested, so that no fold's score has seen its own rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.combiners import COMBINERS
from pipelines.ensembles import Problem
from pipelines.known import NOTHING_KNOWN, Known
from pipelines.metrics import METRICS, Array
from pipelines.oof import Entry, OnOof, Predictions, nested, pooled, scored_rows, stacked, write_predictions
from pipelines.splits import Folds
from pipelines.targets import TRANSFORMS

N_ROWS = 48
PROBLEMS = {
    "regression": Problem("regression", METRICS["rmse"], TRANSFORMS["none"]),
    "binary": Problem("binary", METRICS["log_loss"], TRANSFORMS["none"]),
    "multiclass": Problem("multiclass", METRICS["log_loss"], TRANSFORMS["none"]),
}
WAYS: list[tuple[str, dict[str, Any]]] = [
    ("blend", {"method": method}) for method in ("mean", "simplex", "hill_climb", "bagged_hill_climb")
] + [("blend", {"scale": "rank"}), ("stack", {}), ("log_pool", {})]
NOT_FOR = {"log_pool": ("regression",), "rank": ("regression", "multiclass")}
CASES = [(*way, task) for way in WAYS for task in PROBLEMS if task not in NOT_FOR.get(way[1].get("scale", way[0]), ())]
every_way = pytest.mark.parametrize(
    ("name", "params", "task"), CASES, ids=[f"{name}-{'-'.join(params.values())}-{task}" for name, params, task in CASES]
)


def kfold(n_folds: int = 4, repeats: int = 1, seed: int = 0) -> Folds:
    """Folds of shuffled rows."""
    rng = np.random.default_rng(seed + 100)
    columns = []
    for _ in range(repeats):
        part = rng.permutation(np.arange(N_ROWS) % n_folds)
        columns += [np.where(part == fold, 2, 1) for fold in range(n_folds)]
    return Folds(np.column_stack(columns).astype(np.int8))


def windows() -> Folds:
    """Growing windows of time: fold k fits on all blocks before the one it scores."""
    block = np.arange(N_ROWS) // 12
    return Folds(np.column_stack([np.where(block < fold, 1, np.where(block == fold, 2, 0)) for fold in (1, 2, 3)]).astype(np.int8))


def holdout() -> Folds:
    """One window."""
    return Folds(np.where(np.arange(N_ROWS) < 30, 1, 2).astype(np.int8)[:, None])


def target(task: str, seed: int = 0) -> Array:
    """A target of a task."""
    n_classes = {"regression": 0, "binary": 2, "multiclass": 3}[task]
    rng = np.random.default_rng(seed)
    return rng.normal(size=N_ROWS) if n_classes == 0 else rng.permutation(np.arange(N_ROWS) % n_classes).astype(float)


def members(task: str, y: Array, folds: Folds, n_members: int = 3, seed: int = 1) -> list[Predictions]:
    """Members of growing error."""
    rng = np.random.default_rng(seed)

    def about(truth: Array, noise: float) -> Array:
        if task == "regression":
            return truth + noise * rng.normal(size=len(truth))
        n_classes = 2 if task == "binary" else 3
        raw = np.eye(n_classes)[truth.astype(int)] + noise * rng.random((len(truth), n_classes)) + 0.05
        p = raw / raw.sum(axis=1, keepdims=True)
        return p[:, 1] if task == "binary" else p

    return [
        Predictions([about(y[folds.scored_rows(fold)], 0.3 + member) for fold in range(folds.n_folds)], about(y[:10], 0.3 + member))
        for member in range(n_members)
    ]


@dataclass
class Spy:
    """Remembers what it was fitted on; predicts the first member."""

    seen: list[tuple[Array, Array]] = field(default_factory=list)

    learns: bool = True
    takes_gaps: bool = False

    def fit(self, members: Array, known: Known) -> None:
        """Remember."""
        self.seen.append((members, known.y))

    def predict(self, members: Array, known: Known) -> Array:
        """The first member, and 100 before any fit."""
        return members[:, 0] if self.seen else np.full(len(members), 100.0)

    def describe(self) -> dict[str, Any]:
        """Nothing."""
        return {}


def nest(make: Callable[[], OnOof], both: list[Predictions], y: Array, folds: Folds, **more: Any) -> tuple[Predictions, OnOof]:
    """One entry of some models: its nested predictions and the deployed object."""
    models = {f"model-{number}": member for number, member in enumerate(both)}
    found = nested([Entry("final", tuple(models), make)], models, Known(y, **more), NOTHING_KNOWN, folds)["final"]
    return found.predictions, found.deployed


# ---------------------------------------------------------------------- pooling


def test_pooled_takes_the_mean_over_repeats_and_marks_rows_never_scored() -> None:
    folds = Folds(np.array([[2, 2], [1, 2], [0, 1]], dtype=np.int8))
    values = pooled(Predictions([np.array([1.0]), np.array([3.0, 5.0])], np.empty(0)), folds)
    np.testing.assert_array_equal(values, [2.0, 5.0, np.nan])
    assert scored_rows(folds).tolist() == [0, 1]
    assert pooled(Predictions([np.array([1.0]), np.array([3.0, 5.0])], np.empty(0)), folds, [1]).tolist()[:2] == [3.0, 5.0]


def test_pooled_of_several_classes() -> None:
    folds = Folds(np.array([[2], [1]], dtype=np.int8))
    values = pooled(Predictions([np.array([[0.2, 0.8]])], np.empty((0, 2))), folds)
    np.testing.assert_array_equal(values, [[0.2, 0.8], [np.nan, np.nan]])


@given(st.integers(1, 3), st.integers(2, 5), st.integers(0, 20))
def test_pooled_puts_each_prediction_in_its_row(repeats: int, n_folds: int, seed: int) -> None:
    folds = kfold(n_folds, repeats, seed)
    rows = Predictions([folds.scored_rows(fold).astype(float) for fold in range(folds.n_folds)], np.empty(0))
    np.testing.assert_allclose(pooled(rows, folds), np.arange(N_ROWS))


# ---------------------------------------------------------------------- nesting


@pytest.mark.parametrize("folds", [kfold(), kfold(3, repeats=2), windows(), holdout()], ids=["kfold", "repeated", "windows", "holdout"])
def test_a_fold_fits_on_rows_it_fits_on_that_were_scored_elsewhere_in_its_repeat(folds: Folds) -> None:
    y, spies = target("regression"), list[Spy]()

    def make() -> OnOof:
        spies.append(Spy())
        return spies[-1]

    both = members("regression", y, folds)
    scored, deployed = nest(make, both, y, folds)
    assert len(spies) == folds.n_folds + 1 and deployed is spies[-1]
    for fold in range(folds.n_folds):
        repeat = next(one for one in folds.repeats if fold in one)
        elsewhere = (folds.status[:, [other for other in repeat if other != fold]] == 2).any(axis=1)
        rows = np.flatnonzero((folds.status[:, fold] == 1) & elsewhere)
        if not len(rows):
            assert not spies[fold].seen
            assert set(scored.folds[fold]) == {100.0}, "without earlier rows it is as it was made"
            continue
        table = stacked([pooled(member, folds, repeat) for member in both])
        np.testing.assert_array_equal(spies[fold].seen[0][0], table[rows])
        np.testing.assert_array_equal(spies[fold].seen[0][1], y[rows])


@every_way
def test_the_scored_rows_target_does_not_reach_the_folds_object(name: str, params: dict[str, Any], task: str) -> None:
    """Change y on the rows that fold k scores: the object of fold k says the same, and others may say something else."""
    folds = kfold(4, repeats=2)
    y = target(task)
    both, made = members(task, y, folds), list[OnOof]()

    def make() -> OnOof:
        made.append(COMBINERS[name](PROBLEMS[task], **params))
        return made[-1]

    def fitted(truth: Array) -> tuple[list[dict[str, Any]], Predictions]:
        made.clear()
        scored, _ = nest(make, both, truth, folds)
        return [one.describe() for one in made], scored

    before, scored_before = fitted(y)
    moved = False
    for fold in range(folds.n_folds):
        changed = y.copy()
        rows = folds.scored_rows(fold)
        changed[rows] = -y[rows] + 3 if task == "regression" else (y[rows] + 1) % (2 if task == "binary" else 3)
        after, scored_after = fitted(changed)
        assert after[fold] == before[fold]
        np.testing.assert_array_equal(scored_after.folds[fold], scored_before.folds[fold])
        moved |= any(after[other] != before[other] for other in range(folds.n_folds))
    assert moved == (params != {"method": "mean"}), "the test can tell: the objects of other folds do see these rows"


@every_way
def test_the_first_window_has_equal_weights(name: str, params: dict[str, Any], task: str) -> None:
    folds, y = windows(), target(task)
    both = members(task, y, folds)
    problem = PROBLEMS[task]
    scored, _ = nest(lambda: COMBINERS[name](problem, **params), both, y, folds)
    scale = "logit" if name == "stack" and task != "regression" else problem.default_scale()
    table = problem.to_scale(stacked([member.folds[0] for member in both]), scale)  # type: ignore[arg-type]
    np.testing.assert_allclose(scored.folds[0], problem.from_scale(table.mean(axis=1), scale))  # type: ignore[arg-type]


@every_way
def test_one_holdout_window(name: str, params: dict[str, Any], task: str) -> None:
    """Nothing was scored before it: equal weights in the score; the deployed object may not be fitted on the holdout either."""
    folds, y = holdout(), target(task)
    both = members(task, y, folds)
    scored, deployed = nest(lambda: COMBINERS[name](PROBLEMS[task], **params), both, y, folds)
    fresh = COMBINERS[name](PROBLEMS[task], **params)
    np.testing.assert_array_equal(scored.folds[0], fresh.predict(stacked([member.folds[0] for member in both]), NOTHING_KNOWN))
    np.testing.assert_array_equal(scored.test, fresh.predict(stacked([member.test for member in both]), NOTHING_KNOWN))
    assert deployed.describe() == fresh.describe()


def test_rows_in_no_fit_teach_nothing_and_are_scored() -> None:
    folds = kfold()
    status = folds.status.copy()
    left_out = np.arange(N_ROWS) % 6 == 0
    status[(status == 1) & left_out[:, None]] = 0
    y, spy = target("regression"), Spy()
    both = members("regression", y, Folds(status))
    scored, _ = nest(lambda: spy, both, y, Folds(status), may_fit=~left_out)
    assert sum(len(part) for part in scored.folds) == N_ROWS
    taught = {float(value) for _, truth in spy.seen for value in truth}
    assert not taught & set(y[left_out])


@pytest.mark.parametrize("task", PROBLEMS)
def test_no_test_rows(task: str) -> None:
    folds, y = kfold(), target(task)
    shape = (0, 3) if task == "multiclass" else (0,)
    both = [Predictions(member.folds, np.empty(shape)) for member in members(task, y, folds)]
    scored, _ = nest(lambda: COMBINERS["blend"](PROBLEMS[task], method="mean"), both, y, folds)
    assert scored.test.shape == shape


def test_no_layer_has_seen_the_rows_that_are_scored() -> None:
    """Change y on the rows that fold k scores: a blend of a stack, and a threshold on it, say the same of them."""
    folds, y = kfold(4), target("binary")
    models = dict(zip("abc", members("binary", y, folds), strict=True))
    ways: dict[str, tuple[str, tuple[str, ...], dict[str, Any]]] = {
        "stacked": ("stack", ("a", "b", "c"), {}),
        "mixed": ("blend", ("stacked", "a"), {"method": "simplex"}),
        "calibrated": ("calibrate", ("mixed",), {"of": ["mixed"], "method": "platt"}),
        "decided": ("threshold", ("calibrated",), {"of": ["calibrated"], "method": "f1"}),
    }

    def entry(name: str) -> Entry:
        way, of, params = ways[name]
        return Entry(name, of, lambda: COMBINERS[way](PROBLEMS["binary"], **params))

    def said(truth: Array) -> dict[str, list[Array]]:
        found = nested([entry(name) for name in ways], models, Known(truth), NOTHING_KNOWN, folds)
        return {name: one.predictions.folds for name, one in found.items()}

    before, moved = said(y), dict.fromkeys(ways, False)
    for fold in range(folds.n_folds):
        changed = y.copy()
        changed[folds.scored_rows(fold)] = 1 - y[folds.scored_rows(fold)]
        after = said(changed)
        for name in ways:
            np.testing.assert_allclose(after[name][fold], before[name][fold], rtol=1e-7)
            moved[name] |= any(not np.array_equal(after[name][other], before[name][other]) for other in range(folds.n_folds))
    assert all(moved.values()), "the test can tell: other folds do see these rows"


def test_a_route_takes_the_first_prediction_there_is() -> None:
    folds, y = kfold(2), target("regression")
    gappy = Predictions([np.where(np.arange(24) % 2, np.nan, 7.0) for _ in range(2)], np.array([np.nan, 7.0]))
    whole = Predictions([np.zeros(24) for _ in range(2)], np.zeros(2))
    scored, _ = nest(lambda: COMBINERS["route"](PROBLEMS["regression"], of=["a", "b"]), [gappy, whole], y, folds)
    assert [*scored.folds[0][:4], *scored.test] == [7.0, 0.0, 7.0, 0.0, 0.0, 7.0]


# ---------------------------------------------------------------------- in files


@pytest.mark.parametrize(
    ("values", "classes", "id_name", "columns"),
    [
        (np.array([0.5, np.nan]), [], "Id", ["row", "Id", "prediction"]),
        (np.array([0.5, 0.1]), [], None, ["row", "prediction"]),
        (np.array([[0.2, 0.8], [np.nan, np.nan]]), ["no", "yes"], "Id", ["row", "Id", "p_no", "p_yes"]),
        (np.empty((0, 2)), [0, 1], None, ["row", "p_0", "p_1"]),
    ],
)
def test_files_of_predictions(values: Array, classes: list[Any], id_name: str | None, columns: list[str], tmp_path: Path) -> None:
    write_predictions(tmp_path / "x.parquet", values, pd.Series([7, 8][: len(values)]), id_name, classes)
    table = pd.read_parquet(tmp_path / "x.parquet")
    assert list(table) == columns
    assert table["row"].dtype == "int64" and table["row"].tolist() == [*range(len(values))]
    np.testing.assert_array_equal(table[columns[-1]].to_numpy(), values if values.ndim == 1 else values[:, -1])
