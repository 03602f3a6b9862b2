"""Reading a declaration: YAML 1.2 as plain data, with the line of every key, and faults that name file and line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from features.errors import InputError

Path_: TypeAlias = "tuple[str | int, ...]"


@dataclass(frozen=True)
class Fault:
    """One thing wrong in a declaration: where (keys and positions from the top) and what."""

    where: Path_
    message: str


class DeclarationError(InputError):
    """A declaration with faults; the message has a line for each, with file and line number."""

    def __init__(self, declaration: Declaration, faults: list[Fault]) -> None:
        self.faults = faults
        many = f"{len(faults)} faults" if len(faults) > 1 else "1 fault"
        lines = [f"  {declaration.place(fault.where)}: {_dotted(fault.where)}{fault.message}" for fault in faults]
        super().__init__("\n".join([f"{declaration.path} has {many}:", *lines]))


@dataclass(frozen=True)
class Declaration:
    """A parsed declaration: ``data`` is plain Python, ``lines`` gives the 1-based line of every path in it."""

    path: Path
    data: dict[str, Any]
    lines: dict[Path_, int] = field(repr=False)

    def line(self, where: Path_) -> int:
        """The line of a path, or of the nearest path above it."""
        while where and where not in self.lines:
            where = where[:-1]
        return self.lines.get(where, 1)

    def place(self, where: Path_) -> str:
        """``file:line`` of a path."""
        return f"{self.path}:{self.line(where)}"

    def with_settings(self, settings: tuple[str, ...]) -> Declaration:
        """The declaration with ``key.key=value`` settings applied (values are YAML).

        Raises
        ------
        InputError
            When a setting has no ``=`` or goes through something that has no keys.
        """
        data: dict[str, Any] = _plain(self.data)
        for setting in settings:
            _apply(data, setting)
        return Declaration(self.path, data, self.lines)


def read_declaration(path: Path) -> Declaration:
    """Read ``pipeline.yaml``.

    Raises
    ------
    InputError
        When the file is missing, is no YAML, repeats a key, or is not a mapping.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"Declaration {path} cannot be read: {error}. A competition is a folder with a pipeline.yaml.") from error
    loaded = _load_yaml(text, str(path))
    if not isinstance(loaded, Mapping):
        raise InputError(f"{path}:1: a declaration is a mapping of keys such as 'data:' and 'models:', found {type(loaded).__name__}.")
    lines: dict[Path_, int] = {}
    _collect_lines(loaded, (), lines)
    return Declaration(path, _plain(loaded), lines)


def _load_yaml(text: str, source: str) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        return YAML(typ="rt").load(text)
    except YAMLError as error:
        mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
        parts = (error.problem, error.context) if isinstance(error, MarkedYAMLError) else (error,)
        problem = " ".join(str(part).split("\n")[0] for part in parts if part)
        line = mark.line + 1 if mark else 1
        raise InputError(f"{source}:{line}: this is not YAML: {problem}. Quote globs and texts that hold ': ' or '#'.") from error


def _collect_lines(node: Any, where: Path_, lines: dict[Path_, int]) -> None:
    if isinstance(node, Mapping):
        for key, value in node.items():
            _collect_line(node, key, (*where, _key(key)), lines)
            _collect_lines(value, (*where, _key(key)), lines)
    elif isinstance(node, list):
        for position, value in enumerate(node):
            _collect_line(node, position, (*where, position), lines)
            _collect_lines(value, (*where, position), lines)


def _collect_line(node: Any, key: Any, where: Path_, lines: dict[Path_, int]) -> None:
    # what comes from a merge key or stands below a tag has no place of its own
    place = (node.lc.data or {}).get(key)
    if place is not None:
        lines[where] = place[0] + 1


def _key(key: Any) -> str | int:
    return key if isinstance(key, int) and not isinstance(key, bool) else str(key)


def _plain(node: Any) -> Any:
    """Plain dicts, lists and scalars; dates stay text."""
    if isinstance(node, Mapping):
        plain = [(_plain(key), _plain(value)) for key, value in node.items()]
        return {str(key) if isinstance(key, list | dict) else key: value for key, value in plain}
    if isinstance(node, list | tuple):
        return [_plain(item) for item in node]
    if isinstance(node, bool) or node is None:
        return node
    for kind in (int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return str(node)


def _apply(data: dict[str, Any], setting: str) -> None:
    dotted, equals, text = setting.partition("=")
    if not equals or not dotted.strip():
        raise InputError(f"--set takes key.key=value, found {setting!r}. Example: --set split.kfold.seed=1")
    *parents, last = dotted.strip().split(".")
    node: Any = data
    for parent in parents:
        node = _inside(node, parent, setting)
    value = _plain(_load_yaml(text, f"--set {dotted}"))
    if isinstance(node, list):
        node[_position(node, last, setting)] = value
    else:
        node[last] = value


def _inside(node: Any, key: str, setting: str) -> Any:
    if isinstance(node, list):
        return node[_position(node, key, setting)]
    found = node.setdefault(key, {})
    if not isinstance(found, dict | list):
        raise InputError(f"--set {setting!r}: {key!r} holds {found!r}, which has no keys. Set {key!r} itself.")
    return found


def _position(node: list[Any], key: str, setting: str) -> int:
    if not key.isdigit() or int(key) >= len(node):
        raise InputError(f"--set {setting!r}: {key!r} is no position in a list of {len(node)}; positions count from 0.")
    return int(key)


def _dotted(where: Path_) -> str:
    if not where:
        return ""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in where)
    return f"{text.lstrip('.')}: "
