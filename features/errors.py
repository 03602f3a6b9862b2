"""The one exception for wrong input, and the pieces its messages are made of."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """The user's input is wrong: the message says what was found, what is needed and what to do next."""


def listed(names: Iterable[object], *, most: int = 5) -> str:
    """Names in order, quoted, cut at ``most`` with the total.

    >>> listed(["b", "a"])
    "'a', 'b'"
    >>> listed(range(9), most=2)
    '0, 1 ... (9 in all)'
    """
    ordered = sorted(set(names), key=str)
    shown = ", ".join(repr(name) for name in ordered[:most])
    return shown if len(ordered) <= most else f"{shown} ... ({len(ordered)} in all)"


def closest(name: object, allowed: Iterable[object]) -> str:
    """A sentence that offers the nearest allowed name, or nothing when none is near.

    >>> closest("Neighborhod", ["Neighborhood", "Street"])
    " Closest: 'Neighborhood'."
    """
    by_lower = {str(option).lower(): str(option) for option in allowed}
    near = difflib.get_close_matches(str(name).lower(), by_lower, n=1, cutoff=0.6)
    return f" Closest: {by_lower[near[0]]!r}." if near else ""
