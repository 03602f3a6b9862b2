"""SMOTE for rows that hold levels as well as numbers, and what memory it takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from features.columns import kind_of
from features.errors import InputError, listed
from pipelines.resample.balance import Above0, Balance, Codes, Share
from pipelines.resample.matrix import AtLeastOne, frame_like, numbers_of, refuse_missing
from pipelines.resample.resampler import Drawn, Resampler
from pipelines.resample.synthetic import raised

NAME = "smotenc"


def smotenc(*, rate: Share | None = None, ratio: Above0 | None = None, k_neighbors: AtLeastOne = 5) -> Resampler:
    """SMOTE that gives a synthetic row the most frequent level among its neighbours (Chawla et al., 2002); needs numbers and levels.

    Text, declared levels and flags are taken as levels and keep their types, declared levels with the whole list of them. Levels
    are spread out as columns on the way: see ``smotenc_bytes``.
    """
    balance = Balance(NAME, rate, ratio)

    def draw(X: pd.DataFrame, y: Codes, seed: int) -> Drawn:
        from imblearn.over_sampling import SMOTENC

        counts = raised(balance, y, k_neighbors, "k_neighbors")
        nominal = _nominal(X)
        if not counts:
            return Drawn(np.arange(len(y)))
        refuse_missing(X, NAME)
        factors = {name: pd.factorize(X[name]) for name in nominal}
        coded = numbers_of(X.assign(**{name: codes for name, (codes, _) in factors.items()}), NAME)
        sampler = SMOTENC(
            [X.columns.get_loc(name) for name in nominal], sampling_strategy=counts, k_neighbors=k_neighbors, random_state=seed
        )
        with threadpool_limits(1):
            matrix, codes_after = sampler.fit_resample(coded, y)
        made = matrix[len(X) :].T
        columns = [
            factors[name][1].take(values.astype(np.intp)) if name in factors else values for name, values in zip(X, made, strict=True)
        ]
        return Drawn(np.arange(len(y)), frame_like(columns, X), codes_after[len(X) :])

    def extra_bytes(X: pd.DataFrame, y: Codes) -> int:
        nominal = _nominal(X)
        growing = [(int(np.sum(y == code)), after) for code, after in raised(balance, y, k_neighbors, "k_neighbors").items()]
        if not growing:
            return 0
        size = Size(len(X), max(before for before, _ in growing), sum(after - before for before, after in growing))
        return smotenc_bytes(size, X.shape[1] - len(nominal), [X[name].nunique() for name in nominal], k_neighbors)

    return Resampler(NAME, draw, extra_bytes=extra_bytes)


@dataclass(frozen=True)
class Size:
    """Rows of the training part, rows of the class that grows (the largest such), and synthetic rows."""

    rows: int
    of_class: int
    made: int


def smotenc_bytes(size: Size, n_numbers: int, levels: Sequence[int], k_neighbors: int) -> int:
    """Memory in bytes that imbalanced-learn 0.14's SMOTENC needs at its peak, beside the columns that are there already.

    It searches neighbours by brute force, in slices of 1 GiB of distances and as much of their order. Then it holds all
    neighbours of every synthetic row at once, as dense float64 with one column for each level, and counts votes for one column
    of levels at a time. The three factors were fitted to peaks of resident memory measured for 20,000 to 200,000 rows, 7 to
    4,000 levels and 1 to 15 neighbours (0.1 to 4.1 GB); the estimate was 1.00 to 1.21 of the peak.

    Parameters
    ----------
    n_numbers
        Columns of numbers.
    levels
        How many levels each of the other columns has.
    """
    wide = n_numbers + sum(levels)
    held = 70 * (size.rows + size.made) * (n_numbers + len(levels))
    search = 2 * min(8 * size.of_class**2, 2**30)
    neighbours = 8 * wide * (size.made * k_neighbors + size.of_class)
    votes = 19 * size.made * max(levels)
    return held + max(search, neighbours + votes)


def _nominal(X: pd.DataFrame) -> list[str]:
    """The columns of levels; InputError when there are none, only such, or dates."""
    kinds = {name: kind_of(X[name]) for name in X}
    dates = [name for name, kind in kinds.items() if kind == "dates"]
    if dates:
        raise InputError(
            f"{NAME!r} takes numbers and levels; columns {listed(dates)} hold dates. Make numbers of them ('date_parts') and drop them."
        )
    nominal = [str(name) for name, kind in kinds.items() if kind != "numeric"]
    if not nominal:
        raise InputError(
            f"{NAME!r} needs columns of levels (text, categories or flags) beside numbers; all {X.shape[1]} are numbers. Use 'smote'."
        )
    if len(nominal) == X.shape[1]:
        raise InputError(
            f"{NAME!r} needs columns of numbers beside levels; all {X.shape[1]} hold levels. "
            "Put 'count_encode', 'target_encode' or 'one_hot' into the view, or use random_over."
        )
    return nominal
