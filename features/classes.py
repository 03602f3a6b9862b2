"""What a target is: classes or numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd

from features.errors import InputError
from features.numbers import Numbers

MOST_CLASSES = 20


def is_classes(y: pd.Series, task: str) -> bool:
    """Whether a target is classes: as ``task`` says, and for ``auto`` when it has at most 20 distinct whole values.

    >>> is_classes(pd.Series([0.0, 1.0, 1.0]), "auto"), is_classes(pd.Series([0.5, 1.0]), "auto")
    (True, False)
    """
    if task != "auto":
        return task == "classification"
    distinct = np.unique(y.to_numpy(dtype=np.float64))
    return bool(len(distinct) <= MOST_CLASSES and (np.floor(distinct) == distinct).all())


def refuse_one_value(y: pd.Series, step: str) -> None:
    """Raise InputError when the target has one value only: nothing can be told apart by it."""
    if y.nunique() < 2:
        raise InputError(
            f"Step {step!r} found one value only in the target of the {len(y)} training rows ({y.unique().tolist()!r}), and cannot "
            "tell columns apart by it. Use a split that has every class in each training part (stratified, say), or fewer folds."
        )


def indicators(y: pd.Series, are_classes: bool) -> Numbers:
    """The target as columns of floats, shape (n_rows, n): one for numbers or two classes, one a class for more."""
    values = y.to_numpy(dtype=np.float64)
    classes = np.unique(values)
    if not are_classes:
        return values.reshape(-1, 1)
    if len(classes) <= 2:
        return np.asarray(values == classes[-1], dtype=np.float64).reshape(-1, 1)
    return np.asarray(values.reshape(-1, 1) == classes, dtype=np.float64)
