"""The declaration as text: YAML with the reason beside each choice."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from pipelines.draft.steps import Choice

_WIDTH = 118
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:[.-][A-Za-z0-9_]+)*")
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf"})
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def flow(value: Any) -> str:
    """A value in YAML's flow style, on one line.

    >>> flow({"columns": ["a", "b c", "yes", 'say "x"']})
    '{columns: [a, "b c", "yes", "say \\\\"x\\\\""]}'
    """
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{flow(key)}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Sequence):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    return _scalar(value)


def _text(value: str) -> str:
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    quoted = json.dumps(value, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda sign: f"\\u{ord(sign.group()):04x}", quoted)


def _scalar(value: Any) -> str:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, float):
        special = {float("inf"): ".inf", float("-inf"): "-.inf"}
        return special.get(value, ".nan" if value != value else f"{value:.1f}" if value.is_integer() and abs(value) < 1e15 else repr(value))
    return str(value)


def entry(key: str, value: Any, why: str = "", *, indent: int = 0) -> Iterator[str]:
    """``key: value``, the reason behind it where there is room and above it otherwise; a long list goes over several lines."""
    yield from _with_reason(f"{' ' * indent}{flow(key)}: {flow(value)}", why, indent)


def item(choice: Choice, *, indent: int = 2) -> Iterator[str]:
    """A step of a list."""
    written = flow(choice.step)
    if isinstance(choice.step, dict):
        written = written[1:-1]  # 'name: {...}' needs no braces of its own behind a dash
    yield from _with_reason(f"{' ' * indent}- {written}", choice.why, indent)


def _with_reason(line: str, why: str, indent: int) -> Iterator[str]:
    said = _one_line(why)
    if said and len(line) + len(said) + 4 <= _WIDTH:
        yield f"{line}  # {said}"
        return
    if said:
        yield from (f"{' ' * indent}# {part}" for part in textwrap.wrap(said, _WIDTH - indent - 2))
    yield from _wrapped(line, indent)


def _wrapped(line: str, indent: int) -> Iterator[str]:
    """A long line broken behind commas that stand between values; quoted texts stay whole."""
    if len(line) <= _WIDTH:
        yield line
        return
    parts = re.findall(r'(?:"(?:\\.|[^"\\])*"|[^",])*,?\s?', line)
    current = ""
    for part in filter(None, parts):
        if current and len(current) + len(part.rstrip()) > _WIDTH:
            yield current.rstrip()
            current = " " * (indent + 4)
        current += part
    yield current.rstrip()


def comment(text: str) -> Iterator[str]:
    """A comment, wrapped; further lines are indented."""
    yield from (f"# {part}" for part in textwrap.wrap(_one_line(text), _WIDTH - 2, subsequent_indent="  "))


def _one_line(text: str) -> str:
    return _UNPRINTABLE.sub(" ", " ".join(text.split()))
