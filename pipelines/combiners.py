"""Every way to make an ensemble entry, by its name in a declaration."""

from __future__ import annotations

from collections.abc import Callable

from pipelines.ensembles import Problem, blend, stack
from pipelines.finishing import calibrate, correct, postprocess, route, threshold
from pipelines.gate import best_of
from pipelines.log_pool import log_pool
from pipelines.oof import Entry, OnOof
from pipelines.ordinal import ordinal_cuts
from pipelines.spec import Part, Spec

COMBINERS: dict[str, Callable[..., OnOof]] = {
    way.__name__: way for way in (blend, stack, log_pool, best_of, route, calibrate, threshold, ordinal_cuts, correct, postprocess)
}

DECLARED = {name: way for name, way in COMBINERS.items() if name != "postprocess"}
"""Those that stand under ``ensemble``; rules have a key of their own."""


def entry_of(name: str, part: Part, problem: Problem) -> Entry:
    """A declared entry as something to fit."""
    return Entry(name, tuple(part.params["of"]), lambda: COMBINERS[part.name](problem, **part.params))


def asked_columns(spec: Spec) -> list[str]:
    """The columns and expressions that metric, models, entries and thresholds ask for, besides features."""
    from pipelines.metrics import metric_of

    asked = [*metric_of(spec.metric.name, spec.metric.params).columns, *([spec.data.weight] if spec.data.weight else [])]
    asked += [model.keys.rows for model in spec.models.values() if model.keys.rows is not None]
    for part in (*spec.ensemble.values(), *([spec.decision] if spec.decision else [])):
        if part.name == "postprocess":
            asked += [params["where"] for name, params in part.params["rules"] if name == "force"]
        asked += [name for name in (part.params.get("by"), (part.params.get("params") or {}).get("per")) if name]
    column = group_column(spec)
    return list(dict.fromkeys([*asked, *([column] if column else [])]))


def group_column(spec: Spec) -> str | None:
    """The column whose groups the folds keep together."""
    params = spec.split.params
    return params["column"] if spec.split.name == "group" else params.get("group")
