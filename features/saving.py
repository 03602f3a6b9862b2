"""Learnt state as plain data: a step's parameters and what it learnt, written as JSON and read back without pickle.

Arrays keep every bit (their bytes go in base64), so that the same state is always the same text. Only steps found in the
registry are built again; a file can name nothing else.
"""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np

from features.errors import InputError
from features.registry import steps
from features.step import Step

_FORMAT = 1


def dump_step(step: Step) -> dict[str, Any]:
    """A fitted step as JSON-ready data: its registry name, parameters and learnt attributes."""
    learnt = {name: encode(value) for name, value in sorted(vars(step).items()) if name.endswith("_") and not name.startswith("_")}
    params = {name: encode(value) for name, value in step.get_params(deep=False).items()}
    return {"format": _FORMAT, "step": step.name, "params": params, "learnt": learnt}


def load_step(data: dict[str, Any]) -> Step:
    """The step that ``dump_step`` wrote."""
    if data.get("format") != _FORMAT:
        raise InputError(f"This step was saved in format {data.get('format')!r}; this version reads {_FORMAT}. Run the pipeline again.")
    step = steps()[data["step"]](**{name: decode(value) for name, value in data["params"].items()})
    for name, value in data["learnt"].items():
        setattr(step, name, decode(value))
    return step


def dumps(step: Step) -> str:
    """``dump_step`` as text; equal state gives equal text."""
    return json.dumps(dump_step(step), sort_keys=True)


def encode(value: Any) -> Any:
    """Plain data for a value made of numbers, strings, None, lists, tuples, dicts, arrays and steps."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return {"float": value.hex()}
        case np.generic():
            return encode(value.item())
        case np.ndarray() if value.dtype.kind in "OUT":
            return {"texts": [encode(item) for item in value.tolist()]}
        case np.ndarray():
            raw = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode()
            return {"array": raw, "dtype": value.dtype.str, "shape": list(value.shape)}
        case list():
            return [encode(item) for item in value]
        case tuple():
            return {"tuple": [encode(item) for item in value]}
        case dict():
            return {"dict": [[encode(key), encode(item)] for key, item in value.items()]}
        case Step():
            return {"nested": dump_step(value)}
    raise TypeError(f"{type(value).__name__} is not plain data: keep learnt state in arrays, dicts, lists, numbers and strings.")


def decode(data: Any) -> Any:
    """The value that ``encode`` wrote."""
    match data:
        case {"float": text}:
            return float.fromhex(text)
        case {"texts": items}:
            return np.array([decode(item) for item in items], dtype=object)
        case {"array": raw, "dtype": dtype, "shape": shape}:
            return np.frombuffer(base64.b64decode(raw), dtype=np.dtype(dtype)).reshape(shape).copy()
        case {"tuple": items}:
            return tuple(decode(item) for item in items)
        case {"dict": pairs}:
            return {decode(key): decode(item) for key, item in pairs}
        case {"nested": step}:
            return load_step(step)
        case list():
            return [decode(item) for item in data]
    return data
