"""A competition's ``steps.py``: its steps are registered by name, and the suite that every step must pass runs on them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from features.registry import steps
from pipelines.competition import Competition

from ..contracts import test_steps as suite
from ..contracts.conftest import table, target  # noqa: F401 - the fixtures that the suite's tests ask for
from .exhibit import PRELUDE, opened
from .own_steps import CLEAN

GOOD = '''
from features.columns import Selection

@register
class FromMedian(Step):
    """How far a number is from the middle of the training part: ``<column>__from_median``.

    Parameters
    ----------
    columns
        The columns to compare.
    """

    learns = Learns.ROWS
    accepts = ("numeric",)
    examples = ({"columns": ["LotArea", "LotFrontage"]},)

    def __init__(self, columns: Selection = "numeric") -> None:
        self.columns = columns

    def _learn(self, X, y):
        self.medians_ = {column: float(X[column].median()) for column in self.selected_}

    def _write(self, X):
        return pd.DataFrame({f"{c}__from_median": X[c].astype("float64") - m for c, m in self.medians_.items()}, index=X.index)
'''
BAD = GOOD.replace("X[c].astype", "X[c].rank().astype")
TESTS = [
    test
    for name, test in vars(suite).items()
    if name.startswith("test_") and getattr(test, "pytestmark", None) in ([suite.every_case.mark], [suite.every_step.mark])
]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], type]:
    """Writes and loads a competition's steps; gives the step."""
    monkeypatch.setattr("features.registry._own", {})

    def write(source: str) -> type:
        (tmp_path / "steps.py").write_text(PRELUDE + source, encoding="utf-8")
        Competition("own", tmp_path).load_own_steps()
        return steps()["from_median"]

    return write


def given(test: Callable[..., None], cls: Any, request: pytest.FixtureRequest) -> dict[str, Any]:
    """The arguments a test of the suite asks for."""
    known = {"cls": cls, "example": dict(cls.examples[0])}
    return {name: known[name] if name in known else request.getfixturevalue(name) for name in inspect.signature(test).parameters}


@pytest.mark.parametrize("test", TESTS, ids=lambda test: test.__name__)
def test_the_suite_runs_on_an_own_step(test: Callable[..., None], load: Callable[[str], type], request: pytest.FixtureRequest) -> None:
    test(**given(test, load(GOOD), request))


def test_the_suite_refuses_an_own_step_that_looks_at_its_batch(load: Callable[[str], type], request: pytest.FixtureRequest) -> None:
    cls = load(BAD)
    with pytest.raises(AssertionError):
        suite.test_one_row_is_its_row_of_the_batch(**given(suite.test_one_row_is_its_row_of_the_batch, cls, request))


def test_a_declaration_names_an_own_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("features.registry._own", {})
    session = opened(CLEAN[0].hang(tmp_path / "case"))
    assert [part.name for part in session.spec.features] == ["my_center"]
    assert steps()["my_center"].__module__ == "foldwise_own_case_steps"
