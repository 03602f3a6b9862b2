"""A run after a tuning: it uses the tuned parameters, says so, scores on its own folds and reports how many trials there were."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.report.evidence import Evidence
from pipelines.report.tuning import trials_blocks, tuning_section
from tests.conftest import Said, Tiny
from tests.pipelines.reported import finished

Call = Callable[..., Said]


@pytest.fixture
def tuned(make_tiny: Callable[..., Tiny], foldwise: Call) -> Tiny:
    """A tiny regression of which one model was tuned."""
    tiny = make_tiny()
    text = "tune: {ridge: {space: {alpha: {float: [0.01, 100], log: true}, features.1.target_encode.smooth: {float: [1, 50]}}}}\n"
    tiny.declaration.write_text(tiny.declaration.read_text(encoding="utf-8") + text, encoding="utf-8")
    said = foldwise("tune", tiny.folder, "--data", tiny.folder.parent, "--runs", tiny.runs, "--trials", 9, "--no-prune")
    assert said.code == 0, said.err
    return tiny


def _run(tiny: Tiny, foldwise: Call) -> Said:
    return foldwise("run", tiny.folder, "--data", tiny.folder.parent, "--runs", tiny.runs)


def test_a_run_uses_what_was_found_and_says_so_once(tuned: Tiny, foldwise: Call) -> None:
    said = _run(tuned, foldwise)
    assert said.code == 0, said.err
    assert said.err.count("uses the tuned parameters of ridge (9 trials)") == 1
    entry = json.loads((tuned.folder / "tuned.json").read_text(encoding="utf-8"))["ridge"]
    (history,) = (tuned.latest / "history").glob("*/declaration.yaml")
    assert f"alpha: {entry['params']['alpha']}" in history.read_text(encoding="utf-8")
    metrics = json.loads((tuned.latest / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["models"]["ridge"]["trials"] == 9
    assert metrics["models"]["ridge"]["score"] != entry["score"]
    assert _run(tuned, foldwise).out.startswith("nothing to do")


def test_without_the_file_the_declared_parameters_are_back(tuned: Tiny, foldwise: Call) -> None:
    _run(tuned, foldwise)
    (tuned.folder / "tuned.json").unlink()
    said = _run(tuned, foldwise)
    assert said.code == 0 and "tuned parameters" not in said.err
    assert "trials" not in json.loads((tuned.latest / "metrics.json").read_text(encoding="utf-8"))["models"]["ridge"]


def test_a_parameter_that_the_kind_does_not_have_is_refused_by_the_files_name(tuned: Tiny, foldwise: Call) -> None:
    path = tuned.folder / "tuned.json"
    entries = json.loads(path.read_text(encoding="utf-8"))
    entries["ridge"]["params"] = {"alfa": 1.0}
    path.write_text(json.dumps(entries), encoding="utf-8")
    said = _run(tuned, foldwise)
    assert said.code == 2
    assert "tuned.json gives 'ridge' the parameter 'alfa'" in said.err


def _evidence(tiny: Tiny, out: Path) -> Evidence:
    out.mkdir()
    return finished(tiny.folder, tiny.runs, out)


def test_the_report_shows_the_search(tuned: Tiny, tmp_path: Path) -> None:
    section = tuning_section(_evidence(tuned, tmp_path / "out"))
    assert section is not None
    titles = [getattr(block, "title", "") for block in section.blocks]
    assert titles[2:] == ["History", "Importance of parameters", "Scores on the way", "Parameters of the trials"]


def test_without_the_trials_the_report_still_says_what_was_found(tuned: Tiny, tmp_path: Path) -> None:
    (tuned.latest / "tuning.json").unlink()
    section = tuning_section(_evidence(tuned, tmp_path / "out"))
    assert section is not None
    assert [type(block).__name__ for block in section.blocks] == ["Text", "Table", "Notes"]
    (tuned.folder / "tuned.json").unlink()
    assert tuning_section(_evidence(tuned, tmp_path / "other")) is None


def test_figures_of_trials_of_all_sorts() -> None:
    space = {"rate": {"float": [0.01, 0.1], "log": True}, "leaves": {"int": [3, 3]}, "how": {"choice": ["a", None]}}
    params = {"rate": 0.1, "leaves": 3, "how": "null"}
    trials = [
        {"number": 0, "state": "complete", "values": [0.5], "params": params, "steps": {"25": 0.4, "100": 0.5}, "is_declared": True},
        {"number": 1, "state": "pruned", "values": None, "params": params, "steps": {"25": 0.1}, "is_declared": False},
        {"number": 2, "state": "fail", "values": None, "params": {}, "steps": {}, "is_declared": False, "error": "x"},
        {"number": 3, "state": "complete", "values": [0.7], "params": {"rate": 0.01}, "steps": {}, "is_declared": False},
    ]
    table = {"metric": "roc_auc", "greater_is_better": True, "space": space, "importances": {"rate": 0.8, "leaves": 0.2}, "trials": trials}
    history, importance, on_the_way, coordinates = trials_blocks(table)
    assert history.data[1]["y"] == [0.5, 0.7]  # type: ignore[union-attr]
    assert "1 pruned, 1 failed" in history.caption  # type: ignore[union-attr]
    assert importance.data[0]["x"] == [0.8, 0.2]  # type: ignore[union-attr]
    assert len(on_the_way.data) == 2  # type: ignore[union-attr]
    assert [line["y"] for line in coordinates.data] == [[1.0, 0.5, 1.0, 0.0], [0.0, None, None, 1.0]]  # type: ignore[union-attr]
    assert len(trials_blocks({**table, "trials": trials[1:3], "importances": {}})) == 2
