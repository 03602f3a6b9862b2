"""The fitted steps of a run on new rows, of several folds at a time.

The folds' copies of the rows stand below each other in one table, so that a step that is the same in all folds runs once.
A step that learnt something else in each fold runs on each fold's copy. Where folds come to have different columns (a
selection, say), their copies go on in tables of their own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from features.errors import InputError
from features.saving import load_step
from features.step import Step
from pipelines.serve.columns import Columns
from pipelines.serve.record import Record, View
from pipelines.serve.types import as_met
from pipelines.store import read_json


@dataclass(frozen=True)
class Fitted:
    """One step of the plan: fitted once, or for each fold."""

    name: str
    writes: list[str]
    drops: list[str]
    types: dict[str, str]
    once: Step | None
    by_fold: list[Step]
    """The step of each fold, one object where folds have learnt the same; empty for a step that ran once."""

    @property
    def key(self) -> tuple[int, ...]:
        """Tells whether two views have the same step here."""
        return (id(self.once), *(id(step) for step in self.by_fold))


@dataclass(frozen=True)
class Copies:
    """The copies of the rows that belong to some folds, below each other, with their fold-bound columns."""

    folds: tuple[int, ...]
    bound: Columns

    def take(self, table: pd.DataFrame, folds: Sequence[int]) -> pd.DataFrame:
        """Of a table with all copies, those of some folds."""
        if tuple(folds) == self.folds:
            return table
        n_rows = len(table) // len(self.folds)
        if len(folds) == 1:
            start = self.folds.index(folds[0]) * n_rows
            return table.iloc[start : start + n_rows]
        return table.take(np.concatenate([np.arange(n_rows) + self.folds.index(fold) * n_rows for fold in folds]))


@dataclass(frozen=True)
class Frames:
    """The rows after some steps: shared columns, and the folds' copies of the others."""

    shared: Columns
    copies: tuple[Copies, ...]

    @classmethod
    def start(cls, features: pd.DataFrame, folds: Sequence[int]) -> Frames:
        """Nothing has run yet: every column is shared."""
        empty = pd.DataFrame(index=pd.RangeIndex(len(folds) * len(features)))
        return cls(Columns.of(features), (Copies(tuple(folds), Columns.of(empty)),))

    def together(self) -> Frames:
        """The same, to be read many times."""
        return Frames(self.shared.together(), tuple(Copies(one.folds, one.bound.together()) for one in self.copies))

    def of(self, fold: int, names: list[str]) -> pd.DataFrame:
        """Some columns of one fold."""
        copies = next(copies for copies in self.copies if fold in copies.folds)
        own = copies.take(copies.bound.read([name for name in names if name in copies.bound.places]), [fold])
        shared = self.shared.read([name for name in names if name in self.shared.places and name not in copies.bound.places])
        return Columns.of(shared).with_(own).read(names)


def read_steps(store: Path, record: Record) -> tuple[list[Fitted], dict[str, list[Fitted]]]:
    """The steps before all views, and those of each view."""
    base: list[Fitted] = []
    own: dict[str, list[Fitted]] = {}
    known: dict[str, Step] = {}
    for name, view in record.views.items():
        first = record.n_base if base else 0
        steps = _read_view(store, view, first, known)
        base = base or steps[: record.n_base]
        own[name] = steps if first else steps[record.n_base :]
    return base, own


def _read_view(store: Path, view: View, first: int, known: dict[str, Step]) -> list[Fitted]:
    """The steps of a view from one of them on; where another view or fold has learnt the same, ``known`` has the object."""
    once, types, plan = (read_json(store / view.key / name) for name in ("steps.json", "types.json", "plan.json"))
    events = plan["steps"]
    per_fold = [at for at, event in enumerate(events) if event["runs"] == "per fold"]
    by_fold = _read_folds([store / key / "steps.json" for key in view.folds], sum(at < first for at in per_fold), known)
    place = {at: position for position, at in enumerate(at for at in per_fold if at >= first)}
    return [
        Fitted(
            events[at]["step"],
            events[at]["writes"],
            events[at]["drops"],
            types[at],
            None if once[at] is None else _known(known, once[at]),
            by_fold[place[at]] if at in place else [],
        )
        for at in range(first, len(events))
    ]


def _read_folds(files: list[Path], first: int, known: dict[str, Step]) -> list[list[Step]]:
    """Each step that ran per fold, from one of them on, with its fitted state in each fold."""
    states = [read_json(file)[first:] for file in files]
    return [[_known(known, state) for state in by_fold] for by_fold in zip(*states, strict=True)]


