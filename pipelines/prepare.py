"""The first stage: checked table, folds, and the matrices of each view."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.columns import kind_of
from features.errors import InputError, listed
from features.expressions import parse
from features.saving import dump_step
from features.step import Step
from pipelines.combiners import asked_columns
from pipelines.declaration import Declaration, DeclarationError, Fault
from pipelines.frames import REFIT, FoldRows, Frames, SharedTotals, Target, Timeline, advance, replay, rows_of, start
from pipelines.keys import Keys
from pipelines.known import Known
from pipelines.metrics import Array
from pipelines.models.matrix import fits_float32
from pipelines.serve.inputs import inputs_key, write_inputs
from pipelines.spec import Spec
from pipelines.splits import Folds, Splittable, make_folds
from pipelines.store import Store, read_json, write_json
from pipelines.tables import Tables, read_tables
from pipelines.targets import TRANSFORMS
from pipelines.time_splits import TIME_SPLITTERS
from pipelines.times import as_days, as_times
from pipelines.windows import windows


@dataclass(frozen=True)
class Prepared:
    """What the later stages need to know of the rows."""

    y: Array
    classes: list[Any]
    ids: pd.Series
    folds: Folds
    n_test: int
    notes: list[str]
    may_fit: NDArray[np.bool_]
    """Training rows that are not left out of every fit, shape (n_train,)."""
    columns: pd.DataFrame = field(default_factory=pd.DataFrame)
    """Named columns of all rows, the training rows first."""
    windows: list[dict[str, Any]] = field(default_factory=list)
    """From when to when each fold is fitted and scored, as plain ``Window`` values, where the folds follow time."""
    n_features: int = 0
    """Columns of the table besides target and id, before any step."""
    weight: str | None = None
    """Which of the columns holds the rows' weights."""

    @property
    def known(self) -> Known:
        """What is known of the training rows."""
        columns = self.columns.iloc[: self.n_train].reset_index(drop=True)
        weights = None if self.weight is None else columns[self.weight].to_numpy(dtype=np.float64)
        return Known(self.y, weights, columns, self.may_fit)

    @property
    def known_of_test(self) -> Known:
        """What is known of the test rows."""
        return Known(np.empty(0), None, self.columns.iloc[self.n_train :].reset_index(drop=True))

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
        write_table(path, tables, split(spec, tables, holds_out=keys.holds_out), row_times(spec, tables))
        made.append(tables)

    path = store.ensure(keys.table, make)
    facts = read_json(path / "facts.json")
    ids = pd.read_parquet(path / "ids.parquet").iloc[:, 0]
    folds, may_fit = Folds.read(path / "folds.parquet"), np.load(path / "may_fit.npy")
    y, windows = np.load(path / "y.npy"), facts["windows"]
    for transform in dict.fromkeys(model.transform for model in spec.models.values()):
        TRANSFORMS[transform].check(y)
    return Prepared(
        y, facts["classes"], ids, folds, facts["n_test"], facts["notes"], may_fit, windows=windows, n_features=facts["n_features"]
    )


def split(spec: Spec, tables: Tables, *, holds_out: bool = False) -> Folds:
    """The declared folds of a table's training rows, or folds with rows held out from all but the last."""
    return make_folds(_splittable(spec, tables), spec.split.name, spec.split.params, **tables.roles, holds_out=holds_out)


def _splittable(spec: Spec, tables: Tables) -> Splittable:
    columns = pd.concat([tables.features.iloc[: tables.n_train], tables.only_train], axis=1)
    return Splittable(columns, tables.y, spec.task)


def row_times(spec: Spec, tables: Tables) -> pd.Series | None:
    """When each training row happened, dates or numbers of shape (n_train,); None where the folds do not follow time."""
    return as_times(_splittable(spec, tables).column(spec.split.params["column"])) if spec.split.name in TIME_SPLITTERS else None


