"""``runs/<competition>/submissions.jsonl``: one JSON object a line for each submission, oldest first."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from features.errors import InputError
from pipelines.held import held
from pipelines.store import whole_file

NAME = "submissions.jsonl"


@dataclass(frozen=True)
class Logged:
    """One submission."""

    run_id: str
    """Empty for a file that no run has made."""
    time: str
    """UTC, ISO 8601."""
    file_sha256: str
    message: str
    sent: bool
    public_score: float | None = None
    ref: int | None = None
    """Its number at Kaggle."""


def read_log(latest: Path) -> list[Logged]:
    """All logged submissions of a competition; none where there is no log.

    Raises
    ------
    InputError
        When a line is damaged.
    """
    path = latest / NAME
    if not path.is_file():
        return []
    texts = path.read_text(encoding="utf-8").split("\n")
    return [_parsed(text, path, number) for number, text in enumerate(texts, 1) if text.strip()]


def append(latest: Path, entry: Logged) -> None:
    """Add a submission; the file is whole at every moment, and two processes may add at once."""
    _change(latest, lambda entries: [*entries, entry])


def amend(latest: Path, entry: Logged, **changes: Any) -> Logged:
    """Replace the last entry that is equal to ``entry`` by one with other fields; gives the new one."""
    changed = replace(entry, **changes)

    def put(entries: list[Logged]) -> list[Logged]:
        at = len(entries) - 1 - entries[::-1].index(entry)
        return [*entries[:at], changed, *entries[at + 1 :]]

    _change(latest, put)
    return changed


def _change(latest: Path, change: Callable[[list[Logged]], list[Logged]]) -> None:
    with held(latest):
        entries = change(read_log(latest))
        text = "".join(f"{json.dumps(asdict(entry), ensure_ascii=False)}\n" for entry in entries)
        with whole_file(latest / NAME) as file:
            file.write_text(text, encoding="utf-8")


def _parsed(text: str, path: Path, number: int) -> Logged:
    try:
        found = json.loads(text)
        entry = Logged(**{**found, "sent": bool(found["sent"])})
        if entry.public_score is not None and not math.isfinite(float(entry.public_score)):
            raise ValueError("the score is not finite")
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"{path}:{number} is no submission ({type(error).__name__}: {error}). Mend or delete the line.") from error
    return entry
