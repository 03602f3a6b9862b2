"""The steps of the plan one after the other, as one fold meets them."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from pipelines.audit.case import Case, named
from pipelines.frames import Event, FoldRows, SharedTotals, Target, run_in_fold
from pipelines.prepare import transformed_target


@dataclass(frozen=True)
class Met:
    """A step, the fold-bound columns before it, and the columns it wrote in the fold (none when it ran once)."""

    event: Event
    bound: pd.DataFrame
    written: pd.DataFrame | None
    place: str
    """The step's name, view and line, for a message."""


@dataclass(frozen=True)
class _Fold:
    rows: FoldRows
    target: Target
    totals: SharedTotals

    def run(self, event: Event, bound: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame | None]:
        """The fold-bound columns after a step, and what it wrote."""
        if event.is_per_fold:
            after, _, written = run_in_fold(event, bound, self.rows, self.target, self.totals)
            return after, written
        return bound.drop(columns=[name for name in (*event.writes, *event.drops) if name in bound.columns]), None


def walk(case: Case, fold: int) -> Iterator[Met]:
    """Every step of the plan once: those that all views share, then each view's own."""
    target = transformed_target(case.session.spec, case.y)
    one = _Fold(FoldRows.of(case.folds, fold, len(case.tables.features)), target, SharedTotals(case.folds, target))
    shared = case.planned.base.events
    base = yield from _met(case, "", shared, pd.DataFrame(index=one.rows.all), one)
    for view, frames in case.planned.views.items():
        yield from _met(case, view, frames.events[len(shared) :], base, one)


def _met(case: Case, view: str, events: Sequence[Event], bound: pd.DataFrame, one: _Fold) -> Generator[Met, None, pd.DataFrame]:
    """Meet some steps; gives the fold-bound columns after the last."""
    for event in events:
        after, written = one.run(event, bound)
        place = f"step {event.part.name!r} of {named(view)} ({case.session.declaration.place(event.part.where)})"
        yield Met(event, bound, written, place)
        bound = after
    return bound
