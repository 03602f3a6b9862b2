"""The forward pass: which steps run per fold, and that each fold's table is the one a plain loop over the steps gives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from features.errors import InputError
from features.numeric import Skew
from features.step import Learns
from pipelines.build_spec import build_spec
from pipelines.declaration import Declaration, DeclarationError
from pipelines.frames import FoldRows
from pipelines.prepare import FoldBlock, Planned, fold_blocks, plan, split, transformed_target
from pipelines.spec import Spec
from pipelines.splits import Folds
from pipelines.step_parameters import build_step
from pipelines.tables import Tables

N_TRAIN, N_TEST = 60, 15


def tables_of(seed: int = 0, roles: dict[str, Any] | None = None) -> Tables:
    """Numbers with gaps, a category with a rare level, and a target."""
    rng = np.random.default_rng(seed)
    n_rows = N_TRAIN + N_TEST
    table = pd.DataFrame(
        {
            "a": pd.Series(rng.normal(5.0, 2.0, n_rows)).mask(rng.random(n_rows) < 0.15),
            "b": rng.integers(1, 9, n_rows),
            "street": rng.choice(["elm", "oak", "pine", "fir"], n_rows, p=[0.4, 0.3, 0.25, 0.05]),
            "zone": rng.choice(["x", "y"], n_rows),
        }
    )
    none = np.zeros(N_TRAIN, dtype=bool)
    masks = {"fit_only": none, "not_in_fit": none, "not_scored": none, **(roles or {})}
    y = (2 * table["b"] + (table["street"] == "oak") + rng.normal(size=n_rows)).to_numpy()[:N_TRAIN]
    return Tables(table, y, [], pd.Series(range(n_rows), name="row"), masks)


def spec_of(steps: list[Any], views: dict[str, list[Any]] | None = None) -> tuple[Declaration, Spec]:
    """A declaration with these features and views."""
    data = {
        "data": {"train": "train.csv", "target": "y"},
        "task": "regression",
        "metric": "rmse",
        "split": {"kfold": {"folds": 2, "repeats": 2}},
        "features": steps,
        "views": views or {},
        "models": {"ridge": {"ridge": {}}},
    }
    declaration = Declaration(Path("pipeline.yaml"), data, {})
    return declaration, build_spec(declaration)


def planned(steps: list[Any], tables: Tables, views: dict[str, list[Any]] | None = None) -> tuple[Planned, Folds, Spec]:
    """The plan of these steps."""
    declaration, spec = spec_of(steps, views)
    folds = split(spec, tables)
    return plan(declaration, spec, tables, folds, [*(views or {}), ""]), folds, spec


def rows_of_folds(folds: Folds, tables: Tables) -> list[FoldRows]:
    """The rows of every fold."""
    return [FoldRows.of(folds, fold, len(tables.features)) for fold in range(folds.n_folds)]


def blocks_of(made: Planned, folds: Folds, spec: Spec, tables: Tables) -> Iterator[FoldBlock]:
    """All fold blocks."""
    return fold_blocks(made, folds, transformed_target(spec, tables.y), rows_of_folds(folds, tables))


def whole(made: Planned, block: FoldBlock) -> pd.DataFrame:
    """The table of a fold: shared and fold-bound columns in the plan's order, training rows first."""
    frames = made.views[block.view]
    assert not set(frames.shared) & set(block.bound), "no column is both shared and fold-bound"
    assert set(block.bound) == frames.bound
    return pd.concat([frames.shared.iloc[block.rows.all], block.bound], axis=1)[list(frames.header.columns)]


def naive(spec: Spec, view: str, tables: Tables, block: FoldBlock) -> pd.DataFrame:
    """The same table by a plain loop: every step anew in the fold, fitted on the training rows if it learns anything."""
    rows = block.rows
    table, y = tables.features.iloc[rows.all], pd.Series(tables.y, index=range(N_TRAIN))
    for part in (*spec.features, *spec.views.get(view, ())):
        step, n_fit = build_step(part), len(rows.fit)
        if step.learns in (Learns.NOTHING, Learns.LEVELS):
            table = step.fit(table).transform(table)
        else:
            training, others = table.iloc[:n_fit], table.iloc[n_fit:]
            table = pd.concat([step.fit_transform(training, y.iloc[rows.fit]), step.transform(others)])
    return table


