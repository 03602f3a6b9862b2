"""Did it help? Two runs side by side: what changed in the declaration, and a paired test over their folds."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from features.errors import InputError, listed
from pipelines.history import Entry, find_entry
from pipelines.metrics import Metric, metric_of
from pipelines.scores import paired_fold_test
from pipelines.store import read_json
from pipelines.track import flatten


@dataclass(frozen=True)
class Row:
    """One model in two runs: scores and the paired fold test of second minus first, turned so that positive is better."""

    name: str
    first: float
    second: float
    gain: float
    low: float
    high: float
    p_value: float
    folds_won: int
    folds: list[tuple[float, float]] = field(default_factory=list)
    """Both scores in each fold; NaN where a run has none."""
    fold_gains: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class ViewChange:
    """The columns that a view of the models gained and lost."""

    view: str
    added: list[str]
    removed: list[str]


@dataclass(frozen=True)
class Comparison:
    """Two runs of one competition."""

    first: Entry
    second: Entry
    metric: Metric
    changes: list[str]
    rows: list[Row]
    n_folds: int
    features: list[ViewChange] = field(default_factory=list)
    options: list[str] = field(default_factory=list)
    """What differs in the models, the sample and the device that the command lines asked for."""


def compare(first: str, second: str, runs: Path) -> Comparison:
    """Compare two runs.

    Raises
    ------
    InputError
        When a run is not found, or the two cannot be paired.
    """
    return compare_entries(find_entry(first, runs), find_entry(second, runs))


def compare_entries(one: Entry, two: Entry) -> Comparison:
    """Compare two recorded runs.

    Raises
    ------
    InputError
        When their metrics, their folds or their data are not the same: then no pairing is possible.
    """
    before, after = one.read("metrics.json"), two.read("metrics.json")
    _check_alike(one, two, before, after)
    metric = metric_of(before["metric"], before.get("metric_params", {}))
    folds_per_repeat = before["folds"]["count"] // before["folds"]["repeats"]
    tables = [{**run["models"], **run["ensemble"]} for run in (before, after)]
    finals = list(dict.fromkeys(run["final"]["name"] for run in (before, after)))
    rows = [paired_row(" -> ".join(finals), before["final"], after["final"], metric, folds_per_repeat)]
    both = [name for name in tables[0] if name in tables[1] and [name] != finals]
    rows += [paired_row(name, tables[0][name], tables[1][name], metric, folds_per_repeat) for name in both]
    changed = [*changes(one.declared(), two.declared()), *_member_changes(one, two)]
    views, asked = view_changes(columns_of(one), columns_of(two)), changes(_asked(one), _asked(two))
    return Comparison(one, two, metric, changed, rows, before["folds"]["count"], views, asked)


def _member_changes(one: Entry, two: Entry) -> list[str]:
    """The files of predictions made elsewhere that both runs read with other contents."""
    before, after = (entry.read("run.json")["data"].get("members", {}) for entry in (one, two))
    return [f"~ content of {file}" for file in before if after.get(file, before[file]) != before[file]]


def _asked(entry: Entry) -> dict[str, Any]:
    """A run's options but the settings, which its declaration holds."""
    return {name: value for name, value in entry.read("run.json")["options"].items() if name != "settings"}


def _check_alike(one: Entry, two: Entry, before: dict[str, Any], after: dict[str, Any]) -> None:
    for key in ("competition", "metric", "metric_params"):
        if before.get(key) != after.get(key):
            raise InputError(
                f"Runs {one.run_id} and {two.run_id} differ in {key}: {before.get(key)!r} and {after.get(key)!r}. Compare runs of one kind."
            )
    if before["folds"]["key"] != after["folds"]["key"] and not same_scored_rows(one, two):
        raise InputError(
            f"Runs {one.run_id} and {two.run_id} score other rows in their folds, so their folds cannot be paired. Run both with the same split and data."
        )
    hashes = [entry.read("run.json")["data"]["hashes"] for entry in (one, two)]
    other = sorted(name for name in {**hashes[0], **hashes[1]} if hashes[0].get(name) != hashes[1].get(name))
    if other:
        raise InputError(
            f"Runs {one.run_id} and {two.run_id} were made from other contents of {listed(other)}. Compare runs on the same data."
        )


def same_scored_rows(one: Entry, two: Entry) -> bool:
    """Whether both runs score the same rows in each fold; which rows they fit on may differ (that may be the question)."""
    import pandas as pd

    scored = [pd.read_parquet(entry.folder / "folds.parquet").to_numpy() == 2 for entry in (one, two)]
    return scored[0].shape == scored[1].shape and bool((scored[0] == scored[1]).all())


