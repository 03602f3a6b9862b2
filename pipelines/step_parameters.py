"""From a step as it is written in a declaration to a step object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from features.errors import InputError, closest
from features.registry import steps
from features.step import Learns, Step
from pipelines.declaration import Fault, Path_
from pipelines.parameters import check, table_of
from pipelines.spec import Part

# words that Python keeps for itself, and what the parameter is called there
_SPELLING = {"with": "how"}
FIT_ON = "fit_on"


def check_step(name: str, params: Any, where: Path_, faults: list[Fault]) -> Part | None:
    """Check one step of a declaration; faults are appended and give None."""
    known = steps()
    if name not in known:
        faults.append(Fault((*where, name), f"no step {name!r}; there are {', '.join(sorted(known))}.{closest(name, known)}"))
        return None
    cls, inside, before = known[name], (*where, name), len(faults)
    written, fit_on = _python_spelling(cls, params)
    checked = check(table_of(cls), written, inside, faults)
    faults[before:] = [replace(fault, where=_as_written(fault.where, inside, cls, params)) for fault in faults[before:]]
    if fit_on not in (None, "all", "train"):
        faults.append(Fault((*inside, FIT_ON), f"found {fit_on!r}; allowed: all (train and test together), train (the training part)."))
    if checked is None or len(faults) > before:
        return None
    part = Part(name, {**checked.model_dump(), **({FIT_ON: fit_on} if fit_on else {})}, where)
    try:
        step = build_step(part)
        step.check()
    except InputError as error:
        faults.append(Fault(inside, str(error)))
        return None
    if fit_on == "all" and step.learns not in (Learns.ROWS, Learns.NOTHING, Learns.LEVELS):
        faults.append(Fault((*inside, FIT_ON), f"'all' is refused: {name!r} learns from the {step.learns}, which test rows do not have."))
        return None
    return part


def _as_written(where: Path_, inside: Path_, cls: type[Step], params: Any) -> Path_:
    """The place of a fault by the keys of the declaration instead of the Python names."""
    first, rest = where[len(inside) : len(inside) + 1], where[len(inside) + 1 :]
    if not first or getattr(cls, "whole_mapping", None) or not isinstance(params, Mapping):
        return inside
    if str(first[0]) not in map(str, params):
        first = tuple(written for written, name in _SPELLING.items() if name == first[0] and written in params)
    return (*inside, *first, *rest)


def build_step(part: Part) -> Step:
    """A new, unfitted step."""
    return steps()[part.name](**{key: value for key, value in part.params.items() if key != FIT_ON})


def _python_spelling(cls: type[Step], params: Any) -> tuple[Any, Any]:
    """Parameters by their Python names, and the ``fit_on`` key; ``drop: [A, B]`` is short for its first parameter."""
    whole = getattr(cls, "whole_mapping", None)
    if whole is not None:
        return {whole: params}, None
    if not isinstance(params, Mapping):
        return {cls.shorthand or next(iter(table_of(cls).model_fields), "columns"): params}, None
    fields = table_of(cls).model_fields
    written = {key if key in fields else _SPELLING.get(str(key), str(key)): value for key, value in params.items()}
    fit_on = written.pop(FIT_ON, None)
    if "except" in written and "columns" in fields:
        chosen = written.get("columns", fields["columns"].get_default())
        written["columns"] = {
            "select": chosen if not fields["columns"].is_required() or "columns" in written else None,
            "except": written.pop("except"),
        }
    return written, fit_on