def assert_as_naive(steps: list[Any], tables: Tables, views: dict[str, list[Any]] | None = None) -> Planned:
    """Every fold's table is that of the plain loop."""
    made, folds, spec = planned(steps, tables, views)
    seen = 0
    for block in blocks_of(made, folds, spec, tables):
        assert_frame_equal(whole(made, block), naive(spec, block.view, tables, block), rtol=1e-12, check_names=False)
        seen += 1
    assert seen == folds.n_folds * len(made.views)
    return made


# ---------------------------------------------------------------------- the plain loop

MEDIAN, ZERO = {"fill": {"columns": "a", "with": "median"}}, {"fill": {"columns": "a", "value": 0}}
POOL = [
    MEDIAN,
    ZERO,
    {"derive": {"a": "b + 1"}},
    {"derive": {"c": "a * b", "b": "c - b"}},
    {"derive": {"street": "where(b > 4, street, zone)"}},
    {"scale": {"columns": ["a", "b"], "how": "standard"}},
    {"skew": {"columns": "numeric"}},
    {"target_encode": {"columns": ["street"]}},
    {"group_target_rate": {"by": ["street", "zone"]}},
    {"count_encode": {"columns": ["street"]}},
    {"group_statistics": {"columns": ["b"], "by": "zone"}},
    {"missing_indicator": {"columns": ["a"]}},
    {"drop": ["a"]},
    {"drop": ["b"]},
    {"drop": ["street"]},
]


@settings(max_examples=25)
@given(st.lists(st.sampled_from(POOL), min_size=2, max_size=6), st.integers(0, 3))
def test_any_steps_in_any_order(steps: list[Any], seed: int) -> None:
    try:
        assert_as_naive(steps, tables_of(seed))
    except InputError:
        assume(False)


@pytest.mark.parametrize(
    "steps",
    [
        [MEDIAN, {"derive": {"a": "b + 1"}}],
        [MEDIAN, {"derive": {"a": "b + 1"}}, {"scale": {"columns": "a", "how": "standard"}}],
        [MEDIAN, {"drop": ["a"]}, {"derive": {"a": "b * 2"}}],
        [MEDIAN, {"derive": {"d": "a + 1"}}, {"derive": {"d": "b"}}, {"derive": {"e": "d * 2"}}],
        [{"derive": {"b": "b + 1"}}, {"scale": {"columns": "b", "how": "standard"}}, {"derive": {"c": "b + a"}}, {"drop": ["b"]}],
        [{"target_encode": {"columns": ["street"]}}, {"derive": {"street__target": "street__target * 2"}}, {"drop": ["street", "zone"]}],
        ["one_hot", MEDIAN, {"scale": {"columns": "numeric", "how": "standard"}}],
        [],
    ],
)
def test_steps_that_overwrite_and_drop(steps: list[Any]) -> None:
    assert_as_naive(steps, tables_of())


def test_columns_that_are_skewed_in_some_folds_only() -> None:
    """Which columns a step transforms hangs on the fold's rows; no fold may lose one or have one twice."""
    tables = tables_of(3)
    rng = np.random.default_rng(0)
    more = {f"s{number}": np.exp(0.3 * rng.normal(size=len(tables.features))) for number in range(12)}
    tables = replace(tables, features=tables.features.assign(**more))
    skew = {"skew": {"columns": "numeric", "threshold": 0.9}}
    made = assert_as_naive([skew], tables, {"scaled": [{"scale": {"columns": "numeric", "how": "standard"}}]})
    _, folds, spec = planned([skew], tables)
    transformed = {tuple(block.steps[0].powers_) for block in blocks_of(made, folds, spec, tables)}  # type: ignore[attr-defined]
    assert len(transformed) > 1, "the test can tell: the folds do differ"


