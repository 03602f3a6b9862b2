"""What changed from one run to the next: in the declaration, in the columns, and in the score."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Sequence

from features.errors import InputError
from pipelines.board.course import bests
from pipelines.board.records import DAMAGED, Record
from pipelines.compare import Comparison, ViewChange, compare_entries, verdict
from pipelines.report.blocks import Block, Choice, Folded, Notes, Table, Text
from pipelines.report.numbers import decimals_of, number, p_value, signed, signed_interval

GAIN_HEADER = ["", "first", "second", "gain", "95 % interval", "p", "folds won"]


def changes_blocks(records: Sequence[Record], most: int) -> list[Block]:
    """What changed in the newest runs, and what made the newest bests, at most ``most`` each."""
    newest = [*itertools.pairwise(records)][-most:]
    made = [records[at] for at in bests([record.loss for record in records])]
    steps = [*itertools.pairwise(made)][-most:]
    shown: dict[str, Sequence[Block]] = {}
    if newest:
        shown["from one run to the next"] = [_pair(*pair) for pair in reversed(newest)]
    if steps and steps != newest:
        shown["from one best to the next"] = [_pair(*pair) for pair in reversed(steps)]
    if not shown:
        return []
    said = "Newest first. Gains are positive where the later run is better; the test is the corrected resampled t-test over the folds."
    return [Choice("what changed", {name: [Text(said), *blocks] for name, blocks in shown.items()})]


def _pair(one: Record, two: Record) -> Folded:
    title = f"{two.run_id}: {two.kind.metric} {number(two.score)}"
    try:
        found = compare_entries(one.entry, two.entry)
    except DAMAGED as error:
        reason = str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
        return Folded(f"{title} after {number(one.score)}, not paired", [Text(reason)])
    row = found.rows[0]
    summary = f"{title}, gain {signed(row.gain, gain_decimals(found))} (p {p_value(row.p_value)}); {_summary(found)}"
    return Folded(summary, [Text(f"After {one.run_id}. {verdict(found)}"), *change_blocks(found), gain_table(found)])


def _summary(found: Comparison) -> str:
    changed = [*found.options, *found.changes]
    if len(changed) == 1:
        return textwrap.shorten(changed[0], 90, placeholder=" ...")
    return f"{len(changed)} changes" if changed else "the same declaration"


def change_blocks(found: Comparison) -> list[Block]:
    """What differs in two runs' options, declarations and columns."""
    lines = found.changes or ["The declarations are the same."]
    asked = [Notes("Options of the command", found.options)] if found.options else []
    return [
        *asked,
        Notes("Declaration", lines),
        Notes("Columns", _view_lines(found.features) or ["The columns are the same in every view."]),
    ]


def _view_lines(changed: Sequence[ViewChange]) -> list[str]:
    return [
        f"{one.view}: " + "; ".join(f"{sign} {', '.join(names)}" for sign, names in (("+", one.added), ("-", one.removed)) if names)
        for one in changed
    ]


def gain_decimals(found: Comparison) -> int | None:
    """The digits behind the point of scores and gains: those of the first final score."""
    return decimals_of(found.rows[0].first)


def gain_table(found: Comparison) -> Table:
    """Both scores of every model, and the paired test."""
    rows, decimals = [], gain_decimals(found)
    for row in found.rows:
        scores = [number(score, decimals) for score in (row.first, row.second)]
        test = [signed(row.gain, decimals), signed_interval([row.low, row.high], decimals), p_value(row.p_value)]
        rows.append([row.name, *scores, *test, f"{row.folds_won} of {found.n_folds}"])
    caption = "A gain is the mean over the folds, a score is pooled over rows: small differences of the two may have other signs."
    return Table(GAIN_HEADER, rows, marked=0, caption=caption)
