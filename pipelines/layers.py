"""Layers: models that see the out-of-fold predictions of others as columns, and perhaps those of a view beside them.

In fold k a layer is fitted on the rows that fold k fits on and some fold scores, with their out-of-fold predictions, and
predicts fold k's rows with theirs. No prediction comes from a fit that saw its own row; but the models below are not
fitted again inside: their predictions of the other folds come from fits that saw fold k's target.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from features.errors import InputError, listed
from pipelines.metrics import Array
from pipelines.spec import ModelSpec
from pipelines.splits import FIT, SCORED, Folds


def stack_on_of(models: Mapping[str, ModelSpec], names: Iterable[str] | None = None) -> dict[str, list[str]]:
    """What models stand on, by model in declared order; all of them, or those of some names."""
    wanted = {*models} if names is None else {*names}
    return {name: model.stack_on for name, model in models.items() if name in wanted}


def in_turns(stack_on: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Models in their order, cut where one stands on another of the same part: those of a part can be fitted side by side.

    >>> in_turns({"a": [], "b": [], "top": ["a", "b"], "c": [], "roof": ["top"]})
    [['a', 'b'], ['top', 'c'], ['roof']]
    """
    turns: list[list[str]] = []
    for name, below in stack_on.items():
        if not turns or set(below).intersection(turns[-1]):
            turns.append([])
        turns[-1].append(name)
    return turns


def all_above(stack_on: Mapping[str, Sequence[str]], names: Collection[str]) -> list[str]:
    """The models that stand on any of some names, directly or by a layer between; ``stack_on`` is in declared order.

    >>> all_above({"a": [], "top": ["a"], "b": [], "roof": ["top", "b"]}, ["a"])
    ['top', 'roof']
    """
    reached, found = set(names), list[str]()
    for name, below in stack_on.items():
        if reached.intersection(below):
            reached.add(name)
            found.append(name)
    return found


def all_below(stack_on: Mapping[str, Sequence[str]], name: str) -> list[str]:
    """The models of ``stack_on`` that one stands on, directly or by a layer between, in their order.

    >>> all_below({"a": [], "b": [], "top": ["a", "friend"], "roof": ["top"]}, "roof")
    ['a', 'top']
    """
    needed = {name}
    for one in reversed([*stack_on]):
        if one in needed:
            needed.update(stack_on[one])
    return [one for one in stack_on if one in needed and one != name]


def usable_rows(folds: Folds) -> NDArray[np.bool_]:
    """The training rows that have out-of-fold predictions, shape (n_rows,)."""
    return np.asarray((folds.status == SCORED).any(axis=1))


def check_rows(layers: Sequence[str], folds: Folds, y: Array, task: str) -> None:
    """Whether every fold has rows with out-of-fold predictions to fit layers on; all layers share them.

    Raises
    ------
    InputError
        When a fold has fewer than two of them, or not every class among them.
    """
    has_oof = usable_rows(folds)
    for fold in range(folds.n_folds if layers else 0):
        fits = folds.status[:, fold] == FIT
        rows = np.flatnonzero(fits & has_oof)
        there, needed = len(np.unique(y[rows])), len(np.unique(y[fits]))
        if len(rows) < 2 or (task != "regression" and there < needed):
            found = f"{len(rows)} of the {int(fits.sum())} rows" + (f", with {there} of {needed} classes," if task != "regression" else "")
            raise InputError(
                f"Fold {fold} cannot fit {listed(layers)}: {found} that it fits on have out-of-fold predictions to stand on, because no fold "
                "scores the others (rows before a first time window, say). Combine these models under 'ensemble', which takes equal weights "
                "there, or use folds that score more rows."
            )
