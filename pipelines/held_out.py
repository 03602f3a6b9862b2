"""Folds with rows that no other fold has seen: for judging what is learnt on out-of-fold predictions, second layers above all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pipelines.splittable import Pairs, Splittable

JUDGED = ("kfold", "stratified", "group")
"""Splitters of rows in no order, of which a part can be held out."""
_PARTS, _FOLDS = 4, 3


def with_held_out(splitter: Callable[..., Pairs], table: Splittable, params: dict[str, Any]) -> Pairs:
    """Three folds of three quarters of the rows, which leave the last quarter unused; then these against that quarter.

    Parameters
    ----------
    splitter, params
        One of ``JUDGED`` and its parameters, whose number of folds and repeats do not count.
    """
    first, second = ({name: value for name, value in params.items() if name != "repeats"} | {"folds": n} for n in (_PARTS, _FOLDS))
    *_, (rest, held) = splitter(table, **first)
    rest = np.asarray(rest, dtype=np.intp)
    inner = Splittable(table.columns.iloc[rest], table.y[rest], table.task)
    yield from ((rest[fit], rest[scored]) for fit, scored in splitter(inner, **second))
    yield rest, np.asarray(held, dtype=np.intp)
