"""Running steps: once on all rows where nothing is learnt, otherwise once per fold on that fold's training part.

The pass goes forward in declared order and keeps the set of fold-bound columns: a step runs per fold when it learns from
rows or from the target, or reads a fold-bound column; what it writes is then fold-bound. Rows are cut by fold here and in
``training`` only.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.columns import kinds_of
from features.crossfit import outer_parts
from features.errors import InputError, listed
from features.step import Learns, Step
from pipelines.metrics import Array
from pipelines.spec import Part
from pipelines.splits import FIT, SCORED, UNUSED, Folds, Rows
from pipelines.step_parameters import FIT_ON, build_step

REFIT = -1
"""The number of the fit on all rows, after validation."""

Target: TypeAlias = Callable[[Rows], "Array | pd.Categorical[Any]"]
"""Gives the transformed target of some training rows: numbers, or a categorical of class codes where there are several."""


Header: TypeAlias = tuple[tuple[str, str], ...]
"""Names and kinds of columns."""


@dataclass(frozen=True)
class FoldRows:
    """The rows of one fold: those fitted on come first, then the scored and the test rows."""

    fit: Rows
    scored: Rows
    test: Rows
    fold: int

    @classmethod
    def of(cls, folds: Folds, fold: int, n_rows: int) -> FoldRows:
        """Rows of a fold in a table of ``n_rows`` rows, the training rows first."""
        return cls(folds.fit_rows(fold), folds.scored_rows(fold), np.arange(len(folds.status), n_rows), fold)

    @property
    def others(self) -> Rows:
        """Rows that the fold does not fit on."""
        return np.concatenate([self.scored, self.test])

    @property
    def all(self) -> Rows:
        """All rows of the fold, in this order."""
        return np.concatenate([self.fit, self.scored, self.test])


@dataclass(frozen=True)
class Event:
    """One step of the plan, as it was run or is to be run."""

    part: Part
    learns: Learns
    is_per_fold: bool
    reads: list[str]
    writes: list[str]
    drops: list[str]
    shared: pd.DataFrame
    """The shared columns before the step; what a fold's step reads that is not fold-bound comes from here."""
    fitted: Step | None
    """The fitted step, when it ran once."""
    types: dict[str, str] = field(default_factory=dict)
    """The type of each column it writes."""
    settled: dict[Header, dict[str, Any]] = field(default_factory=dict)
    """The attributes of the step once its columns are settled, by the header of the fold-bound columns that it met."""


@dataclass(frozen=True)
class Frames:
    """The state of the pass after some steps: shared columns, fold-bound names, what happened so far."""

    shared: pd.DataFrame
    header: pd.DataFrame
    """The header of the whole table with its types, no rows."""
    bound: frozenset[str] = frozenset()
    events: tuple[Event, ...] = ()
    fold_0: pd.DataFrame = field(default_factory=pd.DataFrame)
    """The fold-bound columns of fold 0, which show names and types."""


@dataclass(frozen=True)
class Timeline:
    """When training rows happened, and the folds that follow it: what decides whether a step that learns from the past may run once."""

    folds: Folds
    times: NDArray[np.int64]
    """Day of each training row, shape (n_train,)."""
    may_fit: NDArray[np.bool_]

    def allows(self, cutoffs: NDArray[np.int64]) -> bool:
        """Whether nothing that a fold fits on or scores looks at or past the first row it scores.

        ``cutoffs`` is the day before which each training row sees labels, shape (n_train,).
        """
        status = self.folds.status
        for fold in range(self.folds.n_folds):
            used, scored = status[:, fold] != UNUSED, status[:, fold] == SCORED
            if cutoffs[used].max() > self.times[scored].min():
                return False
        return True


def start(features: pd.DataFrame, first: FoldRows) -> Frames:
    """Nothing has run yet: every column is shared."""
    return Frames(features, features.iloc[:0], fold_0=pd.DataFrame(index=first.all))


def advance(
    frames: Frames, parts: Sequence[Part], rows: FoldRows, target: Target, all_fit: Rows, timeline: Timeline | None = None
) -> Frames:
    """Run the steps that run once, and the others for fold 0, whose columns show what the plan needs to know.

    Parameters
    ----------
    rows
        The rows of fold 0.
    target
        Gives the (transformed) target of training rows.
    all_fit
        Rows for ``fit_on: all``: train without ``not_in_fit``, and test.
    timeline
        Where the folds follow time.
    """
    for part in parts:
        try:
            frames = _advance_one(frames, part, rows, target, all_fit, timeline)
        except InputError as error:
            error.add_note(f"in step {part.name!r}")
            error.where = part.where  # type: ignore[attr-defined]
            raise
    return frames


