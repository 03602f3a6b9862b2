"""The page of two runs side by side: what changed, what each model gained, and how it went fold by fold."""

from __future__ import annotations

from pathlib import Path

from pipelines.board.changes import change_blocks, gain_decimals, gain_table
from pipelines.board.places import Places
from pipelines.board.writing import write_page
from pipelines.compare import Comparison, Row, verdict
from pipelines.report.blocks import Block, Choice, Facts, Figure, Link, Section, Text, axis, ladder, ladder_height, paired
from pipelines.report.header import Header
from pipelines.report.numbers import number, p_value, signed, signed_interval
from pipelines.report.page import render
from pipelines.report.traces import guide, points, reach, standing_bars, upright

_MOST_JOINED = 60
"""Folds whose two scores are joined by a line."""

# a ring round a dot shows that both scores are the same
_RING = {"symbol": "circle-open", "size": 11, "color": "$second", "line": {"width": 2}}
_DOT = {"size": 6, "color": "$accent"}


def comparison_path(found: Comparison) -> Path:
    """``runs/<competition>/compare-<first>-<second>.html``."""
    return found.first.folder.parent.parent / f"compare-{found.first.run_id}-{found.second.run_id}.html"


def write_comparison(found: Comparison, path: Path) -> Path:
    """Write the page of a comparison; gives its path.

    Raises
    ------
    InputError
        When it cannot be written there.
    """
    return write_page(path, render(_header(found, Places(path.parent)), _sections(found)), option="--page")


def _header(found: Comparison, places: Places) -> Header:
    row, decimals = found.rows[0], gain_decimals(found)
    runs = {"first run": found.first, "second run": found.second}
    return Header(
        title=f"Did it help? {found.first.folder.parent.parent.name}",
        subtitle=f"{found.first.run_id} -> {found.second.run_id}",
        warnings=[],
        score=signed(row.gain, decimals),
        score_note=f"{found.metric} gained by '{row.name}'. {verdict(found)}",
        tiles=[
            ("first", number(row.first, decimals)),
            ("second", number(row.second, decimals)),
            ("95 % interval of the gain", signed_interval([row.low, row.high], decimals)),
            ("p", p_value(row.p_value)),
            ("folds won", f"{row.folds_won} of {found.n_folds}"),
        ],
        facts=Facts([]),
        links=[
            Link(f"report of the {name}", places.href(entry.folder / "report.html"))
            for name, entry in runs.items()
            if (entry.folder / "report.html").is_file()
        ],
    )


def _sections(found: Comparison) -> list[Section]:
    folds: dict[str, list[Block]] = {row.name: [*paired([_both_figure(row, found), _gains_figure(row)])] for row in found.rows}
    said = "Gains are per fold, turned so that positive is better; the interval and p are the corrected resampled t-test's."
    return [
        Section("changes", "What changed", change_blocks(found)),
        Section("gains", "Gains", [_gain_figure(found), gain_table(found)]),
        Section("folds", "Fold by fold", [Text(said), Choice("model", folds)]),
    ]


def _gain_figure(found: Comparison) -> Figure:
    """Each model's mean gain with its interval; the folds' gains as faint dots."""
    names, gains = [row.name for row in found.rows], [row.gain for row in found.rows]
    each = [(gain, at) for at, row in enumerate(found.rows) for gain in row.fold_gains]
    faint = points(([x for x, _ in each], [y for _, y in each]), "%{x}", color="$muted/35", size=6, name="a fold")
    ends = [row.low for row in found.rows], [row.high for row in found.rows]
    means = points((gains, [*range(len(gains))]), "%{x}", size=10, name="mean, with 95 % interval", error_x=reach(gains, ends))
    layout = {"xaxis": axis("gain, better to the right"), "yaxis": ladder(names), "shapes": [upright(0)], "showlegend": True}
    height = ladder_height(len(names), each=30, least=200)
    return Figure("Paired differences of the folds", [faint, means], layout, height=height, is_wide=True)


def _both_figure(row: Row, found: Comparison) -> Figure:
    """Both runs' scores in each fold."""
    at = [*range(len(row.folds))]
    joins = [guide(([fold, fold], [*scores])) for fold, scores in zip(at, row.folds, strict=True)] if len(at) <= _MOST_JOINED else []
    runs = [
        points((at, [scores[which] for scores in row.folds]), "fold %{x}: %{y}", name=name, marker=marker)
        for which, (name, marker) in enumerate({"first run": _RING, "second run": _DOT}.items())
    ]
    return Figure("Scores", [*joins, *runs], {"xaxis": axis("fold"), "yaxis": axis(str(found.metric)), "showlegend": True})


def _gains_figure(row: Row) -> Figure:
    """The gain in each fold."""
    bars = standing_bars(row.fold_gains, "fold %{x}: %{y}")
    return Figure("Gains", [bars], {"xaxis": axis("fold"), "yaxis": axis("gain")})
