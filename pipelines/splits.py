"""Folds: which rows each fold fits on and scores, made by scikit-learn's splitters and, in order of time, by ``time_splits``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import InputError
from pipelines.held_out import with_held_out
from pipelines.splittable import AtLeastOne, AtLeastTwo, NotNegative, Pairs
from pipelines.splittable import Rows as Rows
from pipelines.splittable import Splittable as Splittable
from pipelines.time_splits import TIME_SPLITTERS

UNUSED, FIT, SCORED = 0, 1, 2


def kfold(table: Splittable, *, folds: AtLeastTwo = 5, shuffle: bool = True, seed: NotNegative = 0, repeats: AtLeastOne = 1) -> Pairs:
    """K folds of rows, shuffled or in order; each repeat shuffles anew."""
    from sklearn.model_selection import KFold

    if repeats > 1 and not shuffle:
        raise InputError("Repeats of an unshuffled k-fold are all the same. Set shuffle: true.")
    for repeat in range(repeats):
        yield from KFold(folds, shuffle=shuffle, random_state=seed + repeat if shuffle else None).split(table.y)


def stratified(
    table: Splittable, *, folds: AtLeastTwo = 5, shuffle: bool = True, seed: NotNegative = 0, repeats: AtLeastOne = 1, bins: AtLeastTwo = 10
) -> Pairs:
    """K folds with the same share of each class, or of each of ``bins`` equal-count bins of a numeric target."""
    from sklearn.model_selection import StratifiedKFold

    strata = table.y if table.task != "regression" else pd.qcut(pd.Series(table.y), bins, labels=False, duplicates="drop").to_numpy()
    smallest = int(np.unique(strata, return_counts=True)[1].min())
    if smallest < folds:
        raise InputError(f"Stratified folds need at least {folds} rows of each class, the smallest has {smallest}. Use fewer folds.")
    for repeat in range(repeats):
        splitter = StratifiedKFold(folds, shuffle=shuffle, random_state=seed + repeat if shuffle else None)
        yield from splitter.split(strata, strata)


def group(table: Splittable, *, column: str, folds: AtLeastTwo = 5, seed: NotNegative = 0, repeats: AtLeastOne = 1) -> Pairs:
    """K folds that keep all rows of a group together."""
    from sklearn.model_selection import GroupKFold

    groups = table.column(column)
    if groups.nunique() < folds:
        raise InputError(f"{folds} group folds need at least as many groups; {column!r} has {groups.nunique()}. Use fewer folds.")
    for repeat in range(repeats):
        yield from GroupKFold(folds, shuffle=True, random_state=seed + repeat).split(table.y, groups=groups)


def column(table: Splittable, *, column: str) -> Pairs:
    """Ready-made folds: one fold for each value of a column, in sorted order."""
    values = table.column(column)
    if values.nunique() < 2:
        raise InputError(f"A fold column needs at least two values; {column!r} has {values.nunique()}.")
    for value in np.sort(values.unique()):
        scored = (values == value).to_numpy()
        yield np.flatnonzero(~scored), np.flatnonzero(scored)


SPLITTERS: dict[str, Callable[..., Pairs]] = {
    **{splitter.__name__: splitter for splitter in (kfold, stratified, group, column)},
    **TIME_SPLITTERS,
}


@dataclass(frozen=True)
class Folds:
    """The status of each training row in each fold: 0 unused, 1 fit, 2 scored; int8 of shape (n_rows, n_folds)."""

    status: NDArray[np.int8]

    @property
    def n_folds(self) -> int:
        """How many folds there are, repeats counted."""
        return int(self.status.shape[1])

    def fit_rows(self, fold: int) -> Rows:
        """Positions of the rows that a fold fits on."""
        return np.flatnonzero(self.status[:, fold] == FIT)

    def scored_rows(self, fold: int) -> Rows:
        """Positions of the rows that a fold scores."""
        return np.flatnonzero(self.status[:, fold] == SCORED)

    @property
    def repeats(self) -> list[list[int]]:
        """Folds by repeat: a new repeat begins where a fold scores a row that the current repeat has scored."""
        groups: list[list[int]] = []
        seen = np.zeros(len(self.status), dtype=bool)
        for fold in range(self.n_folds):
            scored = self.status[:, fold] == SCORED
            if not groups or (seen & scored).any():
                groups.append([])
                seen = np.zeros(len(self.status), dtype=bool)
            groups[-1].append(fold)
            seen |= scored
        return groups

    def write(self, path: Path) -> None:
        """Write as parquet, one int8 column per fold."""
        pd.DataFrame(self.status, columns=[f"fold-{fold}" for fold in range(self.n_folds)]).to_parquet(path)

    @classmethod
    def read(cls, path: Path) -> Folds:
        """Read what ``write`` wrote."""
        return cls(pd.read_parquet(path).to_numpy(dtype=np.int8))


def make_folds(
    table: Splittable,
    splitter: str,
    params: dict[str, Any],
    *,
    fit_only: NDArray[np.bool_],
    not_in_fit: NDArray[np.bool_],
    not_scored: NDArray[np.bool_],
    holds_out: bool = False,
) -> Folds:
    """Folds for all rows; the masks, of shape (n_rows,), are the declared row roles.

    Parameters
    ----------
    holds_out
        Fewer folds, and a last one against rows that none of the others has seen (``with_held_out``).

    Raises
    ------
    InputError
        When the splitter cannot split these rows, or a fold would fit on or score no row, or fit on one class only.
    """
    split_rows = np.flatnonzero(~fit_only)
    inner = Splittable(table.columns.iloc[split_rows], table.y[split_rows], table.task)
    if len(split_rows) < params.get("folds", 2):
        raise InputError(f"{params.get('folds', 2)} folds need at least as many rows; there are {len(split_rows)}.")
    statuses = []
    pairs = with_held_out(SPLITTERS[splitter], inner, params) if holds_out else SPLITTERS[splitter](inner, **params)
    for fit, scored in pairs:
        status = np.zeros(len(table.y), dtype=np.int8)
        status[split_rows[fit]] = FIT
        status[split_rows[scored]] = SCORED
        status[fit_only] = FIT
        status[(status == FIT) & not_in_fit] = UNUSED
        status[(status == SCORED) & not_scored] = UNUSED
        statuses.append(status)
    folds = Folds(np.column_stack(statuses))
    _check_folds(folds, table)
    return folds


def _check_folds(folds: Folds, table: Splittable) -> None:
    n_classes = len(np.unique(table.y))
    for fold in range(folds.n_folds):
        fit, scored = folds.fit_rows(fold), folds.scored_rows(fold)
        if not len(fit) or not len(scored):
            raise InputError(
                f"Fold {fold} fits on {len(fit)} and scores {len(scored)} rows; it needs some of both. Look at 'split' and 'rows'."
            )
        present = len(np.unique(table.y[fit]))
        if table.task != "regression" and present < n_classes:
            raise InputError(
                f"Fold {fold} fits on {present} of {n_classes} classes. Use 'stratified' folds, fewer folds, or leave rare classes out."
            )
