"""A complete, commented declaration from a person's files."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from features.errors import InputError, closest, listed
from pipelines.draft.cautions import cautions_of
from pipelines.draft.columns import Column, Role, study
from pipelines.draft.goal import Goal, goal_of
from pipelines.draft.identity import find_id
from pipelines.draft.page import Page, page_text
from pipelines.draft.partition import Partition, later_by, partition_of
from pipelines.draft.places import file_names, place_of, settle
from pipelines.draft.repairs import repaired, with_iso_dates
from pipelines.draft.sources import Source, read_source
from pipelines.draft.steps import Steps, Table, steps_of
from pipelines.store import whole_file

Models = dict[str, dict[str, Any]]
Portfolio = Callable[[str, int, int], Models]
"""``portfolio(task, n_rows, n_columns)`` gives the ``models`` of a declaration."""


@dataclass(frozen=True)
class Asked:
    """The files and what is known of their columns."""

    train: Path
    target: str
    test: Path | None = None
    metric: str | None = None
    id: str | None = None
    time: str | None = None
    group: str | None = None


@dataclass(frozen=True)
class Drafted:
    """A declaration that was written, and what it was made from."""

    path: Path
    goal: Goal
    partition: Partition
    columns: list[Column]
    steps: Steps
    models: Models
    n_rows: int
    notes: list[str]
    """What was put right in the files."""
    warnings: list[str]

    @property
    def folder(self) -> Path:
        """The competition's folder."""
        return self.path.parent

    def named(self, *roles: Role) -> list[str]:
        """The names of the columns of some roles."""
        return [column.name for column in self.columns if column.role in roles]


def draft(name_or_folder: str, asked: Asked, *, root: Path = Path("."), portfolio: Portfolio | None = None) -> Drafted:
    """Write ``pipeline.yaml`` for a table nobody has declared yet, and put its files where a run finds them.

    Parameters
    ----------
    name_or_folder
        A name: ``competitions/NAME/pipeline.yaml`` and ``data/NAME/`` below ``root``; a path: both in that folder.
    portfolio
        Where the models come from; ``pipelines.portfolio.starting_models`` by default.

    Raises
    ------
    InputError
        When nothing can be learnt from the files as they are; nothing is written then.
    """
    place = place_of(name_or_folder, root)
    train, test, words = _read(asked)
    goal = goal_of(train.table[asked.target], train.path.name, asked.metric)
    rows_to_predict = None if test is None else test.table
    id_ = find_id(train.table, rows_to_predict, asked=asked.id, not_these=(asked.target, asked.time, asked.group))
    features = train.table.drop(columns=asked.target)
    columns = list(study(features, rows_to_predict, id=id_))
    time = asked.time or (None if asked.group else later_by(features, rows_to_predict, columns))
    train, test, columns = _in_time(train, test, columns, time)
    rows_to_predict = None if test is None else test.table
    partition = partition_of(
        train.table, rows_to_predict, goal, columns, time=time, group=asked.group, is_asked=bool(asked.time or asked.group)
    )
    steps = steps_of(columns, Table(len(features), len(goal.counts), partition))
    _need_features(columns, partition, train.path)
    warnings = list(cautions_of(train.table, rows_to_predict, goal, columns, partition))
    models = _in_views((portfolio or _portfolio(goal))(goal.task, len(features), _width(columns)), steps)
    sources = [train] if test is None else [train, test]
    names = [settle(source, place, name) for source, name in zip(sources, file_names(*sources), strict=True)]
    notes = [f"{source.path.name} is not used as it is: {'; '.join(source.notes)}" for source in sources if source.notes]
    page = Page(place.folder.resolve().name, names, id_, goal, partition, columns, steps, models, words, len(features), notes, warnings)
    with whole_file(place.declaration) as file:
        file.write_text(page_text(page), encoding="utf-8")
    return Drafted(place.declaration, goal, partition, columns, steps, models, len(features), notes, warnings)


def _in_views(models: Models, steps: Steps) -> Models:
    from pipelines.portfolio import view_among

    return {name: {**entry, "view": view_among(entry["view"], steps.views)} for name, entry in models.items()}


def _portfolio(goal: Goal) -> Portfolio:
    from pipelines.portfolio import starting_models

    return functools.partial(starting_models, on_log=goal.on_log, of_quantile=goal.quantile is not None)


def _read(asked: Asked) -> tuple[Source, Source | None, list[str]]:
    """Train, test and the words that mean missing in them, with everything put right that steps cannot."""
    train = read_source(asked.train)
    for option, name in (("--target", asked.target), ("--time", asked.time), ("--group", asked.group)):
        if name is not None and name not in train.table.columns:
            raise InputError(
                f"{option} {name!r}: {asked.train} has no such column; it has {listed(train.table.columns, most=20)}.{closest(name, train.table.columns)}"
            )
    test = None if asked.test is None else read_source(asked.test)
    if test is not None and not set(test.table.columns) & (set(train.table.columns) - {asked.target, asked.id}):
        raise InputError(
            f"{asked.test} shares no feature with {asked.train}: it has {listed(test.table.columns)}, train has {listed(train.table.columns)}. Is it the right file?"
        )
    return repaired(train, test, target=asked.target)


def _in_time(train: Source, test: Source | None, columns: list[Column], time: str | None) -> tuple[Source, Source | None, list[Column]]:
    """The tables with the dates that folds follow in ISO spelling."""
    column = next((one for one in columns if one.name == time), None)
    if column is None or column.date_format in ("", "ISO8601"):
        return train, test, columns
    train = with_iso_dates(train, column.name, column.date_format)
    test = None if test is None else with_iso_dates(test, column.name, column.date_format)
    return train, test, [replace(one, date_format="ISO8601") if one is column else one for one in columns]


def _need_features(columns: list[Column], partition: Partition, path: Path) -> None:
    gone = (Role.ID, Role.ABSENT, Role.EMPTY, Role.CONSTANT, Role.COPY, Role.SERIAL)
    if all(one.role in gone or one.name == partition.key for one in columns):
        found = ", ".join(f"{one.name!r} ({one.role})" for one in columns[:5]) or "no other column"
        raise InputError(f"{path} has no column to learn from besides the target: {found}. Add columns that say something of each row.")


def _width(columns: list[Column]) -> int:
    """About how many columns the widest view has."""
    sizes = {Role.FEW: 8, Role.MANY: 30, Role.COUNT: 8, Role.TEXT: 20, Role.DATE: 6, Role.KEY: 3, Role.CODE: 5}
    return sum(sizes.get(one.role, 1) for one in columns)
