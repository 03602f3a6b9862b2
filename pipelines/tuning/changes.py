"""What a trial, or the file of tuned parameters, changes in a declaration's plain data."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from features.errors import InputError, listed

STEP_ROOTS = ("clean", "features", "views", "target", "resample")
"""Parts of a declaration that a path may lead into; rows, folds and metric decide what is scored and stay as they are."""


@dataclass(frozen=True)
class Changes:
    """Values by what they change: library parameters, framework keys of the model, and steps by their path."""

    params: dict[str, Any] = field(default_factory=dict)
    keys: dict[str, Any] = field(default_factory=dict)
    steps: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, values: Mapping[str, Any], library: frozenset[str], framework: frozenset[str]) -> Changes:
        """Values by name, sorted by what they change; a library's parameter goes before a framework key of its name."""
        steps = {name: value for name, value in values.items() if is_path(name)}
        keys = {name: value for name, value in values.items() if name in framework and name not in library}
        return cls({name: value for name, value in values.items() if name not in steps and name not in keys}, keys, steps)

    @property
    def is_of_model_only(self) -> bool:
        """Whether only library parameters change, so that every matrix stays as it is."""
        return not (self.keys or self.steps)

    @property
    def plain(self) -> dict[str, dict[str, Any]]:
        """The parts that change something, as plain data."""
        return {part: values for part, values in asdict(self).items() if values}

    def applied(self, data: Mapping[str, Any], model: str, kind: str) -> dict[str, Any]:
        """A declaration's plain data with the changes made.

        Raises
        ------
        InputError
            When a path leads nowhere.
        """
        changed = copy.deepcopy(dict(data))
        entry = changed["models"][model]
        entry[kind] = {**(entry.get(kind) or {}), **self.params}
        entry.update(self.keys)
        for path, value in self.steps.items():
            set_at(changed, path, value)
        return changed


def is_path(name: str) -> bool:
    """Whether a searched name is a path into the declaration."""
    return "." in name or name in ("features", "clean", "views")


def set_at(data: dict[str, Any], path: str, value: Any) -> None:
    """Put a value at a dotted path such as ``features.2.target_encode.smooth``; positions count from 0.

    Raises
    ------
    InputError
        When a part of the path is not there, or the path does not lead into a step, a view or the target.
    """
    root, *_ = parts = path.split(".")
    if root not in STEP_ROOTS or len(parts) < 2:
        raise InputError(f"{path!r} does not lead into {listed(STEP_ROOTS)}. Example: features.2.target_encode.smooth")
    node: Any = data
    for at, part in enumerate(parts[:-1]):
        node = _inside(node, part, path, leads_to_step=isinstance(node, dict) and at + 1 == len(parts) - 1)
    if isinstance(node, list):
        node[_position(node, parts[-1], path)] = copy.deepcopy(value)
    else:
        node[parts[-1]] = copy.deepcopy(value)


def _inside(node: Any, part: str, path: str, *, leads_to_step: bool) -> Any:
    if isinstance(node, list):
        at = _position(node, part, path)
        if isinstance(node[at], str):
            node[at] = {node[at]: {}}
        return node[at]
    if part not in node:
        raise InputError(f"{path!r}: there is no {part!r}; there {'are' if len(node) > 1 else 'is'} {listed(node) or 'nothing'}.")
    found = {} if node[part] is None and leads_to_step else node[part]
    if not isinstance(found, dict | list):
        raise InputError(
            f"{path!r}: {part!r} is written in short as {found!r}. Write its parameters by name, so that one of them can be set."
        )
    node[part] = found
    return found


def _position(node: list[Any], part: str, path: str) -> int:
    if not part.isdigit() or int(part) >= len(node):
        raise InputError(f"{path!r}: {part!r} is no position in a list of {len(node)}; positions count from 0.")
    return int(part)
