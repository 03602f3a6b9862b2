"""A competition's part of the board."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipelines.board.changes import changes_blocks
from pipelines.board.course import best_of
from pipelines.board.figures import course_figure, public_figure
from pipelines.board.listings import runs_listing, submissions_listing
from pipelines.board.places import Places
from pipelines.board.records import Kind, Record, spelled
from pipelines.board.run import run_blocks
from pipelines.board.submissions import Submission, public_scores
from pipelines.report.blocks import Block, Choice, Link, Links, Section, Text, paired

_MOST_KINDS = 8


@dataclass(frozen=True)
class Competition:
    """All that is recorded of a competition: at least one run, oldest first."""

    name: str
    anchor: str
    latest: Path
    """``runs/<competition>``."""
    records: list[Record]
    submissions: list[Submission]

    @property
    def kinds(self) -> list[Kind]:
        """The kinds of its runs, that of the newest run first."""
        return [*dict.fromkeys(record.kind for record in reversed(self.records))]

    def of(self, kind: Kind) -> list[Record]:
        """Its runs of a kind, oldest first."""
        return [record for record in self.records if record.kind == kind]


def competition_section(competition: Competition, places: Places, *, most_changes: int) -> Section:
    """Everything about a competition, its newest kind of runs first."""
    kinds, blocks = competition.kinds, list[Block]()
    if competition.name in places.experiments:
        blocks.append(Links([Link("parameters, metrics and artifacts of every run in MLflow", places.experiments[competition.name])]))
    names = spelled(kinds[:_MOST_KINDS])
    shown = {name: _kind_blocks(competition, kind, places, most_changes) for name, kind in zip(names, kinds, strict=False)}
    blocks += _chosen("scored by", shown)
    if len(kinds) > _MOST_KINDS:
        blocks.append(Text(f"{len(kinds) - _MOST_KINDS} older kinds of runs (other metrics, data or samples) are in the listing only."))
    blocks.append(runs_listing(competition.records, public_scores(competition.submissions), places))
    if competition.submissions:
        blocks.append(submissions_listing(competition.submissions, competition.records, places))
    return Section(competition.anchor, competition.name, blocks)


def _chosen(label: str, shown: Mapping[str, list[Block]]) -> list[Block]:
    """Blocks to choose by name; where there is one name only, these blocks themselves."""
    return [Choice(label, shown)] if len(shown) > 1 else [block for blocks in shown.values() for block in blocks]


def _kind_blocks(competition: Competition, kind: Kind, places: Places, most_changes: int) -> list[Block]:
    records = competition.of(kind)
    made = [course_figure(records), public_figure(records, public_scores(competition.submissions))]
    figures: list[Block] = [figure for figure in made if figure is not None]
    latest, best = records[-1], best_of(records)
    shown = {f"latest: {latest.run_id}": latest}
    if best is not None and best is not latest:
        shown[f"best: {best.run_id}"] = best
    runs = {name: paired(run_blocks(record.entry, places)) for name, record in shown.items()}
    return [*paired(figures), *_chosen("run", runs), *changes_blocks(records, most_changes)]
