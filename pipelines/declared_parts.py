"""Parts of a declaration: ``name`` or ``name: {parameters}``, looked up and checked; faults are collected, not raised."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from features.errors import InputError, closest
from features.expressions import parse
from pipelines.declaration import Fault, Path_
from pipelines.parameters import check, table_of
from pipelines.spec import Part


def bare() -> None:
    """The parameters of what has none."""


def choice(raw: Mapping[str, Any], key: str, allowed: tuple[str, ...], faults: list[Fault]) -> str:
    value = raw.get(key)
    if key in raw and value not in allowed:
        faults.append(Fault((key,), f"found {value!r}; allowed: {', '.join(allowed)}.{closest(value, allowed)}"))
        return ""
    return str(value) if key in raw else ""


def mapping(raw: object, where: Path_, faults: list[Fault]) -> dict[str, Any]:
    if isinstance(raw, Mapping):
        return {str(key): value for key, value in raw.items()}
    faults.append(Fault(where, f"takes names with their definitions, found {raw!r}."))
    return {}


def named(raw: object, where: Path_, faults: list[Fault]) -> tuple[str, Any] | None:
    """``name`` or ``{name: parameters}``."""
    if isinstance(raw, str):
        return raw, {}
    if isinstance(raw, Mapping) and len(raw) == 1:
        ((name, params),) = raw.items()
        return str(name), {} if params is None else params
    faults.append(Fault(where, f"takes one 'name' or 'name: {{parameters}}', found {raw!r}."))
    return None


def part_of(raw: object, where: Path_, known: Mapping[str, Any], what: str, faults: list[Fault]) -> Part | None:
    found = named(raw, where, faults)
    if found is None:
        return None
    name, params = found
    if name not in known:
        faults.append(Fault((*where, name), f"no {what} {name!r}; there are {', '.join(known)}.{closest(name, known)}"))
        return None
    table = table_of(known[name], skip=("self", "table", "problem"))
    if not isinstance(params, Mapping) and table.model_fields:
        params = {next(iter(table.model_fields)): params}
    checked = check(table, params, (*where, name), faults)
    return None if checked is None else Part(name, checked.model_dump(), where)


def steps_of(raw: object, where: Path_, faults: list[Fault]) -> tuple[Part, ...]:
    from pipelines.step_parameters import check_step

    if not isinstance(raw, list):
        faults.append(Fault(where, f"takes a list of steps, found {raw!r}. Put '- ' before each step."))
        return ()
    parts = []
    for position, entry in enumerate(raw):
        found = named(entry, (*where, position), faults)
        if found is not None:
            parts.append(check_step(*found, (*where, position), faults))
    return tuple(part for part in parts if part is not None)


def is_file_name(name: str) -> bool:
    return bool(name) and all(character.isalnum() or character in "_-" for character in name)


def check_expression(source: str, where: Path_, faults: list[Fault]) -> None:
    try:
        parse(source)
    except InputError as error:
        faults.append(Fault(where, str(error)))