def _advance_one(frames: Frames, part: Part, rows: FoldRows, target: Target, all_fit: Rows, timeline: Timeline | None) -> Frames:
    step = build_step(part)
    reads = step.reads(frames.header)
    learns_here = step.learns not in (Learns.NOTHING, Learns.LEVELS) and part.params.get(FIT_ON) != "all"
    from_bound = bool(frames.bound.intersection(reads))
    of_past = None if from_bound or timeline is None or step.learns != Learns.PAST else _of_past(frames, step, reads, target, timeline)
    is_per_fold = of_past is None and (learns_here or from_bound)
    event = Event(part, step.learns, is_per_fold, reads, [], [], frames.shared, None)
    if is_per_fold:
        fold_0, fitted, written = run_in_fold(event, frames.fold_0, rows, target)
        event = replace(event, writes=list(written.columns), drops=fitted.dropped, types=types_of(written))
        bound = (frames.bound - set(event.drops)) | set(event.writes)
        return _moved(frames, event, frames.shared, fold_0, bound, written)
    if of_past is not None:
        step = of_past
    else:
        fitted_on = all_fit if part.params.get(FIT_ON) == "all" and step.learns == Learns.ROWS else slice(None)
        step.resolve(frames.header).learn(frames.shared[reads].iloc[fitted_on])
    written = step.write(frames.shared)
    event = replace(event, writes=list(written.columns), drops=step.dropped, fitted=step, types=types_of(written))
    gone = set(event.writes) | set(event.drops)
    fold_0 = frames.fold_0.drop(columns=list(gone & set(frames.fold_0.columns)))
    return _moved(frames, event, step.merge(frames.shared, written), fold_0, frames.bound - gone, written)


def types_of(table: pd.DataFrame) -> dict[str, str]:
    """The type of each column, as text."""
    return {str(name): str(dtype) for name, dtype in table.dtypes.items()}


def _of_past(frames: Frames, step: Step, reads: list[str], target: Target, timeline: Timeline) -> Step | None:
    """The step fitted on all labels, when every row sees only those before its cutoff and no cutoff passes a window's start."""
    rows = np.flatnonzero(timeline.may_fit)
    training = frames.shared[reads].iloc[rows]
    step.resolve(frames.header).learn(training, pd.Series(target(rows), index=training.index))
    cutoffs = getattr(step, "cutoffs", None)
    if cutoffs is None or not timeline.allows(cutoffs(frames.shared[reads].iloc[: len(timeline.times)])):
        return None
    return step


def _moved(
    frames: Frames, event: Event, shared: pd.DataFrame, fold_0: pd.DataFrame, bound: frozenset[str], written: pd.DataFrame
) -> Frames:
    kept = [name for name in frames.header.columns if name not in event.drops]
    order = list(dict.fromkeys([*kept, *event.writes]))
    shared = shared.drop(columns=[name for name in shared.columns if name in bound or name in event.drops])
    header = pd.concat([shared.iloc[:0], fold_0.iloc[:0]], axis=1)[order]
    return Frames(shared, header, bound, (*frames.events, event), fold_0)


def run_in_fold(
    event: Event, bound: pd.DataFrame, rows: FoldRows, target: Target, shared_totals: SharedTotals | None = None
) -> tuple[pd.DataFrame, Step, pd.DataFrame]:
    """Fit one step on the training part of a fold and write its columns for all rows of the fold.

    Parameters
    ----------
    bound
        The fold-bound columns so far, rows in the order of ``rows.all``.
    shared_totals
        Where steps that can learn for all folds in one pass over the rows find what they have counted.

    Returns
    -------
    The fold-bound columns after the step, the fitted step, and what it wrote.
    """
    step = _settled(event, bound)
    is_shared = set(step.reads_).isdisjoint(bound.columns)
    found = shared_totals.find(event, step, rows.fold) if shared_totals is not None and is_shared else None
    if found is not None:
        written = step.learn_outside(*found).write_outside(*found, rows.fit, rows.others)
    else:
        written = _learn_and_write(event, step, _table(event.shared, bound, step.reads_, rows), rows, target)
    _check_replaced(event, step, written)
    return _replaced(bound, step.dropped, written), step, written


