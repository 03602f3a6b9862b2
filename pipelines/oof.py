"""Out-of-fold predictions, and the one mechanism for all that is fitted on them.

In fold k such an object is fitted on the members' out-of-fold rows that fold k fits on, and scored on the rows of fold k;
the deployed one is fitted on all out-of-fold rows. Models are not fitted again inside (the report says so); what is itself
fitted on the out-of-fold table is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.known import Known
from pipelines.metrics import Array
from pipelines.splits import FIT, SCORED, Folds, Rows


@dataclass(frozen=True)
class Predictions:
    """Predictions of one model or ensemble.

    ``folds[k]`` are those of fold k for its scored rows, shape (n_scored,) or (n_scored, n_classes); ``test`` those for
    the test rows.
    """

    folds: list[Array]
    test: Array


class OnOof(Protocol):
    """Something fitted on out-of-fold predictions: weights, a meta-model, a calibrator, a threshold."""

    @property
    def learns(self) -> bool:
        """Whether ``fit`` learns anything; what does not (equal weights, rules) is never given rows."""

    @property
    def takes_gaps(self) -> bool:
        """Whether members may lack a prediction (NaN) for a row that another member has."""

    def fit(self, members: Array, known: Known) -> None:
        """Fit on members of shape (n_rows, n_members) or (n_rows, n_members, n_classes)."""

    def predict(self, members: Array, known: Known) -> Array:
        """Combined predictions, shape (n_rows,) or (n_rows, n_classes); the target in ``known`` is not looked at."""

    def describe(self) -> dict[str, Any]:
        """What was learnt, as plain data."""

    def restore(self, described: dict[str, Any]) -> None:
        """Take back what ``describe`` gave."""


@dataclass(frozen=True)
class Entry:
    """One thing to fit on the out-of-fold table: its name, its members (models or earlier entries), and how to make it."""

    name: str
    of: tuple[str, ...]
    make: Callable[[], OnOof]


def pooled(predictions: Predictions, folds: Folds, only: list[int] | None = None) -> Array:
    """Out-of-fold predictions of all training rows, averaged over repeats; NaN where a row was not scored."""
    shape = (len(folds.status), *predictions.folds[0].shape[1:])
    total, count = np.zeros(shape), np.zeros(len(folds.status))
    for fold in range(folds.n_folds) if only is None else only:
        rows = folds.scored_rows(fold)
        total[rows] += predictions.folds[fold]
        count[rows] += 1
    count = count.reshape(-1, *[1] * (len(shape) - 1))
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def scored_rows(folds: Folds) -> NDArray[np.intp]:
    """Rows that some fold scores."""
    return np.flatnonzero((folds.status == SCORED).any(axis=1))


def stacked(members: list[Array]) -> Array:
    """Members side by side: shape (n_rows, n_members) or (n_rows, n_members, n_classes)."""
    return np.stack(members, axis=1)


@dataclass(frozen=True)
class Fitted:
    """An entry's nested predictions, the objects that made them, and the one deployed on the test rows."""

    predictions: Predictions
    by_fold: list[OnOof]
    deployed: OnOof


def nested(entries: Sequence[Entry], models: Mapping[str, Predictions], known: Known, test: Known, folds: Folds) -> dict[str, Fitted]:
    """Fit entries on the out-of-fold table, in each fold without that fold's rows, and once on all rows for the test rows.

    An entry of fold k is fitted on rows that fold k fits on and another fold scores. Where a member is itself an entry, its
    values on those rows come from a fit without k and without the fold that scores them: no layer has seen what is scored.
    A first time window, which has no such rows, takes an entry as it is before any fit (equal weights).

    Parameters
    ----------
    models
        Predictions of the models; they are not fitted again inside.
    known, test
        What is known of the training rows and of the test rows.
    """
    done: dict[str, Fitted] = {}
    nests = [_Nest(entries, models, known, folds, repeat) for repeat in folds.repeats]
    for entry in entries:
        alone = [(nest, frozenset({fold}), fold) for nest in nests for fold in nest.repeat]
        by_fold = [nest.values(entry.name, apart, fold) for nest, apart, fold in alone]
        members = [done[name].predictions if name in done else models[name] for name in entry.of]
        deployed = _deployed(entry, members, known, folds)
        on_test = stacked([member.test for member in members])
        predicted = deployed.predict(on_test, test) if len(on_test) else members[0].test
        done[entry.name] = Fitted(Predictions(by_fold, predicted), [nest.fitted(entry.name, apart) for nest, apart, _ in alone], deployed)
    return done


