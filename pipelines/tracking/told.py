"""What a tracker is told of a run, as plain values: nothing here knows MLflow's client, only the names and sizes it takes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_LONGEST_NAME, _LONGEST_VALUE = 250, 6000


@dataclass(frozen=True)
class Point:
    """One value of a metric."""

    name: str
    value: float
    step: int = 0


@dataclass(frozen=True)
class DataSet:
    """A file that a run read: its hash, what it was for, its columns with MLflow's types, and its rows where they are known."""

    name: str
    digest: str
    source: str
    context: str
    columns: Mapping[str, str] = field(default_factory=dict)
    rows: int | None = None


@dataclass(frozen=True)
class Told:
    """A run as the tracker shall show it; ``nested`` are shown below it."""

    name: str
    tags: Mapping[str, str]
    params: Mapping[str, Any]
    points: tuple[Point, ...]
    started: int
    """Milliseconds since the epoch, like ``ended``."""
    ended: int
    status: str = "FINISHED"
    files: tuple[tuple[Path, str | None], ...] = ()
    """Files with the folder they are shown in."""
    data_sets: tuple[DataSet, ...] = ()
    nested: tuple[Told, ...] = ()


def flatten(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Nested parameters as dotted names.

    >>> dict(flatten({"lasso": {"alpha": 0.1}, "view": "linear"}))
    {'lasso.alpha': 0.1, 'view': 'linear'}
    """
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from flatten(inner, f"{prefix}.{key}" if prefix else str(key))
    elif prefix:
        yield prefix, value


def steps_of(section: str, steps: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    """A list of steps as parameters, numbered so that they sort in their order.

    >>> dict(steps_of("clean", ["one_hot", {"fill": {"with": "median"}}]))
    {'clean.00.one_hot': {}, 'clean.01.fill': {'with': 'median'}}
    """
    for number, step in enumerate(steps):
        for name, params in (step if isinstance(step, Mapping) else {step: {}}).items():
            yield f"{section}.{number:02}.{name}", params


def written(value: Any) -> str:
    """A parameter's value as a declaration writes it, cut at what MLflow takes.

    >>> written("median"), written(True), written({"folds": 5})
    ('median', 'true', '{"folds": 5}')
    """
    return (value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False))[:_LONGEST_VALUE]


def named(values: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Values under names that MLflow takes; of two that become the same, the second is numbered.

    >>> named([("a/b", 1), ("a(b", 2), ("view", 3)])
    {'a_b': 1, 'a_b_2': 2, 'view': 3}
    """
    found: dict[str, Any] = {}
    for name, value in values:
        # a dot at the start would read as a path
        legal = re.sub(r"[^\w\-. ]|^[. ]", "_", name)[:_LONGEST_NAME] or "_"
        free = legal
        number = 2
        while free in found:
            free = f"{legal[: _LONGEST_NAME - 5]}_{number}"
            number += 1
        found[free] = value
    return found


def points(values: Mapping[str, Any], series: Mapping[str, Iterable[Any]] | None = None) -> tuple[Point, ...]:
    """Values, and series with a step for each value; what is missing (None) is left out."""
    single = [Point(name, float(value)) for name, value in named(values.items()).items() if value is not None]
    stepped = [
        Point(name, float(value), step)
        for name, several in named((series or {}).items()).items()
        for step, value in enumerate(several)
        if value is not None
    ]
    return (*single, *stepped)


def milliseconds(moment: str) -> int:
    """ISO time as milliseconds since the epoch."""
    import datetime

    return int(datetime.datetime.fromisoformat(moment).timestamp() * 1000)
