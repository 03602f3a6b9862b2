"""The steps there are, by name: found by walking the package, never listed by hand."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Iterator

import features
from features.step import Step


@functools.cache
def _built_in() -> dict[str, type[Step]]:
    for module in pkgutil.iter_modules(features.__path__):
        importlib.import_module(f"features.{module.name}")
    return {cls.name: cls for cls in _concrete(Step) if cls.__module__.startswith("features.")}


_own: dict[str, type[Step]] = {}


def steps() -> dict[str, type[Step]]:
    """Every step by its registry name: the built-in ones and a competition's own."""
    return {**_built_in(), **_own}


def register(cls: type[Step]) -> type[Step]:
    """Class decorator for a competition's own step (``competitions/<name>/steps.py``).

    Raises
    ------
    ValueError
        When a built-in step has that name.
    """
    if cls.name in _built_in():
        raise ValueError(f"Step {cls.name!r} exists already in {_built_in()[cls.name].__module__}; give {cls.__name__} another name.")
    _own[cls.name] = cls
    return cls


def _concrete(cls: type[Step]) -> Iterator[type[Step]]:
    for sub in cls.__subclasses__():
        if not sub.__name__.startswith("_") and not getattr(sub, "abstract", False):
            yield sub
        yield from _concrete(sub)
