"""How well ridge regressions on some of the columns do on rows they are not fitted on, from products that are made once."""

from __future__ import annotations

import numpy as np

from features.numbers import Numbers


class HeldOutErrors:
    """Squared errors of ridge regressions on the folds they are not fitted on, as shares of the target's own.

    Parameters
    ----------
    rows
        Standardised columns, shape (n_rows, n_columns).
    target
        Shape (n_rows, n_targets).
    folds
        Each row's fold, shape (n_rows,).
    """

    def __init__(self, rows: Numbers, target: Numbers, folds: np.ndarray) -> None:
        parts, centred = [folds == fold for fold in np.unique(folds)], target - target.mean(axis=0)
        self.grams = [rows[part].T @ rows[part] for part in parts]
        self.crosses = [rows[part].T @ centred[part] for part in parts]
        self.whole = sum(self.grams), sum(self.crosses)
        self.total = float((centred**2).sum())

    def of(self, columns: np.ndarray) -> float:
        """The error with the columns at these positions; 1 is that of the mean."""
        at, found = np.ix_(columns, columns), 0.0
        gram, cross = self.whole
        for own_gram, own_cross in zip(self.grams, self.crosses, strict=True):
            weights = solved((gram - own_gram)[at], (cross - own_cross)[columns])
            found += float((weights * (own_gram[at] @ weights - 2 * own_cross[columns])).sum())
        return 1.0 + found / self.total

    def with_one_more(self, taken: np.ndarray) -> Numbers:
        """The error with the taken columns and each of all columns in turn, of shape (n_columns,); 1 for one that is taken."""
        n = len(self.grams[0])
        return np.array([self.of(np.append(taken, column)) if column not in taken else 1.0 for column in range(n)])


def solved(gram: Numbers, cross: Numbers) -> Numbers:
    """Weights of a ridge regression with a penalty of one row: standardised columns that are equal share their weight."""
    return np.asarray(np.linalg.solve(gram + np.eye(len(gram)), cross), dtype=np.float64)