def _deployed(entry: Entry, members: list[Predictions], known: Known, folds: Folds) -> OnOof:
    """The entry fitted on all rows that have predictions; as it was made where no fold could fit it (one holdout window)."""
    made = entry.make()
    judged_and_fitted = (folds.status == SCORED).any(axis=1) & (folds.status == FIT).any(axis=1)
    if made.learns and judged_and_fitted.any():
        table = stacked([pooled(member, folds) for member in members])
        _fit(made, table, np.arange(len(table)), known)
    return made


def _fit(made: OnOof, table: Array, rows: Rows, known: Known) -> None:
    """Fit on those of some rows that have predictions and may be fitted on; no rows, no fit."""
    gaps = np.asarray(np.isnan(table.reshape((*table.shape[:2], -1))).any(axis=2))
    usable = ~(gaps.all(axis=1) if made.takes_gaps else gaps.any(axis=1))
    if known.may_fit is not None:
        usable &= known.may_fit[rows]
    if usable.any():
        made.fit(table[usable], known.take(rows[usable]))


class _Nest:
    """The nested fits of one repeat, each made once."""

    def __init__(self, entries: Sequence[Entry], models: Mapping[str, Predictions], known: Known, folds: Folds, repeat: list[int]) -> None:
        self.repeat = repeat
        self._entries = {entry.name: entry for entry in entries}
        self._models, self._known, self._folds = models, known, folds
        self._scored = {fold: folds.scored_rows(fold) for fold in repeat}
        self._made: dict[tuple[str, frozenset[int]], OnOof] = {}
        self._values: dict[tuple[str, frozenset[int], int], Array] = {}

    def values(self, name: str, apart: frozenset[int], fold: int) -> Array:
        """What a member says of the rows that a fold scores, when nothing is fitted on rows of the folds ``apart``."""
        if name in self._models:
            return self._models[name].folds[fold]
        key = (name, apart, fold)
        if key not in self._values:
            members = stacked([self.values(member, apart, fold) for member in self._entries[name].of])
            self._values[key] = self.fitted(name, apart).predict(members, self._known.take(self._scored[fold]))
        return self._values[key]

    def fitted(self, name: str, apart: frozenset[int]) -> OnOof:
        """An entry fitted without the rows of some folds."""
        if (name, apart) not in self._made:
            made = self._entries[name].make()
            if made.learns:
                table, rows = self._table(self._entries[name], apart)
                if len(rows):
                    _fit(made, table, rows, self._known)
            self._made[name, apart] = made
        return self._made[name, apart]

    def _table(self, entry: Entry, apart: frozenset[int]) -> tuple[Array, Rows]:
        """Members on the rows that all folds ``apart`` fit on and another fold scores, in the order of the rows."""
        parts, places = [], []
        for fold in self.repeat:
            scored = self._scored[fold]
            here = (self._folds.status[np.ix_(scored, np.asarray([*apart]))] == FIT).all(axis=1)
            if fold not in apart and here.any():
                parts.append(stacked([self.values(member, apart | {fold}, fold) for member in entry.of])[here])
                places.append(scored[here])
        if not parts:
            return np.empty(0), np.empty(0, dtype=np.intp)
        rows = np.concatenate(places)
        order = np.argsort(rows, kind="stable")
        return np.concatenate(parts)[order], rows[order]


def write_predictions(path: Path, values: Array, ids: pd.Series, id_name: str | None, classes: list[Any]) -> None:
    """Write ``row``, the id where there is one, and ``prediction`` or one ``p_<class>`` per class; null where not scored."""
    table: dict[str, Any] = {"row": np.arange(len(values), dtype=np.int64)}
    if id_name:
        table[id_name] = ids.to_numpy()
    if values.ndim == 2:
        table |= {f"p_{name}": values[:, position] for position, name in enumerate(classes)}
    else:
        table["prediction"] = values
    frame = pd.DataFrame(table)
    frame.to_parquet(path, index=False)
