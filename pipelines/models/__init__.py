"""Kinds of model by name, found by walking this package: one library a file."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import pkgutil
from collections.abc import Mapping
from typing import Any

from features.errors import closest
from pipelines.models.contract import Kind


@functools.cache
def kinds() -> dict[str, Kind]:
    """Every kind of model by its name in a declaration; libraries are imported when a kind is first used."""
    found: dict[str, Kind] = {}
    for module in pkgutil.iter_modules(__path__):
        found.update({kind.name: kind for kind in getattr(importlib.import_module(f"{__name__}.{module.name}"), "KINDS", ())})
    return dict(sorted(found.items()))


def missing(kind: str) -> list[str]:
    """The libraries that a kind imports and that are not installed: those of an extra (``imports``, ``extra``)."""
    return [name for name in getattr(kinds()[kind], "imports", ()) if importlib.util.find_spec(name) is None]


def check_parameters(kind: str, task: str, params: object) -> list[tuple[tuple[str, ...], str]]:
    """What is wrong with the library parameters of a model: pairs of key path and message."""
    found = kinds()[kind]
    if task and task not in found.tasks:
        fitting = ", ".join(name for name, other in kinds().items() if task in other.tasks)
        return [((), f"{kind!r} does not do {task}; these kinds do: {fitting}.")]
    if not isinstance(params, Mapping):
        return [((), f"takes library parameters, found {params!r}. Write {kind}: {{}} for none.")]
    if not task:
        return []
    lacking = missing(kind)
    if lacking:
        extra = getattr(found, "extra", "")
        return [((), f"{kind!r} needs {' and '.join(lacking)}, not installed here. Install the extra: pip install 'foldwise[{extra}]'.")]
    allowed = found.parameters(task)
    return [
        ((str(name),), f"unknown parameter of {kind!r}; allowed: {_some(allowed)}.{closest(name, allowed)}")
        for name in params
        if name not in allowed
    ] or [((), message) for message in found.value_faults(task, dict(params))]


def _some(names: frozenset[str]) -> str:
    shown: list[Any] = sorted(names)
    return ", ".join(shown) if len(shown) <= 25 else f"{', '.join(shown[:25])} ... ({len(shown)} in all)"