def _known(known: dict[str, Step], state: dict[str, Any]) -> Step:
    text = json.dumps(state, sort_keys=True)
    if text not in known:
        known[text] = load_step(state)
    return known[text]


def replay(frames: Frames, steps: Sequence[Fitted]) -> Frames:
    """The rows after some more steps.

    Raises
    ------
    InputError
        When a step cannot transform these rows; it is named.
    """
    for step in steps:
        try:
            frames = _once(frames, step, step.once) if step.once is not None else _per_fold(frames, step)
        except InputError as error:
            raise InputError(f"Step {step.name!r} cannot transform these rows. {error}") from error
    return frames


def replay_on(frames: Frames, steps: Sequence[Fitted], done: dict[tuple[tuple[int, ...], ...], Frames]) -> Frames:
    """``replay``, which goes on from where another view with the same first steps has been; ``done`` keeps the ways there."""
    way: tuple[tuple[int, ...], ...] = ()
    for step in steps:
        way = (*way, step.key)
        if way not in done:
            done[way] = replay(frames, [step])
        frames = done[way]
    return frames


@dataclass
class Replayed:
    """Rows after the steps of views, for some folds at a time; all that was made for the last folds is kept until others are asked for."""

    features: pd.DataFrame
    base: Sequence[Fitted]
    """The steps before all views."""
    views: Mapping[str, Sequence[Fitted]]
    _folds: range | None = None
    _frames: Frames | None = None
    _done: dict[tuple[tuple[int, ...], ...], Frames] = field(default_factory=dict)

    def before_views(self, folds: range) -> Frames:
        """The rows before the steps of any view."""
        if self._frames is None or folds != self._folds:
            self._frames = replay(Frames.start(self.features, folds), self.base).together()
            self._folds, self._done = folds, {}
        return self._frames

    def after(self, folds: range, view: str) -> Frames:
        """The rows after the steps of a view."""
        return replay_on(self.before_views(folds), self.views[view], self._done)


def _once(frames: Frames, step: Fitted, fitted: Step) -> Frames:
    written = as_met(fitted.write(frames.shared.read(fitted.reads_)), step.types)
    gone = {*step.writes, *step.drops}
    copies = tuple(Copies(one.folds, one.bound.without(gone)) for one in frames.copies)
    return Frames(frames.shared.without(gone).with_(written), copies)


def _per_fold(frames: Frames, step: Fitted) -> Frames:
    copies = tuple(part for one in frames.copies for part in _written(frames.shared, one, step))
    return Frames(frames.shared.without({*step.writes, *step.drops}), copies)


def _written(shared: Columns, copies: Copies, step: Fitted) -> Iterator[Copies]:
    """The copies after one step; apart where the step has made other columns of some."""
    states = {id(step.by_fold[fold]): step.by_fold[fold] for fold in copies.folds}
    table = _read(shared, copies, list(dict.fromkeys(name for state in states.values() for name in state.reads_)))
    alike: dict[tuple[Any, ...], tuple[list[int], list[pd.DataFrame], set[str]]] = {}
    for state in states.values():
        folds = [fold for fold in copies.folds if step.by_fold[fold] is state]
        written = as_met(state.write(copies.take(table, folds)), step.types)
        names, dropped = written.columns.tolist(), tuple(state.dropped)
        whose, parts, _ = alike.setdefault((*names, *written.dtypes.tolist(), dropped), ([], [], {*names, *dropped}))
        whose.extend(folds)
        parts.append(written)
    for folds, parts, gone in alike.values():
        bound, written = copies.bound.without(gone), parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)
        if tuple(folds) != copies.folds:
            rows = copies.take(bound.read(bound.names), folds)
            bound = Columns.of(rows.set_axis(pd.RangeIndex(len(rows))))
        yield Copies(tuple(folds), bound.with_(written))


def _read(shared: Columns, copies: Copies, names: list[str]) -> pd.DataFrame:
    """The columns that a step reads, for all copies."""
    from_shared = [name for name in names if name not in copies.bound.places]
    if not from_shared:
        return copies.bound.read(names)
    table = shared.read(from_shared)
    if len(copies.folds) > 1:
        table = table.take(np.tile(np.arange(len(table)), len(copies.folds)))
    return copies.bound.with_(table).read(names)
