"""The plan and single steps, shown before anything is trained."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from features.errors import InputError, closest, listed
from pipelines.competition import find_competition, find_data
from pipelines.frames import Event, FoldRows, Frames, replay
from pipelines.layers import check_rows
from pipelines.options import Options
from pipelines.outside.member import RunRows, checked_members, read_member
from pipelines.prepare import Planned, describe, plan, split, transformed_target
from pipelines.session import Session, open_session
from pipelines.spec import ModelSpec
from pipelines.splits import Folds
from pipelines.surroundings import Surroundings
from pipelines.tables import Tables, read_tables


def _open(name: str, options: Options) -> tuple[Session, Tables, Folds, Planned]:
    around = Surroundings.read()
    competition = find_competition(name)
    data, line = find_data(competition, competition.declaration(options.settings), options.data, options.runs)
    if line:
        around.console.say(line)
    session = open_session(competition, data, options, around)
    tables = read_tables(session.spec, data, sample=options.sample)
    folds = split(session.spec, tables)
    return session, tables, folds, plan(session.declaration, session.spec, tables, folds)


def plan_lines(name: str, options: Options) -> Iterator[str]:
    """The plan as text: tables, folds, then each step with what it learns from, where it runs and what it writes."""
    session, tables, folds, planned = _open(name, options)
    spec = session.spec
    yield f"{spec.title}: {spec.task}, {spec.metric.name}; {tables.n_train} train and {tables.n_test} test rows, {tables.features.shape[1]} columns"
    yield from (f"note: {note}" for note in tables.notes)
    yield f"split: {spec.split.name} {spec.split.params}: {folds.n_folds} folds, first: {len(folds.fit_rows(0))} fit, {len(folds.scored_rows(0))} scored"
    check_rows(session.layers, folds, tables.y, spec.task)
    yield from _section("clean and features", planned.base, 0)
    for view, frames in planned.views.items():
        if view:
            yield from _section(f"view {view}", frames, len(planned.base.events))
    for model, declared in spec.models.items():
        seen = [*([] if declared.view is None else [f"view {declared.view or '(features)'}"]), *_below(declared)]
        yield f"model {model}: {declared.kind} {declared.params}, {', '.join(seen)}, seeds {declared.keys.seeds}"
    yield from _member_lines(session, tables, folds)
    for entry, part in spec.ensemble.items():
        yield f"ensemble {entry}: {part.name} {part.params}"


def _below(model: ModelSpec) -> list[str]:
    """What a layer stands on, in words."""
    return [f"on predictions of {', '.join(model.stack_on)}"] if model.stack_on else []


def _member_lines(session: Session, tables: Tables, folds: Folds) -> Iterator[str]:
    """The predictions made elsewhere, held against the folds as a run does."""
    spec, rows = session.spec, RunRows(tables.ids, tables.classes, folds)
    chosen = [spec.members[name] for name in session.members]
    found = checked_members(session.declaration, chosen, lambda member: read_member(member, spec, session.data, rows))
    for member in chosen:
        yield f"member {member.name}: {', '.join(member.files)}, made elsewhere; {found[member.name].agreement}"
    if session.options.sample is not None:
        yield from (f"member {name}: left out, a sample has folds of its own" for name in spec.members)


def _section(title: str, frames: Frames, start: int) -> Iterator[str]:
    yield f"{title}: {len(frames.header.columns)} columns, {len(frames.bound)} of them fold-bound"
    for step in describe(frames)[start:]:
        changed = [*step["writes"], *(f"-{name}" for name in step["drops"] if name not in step["writes"])]
        shown = ", ".join(changed[:6]) + (f" ... ({len(changed)} in all)" if len(changed) > 6 else "")
        yield f"  {step['runs']:8} {step['step']:18} learns from {step['learns']:20} {shown}"


def preview_lines(name: str, step: str, options: Options) -> Iterator[str]:
    """The columns a step reads and writes, for the first rows of fold 0, before and after."""
    session, tables, folds, planned = _open(name, options)
    frames, position = _find(session, planned, step)
    event = frames.events[position]
    rows = FoldRows.of(folds, 0, len(tables.features))
    target = transformed_target(session.spec, tables.y)
    before = _table(frames.events, position, rows, target, frames, event.reads)
    after = _table(frames.events, position + 1, rows, target, frames, event.writes)
    yield f"{event.part.name} ({session.declaration.place(event.part.where)}), learns from {event.learns}, runs {'per fold' if event.is_per_fold else 'once'}"
    with pd.option_context("display.width", 160, "display.max_columns", 12):
        yield f"before (fold 0, first rows of its training part):\n{before}"
        yield f"after:\n{after}"
    if event.drops:
        yield f"removed: {listed(event.drops)}"


def _table(events: tuple[Event, ...], count: int, rows: FoldRows, target: object, frames: Frames, columns: list[str]) -> pd.DataFrame:
    bound, _ = replay(events[:count], pd.DataFrame(index=rows.all), rows, target)  # type: ignore[arg-type]
    shared = events[count].shared if count < len(events) else frames.shared
    first = [int(row) for row in rows.all[:8]]
    parts = [bound[name].loc[first] if name in bound.columns else shared[name].loc[first] for name in columns]
    return pd.concat(parts, axis=1) if parts else pd.DataFrame(index=first)


def _find(session: Session, planned: Planned, step: str) -> tuple[Frames, int]:
    """A step by name (its first use) or by place: ``clean.0``, ``features.2``, ``views.linear.1``."""
    names: dict[str, tuple[Frames, int]] = {}
    for frames in (planned.base, *planned.views.values()):
        for position, event in enumerate(frames.events):
            place = ".".join(str(part) for part in event.part.where)
            names.setdefault(place, (frames, position))
            names.setdefault(event.part.name, (frames, position))
    if step not in names:
        raise InputError(f"{session.competition.name!r} has no step {step!r}; there are {listed(names, most=12)}.{closest(step, names)}")
    return names[step]
