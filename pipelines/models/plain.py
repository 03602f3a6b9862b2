"""A fitted scikit-learn estimator as arrays and plain values: written with safetensors, read back without pickle.

Why not skops: it writes a forest of 300 trees in half the time it takes to fit it, and its files hold memory addresses and
the hour, so that the same fit never gives the same bytes. Here every number goes into one flat array per dtype, everything
else into JSON. Reading builds classes of scikit-learn only, named in the file and looked up there, and the constructors of its compiled ones.
"""

from __future__ import annotations

import copyreg
import importlib
import json
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from features.errors import InputError

_RECONSTRUCT = {"copyreg.__newobj__": copyreg.__newobj__, "copyreg._reconstructor": copyreg._reconstructor}  # type: ignore[attr-defined]
_BUILT_IN = {"object": object, "dict": dict, "list": list}


def save_estimator(estimator: Any, path: Path) -> None:
    """Write a fitted estimator; the same fit gives the same bytes."""
    from safetensors.numpy import save_file

    writer = _Writer()
    tree = writer.encode(estimator)
    save_file(writer.flat(), path, metadata={"foldwise": json.dumps({"dtypes": writer.dtypes, "estimator": tree})})


def load_estimator(path: Path) -> Any:
    """Read what ``save_estimator`` wrote.

    Raises
    ------
    InputError
        When the file names anything but scikit-learn's classes.
    """
    from safetensors import safe_open

    with safe_open(path, framework="np") as file:
        # one entry: safetensors keeps several in no fixed order
        content = json.loads(file.metadata()["foldwise"])
        flat = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    return _Reader(flat, content["dtypes"]).decode(content["estimator"])


class _Writer:
    def __init__(self) -> None:
        self.arrays: dict[str, list[NDArray[Any]]] = {}
        self.sizes: dict[str, int] = {}
        self.dtypes: dict[str, Any] = {}

    def flat(self) -> dict[str, NDArray[Any]]:
        # bytes are joined, not records: NumPy would pack a record's padding away
        return {key: np.concatenate([part.view(np.uint8) for part in parts]) for key, parts in self.arrays.items()}

    def encode(self, value: Any) -> Any:
        if value is None or (isinstance(value, bool | int | float | str) and not isinstance(value, np.generic)):
            return value
        if isinstance(value, np.generic):
            return {"scalar": self._array(np.asarray(value))}
        if isinstance(value, np.ndarray):
            return self._objects(value) if value.dtype == object else {"array": self._array(value)}
        if isinstance(value, list):
            return [self.encode(item) for item in value]
        if isinstance(value, tuple):
            return {"tuple": [self.encode(item) for item in value]}
        if type(value) is dict:
            return {"dict": [[self.encode(key), self.encode(item)] for key, item in value.items()]}
        if isinstance(value, type):
            return {"type": _path_of(value)}
        if isinstance(value, np.random.RandomState | np.random.Generator):
            return None  # it has done its work in the fit
        return self._reduced(value)

    def _objects(self, value: NDArray[Any]) -> Any:
        return {"objects": [self.encode(item) for item in value.ravel()], "shape": list(value.shape)}

    def _array(self, value: NDArray[Any]) -> list[Any]:
        key = f"{value.dtype.str}{value.dtype.names or ''}"
        start = self.sizes.get(key, 0)
        self.arrays.setdefault(key, []).append(_without_padding(np.ascontiguousarray(value).ravel()))
        self.sizes[key] = start + value.size
        self.dtypes.setdefault(key, _describe(value.dtype))
        return [key, start, list(value.shape)]

    def _reduced(self, value: Any) -> Any:
        reduced = value.__reduce_ex__(2)
        if isinstance(reduced, str):
            raise TypeError(f"{type(value).__name__} cannot be written as plain data.")
        make, args, state, items, pairs = (*reduced, None, None, None)[:5]
        if items is not None or pairs is not None:
            raise TypeError(f"{type(value).__name__} cannot be written as plain data.")
        return {"make": _path_of(make), "args": [self.encode(item) for item in args], "state": self.encode(state)}


