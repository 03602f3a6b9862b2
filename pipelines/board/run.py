"""One run: its models with their folds' spread, what its ensemble weighs, and where and how long it ran."""

from __future__ import annotations

import math
from typing import Any

from pipelines.board.places import Places
from pipelines.board.records import DAMAGED, minute
from pipelines.history import Entry
from pipelines.metrics import metric_of
from pipelines.report.blends import WEIGHING, weights_figure
from pipelines.report.blocks import Block, Facts, Figure, Link, Links, Table, Text
from pipelines.report.numbers import count, decimals_of, duration, interval, number
from pipelines.report.scoreboard import dot_plot

_MOST_MODELS = 40
"""Models that are drawn and listed, the best ones."""


def run_blocks(entry: Entry, places: Places) -> list[Block]:
    """The facts, the scores and the weights of a run; what cannot be read is said instead."""
    try:
        return _run_blocks(entry, places)
    except DAMAGED as error:
        return [Text(f"Run {entry.run_id} cannot be read whole ({type(error).__name__}: {error}).")]


def _run_blocks(entry: Entry, places: Places) -> list[Block]:
    facts, found = entry.read("run.json"), entry.read("metrics.json")
    metric = metric_of(found["metric"], found.get("metric_params") or {})
    scores, final = {**found["models"], **found["ensemble"]}, found["final"]["name"]
    ranks = {name: math.inf if table["score"] is None else metric.loss_of(table["score"]) for name, table in scores.items()}
    names = sorted(scores, key=lambda name: (name != final, math.isnan(ranks[name]), ranks[name]))[:_MOST_MODELS]
    names = sorted(names, key=lambda name: (math.isnan(ranks[name]), ranks[name]))
    blocks: list[Block] = [Facts(_facts(facts, found)), dot_plot(scores, names, final, metric)]
    blocks.append(_table(scores, names, final, learnt := _learnt(entry), left_out=len(scores) - len(names)))
    blocks += _weights(entry, learnt)
    report = entry.folder / "report.html"
    return [*([Links([Link("report of this run", places.href(report))])] if report.is_file() else []), *blocks]


def _facts(facts: dict[str, Any], found: dict[str, Any]) -> list[tuple[str, str]]:
    seconds, fits = facts["seconds"], facts["fits"]
    folds = found["folds"]
    return [
        ("started", f"{minute(facts['started'])} UTC"),
        ("time", duration(math.fsum(seconds.values()))),
        *((f"time to {stage}", duration(value)) for stage, value in seconds.items()),
        ("device", f"{facts['device']}, {facts['cores']} cores, {facts['machine']}"),
        ("fold fits", f"{count(fits['made'])} made, {count(fits['from_store'])} from the store"),
        ("folds", count(folds["count"]) + (f" in {folds['repeats']} repeats" if folds["repeats"] > 1 else "")),
        ("rows", f"{count(found['rows']['train'])} train, {count(found['rows']['test'])} test"),
        ("git commit", (facts["git_commit"] or "none")[:12]),
    ]


def _learnt(entry: Entry) -> dict[str, Any]:
    path = entry.folder / "ensemble.json"
    return dict(entry.read("ensemble.json")["entries"]) if path.is_file() else {}


def _table(scores: dict[str, Any], names: list[str], final: str, learnt: dict[str, Any], *, left_out: int) -> Table:
    decimals = decimals_of(float(scores[final]["score"] or 0))
    rows = []
    for name in names:
        table = scores[name]
        kind = learnt[name]["kind"] if name in learnt else table.get("kind", "")
        seconds, columns = table.get("seconds"), table.get("columns")
        own = [
            number(table["score"], decimals),
            interval([_known(end) for end in table["interval"]], decimals),
            number(table["fold_sd"], decimals),
        ]
        rows.append([name, kind, *own, "" if seconds is None else duration(seconds), "" if columns is None else count(columns)])
    header = ["name", "kind", "score", "95 % interval", "fold sd", "fitting", "columns"]
    caption = f"The {len(names)} best; {left_out} more are in the report." if left_out else ""
    return Table(header, rows, n_text=2, marked=names.index(final), caption=caption)


def _known(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _weights(entry: Entry, learnt: dict[str, Any]) -> list[Figure]:
    serving = entry.folder / "serving.json"
    classes = [str(one) for one in entry.read("serving.json").get("classes") or []] if serving.is_file() else []
    return [weights_figure(name, one, classes) for name, one in learnt.items() if one["kind"] in WEIGHING]
