"""The JSON Schema accepts what the code accepts, and editors see what is wrong."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pipelines.declaration import read_declaration
from pipelines.schema import schema, schema_text

ROOT = Path(__file__).parent.parent.parent
DECLARATIONS = sorted((ROOT / "competitions").glob("*/pipeline.yaml"))


@pytest.fixture(autouse=True)
def own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Own steps that other tests of this process have loaded are none of the house."""
    monkeypatch.setattr("features.registry._own", {})


@pytest.fixture(scope="module")
def validator() -> Any:
    """A validator of the generated schema."""
    made = schema()
    jsonschema.Draft202012Validator.check_schema(made)
    return jsonschema.Draft202012Validator(made)


def test_the_committed_schema_is_the_generated_one() -> None:
    assert (ROOT / "docs" / "pipeline.schema.json").read_text(encoding="utf-8") == schema_text()


@pytest.mark.parametrize("path", DECLARATIONS, ids=lambda path: path.parent.name)
def test_declarations_are_valid(path: Path, validator: Any) -> None:
    assert [error.message for error in validator.iter_errors(read_declaration(path).data)] == []


@pytest.mark.parametrize("path", DECLARATIONS, ids=lambda path: path.parent.name)
def test_declarations_are_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) < 120


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("metrik",), "rmse"),
        (("task",), "guess"),
        (("data", "trian"), "x.csv"),
        (("clean",), [{"fil": {}}]),
        (("clean",), [{"fill": {"columns": "a", "wiht": "median"}}]),
        (("models", "ridge"), {"rigde": {}}),
        (("split",), {"kfold": {"folds": "ten"}}),
        (("ensemble",), {"final": {"blend": {"method": "magic"}}}),
    ],
)
def test_mistakes_are_seen(where: tuple[str, ...], value: Any, validator: Any) -> None:
    declared = copy.deepcopy(read_declaration(ROOT / "competitions" / "titanic" / "pipeline.yaml").data)
    node = declared
    for key in where[:-1]:
        node = node[key]
    node[where[-1]] = value
    assert list(validator.iter_errors(declared))
