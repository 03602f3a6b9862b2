"""Recorded runs, fabricated from a real one, for the tests that read the board and those that open it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conftest import Tiny

Change = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Recorded:
    """A runs folder with one real run, and more made from it."""

    runs: Path
    template: Path

    @classmethod
    def of(cls, tiny: Tiny) -> Recorded:
        """The runs of a tiny competition that was run once."""
        return cls(tiny.runs, tiny.history()[0].parent)

    def add(self, run_id: str, *, shift: float = 0.0, competition: str = "tiny", facts: Change = dict, metrics: Change = dict) -> Path:
        """Record a copy of the real run with other scores, after changes to its ``run.json`` and ``metrics.json``."""
        entry = self.runs / competition / "history" / run_id
        shutil.copytree(self.template, entry)
        _edit(entry / "run.json", lambda found: found.update(run_id=run_id, competition=competition, started=_started(run_id)), facts)
        _edit(entry / "metrics.json", lambda found: _move(found, shift), lambda found: found.update(competition=competition), metrics)
        return entry

    def declare(self, entry: Path, old: str, new: str) -> None:
        """Change a run's declaration."""
        path = entry / "declaration.yaml"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def submit(self, run_id: str, score: float | None, competition: str = "tiny", message: str = "a try") -> None:
        """Add a line to the submissions."""
        said = {"run_id": run_id, "time": "2026-02-01T10:00:00+00:00", "file_sha256": "", "message": message, "sent": True}
        with (self.runs / competition / "submissions.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps({**said, "public_score": score}, ensure_ascii=False) + "\n")


def _started(run_id: str) -> str:
    day, hour = run_id.split("-")[:2]
    return f"{day[:4]}-{day[4:6]}-{day[6:]}T{hour[:2]}:{hour[2:4]}:{hour[4:]}.000000+00:00"


def _edit(path: Path, *changes: Change) -> None:
    found = json.loads(path.read_text(encoding="utf-8"))
    for change in changes:
        change(found)
    path.write_text(json.dumps(found), encoding="utf-8")


def _move(found: dict[str, Any], shift: float) -> None:
    for table in (found["final"], *found["models"].values(), *found["ensemble"].values()):
        table["score"] += shift
        table["interval"] = [end + shift for end in table["interval"]]
        table["folds"] = [score + shift * (1 + 0.1 * at) for at, score in enumerate(table["folds"])]
