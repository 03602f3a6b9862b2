"""The first stage: checked table, folds, and the matrices of each view."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from features.errors import InputError
from features.saving import dump_step
from features.step import Step
from pipelines.declaration import Declaration, DeclarationError, Fault
from pipelines.frames import FoldRows, Frames, SharedTotals, Target, advance, replay, start
from pipelines.keys import Keys
from pipelines.metrics import Array
from pipelines.spec import Spec
from pipelines.splits import Folds, Splittable, make_folds
from pipelines.store import Store, read_json, write_json
from pipelines.tables import Tables, read_tables
from pipelines.targets import TRANSFORMS


@dataclass(frozen=True)
class Prepared:
    """What the later stages need to know of the rows."""

    y: Array
    classes: list[Any]
    ids: pd.Series
    folds: Folds
    n_test: int
    notes: list[str]

    @property
    def n_train(self) -> int:
        """Rows with a target."""
        return len(self.y)


@dataclass(frozen=True)
class Planned:
    """The pass over all steps: after ``clean`` and ``features``, and after each view."""

    base: Frames
    views: dict[str, Frames]


def ensure_table(spec: Spec, keys: Keys, folder: Path, store: Store) -> Prepared:
    """The checked table's target, ids and folds, from the store or made now."""
    made: list[Tables] = []

    def make(path: Path) -> None:
        tables = read_tables(spec, folder, sample=keys.sample)
        TRANSFORMS[spec.target.transform].check(tables.y)
        write_table(path, tables, split(spec, tables))
        made.append(tables)

    path = store.ensure(keys.table, make)
    facts = read_json(path / "facts.json")
    ids = pd.read_parquet(path / "ids.parquet").iloc[:, 0]
    return Prepared(np.load(path / "y.npy"), facts["classes"], ids, Folds.read(path / "folds.parquet"), facts["n_test"], facts["notes"])


def split(spec: Spec, tables: Tables) -> Folds:
    """The declared folds of a table's training rows."""
    columns = pd.concat([tables.features.iloc[: tables.n_train], tables.only_train], axis=1)
    splittable = Splittable(columns, tables.y, spec.task)
    return make_folds(splittable, spec.split.name, spec.split.params, **tables.roles)


def write_table(path: Path, tables: Tables, folds: Folds) -> None:
    """Write target, ids and folds into an artifact's folder."""
    np.save(path / "y.npy", tables.y)
    tables.ids.to_frame(str(tables.ids.name)).to_parquet(path / "ids.parquet")
    folds.write(path / "folds.parquet")
    write_json(path / "facts.json", {"classes": tables.classes, "n_test": tables.n_test, "notes": tables.notes})


def plan(declaration: Declaration, spec: Spec, tables: Tables, folds: Folds, views: list[str] | None = None) -> Planned:
    """The forward pass: steps that run once are run, the others on fold 0, so that every column's name and type is known.

    Raises
    ------
    DeclarationError
        When a step does not fit the columns it meets; the faults of all views are reported together.
    """
    rows = FoldRows.of(folds, 0, len(tables.features))
    target = transformed_target(spec, tables.y)
    fit_everywhere = np.concatenate([np.flatnonzero(~tables.roles["not_in_fit"]), rows.test])
    faults: list[Fault] = []

    def checked(frames: Frames, parts: tuple[Any, ...]) -> Frames | None:
        try:
            return advance(frames, parts, rows, target, fit_everywhere)
        except InputError as error:
            faults.append(Fault(getattr(error, "where", ()), str(error)))
            return None

    base = checked(start(tables.features, rows), (*spec.clean, *spec.features))
    asked = [*spec.views, ""] if views is None else views
    done = {view: checked(base, spec.views.get(view, ())) for view in asked} if base else {}
    if faults or base is None:
        raise DeclarationError(declaration, faults)
    return Planned(base, {view: frames for view, frames in done.items() if frames is not None})


def transformed_target(spec: Spec, y: Array) -> Target:
    """Gives the transformed target of some training rows; class codes as a categorical where there are several classes."""
    if spec.task == "multiclass":
        codes = pd.Categorical(y)
        return lambda rows: codes[rows]
    transformed = TRANSFORMS[spec.target.transform].forward(y)
    return lambda rows: np.asarray(transformed[rows], dtype=np.float64)


def ensure_views(
    declaration: Declaration, spec: Spec, keys: Keys, folder: Path, store: Store, prepared: Prepared, views: list[str]
) -> bool:
    """Make the matrices of some views where the store lacks them; says whether any was made."""
    folds = prepared.folds
    todo = [
        view for view in views if not all(store.has(key) for key in [keys.view(view), *(keys.fold(view, k) for k in range(folds.n_folds))])
    ]
    if not todo:
        return False
    tables = read_tables(spec, folder, sample=keys.sample)
    planned = plan(declaration, spec, tables, folds, todo)
    for view in todo:
        frames = planned.views[view]
        store.ensure(keys.view(view), lambda path, frames=frames: write_view(path, frames))  # type: ignore[misc]
    for block in fold_blocks(planned, folds, transformed_target(spec, tables.y), len(tables.features), range(folds.n_folds)):
        store.ensure(keys.fold(block.view, block.fold), lambda path, block=block: write_block(path, block))  # type: ignore[misc]
    return True


@dataclass(frozen=True)
class FoldBlock:
    """The fold-bound columns of a view in one fold (rows in the order of ``rows.all``), and the steps fitted for them."""

    view: str
    fold: int
    rows: FoldRows
    bound: pd.DataFrame
    steps: tuple[Step, ...]


def fold_blocks(planned: Planned, folds: Folds, target: Target, n_rows: int, which: Iterable[int]) -> Iterator[FoldBlock]:
    """The fold blocks of all planned views, fold after fold; what the views share is run once a fold."""
    shared_events, totals = planned.base.events, SharedTotals(folds, target)
    for fold in which:
        rows = FoldRows.of(folds, fold, n_rows)
        base, base_steps = replay(shared_events, pd.DataFrame(index=rows.all), rows, target, totals)
        for view, frames in planned.views.items():
            bound, own_steps = replay(frames.events[len(shared_events) :], base, rows, target, totals)
            yield FoldBlock(view, fold, rows, bound, (*base_steps, *own_steps))


def write_view(path: Path, frames: Frames) -> None:
    """Write a view's shared columns, the steps that ran once, and the plan into an artifact's folder."""
    frames.shared.rename_axis(None).to_feather(path / "shared.feather", compression="uncompressed")
    (path / "steps.json").write_text(
        json.dumps([dump_step(event.fitted) if event.fitted else None for event in frames.events]), encoding="utf-8"
    )
    write_json(path / "plan.json", {"columns": list(frames.header.columns), "fold_bound": sorted(frames.bound), "steps": describe(frames)})


def write_block(path: Path, block: FoldBlock) -> None:
    """Write a fold block into an artifact's folder."""
    block.bound.reset_index(drop=True).to_feather(path / "bound.feather", compression="uncompressed")
    np.savez(path / "rows.npz", fit=block.rows.fit, scored=block.rows.scored, test=block.rows.test)
    (path / "steps.json").write_text(json.dumps([dump_step(step) for step in block.steps]), encoding="utf-8")


def describe(frames: Frames) -> list[dict[str, Any]]:
    """The plan as plain data: each step with what it learns from, where it runs and which columns it makes."""
    return [
        {
            "step": event.part.name,
            "params": event.part.params,
            "learns": str(event.learns),
            "runs": "per fold" if event.is_per_fold else "once",
            "reads": event.reads,
            "writes": event.writes,
            "drops": event.drops,
        }
        for event in frames.events
    ]