def write_table(path: Path, tables: Tables, folds: Folds, times: pd.Series | None = None) -> None:
    """Write target, ids, folds and times into an artifact's folder."""
    np.save(path / "y.npy", tables.y)
    np.save(path / "may_fit.npy", ~tables.roles["not_in_fit"])
    if times is not None:
        np.save(path / "times.npy", times.to_numpy().astype(np.float64 if kind_of(times) == "numeric" else np.int64))
    tables.ids.to_frame(str(tables.ids.name)).to_parquet(path / "ids.parquet")
    folds.write(path / "folds.parquet")
    spans = [] if times is None else [asdict(window) for window in windows(folds, times)]
    facts = {"classes": tables.classes, "n_test": tables.n_test, "notes": tables.notes, "n_features": tables.features.shape[1]}
    write_json(path / "facts.json", {**facts, "windows": spans})


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
    timeline = timeline_of(spec, tables, folds)
    faults: list[Fault] = []

    def checked(frames: Frames, parts: tuple[Any, ...]) -> Frames | None:
        try:
            return advance(frames, parts, rows, target, fit_everywhere, timeline)
        except InputError as error:
            faults.append(Fault(getattr(error, "where", ()), f"{error}{_why_left_out(str(error), spec, tables)}"))
            return None

    base = checked(start(tables.features, rows), (*spec.clean, *spec.features))
    asked = [*spec.views, ""] if views is None else views
    done = {view: checked(base, spec.views.get(view, ())) for view in asked} if base else {}
    if faults or base is None:
        raise DeclarationError(declaration, faults)
    return Planned(base, {view: frames for view, frames in done.items() if frames is not None})


def _why_left_out(message: str, spec: Spec, tables: Tables) -> str:
    """Why a column that a message names is no feature, where only the training file has it."""
    named = [name for name in tables.only_train.columns if message.startswith(f"No column {name!r}")]
    return f" {named[0]!r} is in {spec.data.train} only: rows to predict will not have it, so it can be no feature." if named else ""


def timeline_of(spec: Spec, tables: Tables, folds: Folds) -> Timeline | None:
    """The days of the training rows beside their folds, where the folds follow dates."""
    times = row_times(spec, tables)
    if times is None or kind_of(times) != "dates":
        return None
    return Timeline(folds, as_days(times, None), ~tables.roles["not_in_fit"])


def transformed_target(spec: Spec, y: Array) -> Target:
    """Gives the transformed target of some training rows; class codes as a categorical where there are several classes."""
    if spec.task == "multiclass":
        codes = pd.Categorical(y)
        return lambda rows: codes[rows]
    transformed = TRANSFORMS[spec.target.transform].forward(y)
    return lambda rows: np.asarray(transformed[rows], dtype=np.float64)


def ensure_views(
    declaration: Declaration, spec: Spec, keys: Keys, folder: Path, store: Store, prepared: Prepared, views: list[str]
) -> tuple[Prepared, bool]:
    """Make the matrices of some views and the named columns where the store lacks them; says whether any was made."""
    folds, asked = prepared.folds, asked_columns(spec)
    which = [*range(folds.n_folds), *([REFIT] if spec.refit == "all" else [])]
    todo = [view for view in views if not all(store.has(key) for key in [keys.view(view), *(keys.fold(view, fold) for fold in which)])]
    if todo or (asked and not store.has(keys.columns(asked))) or not store.has(inputs_key(keys)):
        tables = read_tables(spec, folder, sample=keys.sample)
        store.ensure(inputs_key(keys), lambda path: write_inputs(path, spec, folder, tables))
        planned = plan(declaration, spec, tables, folds, todo)
        if asked:
            store.ensure(keys.columns(asked), lambda path: write_columns(path, named_columns(planned.base, tables, asked)))
        for view in todo:
            frames = planned.views[view]
            store.ensure(keys.view(view), lambda path, frames=frames: write_view(path, frames))  # type: ignore[misc]
        rows = [rows_of(folds, fold, len(tables.features), prepared.may_fit) for fold in which]
        for block in fold_blocks(planned, folds, transformed_target(spec, tables.y), rows if todo else []):
            store.ensure(keys.fold(block.view, block.rows.fold), lambda path, block=block: write_block(path, block))  # type: ignore[misc]
    columns = pd.read_feather(store.path(keys.columns(asked)) / "columns.feather") if asked else pd.DataFrame()
    return replace(prepared, columns=columns, weight=spec.data.weight), bool(todo)