def _settled(event: Event, bound: pd.DataFrame) -> Step:
    """A new step that knows which columns it reads; what is settled for one fold holds for all with the same header."""
    step, met = build_step(event.part), tuple(kinds_of(bound).items())
    if met not in event.settled:
        visible = [name for name in event.shared.columns if name not in bound.columns]
        event.settled[met] = dict(vars(step.resolve(pd.concat([event.shared[visible].iloc[:0], bound.iloc[:0]], axis=1))))
    # a copy: what one fold learns must reach no other
    for name, value in copy.deepcopy(event.settled[met]).items():
        setattr(step, name, value)
    return step


def _table(shared: pd.DataFrame, bound: pd.DataFrame, names: list[str], rows: FoldRows) -> pd.DataFrame:
    """Some columns of a fold's rows: its own where it has them, otherwise the shared ones, each cut by itself."""
    at, own = rows.all, set(bound.columns)
    columns = {name: bound[name] if name in own else shared[name].array.take(at) for name in names}
    return pd.DataFrame(columns, index=bound.index, copy=False)


def _replaced(bound: pd.DataFrame, dropped: list[str], written: pd.DataFrame) -> pd.DataFrame:
    """The fold-bound columns without some, the written ones last."""
    gone = {*dropped, *written.columns}.intersection(bound.columns)
    kept = bound.drop(columns=list(gone)) if gone else bound
    return pd.concat([kept, written], axis=1)


def _check_replaced(event: Event, step: Step, written: pd.DataFrame) -> None:
    """The shared columns that a step replaces or removes are hidden in all folds: they must be the same ones in each.

    Otherwise a fold would lose a column that its own step has left alone.
    """
    planned, done = ({*names} & {*event.shared.columns} for names in ((*event.writes, *event.drops), (*written.columns, *step.dropped)))
    if (event.writes or event.drops) and planned != done:
        raise InputError(
            f"Step {event.part.name!r} replaces or removes {listed(planned ^ done)} in some folds only, depending on their rows."
        )


def _learn_and_write(event: Event, step: Step, table: pd.DataFrame, rows: FoldRows, target: Target) -> pd.DataFrame:
    n_fit = len(table) if event.part.params.get(FIT_ON) == "all" else len(rows.fit)
    training, others = table.iloc[:n_fit], table.iloc[n_fit:]
    if not step.learns.needs_target:
        return step.learn(training).write(table)
    y = pd.Series(target(rows.fit), index=training.index)
    step.learn(training, y)
    # two calls: a cross-fitted step gives its training rows other values
    return pd.concat([step.write_training(training, y), step.write(others)])


@dataclass
class SharedTotals:
    """What steps have counted in one pass over the rows, for all folds of a repeat; kept while a plan's folds are run."""

    folds: Folds
    target: Target
    _kept: dict[tuple[int, int], Any] = field(default_factory=dict)

    def find(self, event: Event, step: Step, fold: int) -> tuple[Any, int] | None:
        """A step's totals and the fold's number in them; None where the step or the folds have no totals."""
        if fold == REFIT or not getattr(step, "has_totals", False):
            return None
        repeat = next(number for number, members in enumerate(self.folds.repeats) if fold in members)
        if (id(event), repeat) not in self._kept:
            self._kept[id(event), repeat] = self._take(event, step, self.folds.repeats[repeat])
        totals = self._kept[id(event), repeat]
        return None if totals is None else (totals, self.folds.repeats[repeat].index(fold))

    def _take(self, event: Event, step: Step, members: list[int]) -> Any:
        outer = outer_parts(self.folds.status[:, members] == FIT)
        if outer is None:
            return None
        y = pd.Series(self.target(np.arange(len(outer))), index=event.shared.index[: len(outer)])
        return step.take_totals(event.shared[step.reads_], y, outer, len(members))


def replay(
    events: Sequence[Event], bound: pd.DataFrame, rows: FoldRows, target: Target, shared_totals: SharedTotals | None = None
) -> tuple[pd.DataFrame, list[Step]]:
    """The fold-bound columns of one fold after some events, and the steps fitted on the way."""
    fitted = []
    for event in events:
        if event.is_per_fold:
            bound, step, _ = run_in_fold(event, bound, rows, target, shared_totals)
            fitted.append(step)
        else:
            gone = bound.columns.intersection([*event.writes, *event.drops])
            bound = bound.drop(columns=gone) if len(gone) else bound
    return bound, fitted


def rows_of(folds: Folds, fold: int, n_rows: int, may_fit: NDArray[np.bool_]) -> FoldRows:
    """The rows of a fold, or of the fit on all rows (``REFIT``), which scores none."""
    if fold != REFIT:
        return FoldRows.of(folds, fold, n_rows)
    return FoldRows(np.flatnonzero(may_fit), np.empty(0, dtype=np.intp), np.arange(len(folds.status), n_rows), REFIT)
