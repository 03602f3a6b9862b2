"""What was submitted: ``runs/<competition>/submissions.jsonl``, one JSON object a line, which ``foldwise submit`` adds to."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

from pipelines.board.records import minute
from pipelines.submit.log import NAME


@dataclass(frozen=True)
class Submission:
    """One submission of a run's file."""

    run_id: str
    """Empty for a file that no run has made."""
    time: str
    """UTC, such as ``2026-01-31 12:00``."""
    message: str
    sent: bool
    public_score: float | None


def read_submissions(latest: Path) -> tuple[list[Submission], list[str]]:
    """The submissions of ``runs/<competition>`` in the order they were made, and a sentence on each line that cannot be read."""
    path = latest / NAME
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n") if path.is_file() else []
    found: list[Submission] = []
    faults: list[str] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found.append(parse(line))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            faults.append(f"Line {number} of {latest.name}/{NAME} is no submission ({type(error).__name__}: {error}).")
    return found, faults


def parse(line: str) -> Submission:
    """One line of the file.

    Raises
    ------
    ValueError, KeyError, TypeError
        When it is no JSON, or not that of a submission.
    """
    said = json.loads(line)
    score = None if said.get("public_score") is None else float(said["public_score"])
    if score is not None and not math.isfinite(score):
        raise ValueError(f"the public score is {score}")
    return Submission(
        run_id=str(said["run_id"]),
        time=minute(str(said["time"])),
        message=str(said.get("message") or ""),
        sent=bool(said.get("sent")),
        public_score=score,
    )


def public_scores(submissions: list[Submission]) -> dict[str, float]:
    """The latest public score of each run that has one."""
    return {one.run_id: one.public_score for one in submissions if one.public_score is not None}
