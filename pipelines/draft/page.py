"""The page a person reads: a whole declaration with its warnings on top."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pipelines.draft.columns import Column, Role
from pipelines.draft.goal import Goal, classes_text
from pipelines.draft.partition import Partition
from pipelines.draft.sources import MISSING
from pipelines.draft.steps import Choice, Steps
from pipelines.draft.writing import comment, entry, item

_VIEWS = {
    "linear": "for models that add up or compare columns: no gaps, flags for levels, one scale",
    "scaled": "as linear, but whole numbers keep their order: for networks and for distances",
    "trees": "for trees that take numbers only: no gaps, levels as numbers",
    "native": "for boosters that take categories and gaps as they are",
}


@dataclass(frozen=True)
class Page:
    """What is written."""

    title: str
    files: list[str]
    """Train, and test where there is one."""
    id: str | None
    goal: Goal
    partition: Partition
    columns: list[Column]
    steps: Steps
    models: dict[str, dict[str, Any]]
    missing_words: list[str]
    n_rows: int
    notes: list[str]
    warnings: list[str]


def page_text(page: Page) -> str:
    """The declaration as YAML."""
    return "\n".join(_lines(page)) + "\n"


def _lines(page: Page) -> Iterator[str]:
    yield from _head(page)
    yield from _data(page)
    yield from _goal(page)
    yield from _partition(page)
    for key in ("clean", "features"):
        yield from _list(key, getattr(page.steps, key))
    yield from ("views:  # how a family of models wants its columns",)
    for name, choices in page.steps.views.items():
        yield f"  {name}:  # {_VIEWS[name]}" if choices else f"  {name}: []  # {_VIEWS[name]}"
        yield from _items(choices, 4)
    yield "models:  # different families first: an ensemble gains most from models that err in different ways"
    if page.goal.quantile is not None:
        yield f"  # each learns the {page.goal.quantile:g} quantile, because the metric asks for it; a loss declared here would be obeyed"
    for name, declared in page.models.items():
        yield from entry(name, declared, indent=2)
    yield from _ensemble(page)
    yield from _threshold(page)


def _head(page: Page) -> Iterator[str]:
    yield f"# Drafted by 'foldwise new'. Everything here may be changed; 'foldwise plan {page.title}' shows what it does."
    yield "#"
    counts = ", ".join(
        f"{sum(one.role == role for one in page.columns)} {role}" for role in Role if any(one.role == role for one in page.columns)
    )
    yield from comment(f"{page.n_rows} rows to learn from; columns: {counts}.")
    for heading, found in (("Files put right", page.notes), ("Look at this before you believe a score", page.warnings)):
        if found:
            yield "#"
            yield f"# {heading}:"
            for text in found:
                yield from comment(f"- {text}")


def _data(page: Page) -> Iterator[str]:
    yield from entry("title", page.title)
    yield "data:"
    yield from entry("train", page.files[0], indent=2)
    if len(page.files) > 1:
        yield from entry("test", page.files[1], indent=2)
    if page.id is not None:
        yield from entry("id", page.id, "different in every row: it names rows and is no feature", indent=2)
    yield from entry("target", page.goal.target, indent=2)
    if page.partition.time:
        yield from entry("time", page.partition.time, "when a row happened", indent=2)
    if page.missing_words:
        yield from entry("missing", [*MISSING, *page.missing_words], "the last ones stand among numbers here", indent=2)


def _goal(page: Page) -> Iterator[str]:
    goal = page.goal
    classes = f": {classes_text(goal)}" if goal.task != "regression" else ""
    yield from entry("task", goal.task, f"{goal.why_task}{classes}")
    yield from entry("metric", goal.declared_metric, goal.why_metric)
    if goal.task == "regression":
        yield from entry("target", {"transform": goal.transform}, goal.why_transform)


def _ensemble(page: Page) -> Iterator[str]:
    yield "ensemble:"
    is_quantile = page.goal.quantile is not None
    blend = {"blend": {"of": [*page.models], "method": "bagged_hill_climb"}}
    why = "models picked one by one for what they add to the others, with replacement"
    if page.goal.is_pooled:
        blend = {"log_pool": {"of": [*page.models]}}
        why = "probabilities multiplied: surer than a mean where models agree; weights by the log loss"
    yield from entry("blended" if is_quantile else "final", blend, why, indent=2)
    if is_quantile:
        why = "quantiles learnt from few rows lie too far inside: how far is learnt from the other folds' out-of-fold rows"
        yield from entry("final", {"stack": {"of": ["blended"]}}, why, indent=2)


def _threshold(page: Page) -> Iterator[str]:
    if page.goal.threshold is not None:
        ordered = "the most probable class is seldom its best decision: classes are taken in their order"
        why = ordered if page.goal.task == "multiclass" else "0.5 is seldom its best cut"
        yield from entry("threshold", page.goal.threshold, f"{page.goal.metric} judges classes, and {why}")


def _partition(page: Page) -> Iterator[str]:
    partition = page.partition
    yield from entry("split", {partition.splitter: partition.params}, partition.why)
    if partition.fit_only:
        expressions = [_equals(page.goal.target, level) for level in partition.fit_only]
        yield from entry("rows", {"fit_only": expressions}, "classes with too few rows to be in every fold: fitted on, not scored")
    if partition.follows_time:
        yield from entry("refit", "all", "rows to predict are later still: a last fit sees all rows, the newest too")


def _equals(target: str, level: object) -> str:
    value = repr(str(level)) if isinstance(level, str) else repr(level)
    return f"`{target}` == {value}"


def _list(key: str, choices: list[Choice]) -> Iterator[str]:
    if not choices:
        return
    yield f"{key}:"
    yield from _items(choices, 2)


def _items(choices: list[Choice], indent: int) -> Iterator[str]:
    """Steps; a reason is given once for those that follow each other with the same one."""
    before = ""
    for choice in choices:
        yield from item(Choice(choice.step, "" if choice.why == before else choice.why), indent=indent)
        before = choice.why
