"""The future canary: for dated data, all rows after a moment are replaced, and what was made of earlier rows may not change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.step import Learns
from pipelines.audit.alike import unlike
from pipelines.audit.case import Case
from pipelines.audit.clock import moments
from pipelines.audit.finding import Finding, Severity, passed
from pipelines.audit.walk import Met, walk
from pipelines.frames import Event, FoldRows, run_in_fold
from pipelines.metrics import Array
from pipelines.prepare import transformed_target
from pipelines.step_parameters import build_step

CHECK = "future canary"
_EARLIER = 0.6
"""Share of the training rows before the moment: enough on both sides, whatever the length of a window."""
_DONORS = 3
"""Later rows all become copies of so few rows that their means, ranks and counts change too, not only their order."""


def check(case: Case) -> Iterator[Finding]:
    """Look at steps that say they learn nothing or from the past; what is fitted on a whole training part looks at all of it."""
    when = moments(case)
    if when is None:
        yield passed(CHECK, "not dated: the declaration names no data.time")
        return
    moment = when.iloc[: case.tables.n_train].quantile(_EARLIER)
    later = np.flatnonzero((when > moment).to_numpy())
    if not len(later) or len(later) == len(when):
        yield passed(CHECK, f"all rows have the same {case.session.spec.data.time!r}")
        return
    findings = list(_findings(case, later))
    yield from findings or [passed(CHECK, f"{len(later)} rows after {moment} were replaced: no earlier row's features changed")]


def _findings(case: Case, later: NDArray[np.intp]) -> Iterator[Finding]:
    for met in walk(case, 0):
        if met.event.learns in (Learns.NOTHING, Learns.PAST) and (columns := _that_look_ahead(case, met, later)):
            yield Finding(
                CHECK,
                Severity.LEAK,
                met.place,
                f"columns {columns[:5]} of earlier rows change when only later rows are replaced",
                "Let a row see rows before its own moment only, in what stands in for a missing past too.",
            )


def _that_look_ahead(case: Case, met: Met, later: NDArray[np.intp]) -> list[str]:
    event, time, donor = met.event, str(case.session.spec.data.time), _donors(later, _rows(case).all)
    changed = case.other_target(np.asarray(later[later < case.tables.n_train], dtype=np.float64))
    before = _written(case, event, met.bound, case.y)
    after = _written(case, replace(event, shared=_replaced(event.shared, donor, time)), _replaced(met.bound, donor, time), changed)
    earlier = before.index[~np.isin(before.index, later)]
    return unlike(before.loc[earlier], after.loc[earlier])


def _written(case: Case, event: Event, bound: pd.DataFrame, y: Array) -> pd.DataFrame:
    """What a step writes, fitted anew where the plan fits it: in fold 0, or on all rows."""
    if event.is_per_fold:
        return run_in_fold(event, bound, _rows(case), transformed_target(case.session.spec, y))[2]
    step = build_step(event.part).resolve(event.shared)
    if event.learns == Learns.PAST:
        fitted = np.flatnonzero(~case.tables.roles["not_in_fit"])
        target = transformed_target(case.session.spec, y)
        return step.learn(event.shared.iloc[fitted], pd.Series(target(fitted), index=event.shared.index[fitted])).write(event.shared)
    return step.learn(event.shared).write(event.shared)


def _rows(case: Case) -> FoldRows:
    return FoldRows.of(case.folds, 0, len(case.tables.features))


def _donors(later: NDArray[np.intp], known: NDArray[np.intp]) -> dict[int, int]:
    """For each later row, the row whose values it takes: one of the fold, where it has any, as its columns know no others."""
    rng = np.random.default_rng(0)
    inside = np.intersect1d(later, known)
    able = inside if len(inside) else later
    few = rng.choice(able, size=min(_DONORS, len(able)), replace=False)
    return dict(zip(later.tolist(), rng.choice(few, size=len(later)).tolist(), strict=True))


def _replaced(table: pd.DataFrame, donor: dict[int, int], time: str) -> pd.DataFrame:
    """The table with other values in its later rows; their moments stay."""
    taken = table.loc[[donor.get(row, row) for row in table.index]].set_axis(table.index)
    return taken.assign(**{time: table[time]}) if time in table else taken
