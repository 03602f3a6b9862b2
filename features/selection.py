"""Choosing columns: what all selecting steps share."""

from __future__ import annotations

import numpy as np
import pandas as pd

from features.classes import refuse_one_value
from features.design import by_label
from features.errors import InputError
from features.numbers import Numbers
from features.step import Step

LINEAR = ("numeric", "flags")
"""What a linear method can score."""

ANY = ("numeric", "flags", "categorical", "text", "dates")


class Selector(Step):
    """Base of the steps that drop columns by a score.

    A subclass fills ``_scores``, for rows in the order of their labels, and says how many columns stay: by ``keep`` and
    ``threshold`` among its parameters, or in ``_chosen``. The kept columns are written as they are: which they are may
    differ from fold to fold, so they belong to the fold. ``scores_`` holds every column's score.
    """

    abstract = True
    keep: int | None = None
    threshold: float | None = None

    def check(self) -> None:
        """Check the parameters as far as that needs no data."""
        super().check()
        if self.learns.needs_target:
            check_budget(self.name, self.keep, self.threshold)

    def _scores(self, X: pd.DataFrame, y: pd.Series) -> Numbers:
        """A score for every column of X, the higher the better; of shape (n_columns,)."""
        raise NotImplementedError

    def _chosen(self, scores: Numbers) -> np.ndarray:
        """The positions of the columns to keep."""
        return best(scores, self.keep, self.threshold)

    def _learn(self, X: pd.DataFrame, y: pd.Series | None) -> None:
        X, y = by_label(X, y)
        if y is not None:
            refuse_one_value(y, self.name)
        scores = np.zeros(0)
        if self.selected_:
            scores = self._scores(X[self.selected_], pd.Series(dtype="float64") if y is None else y)
        self.scores_ = dict(zip(self.selected_, scores.tolist(), strict=True))
        self.kept_ = [self.selected_[position] for position in sorted(self._chosen(scores).tolist())]

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        return X[self.kept_]

    def _dropped(self) -> list[str]:
        return [column for column in self.selected_ if column not in self.kept_]


def best(scores: Numbers, keep: int | None, threshold: float | None) -> np.ndarray:
    """Positions of the ``keep`` best scores that reach ``threshold``, the earlier of equal ones; the best one always.

    >>> best(np.array([0.1, 0.9, 0.9, 0.0]), keep=3, threshold=0.05).tolist()
    [1, 2, 0]
    """
    order = np.argsort(-scores, kind="stable")
    enough = order if threshold is None else order[scores[order] >= threshold]
    return (enough if len(enough) else order[:1])[:keep]


def check_budget(step: str, keep: int | None, threshold: float | None) -> None:
    """Raise InputError when a selecting step is told neither how many columns to keep nor how good they must be."""
    if keep is None and threshold is None:
        raise InputError(f"Step {step!r} needs 'keep: 50' (so many columns), a 'threshold' for the score, or both.")
    if keep is not None and keep < 1:
        raise InputError(f"Step {step!r} needs to keep at least 1 column, found {keep!r}.")
