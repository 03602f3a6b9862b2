"""All runs and all submissions of a competition, as listings that the page turns, sorts and searches."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipelines.board.course import best_of
from pipelines.board.places import Places
from pipelines.board.records import Record, spelled
from pipelines.board.submissions import Submission
from pipelines.report.blocks import Cell, Listing


@dataclass(frozen=True)
class _Column:
    name: str
    cells: list[Cell]
    is_text: bool = False
    decimals: int | None = None

    @property
    def says_something(self) -> bool:
        return any(cell not in (None, "") for cell in self.cells)


def runs_listing(records: Sequence[Record], public: Mapping[str, float], places: Places) -> Listing:
    """All runs of a competition, newest first; the best of the newest run's kind stands out."""
    newest = [*reversed(records)]
    kinds = [*dict.fromkeys(record.kind for record in newest)]
    names = dict(zip(kinds, spelled(kinds), strict=True)) if len(kinds) > 1 else {}
    best = best_of([record for record in records if record.kind == kinds[0]])
    columns = [
        _Column("run", [places.report(record) for record in newest], is_text=True),
        _Column("started (UTC)", [record.when for record in newest], is_text=True),
        _Column("scored by", [names.get(record.kind, "") for record in newest], is_text=True),
        _Column("options", [record.asked for record in newest], is_text=True),
        _Column("device", [record.device for record in newest], is_text=True),
        _Column("score", [_rounded(record.score) for record in newest]),
        _Column("low", [_rounded(record.low) for record in newest]),
        _Column("high", [_rounded(record.high) for record in newest]),
        _Column("fold sd", [_rounded(record.fold_sd) for record in newest]),
        _Column("public", [public.get(record.run_id) for record in newest]),
        _Column("models", [record.n_models for record in newest], decimals=0),
        _Column("seconds", [round(record.seconds, 1) for record in newest], decimals=1),
    ]
    title = f"All {len(newest):,} runs" if len(newest) > 1 else "The only run"
    caption = "Newest first; the best run stands out. Low and high: 95 % interval. A run's name leads to its report where one was kept."
    return _listing(columns, title, caption, marked=None if best is None else newest.index(best))


def submissions_listing(submissions: Sequence[Submission], records: Sequence[Record], places: Places) -> Listing:
    """All submissions of a competition, newest first."""
    known = {record.run_id: record for record in records}
    newest = [*reversed(submissions)]
    runs = [known.get(one.run_id) for one in newest]
    columns = [
        _Column("run", [one.run_id if run is None else places.report(run) for one, run in zip(newest, runs, strict=True)], is_text=True),
        _Column("submitted (UTC)", [one.time for one in newest], is_text=True),
        _Column("message", [one.message for one in newest], is_text=True),
        _Column("sent", ["yes" if one.sent else "no" for one in newest], is_text=True),
        _Column("out-of-fold", [None if run is None else _rounded(run.score) for run in runs]),
        _Column("public", [one.public_score for one in newest]),
    ]
    return _listing(columns, f"{len(newest):,} submission{'s' if len(newest) > 1 else ''}", "")


def _listing(columns: Sequence[_Column], title: str, caption: str, marked: int | None = None) -> Listing:
    kept = [column for column in columns if column.says_something]
    return Listing(
        [column.name for column in kept],
        [[*row] for row in zip(*(column.cells for column in kept), strict=True)],
        title=title,
        caption=caption,
        n_text=sum(column.is_text for column in kept),
        decimals=[column.decimals for column in kept if not column.is_text],
        marked=marked,
    )


def _rounded(value: float) -> float | None:
    return float(f"{value:.6g}") if math.isfinite(value) else None
