"""Choices read off constructors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import pytest

from features.errors import InputError
from features.parameters import Choice, check_choices, choices


class Example:
    """Has one parameter of each form."""

    def __init__(
        self,
        one: Literal["a", "b"] = "a",
        maybe: Literal["c"] | None = None,
        several: Sequence[Literal["d", "e"]] = ("d",),
        free: str | None = None,
        mixed: Literal["auto"] | float = 1.0,
        table: dict[str, Literal["x"]] | None = None,
    ) -> None:
        self.one, self.maybe, self.several, self.free, self.mixed, self.table = one, maybe, several, free, mixed, table


def test_choices() -> None:
    assert choices(Example) == {"one": Choice(("a", "b")), "maybe": Choice(("c", None)), "several": Choice(("d", "e"), several=True)}


@pytest.mark.parametrize("parameters", [{}, {"one": "b", "maybe": "c", "several": ["e", "d"], "free": "z", "mixed": 2, "table": {"k": 1}}])
def test_allowed(parameters: dict[str, Any]) -> None:
    check_choices("example", Example(**parameters))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"one": "aa"}, "Step 'example' has one='aa'; allowed: 'a', 'b'."),
        ({"one": None}, "one=None; allowed"),
        ({"maybe": "z"}, "maybe='z'; allowed: 'c'"),
        ({"several": ["d", "f"]}, "several='f'; allowed: 'd', 'e'"),
        ({"one": ["a"]}, "one=\\['a'\\]; allowed"),
    ],
)
def test_refused(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_choices("example", Example(**parameters))
