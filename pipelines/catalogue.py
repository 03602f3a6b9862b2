"""The step catalogue: what every step does, takes and learns from, generated from the classes themselves."""

from __future__ import annotations

import inspect
import io
import re
import sys
import types
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from features.columns import Selection
from features.registry import steps
from features.step import Step

_INTRO = """# Steps

Generated from the classes by `foldwise catalogue`; do not edit. A step is written `name` or `name: {parameters}` in `clean`,
`features` or a view; a bare value is short for its first parameter, or for the one said to be its shorthand. `columns` takes a
name, a glob, a kind (`numeric`, `categorical`, `dates`, `text`, `flags`) or a list of these; the key `except` beside it leaves
columns out. `how` may be written `with`. What a step learns from decides where it is fitted: nothing and levels once, rows and
target in the training part of each fold (`fit_on: all` fits a step that learns from rows on train and test together). The
examples are for a table of houses.
"""

_NAMES = {str: "text", int: "whole number", float: "number", bool: "true or false", dict: "table", Any: "anything"}


def catalogue_text() -> str:
    """The catalogue as Markdown that ends in a newline; CI compares it with ``docs/steps.md``."""
    by_module = _by_module()
    overview = [_overview_row(cls) for classes in by_module.values() for cls in classes]
    parts = [_INTRO, "| step | learns from | |\n|---|---|---|\n" + "\n".join(overview) + "\n"]
    for module, classes in by_module.items():
        parts.append(f"## {module.removeprefix('features.')}\n\n{_first_line(sys.modules[module])}\n")
        parts.extend(_entry(cls) for cls in classes)
    return "\n".join(parts)


def _by_module() -> dict[str, list[type[Step]]]:
    """The built-in steps, by module in order of its name, in the order in which they stand there."""
    by_name = {f"{cls.__module__}.{cls.__name__}": cls for cls in steps().values() if cls.__module__.startswith("features.")}
    modules = sorted({cls.__module__ for cls in by_name.values()})
    written = {module: [f"{module}.{name}" for name in vars(sys.modules[module])] for module in modules}
    return {module: [by_name[name] for name in names if name in by_name] for module, names in written.items()}


def _overview_row(cls: type[Step]) -> str:
    return f"| [`{cls.name}`](#{cls.name}) | {_learns(cls)} | {_cell(_prose(cls).split(chr(10) * 2)[0])} |"


def _entry(cls: type[Step]) -> str:
    facts = [f"Learns from: {_learns(cls)}.", f"Works on: {_accepts(cls)}."]
    out = columns_out(_prose(cls))
    facts += [f"Columns out: {', '.join(out)}."] if out else []
    facts += [f"Shorthand: a bare value means `{cls.shorthand}`."] if cls.shorthand else []
    head = [f"### {cls.name}", "", _markdown(_prose(cls)), "", *(f"- {fact}" for fact in facts), ""]
    return "\n".join([*head, *_parameter_table(cls), *_example(cls)])


def _parameter_table(cls: type[Step]) -> list[str]:
    described, hints = _parameter_texts(cls), get_type_hints(cls.__init__)
    rows = [
        f"| `{name}` | {_cell(type_text(hints[name]))} | {_default_text(one.default)} | {_cell(described.get(name, ''))} |"
        for name, one in inspect.signature(cls).parameters.items()
    ]
    return ["| parameter | type | default | |", "|---|---|---|---|", *rows, ""]


def _example(cls: type[Step]) -> list[str]:
    params = next((dict(example) for example in cls.examples if example), None)
    whole = getattr(cls, "whole_mapping", None)
    written = params[whole] if params and whole else params
    return ["```yaml", _yaml([{cls.name: written} if written else cls.name]).rstrip(), "```", ""]


def example_of(cls: type[Step]) -> Any:
    """What the catalogue shows as a step of a declaration: a name, or a mapping from the name to its parameters."""
    from ruamel.yaml import YAML

    return YAML(typ="safe").load("\n".join(_example(cls)[1:-2]))[0]


