"""The board page: what is recorded below a runs folder, in one file that opens offline."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from features.errors import InputError
from pipelines.board.competition import Competition, competition_section
from pipelines.board.course import best_of
from pipelines.board.places import Places
from pipelines.board.records import Record, Unreadable, read_records
from pipelines.board.submissions import read_submissions
from pipelines.board.writing import write_page
from pipelines.report.blocks import Cell, Facts, Link, Listing, Section
from pipelines.report.header import Header
from pipelines.report.page import render

_PAIRS = 100
"""Pairs of runs whose declarations are compared, over all competitions: a declaration takes about 20 ms to read."""
_MOST_WARNINGS = 5


def board_path(runs: Path, output: Path | None) -> Path:
    """Where the board goes: ``board.html`` in the runs folder, or as asked."""
    return output or runs / "board.html"


def write_board(runs: Path, path: Path, trackers: Sequence[Link] = (), experiments: dict[str, str] | None = None) -> Path:
    """Write the board of a runs folder; gives its path.

    Parameters
    ----------
    trackers
        Links to MLflow and Optuna where they are served.
    experiments
        Addresses of the competitions' experiments in MLflow.

    Raises
    ------
    InputError
        When no run is recorded there, or the page cannot be written there.
    """
    competitions, warnings = read_competitions(runs)
    places = Places(path.parent, trackers, experiments or {})
    text = render(_header(runs, competitions, warnings, places), _sections(competitions, places))
    return write_page(path, text, option="--output")


def read_competitions(runs: Path) -> tuple[list[Competition], list[str]]:
    """The competitions below a runs folder, the one with the newest run first; and what could not be read.

    Raises
    ------
    InputError
        When there is no readable run.
    """
    records, unreadable = read_records(runs)
    warnings = _warnings(unreadable)
    if not records:
        more = f" What is there cannot be read: {warnings[0]}" if warnings else ""
        raise InputError(f"No run is recorded below {runs}.{more} Run a competition first: foldwise run NAME --runs {runs}")
    by_name: dict[str, list[Record]] = {}
    for record in sorted(records, key=lambda record: (record.started, record.run_id), reverse=True):
        by_name.setdefault(record.competition, []).append(record)
    competitions = []
    for at, (name, found) in enumerate(by_name.items()):
        submissions, faults = read_submissions(runs / name)
        warnings += faults[:_MOST_WARNINGS]
        competitions.append(Competition(name, _anchor(name, at), runs / name, found[::-1], submissions))
    return competitions, warnings


def _anchor(name: str, at: int) -> str:
    return name if re.fullmatch(r"[A-Za-z][\w-]*", name) and name != "overview" else f"competition-{at}"


def _warnings(unreadable: Sequence[Unreadable]) -> list[str]:
    said = [f"Run {one.entry.run_id} of {one.entry.folder.parent.parent.name} cannot be read ({one.reason})." for one in unreadable]
    more = [f"{len(said) - _MOST_WARNINGS} more runs cannot be read."] if len(said) > _MOST_WARNINGS else []
    return said[:_MOST_WARNINGS] + more


def _header(runs: Path, competitions: Sequence[Competition], warnings: list[str], places: Places) -> Header:
    n_runs = sum(len(one.records) for one in competitions)
    sent = sum(submission.sent for one in competitions for submission in one.submissions)
    newest = competitions[0].records[-1]
    return Header(
        title="Board",
        subtitle="Every recorded run: scores are out-of-fold",
        warnings=warnings,
        score="",
        score_note="",
        tiles=[
            ("competitions", f"{len(competitions):,}"),
            ("runs", f"{n_runs:,}"),
            ("submissions sent", f"{sent:,}"),
            ("newest run", f"{newest.when} UTC"),
        ],
        facts=Facts([]),
        links=places.trackers,
    )


def _sections(competitions: Sequence[Competition], places: Places) -> list[Section]:
    most = min(10, max(1, _PAIRS // (2 * len(competitions))))
    return [_overview(competitions), *(competition_section(one, places, most_changes=most) for one in competitions)]


def _overview(competitions: Sequence[Competition]) -> Section:
    rows: list[list[Cell]] = []
    for one in competitions:
        latest, best = one.records[-1], best_of(one.of(one.kinds[0]))
        public = [submission.public_score for submission in one.submissions if submission.public_score is not None]
        scores = [latest.score, None if best is None else best.score, public[-1] if public else None]
        rows.append([Link(one.name, f"#{one.anchor}"), latest.kind.metric, latest.when, *scores, len(one.records)])
    header = ["competition", "metric", "newest run (UTC)", "latest", "best", "latest public", "runs"]
    caption = "Best among the runs that share metric and data with the latest one."
    return Section("overview", "Overview", [Listing(header, rows, caption=caption, n_text=3, decimals=[None, None, None, 0])])
