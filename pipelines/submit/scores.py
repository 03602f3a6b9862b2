"""Public scores: kept in the log and with the run, told to the tracker, and set beside out-of-fold scores."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from features.errors import InputError, listed
from pipelines.store import read_json, write_json
from pipelines.submit.log import Logged, amend, append
from pipelines.submit.tracked import SCORE, send_scores
from pipelines.surroundings import Surroundings


def record(latest: Path, entry: Logged, score: float, around: Surroundings) -> Logged:
    """Note a submission's public score: in the log, in ``history/<run_id>/public_score.json``, and in the tracker."""
    changed = amend(latest, entry, public_score=score, sent=True)
    _keep(latest, changed)
    send_scores(latest, around)
    return changed


def record_by_hand(latest: Path, log: Sequence[Logged], new: Logged, score: float, around: Surroundings) -> Logged:
    """Note a score that a person gives: to the last logged submission of the same file, or to ``new``.

    Raises
    ------
    InputError
        When it is no finite number.
    """
    if not math.isfinite(score):
        raise InputError(f"--score {score}: a finite number is needed, as the leaderboard shows it.")
    entry = next((entry for entry in reversed(log) if entry.file_sha256 == new.file_sha256), None)
    if entry is None:
        entry = new
        append(latest, entry)
    return record(latest, entry, score, around)


def _keep(latest: Path, entry: Logged) -> None:
    history = latest / "history" / entry.run_id
    if entry.run_id and history.is_dir():
        facts = {"public_score": entry.public_score, "time": entry.time, "file_sha256": entry.file_sha256, "message": entry.message}
        write_json(history / SCORE, facts)


def table(latest: Path, log: Sequence[Logged]) -> Iterator[str]:
    """A line a submission, oldest first: the hour, the run, its out-of-fold score beside its public one."""
    if not log:
        raise InputError(f"No submission is logged in {latest}. Make one with foldwise submit {latest.name}.")
    yield f"{'submitted (UTC)':<16}  {'run':<22}  {'CV':>12}  {'public':>12}  {'sent':<4}  message"
    for entry in log:
        public = "" if entry.public_score is None else f"{entry.public_score:.5f}"
        own = _own(latest, entry.run_id)
        said = " ".join(entry.message.split())
        sent = "yes" if entry.sent else "no"
        when = entry.time[:16].replace("T", " ")
        yield f"{when:<16}  {entry.run_id or '(a file)':<22}  {'' if own is None else f'{own:.5f}':>12}  {public:>12}  {sent:<4}  {said}".rstrip()
    names = {read_json(path)["metric"] for path in (latest / "history" / entry.run_id / "metrics.json" for entry in log) if path.is_file()}
    yield f"CV: {listed(names) or 'unknown'} on out-of-fold predictions; public: what the leaderboard shows"


def _own(latest: Path, run_id: str) -> float | None:
    path = latest / "history" / run_id / "metrics.json"
    return float(read_json(path)["final"]["score"]) if run_id and path.is_file() else None