@pytest.mark.parametrize("name", ["select_univariate", "select_mutual_information"])
def test_columns_that_are_selected_in_some_folds_only(name: str) -> None:
    """Nothing of fold 0's choice, which rests on rows that other folds score, is seen in the other folds."""
    tables = tables_of(3)
    more = {f"s{number}": np.random.default_rng(number).normal(size=len(tables.features)) for number in range(8)}
    tables = replace(tables, features=tables.features.assign(**more).drop(columns=["street", "zone", "a"]))
    made, folds, spec = planned([{name: {"columns": "s*", "keep": 3}}], tables)
    assert set(made.base.shared) == {"b"}
    chosen = set()
    for block in blocks_of(made, folds, spec, tables):
        expected = naive(spec, "", tables, block)
        assert_frame_equal(pd.concat([made.base.shared.iloc[block.rows.all], block.bound], axis=1)[list(expected)], expected)
        chosen.add(tuple(block.bound))
    assert len(chosen) > 1, "the test can tell: the folds do differ"


def test_a_step_that_replaces_other_columns_in_other_folds_is_a_defect(monkeypatch: pytest.MonkeyPatch) -> None:
    def some_only(self: Skew, X: pd.DataFrame) -> pd.DataFrame:
        return X[["a"]] if self.selected_ and X["a"].median() > 5 else X[["b"]]

    monkeypatch.setattr(Skew, "_write", some_only)
    tables = tables_of()
    made, folds, spec = planned(["skew"], tables)
    tables.features["a"] = 10.0 - tables.features["a"]
    with pytest.raises(InputError, match="Step 'skew' replaces or removes 'a', 'b' in some folds only, depending on their rows"):
        for fold in range(folds.n_folds):
            list(fold_blocks(replace(made), folds, transformed_target(spec, tables.y), rows_of_folds(folds, tables)[fold : fold + 1]))


def test_views_go_on_from_the_features() -> None:
    views = {"linear": ["one_hot", {"scale": "standard"}], "trees": ["ordinal", {"derive": {"a": "b"}}], "plain": []}
    assert_as_naive([MEDIAN, {"count_encode": {"columns": ["street"]}}], tables_of(), views)


@pytest.mark.parametrize("role", ["fit_only", "not_in_fit", "not_scored"])
def test_roles_are_kept(role: str) -> None:
    tables = tables_of(roles={role: np.arange(N_TRAIN) % 7 == 0})
    assert_as_naive([MEDIAN, {"target_encode": {"columns": ["street"]}}, {"scale": {"columns": "numeric", "how": "standard"}}], tables)


# ---------------------------------------------------------------------- what runs where


@pytest.mark.parametrize(
    ("steps", "per_fold", "bound"),
    [
        ([], [], set()),
        ([ZERO], [False], set()),
        ([MEDIAN], [True], {"a"}),
        ([{"fill": {"columns": "a", "with": "median", "fit_on": "all"}}], [False], set()),
        ([{"fill": {"columns": "a", "with": "median", "fit_on": "train"}}], [True], {"a"}),
        (["one_hot"], [False], set()),
        ([MEDIAN, {"derive": {"c": "a + b"}}], [True, True], {"a", "c"}),
        ([MEDIAN, {"derive": {"c": "b + 1"}}], [True, False], {"a"}),
        ([MEDIAN, {"derive": {"a": "b + 1"}}], [True, False], set()),
        ([MEDIAN, {"derive": {"a": "a + 1"}}], [True, True], {"a"}),
        ([MEDIAN, {"drop": ["a"]}], [True, True], set()),
        ([MEDIAN, {"drop": ["b"]}], [True, False], {"a"}),
        ([{"rare_group": {"columns": ["street"], "min_count": 5}}, {"one_hot": {"columns": ["zone"]}}], [True, False], {"street"}),
        ([{"target_encode": {"columns": ["street"]}}], [True], {"street__target"}),
        ([MEDIAN, {"fill": {"columns": "a", "with": "median", "fit_on": "all"}}], [True, True], {"a"}),
    ],
)
def test_fold_bound_columns(steps: list[Any], per_fold: list[bool], bound: set[str]) -> None:
    made, _, _ = planned(steps, tables_of())
    assert [event.is_per_fold for event in made.base.events] == per_fold
    assert made.base.bound == bound
    assert set(made.base.shared) | bound == set(made.base.header)


