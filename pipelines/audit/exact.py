"""The exact test: the target of the scored rows is changed, and no byte of what their fold fitted may change."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from features.errors import listed
from features.saving import dumps
from pipelines.audit import combined, fits
from pipelines.audit.case import Case, looks_back_once, named
from pipelines.audit.coincide import Digests, never_same
from pipelines.audit.finding import Finding, Severity, passed
from pipelines.audit.world import World

CHECK = "exact test"


def check(case: Case) -> Iterator[Finding]:
    """Steps, matrices, models and ensemble weights of one fold, with the true target and with another one on its scored rows.

    The fold before it is run first with the same targets: a step that remembers targets from one fold to the next is caught.
    """
    fold = min(1, case.folds.n_folds - 1)
    scored = case.folds.scored_rows(fold)
    changed = case.other_target(scored.astype(np.float64))
    one, two = (World.of(case, y, sorted({0, fold})) for y in (case.y, changed))
    differing = [*_steps(case, one, two, fold), *fits.compare(case, one, two, fold), *combined.compare(case, changed, fold)]
    for severity, where, seen, advice in differing:
        yield Finding(CHECK, severity, where, f"with another target on the rows that fold {fold} scores, {seen}", advice)
    if not differing:
        seen = (
            f"the target of the {len(scored)} rows scored in fold {fold} was changed: steps, matrices, models and weights kept every byte"
        )
        yield passed(CHECK, seen)
    if case.session.layers:
        yield passed(
            CHECK,
            f"layers ({listed(case.session.layers)}) were fitted on stand-ins for the predictions they stand on, the same both times. Not "
            f"tested, because it is not so: that these predictions know nothing of fold {fold}'s target. In a run, those of the other folds "
            "come from fits that saw it, since base models are not fitted again inside a layer",
        )


def _steps(case: Case, one: World, two: World, fold: int) -> Iterator[tuple[Severity, str, str, str]]:
    """What differs between the worlds in the steps and columns of the fold, whatever is due to chance left to another check."""

    def made(world: World) -> Digests:
        return {name: value for view in case.views for name, value in _digests(world, view, fold)}

    sides = (lambda number, world=world: made(world if not number else World.of(case, world.y, sorted({0, fold}))) for world in (one, two))
    apart, _ = never_same(*sides)
    for view in case.views:
        names = [name.removeprefix(f"{view}/") for name in apart if name.startswith(f"{view}/")]
        if names:
            advice = f"What learns from the target may only see y of the rows it is fitted on. Look at {names[0]}."
            yield Severity.LEAK, named(view), f"{', '.join(names[:5])} come out otherwise", advice


def _digests(world: World, view: str, fold: int) -> Iterator[tuple[str, object]]:
    """A digest of each step fitted in the fold and of each column, fold-bound ones and others, by view and name."""
    block, frames = world.blocks[view, fold], world.planned.views[view]
    for number, step in enumerate(block.steps):
        yield f"{view}/step {step.name!r} ({number})", hash(dumps(step))
    # rows after the scored ones, the test rows above all, may see labels of the scored ones in their past
    shared = frames.shared.loc[np.concatenate([block.rows.fit, block.rows.scored])] if looks_back_once(frames) else frames.shared
    for table in (shared, block.bound):
        for name in table.columns:
            yield f"{view}/column {name!r}", pd.util.hash_pandas_object(table[name], index=False).to_numpy().tobytes()