class _Reader:
    def __init__(self, flat: dict[str, NDArray[Any]], dtypes: dict[str, Any]) -> None:
        self.flat = {key: flat[key].view(_dtype(described)) for key, described in dtypes.items()}

    def decode(self, data: Any) -> Any:
        match data:
            case {"array": where}:
                return self._array(where)
            case {"scalar": where}:
                return self._array(where)[()]
            case {"objects": items, "shape": shape}:
                values = np.empty(len(items), dtype=object)
                values[:] = [self.decode(item) for item in items]
                return values.reshape(shape)
            case {"tuple": items}:
                return tuple(self.decode(item) for item in items)
            case {"dict": pairs}:
                return {self.decode(key): self.decode(item) for key, item in pairs}
            case {"type": name}:
                return _class(name)
            case {"make": name, "args": args, "state": state}:
                return self._made(name, args, state)
            case list():
                return [self.decode(item) for item in data]
        return data

    def _array(self, where: list[Any]) -> NDArray[Any]:
        key, start, shape = where
        size = int(np.prod(shape)) if shape else 1
        return self.flat[key][start : start + size].reshape(shape).copy()

    def _made(self, name: str, args: list[Any], state: Any) -> Any:
        make = _RECONSTRUCT.get(name) or _constructor(name)
        value = make(*(self.decode(item) for item in args))
        decoded = self.decode(state)
        if decoded is None:
            return value
        if hasattr(value, "__setstate__"):
            value.__setstate__(decoded)
        else:
            vars(value).update(decoded)
        return value


def _without_padding(records: NDArray[Any]) -> NDArray[Any]:
    """Records with zeros in the bytes between their fields, which hold whatever was in memory."""
    if records.dtype.names is None:
        return records
    clean = np.zeros(records.shape, records.dtype)
    for name in records.dtype.names:
        clean[name] = records[name]
    return clean


def _path_of(value: Any) -> str:
    return f"{value.__module__}.{value.__qualname__}"


def _class(path: str) -> Any:
    module, _, name = path.rpartition(".")
    if module == "builtins" and name in _BUILT_IN:
        return _BUILT_IN[name]
    found = _found(module, name)
    # many modules hold classes of others, such as files and folders of the standard library
    is_own = isinstance(found, type) and (found.__module__.startswith("sklearn.") or issubclass(found, np.generic))
    return found if is_own else _refuse(path)


def _constructor(path: str) -> Any:
    """What a file may call: compiled classes of scikit-learn, and the functions that make them."""
    module, _, name = path.rpartition(".")
    found = _found(module, name)
    is_compiled = found is not None and str(importlib.import_module(module).__file__).endswith(tuple(EXTENSION_SUFFIXES))
    if is_compiled and (name == "newObj" or name.startswith("__pyx_unpickle_")):
        return found
    return _class(path) if is_compiled else _refuse(path)


def _found(module: str, name: str) -> Any:
    if module.split(".")[0] not in ("sklearn", "numpy"):
        return None
    try:
        return getattr(importlib.import_module(module), name, None)
    except ImportError:
        return None


def _refuse(path: str) -> NoReturn:
    raise InputError(f"A model file names {path!r}, which is no class of scikit-learn; it is not read. Train the model again.")


def _describe(dtype: np.dtype[Any]) -> Any:
    if dtype.names is None:
        return dtype.str
    fields: Any = dtype.fields
    return {
        "names": list(dtype.names),
        "formats": [fields[name][0].str for name in dtype.names],
        "offsets": [fields[name][1] for name in dtype.names],
        "itemsize": dtype.itemsize,
    }


def _dtype(described: Any) -> np.dtype[Any]:
    made: np.dtype[Any] = np.dtype(described)
    return made
