"""What the checks of an audit look at: a competition's tables, folds and plan, kept in memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from features.errors import InputError, closest, listed
from features.step import Learns
from pipelines.combiners import asked_columns
from pipelines.frames import FoldRows, Frames
from pipelines.known import Known
from pipelines.layers import check_rows
from pipelines.metrics import Array
from pipelines.prepare import FoldBlock, Planned, fold_blocks, named_columns, plan, split, transformed_target
from pipelines.session import Session
from pipelines.spec import views_of
from pipelines.splits import Folds
from pipelines.tables import Tables, read_tables


@dataclass(frozen=True)
class Case:
    """A competition under audit."""

    session: Session
    tables: Tables
    folds: Folds

    @classmethod
    def of(cls, session: Session) -> Case:
        """Read the tables and draw the folds of a session."""
        tables = read_tables(session.spec, session.data, sample=session.options.sample)
        time, columns = session.spec.data.time, tables.features.columns
        if time is not None and time not in columns:
            raise InputError(f"data.time names {time!r}; train and test both have {listed(columns)}.{closest(time, columns)}")
        folds = split(session.spec, tables)
        check_rows(session.layers, folds, tables.y, session.spec.task)
        return cls(session, tables, folds)

    @property
    def y(self) -> Array:
        """The target of the training rows."""
        return self.tables.y

    @property
    def train(self) -> pd.DataFrame:
        """Raw feature columns of the training rows."""
        return self.tables.features.iloc[: self.tables.n_train]

    @property
    def test(self) -> pd.DataFrame:
        """Raw feature columns of the test rows."""
        return self.tables.features.iloc[self.tables.n_train :]

    @property
    def views(self) -> list[str]:
        """The views that models use."""
        return views_of(self.session.spec.models[name] for name in self.session.models)

    @property
    def contrasts(self) -> list[Array]:
        """The target as numbers whose order means something: itself, or for several classes one yes-or-no for each."""
        n_classes = len(self.tables.classes)
        return [self.y] if n_classes <= 2 else [(self.y == code).astype(np.float64) for code in range(n_classes)]

    @cached_property
    def used(self) -> list[str]:
        """Raw columns that reach a model in some view, as they are or through steps: what is dropped can do no harm."""
        needed = set().union(*(_needed(frames) for frames in self.planned.views.values()))
        return [name for name in self.tables.features.columns if name in needed]

    @property
    def own_steps(self) -> Path | None:
        """The file of the competition's own steps, where there is one."""
        path = self.session.competition.folder / "steps.py"
        return path if path.is_file() else None

    def forget(self) -> None:
        """Load the competition's own steps anew, so that they remember nothing of what they were given before."""
        self.session.competition.load_own_steps()

    @cached_property
    def planned(self) -> Planned:
        """The plan with the true target; steps that run once have run."""
        return self.plan_with(self.y)

    def plan_with(self, y: Array) -> Planned:
        """The plan made anew with some target."""
        return plan(self.session.declaration, self.session.spec, replace(self.tables, y=y), self.folds, self.views)

    def blocks(self, y: Array, which: list[int], planned: Planned | None = None) -> dict[tuple[str, int], FoldBlock]:
        """The fold blocks of all used views for some folds and some target, by view and fold."""
        target = transformed_target(self.session.spec, y)
        found = fold_blocks(planned or self.planned, self.folds, target, self.rows_of(which))
        return {(block.view, block.rows.fold): block for block in found}

    def rows_of(self, which: Iterable[int]) -> list[FoldRows]:
        """The rows of some folds."""
        return [FoldRows.of(self.folds, fold, len(self.tables.features)) for fold in which]

    @cached_property
    def known(self) -> Known:
        """What is known of the training rows besides their features."""
        spec, n_train = self.session.spec, self.tables.n_train
        columns = named_columns(self.planned.base, self.tables, asked_columns(spec)).iloc[:n_train]
        weights = None if spec.data.weight is None else columns[spec.data.weight].to_numpy(dtype=np.float64)
        return Known(self.y, weights, columns, ~self.tables.roles["not_in_fit"])

    def other_target(self, rows: Array, *, seed: int = 0) -> Array:
        """The target with other values in some rows: another class, or another row's value drawn at random.

        No row keeps its value where the target has a second one.
        """
        changed = self.y.copy()
        picked = np.asarray(rows, dtype=np.intp)
        if self.session.spec.task != "regression":
            n_classes = len(self.tables.classes)
            changed[picked] = (changed[picked] + 1) % n_classes
            return changed
        rng = np.random.default_rng(seed)
        values = np.unique(self.y)
        position = np.searchsorted(values, self.y[picked])
        shift = rng.integers(1, len(values), len(picked))
        changed[picked] = values[(position + shift) % len(values)]
        return changed


def _needed(frames: Frames) -> set[str]:
    """The raw columns behind the columns that a view ends with, from the last step back to the first."""
    needed = set(frames.header.columns)
    for event in reversed(frames.events):
        made = needed.intersection(event.writes)
        if made and set(event.writes) <= set(event.reads):
            needed |= set(event.reads) - set(event.writes)  # in place: a column comes from itself and what stands beside it
        elif made:
            needed = (needed - made) | set(event.reads)
    return needed


def looks_back_once(frames: Frames) -> bool:
    """Whether a step that learns from the past has run once, for all folds and the test rows."""
    return any(event.learns == Learns.PAST and event.fitted is not None for event in frames.events)


def named(view: str) -> str:
    """A view's name in a message."""
    return f"view {view!r}" if view else "the features"
