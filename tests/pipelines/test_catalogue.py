"""The step catalogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import pytest

from features.columns import Selection
from features.registry import steps
from pipelines.catalogue import catalogue_text, example_of, type_text
from pipelines.declaration import Fault
from pipelines.step_parameters import check_step


@pytest.fixture(autouse=True)
def own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Own steps that other tests of this process have loaded are none of the house."""
    monkeypatch.setattr("features.registry._own", {})


def test_every_step_has_an_entry() -> None:
    text = catalogue_text()
    assert [name for name in steps() if f"\n### {name}\n" not in text] == []
    assert text.endswith("```\n")


def test_it_does_not_hang_on_the_order_of_imports() -> None:
    headings = [line.removeprefix("## ") for line in catalogue_text().splitlines() if line.startswith("## ")]
    assert headings == sorted(headings)


@pytest.mark.parametrize("name", sorted(steps()))
def test_examples_can_be_declared(name: str) -> None:
    faults: list[Fault] = []
    example = example_of(steps()[name])
    params: Any = {} if isinstance(example, str) else example[name]
    assert check_step(name, params, ("features", 0), faults), faults


@pytest.mark.parametrize(
    ("hint", "text"),
    [
        (Selection, "columns"),
        (str | Sequence[str], "text or list of text"),
        (Literal["a", "b"] | None, "`a`, `b`"),
        (int | float, "number"),
        (str | int | float | bool, "value"),
        (dict[str, Sequence[int]], "table from text to list of whole number"),
        (Mapping[str, float], "table from text to number"),
    ],
)
def test_types_in_the_words_of_a_declaration(hint: Any, text: str) -> None:
    assert type_text(hint) == text