def paired_row(name: str, first: dict[str, Any], second: dict[str, Any], metric: Metric, folds_per_repeat: int) -> Row:
    """Two entries of ``metrics.json`` (``score`` and ``folds``), paired fold by fold; a fold that one of them lacks counts for neither."""
    losses = [[None if score is None else metric.loss_of(score) for score in table["folds"]] for table in (first, second)]
    test = paired_fold_test(*losses, folds_per_repeat=folds_per_repeat)
    gains = [math.nan if before is None or after is None else before - after for before, after in zip(*losses, strict=True)]
    scores = [(_known(one), _known(two)) for one, two in zip(first["folds"], second["folds"], strict=True)]
    won = sum(gain > 0 for gain in gains)
    return Row(name, first["score"], second["score"], test["difference"], test["low"], test["high"], test["p_value"], won, scores, gains)


def _known(score: float | None) -> float:
    return math.nan if score is None else float(score)


def columns_of(entry: Entry) -> dict[str, list[str]]:
    """The columns of each view of a run, as its plan recorded them; none where no plan was kept."""
    path = entry.folder / "plan.json"
    return {view: plan["columns"] for view, plan in read_json(path)["views"].items()} if path.is_file() else {}


def view_changes(first: dict[str, list[str]], second: dict[str, list[str]]) -> list[ViewChange]:
    """The views whose columns differ; one that is absent has no columns.

    >>> view_changes({"trees": ["a", "b"]}, {"trees": ["b", "c"], "linear": ["b"]})
    [ViewChange(view='trees', added=['c'], removed=['a']), ViewChange(view='linear', added=['b'], removed=[])]
    """
    found = []
    for view in dict.fromkeys([*first, *second]):
        one, two = first.get(view, []), second.get(view, [])
        known = set(one), set(two)
        change = ViewChange(view, [name for name in two if name not in known[0]], [name for name in one if name not in known[1]])
        found += [change] if change.added or change.removed else []
    return found


def changes(first: dict[str, Any], second: dict[str, Any]) -> list[str]:
    """What differs between two declarations, a line each."""
    one, two = dict(_leaves(first)), dict(_leaves(second))
    lines = [f"- {key}: {one[key]!r}" for key in one if key not in two]
    lines += [f"+ {key}: {two[key]!r}" for key in two if key not in one]
    return lines + [f"~ {key}: {one[key]!r} -> {two[key]!r}" for key in one if key in two and one[key] != two[key]]


def _leaves(declared: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Dotted names and values; a list of steps counts each step, by what it says rather than by its place."""
    for key, value in flatten(declared):
        if isinstance(value, list) and any(isinstance(item, dict) for item in value):
            yield from ((f"{key}: {item}", True) for item in value)
        else:
            yield key, value


def compare_lines(first: str, second: str, runs: Path) -> Iterator[str]:
    """Compare two runs and say it as text."""
    yield from lines_of(compare(first, second, runs))


def lines_of(found: Comparison) -> Iterator[str]:
    """A comparison as text."""
    yield f"first:  {found.first.run_id}"
    yield f"second: {found.second.run_id}"
    yield "what changed:" if found.changes else "the declarations are the same"
    yield from (f"  {line}" for line in found.changes)
    target = found.metric.target
    better = f"nearer {target:g}" if target is not None else "higher" if found.metric.greater_is_better else "lower"
    yield f"{found.metric.name} ({better} is better), {found.n_folds} paired folds; gain is positive where the second run is better:"
    yield f"  {'':14} {'first':>10} {'second':>10} {'gain':>10}   95 % interval            p     folds won"
    for row in found.rows:
        yield (
            f"  {row.name:14} {row.first:10.5f} {row.second:10.5f} {row.gain:+10.5f}   {row.low:+.5f} to {row.high:+.5f}   {row.p_value:6.3f}  "
            f"{row.folds_won} of {found.n_folds}"
        )
    yield verdict(found)


def verdict(found: Comparison) -> str:
    """One sentence on the final prediction."""
    row = found.rows[0]
    if row.first == row.second and row.gain == 0:
        return "The final prediction is the same."
    if row.p_value < 0.05:
        return f"The second run is {'better' if row.gain > 0 else 'worse'} than chance would explain (corrected paired t-test, p = {row.p_value:.3f})."
    return f"No difference that these folds can tell from chance (corrected paired t-test, p = {row.p_value:.3f})."
