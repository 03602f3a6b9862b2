"""What each model looks at: importances as shares, averaged over the folds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pipelines.report.blocks import Choice, Figure, Section, Text, axis, ladder, ladder_height
from pipelines.report.evidence import Evidence
from pipelines.report.numbers import count, share
from pipelines.report.traces import lying_bars, reach

TOP = 20


@dataclass(frozen=True)
class Importance:
    """A column's share of a model's importance: mean and standard deviation over folds, and in how many folds it was there."""

    column: str
    mean: float
    spread: float
    n_folds: int


def importances_section(evidence: Evidence) -> Section | None:
    """A chart per model that has importances, chosen by name."""
    found = {name: shares(facts) for name, facts in evidence.facts.items()}
    kinds = {name: evidence.session.spec.models[name].kind for name in found}
    figures = {name: [_figure(name, columns, kinds[name], evidence.folds.n_folds)] for name, columns in found.items() if columns}
    if not figures:
        return None
    said = "Each model's importances in its own terms (gain, impurity, absolute coefficients), as shares that sum to one in each fold."
    return Section("importances", "Importances", [Text(said), Choice("Model", dict(figures))])


def shares(facts: list[dict[str, Any]]) -> list[Importance]:
    """The importance of each column over the folds, the largest first; a column that a fold lacks counts as zero there."""
    folds = [fold for fold in facts if fold.get("importances") is not None and len(fold["importances"]) == len(fold["columns"])]
    table: dict[str, list[float]] = {}
    for fold in folds:
        values = np.abs(np.nan_to_num(np.asarray(fold["importances"], dtype=np.float64)))
        total = values.sum()
        for column, value in zip(fold["columns"], values / total if total > 0 else values, strict=True):
            table.setdefault(str(column), []).append(float(value))
    found = [_importance(column, values, len(folds)) for column, values in table.items()]
    return sorted((one for one in found if one.mean > 0), key=lambda one: -one.mean)


def _importance(column: str, values: list[float], n_folds: int) -> Importance:
    padded = np.array([*values, *[0.0] * (n_folds - len(values))])
    return Importance(column, float(padded.mean()), float(padded.std(ddof=1)) if n_folds > 1 else 0.0, len(values))


def _figure(model: str, columns: list[Importance], kind: str, n_folds: int) -> Figure:
    shown = columns[:TOP]
    means, spreads = [one.mean for one in shown], [one.spread for one in shown]
    low, high = [max(mean - spread, 0.0) for mean, spread in zip(means, spreads, strict=True)], np.add(means, spreads)
    template = f"%{{x:.2%}}, in %{{customdata}} of {n_folds} folds"
    error = reach(means, (low, high), color="$ink", thickness=1.2)
    bars = lying_bars(means, template, error_x=error, customdata=[one.n_folds for one in shown])
    rest = f" {count(len(columns) - TOP)} more columns share {share(sum(one.mean for one in columns[TOP:]))}." if len(columns) > TOP else ""
    caption = f"Mean over {n_folds} folds, with the standard deviation between folds.{rest}"
    layout = {"xaxis": axis("share of importance", tickformat="~%", rangemode="tozero"), "yaxis": ladder([one.column for one in shown])}
    return Figure(f"{model} ({kind})", [bars], layout, caption, ladder_height(len(shown)), is_wide=True)