def named_columns(base: Frames, tables: Tables, asked: list[str]) -> pd.DataFrame:
    """The columns and expressions that others than features ask for: as they are after ``clean`` and ``features``.

    A column that these leave out, or make in another way in each fold, is as it stands in the files.

    Raises
    ------
    InputError
        When one is not there, or is made in another way in each fold and stands in no file.
    """
    raw = pd.concat([tables.features, tables.only_train], axis=1)
    known = base.shared.join(raw[[name for name in raw.columns if name not in base.shared.columns]])
    for name in asked:
        bound = sorted(base.bound.difference(known.columns).intersection([name, *([] if name in base.bound else parse(name).names)]))
        if bound:
            raise InputError(
                f"{name!r} is asked for outside the features, and {listed(bound)} differ(s) from fold to fold. Use a column that does not."
            )
    return pd.DataFrame({name: known[name] if name in known.columns else parse(name).evaluate(known) for name in asked}, index=known.index)


def write_columns(path: Path, columns: pd.DataFrame) -> None:
    """Write named columns into an artifact's folder."""
    columns.reset_index(drop=True).to_feather(path / "columns.feather", compression="uncompressed")


@dataclass(frozen=True)
class FoldBlock:
    """The fold-bound columns of a view in one fold (rows in the order of ``rows.all``), and the steps fitted for them."""

    view: str
    rows: FoldRows
    bound: pd.DataFrame
    steps: tuple[Step, ...]


def fold_blocks(planned: Planned, folds: Folds, target: Target, which: Iterable[FoldRows]) -> Iterator[FoldBlock]:
    """The fold blocks of all planned views, fold after fold; what the views share is run once a fold."""
    shared_events, totals = planned.base.events, SharedTotals(folds, target)
    for rows in which:
        base, base_steps = replay(shared_events, pd.DataFrame(index=rows.all), rows, target, totals)
        for view, frames in planned.views.items():
            bound, own_steps = replay(frames.events[len(shared_events) :], base, rows, target, totals)
            yield FoldBlock(view, rows, bound, (*base_steps, *own_steps))


def compact(table: pd.DataFrame) -> pd.DataFrame:
    """The table with float64 columns as float32 where that holds every value exactly."""
    small = [name for name in table.columns if table[name].dtype == np.float64 and fits_float32(table[name])]
    return table.astype(dict.fromkeys(small, np.float32)) if small else table


def write_view(path: Path, frames: Frames) -> None:
    """Write a view's shared columns, the steps that ran once, and the plan into an artifact's folder."""
    compact(frames.shared).rename_axis(None).to_feather(path / "shared.feather", compression="uncompressed")
    (path / "steps.json").write_text(
        json.dumps([dump_step(event.fitted) if event.fitted else None for event in frames.events]), encoding="utf-8"
    )
    # rows to come may hold whole numbers, or gaps, where these did not
    write_json(path / "types.json", [event.types for event in frames.events])
    write_json(path / "plan.json", {"columns": list(frames.header.columns), "fold_bound": sorted(frames.bound), "steps": describe(frames)})


def write_block(path: Path, block: FoldBlock) -> None:
    """Write a fold block into an artifact's folder."""
    compact(block.bound).reset_index(drop=True).to_feather(path / "bound.feather", compression="uncompressed")
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
