"""How the validation really was: the splitter, every fold's rows, and what is fitted where."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipelines.metrics import Array
from pipelines.report.blocks import Block, Facts, Figure, Folded, Notes, Section, Table, axis
from pipelines.report.evidence import Evidence
from pipelines.report.numbers import count, number
from pipelines.report.traces import Trace, heat, points
from pipelines.spec import Part
from pipelines.splits import FIT, SCORED, UNUSED, Folds

BINS = 200
_NOT_AGAIN = "The base models are not nested again inside the {}: their predictions for the other folds come from fits that saw fold k."
NESTING = (
    "Models are fitted once in each fold. What combines them is fitted, for fold k, on the other folds' out-of-fold predictions, and "
    f"scored on fold k. {_NOT_AGAIN.format('ensemble')}"
)
_SCALE = [[0, "$empty"], [0.49, "$empty"], [0.491, "$fit"], [0.5, "$fit"], [1, "$accent"]]


def folds_section(evidence: Evidence) -> Section:
    """The validation design."""
    blocks: list[Block] = [Facts(_facts(evidence)), picture(evidence.folds)]
    blocks.append(Folded(f"Rows and score of each of the {evidence.folds.n_folds} folds", [_counts(evidence)]))
    blocks.append(Notes("To know when reading the scores", _notes(evidence)))
    return Section("validation", "Validation", blocks)


def _facts(evidence: Evidence) -> list[tuple[str, str]]:
    split, folds = evidence.session.spec.split, evidence.folds
    seeds = sum(evidence.session.spec.models[name].keys.seeds for name in evidence.fitted)
    return [
        ("splitter", split.name),
        *((name, str(value).lower() if isinstance(value, bool) else str(value)) for name, value in split.params.items()),
        *([] if split.params.get("folds") == folds.n_folds else [("folds in all", count(folds.n_folds))]),
        *_row_facts(folds),
        ("model fits", f"{count(seeds * folds.n_folds)} ({seeds} in each fold, seeds counted)"),
        ("ensemble entries", count(len(evidence.metrics["ensemble"]))),
    ]


def _row_facts(folds: Folds) -> list[tuple[str, str]]:
    fitted, scored = (folds.status == FIT).any(axis=1), (folds.status == SCORED).any(axis=1)
    facts = [
        ("rows scored", scored),
        ("fitted on, never scored", fitted & ~scored),
        ("scored, in no fit", scored & ~fitted),
        ("in neither", ~scored & ~fitted),
    ]
    return [(name, f"{count(rows.sum())} of {count(len(rows))}") for name, rows in facts if rows.any() or name == "rows scored"]


def picture(folds: Folds, bins: int = BINS) -> Figure:
    """The folds over the rows in file order: unused, fitted on, or the share that is scored."""
    n, n_rows = folds.n_folds, len(folds.status)
    starts = np.unique(np.linspace(0, n_rows, bins + 1).astype(int))[:-1]
    counts = {status: np.add.reduceat(folds.status == status, starts, axis=0, dtype=np.int64).T for status in (UNUSED, FIT, SCORED)}
    most = int(np.diff([*starts, n_rows]).max())
    more = f"; a cell holds up to {count(most)} rows, and the stronger its colour, the more of them are scored" if most > 1 else ""
    template = "fold %{y}, rows near %{x:.0f}<br>%{customdata[0]} fit, %{customdata[1]} scored, %{customdata[2]} unused"
    places = {"x0": n_rows / len(starts) / 2, "dx": n_rows / len(starts), "ygap": 2 if n <= 40 else 0}
    inside = np.stack([counts[status] for status in (FIT, SCORED, UNUSED)], axis=-1).tolist()
    cells = heat(_shade(counts), template, _SCALE, (0, 2), customdata=inside, **places)
    height = min(560, 96 + max(9, 24 - n // 3) * n)
    caption = f"Rows in file order, left to right{more}."
    return Figure("Folds", [cells, *_legend()], _picture_layout(folds), caption, height, is_wide=True)


def _shade(counts: dict[int, Any]) -> Array:
    """0 where unused, 1 where fitted on, above 1 by the root of the share that is scored (which shows small shares)."""
    total = counts[UNUSED] + counts[FIT] + counts[SCORED]
    plain = np.where(counts[UNUSED] > counts[FIT], 0.0, 1.0)
    return np.asarray(np.where(counts[SCORED] > 0, 1 + np.sqrt(counts[SCORED] / total), plain), dtype=np.float64)


def _picture_layout(folds: Folds) -> dict[str, Any]:
    n, n_rows = folds.n_folds, len(folds.status)
    step = max(1, -(-n // 20))
    y = axis("fold", tickvals=[*range(0, n, step)], range=[n - 0.5, -0.5], showgrid=False, zeroline=False)
    x = axis("row", range=[0, n_rows], showgrid=False, zeroline=False)
    return {"xaxis": x, "yaxis": y, "showlegend": True}


def _legend() -> list[Trace]:
    square = {"symbol": "square", "size": 11, "line": {"width": 1, "color": "$grid"}}
    names = {"scored": "$accent", "fit": "$fit", "unused": "$empty"}
    return [points(([np.nan], [np.nan]), "", name=name, marker={**square, "color": color}) for name, color in names.items()]


def _counts(evidence: Evidence) -> Table:
    folds, scores = evidence.folds, evidence.metrics["final"]["folds"]
    is_repeated = len(folds.repeats) > 1
    repeat_of = {fold: repeat for repeat, members in enumerate(folds.repeats) for fold in members}
    rows = []
    for fold in range(folds.n_folds):
        counts = [count((folds.status[:, fold] == status).sum()) for status in (FIT, SCORED, UNUSED)]
        rows.append([str(fold), *([str(repeat_of[fold])] if is_repeated else []), *counts, number(scores[fold], evidence.decimals)])
    header = ["fold", *(["repeat"] if is_repeated else []), "fit", "scored", "unused", f"{evidence.metric} of {evidence.final}"]
    return Table(header, rows, n_text=2 if is_repeated else 1)


def _notes(evidence: Evidence) -> list[str]:
    return [
        *evidence.prepared.notes,
        *_role_notes(evidence),
        *_everywhere_notes(evidence),
        *_member_notes(evidence),
        *_layer_notes(evidence),
        NESTING,
    ]


def _layer_notes(evidence: Evidence) -> list[str]:
    """What layers stand on, and how their scores come about."""
    models, layers = evidence.session.spec.models, evidence.session.layers
    said = [
        f"{name} stands on the out-of-fold predictions of {', '.join(models[name].stack_on)}"
        + ("." if models[name].view is None else f", beside the columns of view {models[name].view}.")
        for name in layers
    ]
    how = (
        "A layer is fitted, for fold k, on the rows that fold k fits on, with their out-of-fold predictions, and scored on fold k. "
        "Rows without such predictions are left out."
    )
    promised = "Out-of-fold scores of layers therefore promise more than they hold, on some tables far more."
    return [*said, f"{how} {_NOT_AGAIN.format('layer')} {promised}"] if layers else []


def _member_notes(evidence: Evidence) -> list[str]:
    """What is known of predictions made elsewhere: where they stand, and why their folds are taken for the run's."""
    members, tables = evidence.session.spec.members, evidence.metrics["models"]
    return [
        f"{name} was made elsewhere and read from {members[name].oof}: {tables[name]['agreement']}. What its fits saw cannot be checked here."
        for name in tables
        if name in members
    ]


def _role_notes(evidence: Evidence) -> list[str]:
    meanings = {
        "fit_only": "fitted on and never scored",
        "not_in_fit": "left out of every fit, and still scored",
        "not_scored": "not scored",
    }
    rules = {key: getattr(evidence.session.spec.rows, key) for key in meanings}
    return [f"Rows are {meaning} where {' or '.join(rules[key])} (rows: {key})." for key, meaning in meanings.items() if rules[key]]


def _everywhere_notes(evidence: Evidence) -> list[str]:
    """The steps that learn from train and test together, and where they stand."""
    spec = evidence.session.spec
    places: dict[str, tuple[Part, ...]] = {"clean": spec.clean, "features": spec.features}
    places |= {f"view {view}": spec.views[view] for view in evidence.plans if view in spec.views}
    found = [f"{part.name} ({place})" for place, parts in places.items() for part in parts if part.params.get("fit_on") == "all"]
    if not found:
        return ["No step is fitted on all rows (fit_on: all): what learns from rows learns inside each fold's training part."]
    return [f"Fitted once on train and test together, without the target (fit_on: all): {', '.join(found)}."]
