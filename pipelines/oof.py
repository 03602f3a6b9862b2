"""Out-of-fold predictions, and the one mechanism for all that is fitted on them.

In fold k such an object is fitted on the members' out-of-fold rows that fold k fits on, and scored on the rows of fold k;
the deployed one is fitted on all out-of-fold rows. The members themselves are not fitted again inside (the report says so).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.metrics import Array
from pipelines.splits import SCORED, Folds


@dataclass(frozen=True)
class Predictions:
    """Predictions of one model or ensemble.

    ``folds[k]`` are those of fold k for its scored rows, shape (n_scored,) or (n_scored, n_classes); ``test`` those for
    the test rows.
    """

    folds: list[Array]
    test: Array


class OnOof(Protocol):
    """Something fitted on out-of-fold predictions: weights, a meta-model, a calibrator."""

    def fit(self, members: Array, y: Array) -> None:
        """Fit on members of shape (n_rows, n_members) or (n_rows, n_members, n_classes)."""

    def predict(self, members: Array) -> Array:
        """Combined predictions, shape (n_rows,) or (n_rows, n_classes)."""

    def describe(self) -> dict[str, Any]:
        """What was learnt, as plain data."""


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


def nested(make: Callable[[], OnOof], members: list[Predictions], y: Array, folds: Folds) -> tuple[Predictions, OnOof]:
    """Fit something on the out-of-fold table, in each fold without that fold's rows, and once on all rows for the test rows.

    A fold fits on the rows of its own repeat that it fits on and that were scored in another fold; a first time window,
    which has none, takes the object's state before any fit (equal weights).

    Returns
    -------
    The nested predictions, and the deployed object.
    """
    by_fold: list[Array | None] = [None] * folds.n_folds
    for repeat in folds.repeats:
        table = stacked([pooled(member, folds, repeat) for member in members])
        known = ~np.isnan(table.reshape(len(table), -1)).any(axis=1)
        for fold in repeat:
            rows = np.flatnonzero(known & (folds.status[:, fold] == 1))
            fitted = make()
            if len(rows):
                fitted.fit(table[rows], y[rows])
            by_fold[fold] = fitted.predict(table[folds.scored_rows(fold)])
    deployed = make()
    table = stacked([pooled(member, folds) for member in members])
    never_left_out = (folds.status == 1).any(axis=1)
    rows = np.flatnonzero(~np.isnan(table.reshape(len(table), -1)).any(axis=1) & never_left_out)
    if len(rows):
        deployed.fit(table[rows], y[rows])
    test = deployed.predict(stacked([member.test for member in members])) if len(members[0].test) else members[0].test
    return Predictions([part for part in by_fold if part is not None], test), deployed


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
