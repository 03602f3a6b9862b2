"""Whether two things ever come out the same, to the byte, when each is made several times."""

from __future__ import annotations

from collections.abc import Callable, Mapping

_TRIES = 5
"""Linear algebra rounds by how arrays lie in memory: equal fits give one of a few results, each more than once in so many."""
Digests = Mapping[str, object]
"""What came out, by name."""


def never_same(one: Callable[[int], Digests], two: Callable[[int], Digests]) -> tuple[list[str], list[str]]:
    """Names of what never came out the same on both sides; and those among them that one side never repeats either.

    Each side is made once. Only where they differ are they made again.

    Parameters
    ----------
    one, two
        Make a side, given the number of the try, from 0.
    """
    ones, twos = [one(0)], [two(0)]
    while (apart := _apart(ones, twos)) and len(ones) < _TRIES:
        ones.append(one(len(ones)))
        twos.append(two(len(twos)))
    by_chance = [name for name in apart if len({made.get(name) for made in ones}) == len(ones)]
    return apart, by_chance


def _apart(ones: list[Digests], twos: list[Digests]) -> list[str]:
    names = dict.fromkeys(name for made in (*ones, *twos) for name in made)
    return [name for name in names if {made.get(name) for made in ones}.isdisjoint(made.get(name) for made in twos)]
