"""Checking a step's parameters against the choices its constructor declares."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin, get_type_hints

from features.errors import InputError, closest


@dataclass(frozen=True)
class Choice:
    """The allowed values of a parameter; ``several`` where it takes a list of them."""

    allowed: tuple[Any, ...]
    several: bool = False

    def wrong(self, value: Any) -> list[Any]:
        """The values that are not allowed."""
        values = list(value) if self.several and isinstance(value, (list, tuple)) else [value]
        return [one for one in values if one not in self.allowed]


@functools.cache
def choices(cls: Callable[..., Any]) -> dict[str, Choice]:
    """The choice behind each parameter that is typed as a ``Literal``, an optional one, or a sequence of them."""
    hints = get_type_hints(cls.__init__)
    found = {name: _choice(hints.get(name)) for name in inspect.signature(cls).parameters}
    return {name: choice for name, choice in found.items() if choice is not None}


def check_choices(name: str, owner: Any) -> None:
    """Check an object's parameters against ``choices`` of its class.

    Raises
    ------
    InputError
        When a value is not among the allowed ones; ``name`` says whose parameter it is.
    """
    constructor: Callable[..., Any] = type(owner)
    for parameter, choice in choices(constructor).items():
        for wrong in choice.wrong(getattr(owner, parameter)):
            shown = ", ".join(repr(option) for option in choice.allowed if option is not None)
            raise InputError(f"Step {name!r} has {parameter}={wrong!r}; allowed: {shown}.{closest(wrong, choice.allowed)}")


def _choice(hint: Any) -> Choice | None:
    """The choice a hint stands for; None when it allows anything that is no literal."""
    if get_origin(hint) is Sequence:
        inner = _choice(get_args(hint)[0])
        return Choice(inner.allowed, several=True) if inner else None
    if get_origin(hint) is Literal:
        return Choice(get_args(hint))
    parts = get_args(hint)
    if len(parts) == 2 and parts[1] is type(None) and get_origin(parts[0]) is Literal:
        return Choice((*get_args(parts[0]), None))
    return None
