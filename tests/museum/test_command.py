"""``foldwise audit``: exit codes, what it says, and the files it writes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipelines.cli import main

from . import columns, own_steps, rows, training

Audit = Callable[..., "Said"]


@dataclass(frozen=True)
class Said:
    """What the command gave back."""

    code: int
    out: str
    err: str


@pytest.fixture
def audit(alone: None, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Audit:
    """Calls ``foldwise audit`` as a shell does, in the test's folder."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: Any) -> Said:
        with pytest.raises(SystemExit) as left:
            main(["audit", *(str(argument) for argument in arguments)])
        return Said(int(left.value.code or 0), *capsys.readouterr())

    return call


@pytest.fixture(autouse=True)
def own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Own steps of one case are not there in the next."""
    monkeypatch.setattr("features.registry._own", {})


@pytest.mark.parametrize("exhibit", [room.PLANTED[0] for room in (own_steps, columns, rows, training)], ids=lambda exhibit: exhibit.name)
def test_a_leak_ends_with_code_3(exhibit: Any, audit: Audit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if exhibit.patch:
        exhibit.patch(monkeypatch)
    said = audit(exhibit.hang(tmp_path / "case"))
    assert said.code == 3
    assert "LEAK" in said.err
    assert "page: runs/case/audit.html" in said.out
    findings = json.loads((tmp_path / "runs" / "case" / "audit.json").read_text())["findings"]
    assert [finding for finding in findings if finding["severity"] == "leak" and finding["where"] and finding["advice"]]


def test_no_leak_ends_with_code_0_and_writes_the_findings(audit: Audit, tmp_path: Path) -> None:
    said = audit(columns.CLEAN[0].hang(tmp_path / "case"))
    assert (said.code, "LEAK" in said.err) == (0, False), said.err
    found = json.loads((tmp_path / "runs" / "case" / "audit.json").read_text())
    assert found["competition"] == "case"
    assert {finding["severity"] for finding in found["findings"]} <= {"passed", "warning"}
    page = (tmp_path / "runs" / "case" / "audit.html").read_text()
    assert "No leak" in page
    assert "exact test" in page


@pytest.mark.parametrize(
    ("competition", "models"),
    [
        ("titanic", "logistic"),
        ("house_prices", "ridge"),
        pytest.param("titanic", "", marks=pytest.mark.slow),
        pytest.param("house_prices", "", marks=pytest.mark.slow),
    ],
)
def test_the_competitions_of_the_house_have_no_leak(competition: str, models: str, audit: Audit, tmp_path: Path) -> None:
    said = audit(competition, "--sample", 300, "--models", models)
    assert said.code == 0, said.err
    assert (tmp_path / "runs" / competition / "audit.json").is_file()
    assert (tmp_path / "runs" / competition / "audit.html").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("no_such_competition",), "No competition 'no_such_competition'"),
        (("titanic", "--models", "nobody"), "--models names 'nobody'"),
        (("titanic", "--sample", 0), "--sample needs at least 1 row, found 0"),
        (("titanic", "--set", "split.stratified.folds=1"), "split.stratified.folds"),
        (("titanic", "--set", "data.time=Day"), "Day"),
    ],
)
def test_wrong_input_ends_with_code_2(arguments: tuple[Any, ...], message: str, audit: Audit) -> None:
    said = audit(*arguments)
    assert said.code == 2, said.err
    assert message in said.err
