"""The JSON Schema of ``pipeline.yaml``, generated from the same objects that check it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic import BaseModel

from features.registry import steps
from pipelines.calibration import CALIBRATORS
from pipelines.combiners import DECLARED
from pipelines.declared_parts import bare
from pipelines.finishing import RULES
from pipelines.metrics import METRIC_FACTORIES, METRICS
from pipelines.models import kinds
from pipelines.ordinal import ordinal_cuts
from pipelines.parameters import table_of
from pipelines.resample import RESAMPLERS
from pipelines.spec import KEYS, SECTIONS, MemberFiles, ModelKeys
from pipelines.splits import SPLITTERS
from pipelines.step_parameters import FIT_ON
from pipelines.thresholds import THRESHOLDS
from pipelines.tuning.declared import TuneSection

_TASKS = ("regression", "binary", "multiclass")


def schema_text() -> str:
    """The schema as text that ends in a newline; CI compares it with ``docs/pipeline.schema.json``."""
    return json.dumps(schema(), indent=1, sort_keys=True) + "\n"


def schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a declaration."""
    step = {"anyOf": [{"enum": sorted(steps())}, *(_step(name) for name in sorted(steps()))]}
    properties: dict[str, Any] = {
        "title": {"type": "string"},
        **{key: _section(table) for key, table in SECTIONS.items()},
        "task": {"enum": list(_TASKS)},
        "metric": {"anyOf": [{"enum": sorted({**METRICS, **METRIC_FACTORIES})}, *_one_of(METRIC_FACTORIES)["anyOf"][1:]]},
        "split": _one_of(SPLITTERS),
        "resample": _one_of(RESAMPLERS),
        "clean": {"type": "array", "items": {"$ref": "#/$defs/step"}},
        "features": {"type": "array", "items": {"$ref": "#/$defs/step"}},
        "views": {"type": "object", "additionalProperties": {"type": "array", "items": {"$ref": "#/$defs/step"}}},
        "models": {"type": "object", "minProperties": 1, "additionalProperties": {"anyOf": [_model(name) for name in kinds()]}},
        "members": {"type": "array", "items": _section(MemberFiles)},
        "ensemble": {"type": "object", "additionalProperties": _one_of(DECLARED)},
        "calibrate": _or_none(_one_of(CALIBRATORS)),
        "postprocess": {"type": "array", "items": _one_of(RULES)},
        "threshold": _or_none(_one_of({**THRESHOLDS, ordinal_cuts.__name__: bare})),
        "refit": {"enum": ["none", "all"]},
        "tune": {"type": "object", "additionalProperties": {"anyOf": [_section(TuneSection), {"type": "null"}]}},
    }
    assert set(properties) == set(KEYS)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Foldwise declaration",
        "type": "object",
        "additionalProperties": False,
        "required": ["data", "task", "metric", "split", "models"],
        "properties": properties,
        "$defs": {"step": step},
    }


def _section(table: type[BaseModel]) -> dict[str, Any]:
    return _inlined(table.model_json_schema())


def _inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """A pydantic schema without references: its definitions in their places, titles left out."""
    definitions = schema.pop("$defs", {})

    def walk(node: Any) -> Any:
        if isinstance(node, Mapping):
            if "$ref" in node:
                return walk(definitions[str(node["$ref"]).rsplit("/", 1)[-1]])
            return {key: walk(value) for key, value in node.items() if not (key == "title" and isinstance(value, str))}
        return [walk(item) for item in node] if isinstance(node, list) else node

    found: dict[str, Any] = walk(schema)
    return found


def _one_of(known: Mapping[str, Callable[..., Any]]) -> dict[str, Any]:
    return {"anyOf": [{"enum": sorted(known)}, *(_named(name, _parameters(function)) for name, function in sorted(known.items()))]}


def _or_none(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [{"const": "none"}, *schema["anyOf"]]}


def _parameters(function: Callable[..., Any]) -> dict[str, Any]:
    return _inlined(table_of(function, skip=("self", "table", "problem")).model_json_schema())


def _named(name: str, value: Any, others: Iterable[tuple[str, Any]] = ()) -> dict[str, Any]:
    return {"type": "object", "required": [name], "additionalProperties": False, "properties": {name: value, **dict(others)}}


def _step(name: str) -> dict[str, Any]:
    cls = steps()[name]
    table = _parameters(cls)
    described = (cls.__doc__ or "").strip().split("\n")[0]
    if hasattr(cls, "whole_mapping"):
        return {**_named(name, {"type": "object", "additionalProperties": {"type": "string"}}), "description": described}
    properties = table.setdefault("properties", {})
    properties[FIT_ON] = {"enum": ["train", "all"], "description": "Where a step that learns from rows is fitted."}
    if "columns" in properties:
        properties["except"] = {"description": "Columns left out of the selection."}
    if "how" in properties:
        properties["with"] = properties["how"]
    short = {"type": ["string", "array"], "description": f"Short for {cls.shorthand or next(iter(properties))}."}
    return {**_named(name, {"anyOf": [table, short]}), "description": described}


def _model(name: str) -> dict[str, Any]:
    kind = kinds()[name]
    allowed = sorted(set().union(*(kind.parameters(task) for task in kind.tasks)))
    params = {"type": ["object", "null"], "additionalProperties": False, "properties": {parameter: {} for parameter in allowed}}
    return _named(name, params, _section(ModelKeys)["properties"].items())
