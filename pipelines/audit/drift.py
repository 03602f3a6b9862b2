"""Adversarial validation: can a model tell train rows from test rows, and by which columns?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from features.columns import kind_of
from pipelines.audit.case import Case
from pipelines.audit.finding import Finding, Severity, passed
from pipelines.metrics import METRICS, Array

if TYPE_CHECKING:
    from pipelines.models.lightgbm import FittedLightGBM

CHECK = "train against test"
_MOST_ROWS = 8_000
_FAR = 0.7
"""Columns drawn anew from the same source stay well below; above, some columns are of another time or place."""
_RARE = 5


def check(case: Case) -> Iterator[Finding]:
    """Cross-validated AUC of a small booster that tells test rows from train rows on the raw columns."""
    if case.tables.n_test < 20:
        yield passed(CHECK, "there is no test file of 20 rows or more")
        return
    auc, driving = adversarial(case.train, case.test)
    shown = ", ".join(f"{name!r} ({share:.0%})" for name, share in driving[:5])
    if auc > _FAR:
        advice = (
            "Folds drawn at random are easier than test. Look at these columns: drop them, make them relative, or split as test is split."
        )
        yield Finding(CHECK, Severity.WARNING, "raw columns", f"a model tells them apart with AUC {auc:.3f}, by {shown}", advice)
    else:
        yield passed(CHECK, f"a model tells them apart with AUC {auc:.3f} (0.5 is chance)")


def adversarial(train: pd.DataFrame, test: pd.DataFrame) -> tuple[float, list[tuple[str, float]]]:
    """AUC of telling test from train, and the columns that drive it with their share of the gain, largest first."""
    from sklearn.model_selection import StratifiedKFold

    rng = np.random.default_rng(0)
    parts = [part.iloc[np.sort(rng.permutation(len(part))[:_MOST_ROWS])] for part in (train, test)]
    X = as_codes(pd.concat(parts, ignore_index=True))
    is_test = np.repeat([0.0, 1.0], [len(part) for part in parts])
    predicted, gains = np.zeros(len(X)), np.zeros(X.shape[1])
    for fit, scored in StratifiedKFold(3, shuffle=True, random_state=0).split(X, is_test):
        booster = _booster(X[fit], is_test[fit])
        predicted[scored] = booster.predict(pd.DataFrame(X[scored]).rename(columns=str))
        gains += np.asarray(booster.importances())
    shares = gains / max(gains.sum(), 1e-12)
    order = np.argsort(-shares)
    return METRICS["roc_auc"].score(is_test, predicted), [(str(train.columns[position]), float(shares[position])) for position in order]


def _booster(X: Array, is_test: Array) -> FittedLightGBM:
    from pipelines.models.contract import Training
    from pipelines.models.lightgbm import LightGBM

    params = {"n_estimators": 60, "num_leaves": 15, "learning_rate": 0.1, "min_data_in_leaf": 20}
    frame = pd.DataFrame(X).rename(columns=str)
    return LightGBM().fit(params, Training(frame, is_test, None, "binary", 2, 0))


def as_codes(table: pd.DataFrame) -> Array:
    """Numbers as they are, everything else by the frequency rank of its level; rare levels are one.

    A level that occurs once says in which file it is, but nothing that a competition's author could have meant.
    """
    columns = []
    for name in table.columns:
        column = table[name]
        if kind_of(column) in ("numeric", "flags"):
            columns.append(column.to_numpy(dtype=np.float64, na_value=np.nan))
        else:
            counts = column.value_counts()
            ranks = {level: rank for rank, level in enumerate(counts.index[counts >= _RARE])}
            columns.append(np.where(column.isna(), np.nan, column.map(ranks).astype("float64").fillna(-1.0)))
    return np.column_stack(columns)
