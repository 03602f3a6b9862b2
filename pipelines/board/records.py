"""What the board keeps of each recorded run: so little that thousands fit into memory and onto a page."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from features.errors import InputError
from pipelines.history import Entry, entries
from pipelines.metrics import Metric, metric_of
from pipelines.store import key_of

DAMAGED = (OSError, KeyError, ValueError, TypeError, AttributeError, InputError)
"""What reading a recorded run raises where its files are damaged or absent. One such run must not hide thousands: where the
board catches this, it names the run and the reason on the page."""


@dataclass(frozen=True)
class Kind:
    """What scores must have in common to stand on one axis: the metric and the rows."""

    metric: str
    data: str
    """A short hash of the files' contents."""
    sample: int | None
    rows: int

    def parts(self) -> list[str]:
        """What it consists of, for people."""
        return [self.metric, f"{self.rows:,} train rows", f"sample {self.sample:,}" if self.sample else "no sample", f"data {self.data}"]


def spelled(kinds: Sequence[Kind]) -> list[str]:
    """Different kinds of runs, named by the metric and by what sets them apart.

    >>> spelled([Kind("rmse", "a1", None, 1460), Kind("rmse", "a1", 500, 500)])
    ['rmse, 1,460 train rows, no sample', 'rmse, 500 train rows, sample 500']
    >>> spelled([Kind("rmse", "a1", None, 1460), Kind("mae", "a1", None, 1460)])
    ['rmse', 'mae']
    """
    columns = [*zip(*(kind.parts() for kind in kinds), strict=True)]
    kept = [at for at, column in enumerate(columns) if at == 0 or len({*column}) > 1]
    return [", ".join(kind.parts()[at] for at in kept) for kind in kinds]


@dataclass(frozen=True)
class Record:
    """One recorded run."""

    entry: Entry
    competition: str
    started: str
    """ISO 8601, UTC."""
    seconds: float
    device: str
    kind: Kind
    final: str
    score: float
    loss: float
    """The score turned so that smaller is better; NaN where there is none."""
    low: float
    high: float
    fold_sd: float
    n_models: int
    asked: str
    """The options that made it differ from what is declared."""
    has_report: bool

    @property
    def run_id(self) -> str:
        """Its id."""
        return self.entry.run_id

    @property
    def when(self) -> str:
        """When it started, for people."""
        return minute(self.started)


@dataclass(frozen=True)
class Unreadable:
    """A recorded run whose files cannot be read, and why."""

    entry: Entry
    reason: str


def read_records(runs: Path) -> tuple[list[Record], list[Unreadable]]:
    """All recorded runs below a runs folder, oldest first, and those that cannot be read."""
    records: list[Record] = []
    unreadable: list[Unreadable] = []
    metrics: dict[str, Metric] = {}
    for entry in entries(runs):
        try:
            records.append(_record(entry, metrics))
        except DAMAGED as error:
            unreadable.append(Unreadable(entry, f"{type(error).__name__}: {error}"))
    return records, unreadable


def _record(entry: Entry, known: dict[str, Metric]) -> Record:
    facts, found = entry.read("run.json"), entry.read("metrics.json")
    spelled = f"{found['metric']}{found.get('metric_params') or ''}"
    if spelled not in known:
        known[spelled] = metric_of(found["metric"], found.get("metric_params") or {})
    metric, final, options = known[spelled], found["final"], facts["options"]
    data, score = key_of(facts["data"]["hashes"])[:6], _number(final["score"])
    low, high = (_number(end) for end in final["interval"])
    return Record(
        entry=entry,
        competition=entry.folder.parent.parent.name,
        started=str(facts["started"]),
        seconds=math.fsum(facts["seconds"].values()),
        device=facts["device"],
        kind=Kind(str(metric), data, options["sample"], found["rows"]["train"]),
        final=final["name"],
        score=score,
        loss=metric.loss_of(score),
        low=low,
        high=high,
        fold_sd=_number(final["fold_sd"]),
        n_models=len(found["models"]),
        asked="; ".join(_asked(options)),
        has_report=(entry.folder / "report.html").is_file(),
    )


def minute(moment: str) -> str:
    """A moment of ISO 8601 to the minute.

    >>> minute("2026-01-31T12:00:59.5+00:00")
    '2026-01-31 12:00'
    """
    return moment[:16].replace("T", " ")


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _asked(options: dict[str, Any]) -> Iterator[str]:
    yield from options["settings"]
    if options["models"]:
        yield f"models {', '.join(options['models'])}"
    if options["sample"]:
        yield f"sample {options['sample']}"