def columns_out(prose: str) -> list[str]:
    """The names of the columns that a description says are made, and whether columns are changed in place or dropped.

    >>> columns_out("Count values: ``<column>__count``.")
    ['`<column>__count`']
    """
    first = prose.split("\n\n")[0]
    named = [f"`{name}`" for name in re.findall(r"``([^`]*(?:<|__)[^`]*)``", prose)]
    changed = [what for word, what in (("in place", "the selected ones, in place"), ("Drop ", "those that stay")) if word in first]
    kept = ["those that stay"] if re.match(r"(Keep|Take) the column", first) else []
    return list(dict.fromkeys([*changed, *kept, *named]))


def type_text(hint: Any) -> str:
    """A type hint in the words of a declaration.

    >>> type_text(float | None), type_text(Sequence[Literal["a", "b"]])
    ('number', 'list of `a`, `b`')
    """
    if hint == Selection:
        return "columns"
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _alternatives([part for part in inner if part is not type(None)])
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in inner if value is not None)
    if origin is not None and issubclass(origin, Mapping):
        return f"table from {type_text(inner[0])} to {type_text(inner[1])}"
    if origin is not None and issubclass(origin, Sequence):
        return f"list of {type_text(inner[0])}"
    return _NAMES.get(hint, getattr(hint, "__name__", str(hint)))


def _alternatives(parts: Sequence[Any]) -> str:
    if {str, int, float, bool} <= set(parts):
        return "value"
    # every number may be a whole one
    return " or ".join(dict.fromkeys(type_text(part) for part in parts if not (part is int and float in parts)))


def _default_text(default: Any) -> str:
    if default is inspect.Parameter.empty:
        return "needed"
    return "" if default is None else f"`{_flow(default)}`"


def _learns(cls: type[Step]) -> str:
    return _said(cls, "learns", lambda learns: str(learns))


def _accepts(cls: type[Step]) -> str:
    return _said(cls, "accepts", lambda kinds: "any column" if len(kinds) == 5 else f"{' or '.join(kinds)} columns")


def _said(cls: type[Step], attribute: str, shown: Any) -> str:
    """A class's fact, or what its property says of it where the fact hangs on the parameters."""
    fact = inspect.getattr_static(cls, attribute)
    if isinstance(fact, property):
        text = (fact.__doc__ or "").strip().rstrip(".")
        return text[:1].lower() + text[1:]
    return str(shown(fact))


def _prose(cls: type[Step]) -> str:
    """The docstring up to its first section."""
    return re.split(r"\n\n\w[\w ]*\n-+\n", inspect.getdoc(cls) or "")[0]


def _parameter_texts(cls: type[Step]) -> dict[str, str]:
    """What the docstring says of each parameter."""
    section = re.search(r"\nParameters\n-+\n(.*?)(?=\n\n\w[\w ]*\n-+\n|\Z)", inspect.getdoc(cls) or "", re.DOTALL)
    entries = re.split(r"^(\w+)(?: : .*)?$", section.group(1), flags=re.MULTILINE)[1:] if section else []
    return {name: text.strip() for name, text in zip(entries[::2], entries[1::2], strict=True)}


def _first_line(module: Any) -> str:
    return (module.__doc__ or "").strip().split("\n\n")[0]


def _markdown(text: str) -> str:
    return text.replace("``", "`")


def _cell(text: str) -> str:
    return _markdown(" ".join(text.split())).replace("|", "\\|")


def _flow(value: Any) -> str:
    return _yaml([list(value) if isinstance(value, tuple) else value], flow=True).strip()[1:-1]


def _yaml(value: Any, *, flow: bool | None = None) -> str:
    from ruamel.yaml import YAML

    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style, yaml.width, yaml.sort_base_mapping_type_on_output = flow, 10_000, False  # type: ignore[assignment]
    buffer = io.StringIO()
    yaml.dump(value, buffer)
    return buffer.getvalue()