def test_levels_of_a_fold_bound_column_come_from_the_training_rows() -> None:
    tables = tables_of()
    made, folds, spec = planned([{"rare_group": {"columns": ["street"], "min_count": 12}}, {"one_hot": {"columns": ["street"]}}], tables)
    for block in blocks_of(made, folds, spec, tables):
        counts = tables.features["street"].iloc[block.rows.fit].value_counts()
        assert {name for name in block.bound if name != "street__rare"} == {f"street__{level}" for level in counts[counts >= 12].index}


def test_fit_on_all_takes_train_and_test_but_no_row_that_is_in_no_fit() -> None:
    left_out = np.arange(N_TRAIN) == 3
    tables = tables_of(roles={"not_in_fit": left_out})
    tables.features.loc[[3, N_TRAIN + 1], "a"] = [1e6, -1e6]
    made, _, _ = planned([{"fill": {"columns": "a", "with": "mean", "fit_on": "all"}}], tables)
    filled = made.base.shared["a"][tables.features["a"].isna()]
    assert filled.iloc[0] == pytest.approx(tables.features["a"].drop(index=3).mean())


def test_the_input_is_not_changed() -> None:
    tables = tables_of()
    before, y = tables.features.copy(deep=True), tables.y.copy()
    made, folds, spec = planned(
        [MEDIAN, {"derive": {"b": "b * 2"}}, {"target_encode": {"columns": ["street"]}}, {"drop": ["zone"]}], tables
    )
    list(blocks_of(made, folds, spec, tables))
    assert_frame_equal(tables.features, before)
    np.testing.assert_array_equal(tables.y, y)


# ---------------------------------------------------------------------- the scored rows


@settings(max_examples=12)
@given(st.integers(0, 3), st.integers(0, 5))
def test_nothing_of_the_scored_rows_reaches_a_fit(fold: int, seed: int) -> None:
    """Other values in the rows that a fold scores, target and features: the same fitted steps, the same training rows."""
    steps = [
        MEDIAN,
        {"target_encode": {"columns": ["street"]}},
        {"group_target_rate": {"by": "zone"}},
        {"scale": {"columns": "numeric", "how": "standard"}},
    ]
    tables = tables_of(seed)
    made, folds, spec = planned(steps, tables)
    scored = folds.scored_rows(fold)
    other = Tables(tables.features.copy(), tables.y.copy(), [], tables.ids, tables.roles)
    other.y[scored] = np.random.default_rng(seed).normal(100, 50, len(scored))
    other.features.loc[scored, "a"] = -7.0
    other.features.loc[scored, "b"] = 99
    before = next(block for block in blocks_of(made, folds, spec, tables) if block.rows.fold == fold)
    after = next(block for block in blocks_of(planned(steps, other)[0], folds, spec, other) if block.rows.fold == fold)
    n_fit = len(before.rows.fit)
    assert_frame_equal(after.bound.iloc[:n_fit], before.bound.iloc[:n_fit], check_exact=True)
    assert not after.bound.iloc[n_fit:].equals(before.bound.iloc[n_fit:]), "the scored rows themselves did change"


# ---------------------------------------------------------------------- faults


def test_faults_of_all_views_are_told_together() -> None:
    views = {"linear": [{"scale": {"columns": ["nowhere"]}}], "trees": [{"target_encode": {"columns": ["nothing"]}}]}
    with pytest.raises(DeclarationError, match=r"(?s)has 2 faults.*No column 'nowhere' here.*No column 'nothing' here"):
        planned([MEDIAN], tables_of(), views)


def test_a_column_that_was_dropped_is_gone() -> None:
    with pytest.raises(DeclarationError, match=r"features\[1\]: No column 'a' here; there are 'b', 'street', 'zone'"):
        planned([{"drop": ["a"]}, MEDIAN], tables_of())
