"""Parameter tables read off signatures: one source for checking, for messages and for the JSON Schema."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, get_args, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model
from pydantic.fields import FieldInfo

from features.errors import closest
from pipelines.declaration import Fault, Path_

Table = TypeVar("Table", bound=BaseModel)

STRICT = ConfigDict(extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=True)


class Section(BaseModel):
    """Base of the declaration's sections: frozen, strict, no unknown keys."""

    model_config = STRICT


def table_of(function: Any, skip: tuple[str, ...] = ("self",)) -> type[BaseModel]:
    """The parameters of a function or constructor as a pydantic model: names, types and defaults from its signature."""
    return _table_of(function, skip)


@functools.cache
def _table_of(function: Callable[..., Any], skip: tuple[str, ...]) -> type[BaseModel]:
    target = function.__init__ if inspect.isclass(function) else function
    hints = get_type_hints(target, include_extras=True)
    fields: dict[str, Any] = {}
    for name, parameter in inspect.signature(target).parameters.items():
        if name in skip:
            continue
        default = ... if parameter.default is inspect.Parameter.empty else parameter.default
        fields[name] = (hints.get(name, Any), default)
    return create_model(f"{getattr(function, '__name__', 'function')}_parameters", __config__=STRICT, **fields)


def check(table: type[Table], raw: object, where: Path_, faults: list[Fault]) -> Table | None:
    """Build ``table`` from plain data; what is wrong is appended to ``faults`` and gives None."""
    if not isinstance(raw, Mapping):
        faults.append(Fault(where, f"takes keys {', '.join(table.model_fields)}; found {raw!r}."))
        return None
    try:
        return table.model_validate(dict(raw))
    except ValidationError as error:
        faults.extend(_fault(table, detail, where) for detail in _first_per_key(error))
        return None


def _first_per_key(error: ValidationError) -> list[Any]:
    """One detail for each key (and entry of a list); a union reports each of its branches."""
    by_key: dict[Any, Any] = {}
    for detail in error.errors():
        loc = detail["loc"]
        by_key.setdefault(loc[:3] if len(loc) > 1 and isinstance(loc[1], int) else loc[:1], detail)
    return list(by_key.values())


def _fault(table: type[BaseModel], detail: Any, where: Path_) -> Fault:
    key, *inner = detail["loc"]
    entry = _entry_of(table.model_fields.get(str(key)))
    if entry is not None and inner:
        places = [part for part in inner if isinstance(part, int)][:1]
        if inner[len(places) :]:
            return _fault(entry, {**detail, "loc": inner[len(places) :]}, (*where, key, *places))
    if detail["type"] == "extra_forbidden":
        allowed = ", ".join(table.model_fields) or "none"
        return Fault((*where, key), f"unknown key; allowed: {allowed}.{closest(key, table.model_fields)}")
    if detail["type"] == "missing":
        return Fault(where, f"needs the key {key!r}; keys are {', '.join(table.model_fields)}.")
    path = (*where, key, *(part for part in inner if isinstance(part, int)))
    return Fault(path, f"found {detail['input']!r}; {_wanted(table.model_fields.get(str(key)), detail)}.")


def _entry_of(field: FieldInfo | None) -> type[BaseModel] | None:
    """The section that a key holds, or the entries of its list do, such as those of ``data.joins``."""
    parts = get_args(field.annotation) if field else ()
    return next((part for part in parts if inspect.isclass(part) and issubclass(part, BaseModel)), None)


def _wanted(field: FieldInfo | None, detail: Any) -> str:
    if detail["type"] == "literal_error":
        return f"allowed: {detail['ctx']['expected']}"
    if detail["type"] == "value_error" or field is None:
        return str(detail["msg"]).removeprefix("Value error, ")
    described = str(getattr(field.annotation, "__name__", None) or field.annotation)
    constraint = f" ({detail['msg']})" if "greater" in detail["type"] or "less" in detail["type"] else ""
    return f"needed: {_plain_type(described, field.annotation)}{constraint}"


def _plain_type(name: str, annotation: Any) -> str:
    text = str(annotation) if "|" in str(annotation) or "[" in str(annotation) else name
    for module in ("collections.abc.", "typing.", "pandas.", "pipelines.spec."):
        text = text.replace(module, "")
    return text
