"""Ways to resample that make synthetic rows between a row and its nearest neighbours of the same class.

Neighbours are searched in the training part alone. Distances are taken on the columns as the view gives them, so that the view
should hold 'scale'. Searches among all rows (borderline_smote, adasyn, smote_tomek, smote_enn) take time that grows with the
square of the rows.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from features.errors import InputError
from pipelines.resample.balance import Above0, Balance, Codes, Share
from pipelines.resample.matrix import AtLeastOne, frame_like, numbers_of, refuse_few_neighbours
from pipelines.resample.resampler import BINARY, Drawn, Resampler


def smote(*, rate: Share | None = None, ratio: Above0 | None = None, k_neighbors: AtLeastOne = 5) -> Resampler:
    """Synthetic rows on the line between a row and one of its nearest of the same class (Chawla et al., 2002); numbers without gaps.

    ``rate`` is the share of positives after; ``ratio`` the positives per negative; without either, as many rows of each class.
    """
    balance = Balance("smote", rate, ratio)

    def draw(X: pd.DataFrame, y: Codes, seed: int) -> Drawn:
        from imblearn.over_sampling import SMOTE

        counts = raised(balance, y, k_neighbors, "k_neighbors")
        return _grown(SMOTE(sampling_strategy=counts, k_neighbors=k_neighbors, random_state=seed), counts, X, y, "smote")

    return Resampler("smote", draw)


def borderline_smote(
    *,
    rate: Share | None = None,
    ratio: Above0 | None = None,
    k_neighbors: AtLeastOne = 5,
    m_neighbors: AtLeastOne = 10,
    kind: Literal["borderline-1", "borderline-2"] = "borderline-1",
) -> Resampler:
    """SMOTE from the rows that have more of the other class among their ``m_neighbors``, but not only those (Han et al., 2005).

    ``borderline-2`` also goes part of the way to neighbours of the other class.
    """
    balance = Balance("borderline_smote", rate, ratio)

    def draw(X: pd.DataFrame, y: Codes, seed: int) -> Drawn:
        from imblearn.over_sampling import BorderlineSMOTE

        counts = raised(balance, y, k_neighbors, "k_neighbors")
        _refuse_few_rows("borderline_smote", y, m_neighbors, "m_neighbors")
        sampler = BorderlineSMOTE(sampling_strategy=counts, k_neighbors=k_neighbors, m_neighbors=m_neighbors, kind=kind, random_state=seed)
        drawn = _grown(sampler, counts, X, y, "borderline_smote")
        if counts and drawn.made is None:
            raise InputError(
                f"'borderline_smote' finds no row of class {min(counts)} near the border: none has half or more, but not all, of its "
                f"{m_neighbors} neighbours in the other class. Raise 'm_neighbors', or use smote."
            )
        return drawn

    return Resampler("borderline_smote", draw, BINARY)


def adasyn(*, rate: Share | None = None, ratio: Above0 | None = None, n_neighbors: AtLeastOne = 5) -> Resampler:
    """Like SMOTE, with more rows where more neighbours are of the other class (He et al., 2008); the rate is met nearly."""
    balance = Balance("adasyn", rate, ratio)

    def draw(X: pd.DataFrame, y: Codes, seed: int) -> Drawn:
        from imblearn.over_sampling import ADASYN

        counts = raised(balance, y, n_neighbors, "n_neighbors")
        sampler = ADASYN(sampling_strategy=counts, n_neighbors=n_neighbors, random_state=seed)
        try:
            return _grown(sampler, counts, X, y, "adasyn")
        except RuntimeError as error:
            raise InputError(
                f"'adasyn' finds no row of class {min(counts)} with a neighbour of the other class among its {n_neighbors}. "
                "Raise 'n_neighbors', or use smote."
            ) from error
        except ValueError as error:
            if "No samples will be generated" not in str(error):
                raise
            raise InputError(
                f"'adasyn' spreads {sum(counts.values()) - int(np.sum(y == min(counts)))} new row(s) over so many that each gets less than half a row. "
                "Ask for a higher rate, or use smote."
            ) from error

    return Resampler("adasyn", draw, BINARY)


def smote_tomek(*, rate: Share | None = None, ratio: Above0 | None = None, k_neighbors: AtLeastOne = 5) -> Resampler:
    """SMOTE, after which pairs of rows of different classes that are each other's nearest are dropped (Batista et al., 2003)."""
    balance = Balance("smote_tomek", rate, ratio)

    def draw(X: pd.DataFrame, y: Codes, seed: int) -> Drawn:
        from imblearn.over_sampling import SMOTE
        from imblearn.under_sampling import TomekLinks

        counts = raised(balance, y, k_neighbors, "k_neighbors")
        sampler = SMOTE(sampling_strategy=counts, k_neighbors=k_neighbors, random_state=seed)
        return _grown(sampler, counts, X, y, "smote_tomek", TomekLinks(sampling_strategy="all"))

    return Resampler("smote_tomek", draw, BINARY)


def smote_enn(
    *,
    rate: Share | None = None,
    ratio: Above0 | None = None,
    k_neighbors: AtLeastOne = 5,
    n_neighbors: AtLeastOne = 3,
    kind_sel: Literal["all", "mode"] = "all",
) -> Resampler:
    """SMOTE, after which rows are dropped that do not agree with all (or ``mode``: most) of their ``n_neighbors`` (Batista et al., 2004).

    Editing takes rows of both classes, so that the rate is met only nearly.
    """
    balance = Balance("smote_enn", rate, ratio)

    def draw(X: pd.DataFrame, y: Codes, seed: int) -> Drawn:
        from imblearn.over_sampling import SMOTE
        from imblearn.under_sampling import EditedNearestNeighbours

        counts = raised(balance, y, k_neighbors, "k_neighbors")
        _refuse_few_rows("smote_enn", y, n_neighbors, "n_neighbors")
        sampler = SMOTE(sampling_strategy=counts, k_neighbors=k_neighbors, random_state=seed)
        editing = EditedNearestNeighbours(sampling_strategy="all", n_neighbors=n_neighbors, kind_sel=kind_sel)
        return _grown(sampler, counts, X, y, "smote_enn", editing)

    return Resampler("smote_enn", draw, BINARY)


def raised(balance: Balance, y: Codes, neighbours: int, parameter: str) -> dict[int, int]:
    """The classes that get rows, with their rows after; InputError when one has too few for its nearest neighbours."""
    counts = {code: count for code, count in balance.grown(y).items() if count > np.sum(y == code)}
    for code in counts:
        refuse_few_neighbours(balance.name, y, code, neighbours + 1, f"{parameter}: {neighbours}")
    return counts


def _refuse_few_rows(name: str, y: Codes, neighbours: int, parameter: str) -> None:
    if len(y) <= neighbours:
        raise InputError(f"{name!r} needs more rows than '{parameter}: {neighbours}'; the training part has {len(y)}. Lower {parameter!r}.")


def _grown(sampler: Any, counts: dict[int, int], X: pd.DataFrame, y: Codes, name: str, cleaner: Any = None) -> Drawn:
    """All rows and synthetic ones of the classes in ``counts``, less those that a cleaner drops."""
    matrix = numbers_of(X, name)
    # which of two equally near rows comes first must not hang on the number of threads
    with threadpool_limits(1):
        matrix, codes = sampler.fit_resample(matrix, y) if counts else (matrix, y)
        if cleaner is not None:
            cleaner.fit_resample(matrix, codes)
    kept = np.arange(len(matrix)) if cleaner is None else np.sort(cleaner.sample_indices_)
    made = kept[kept >= len(X)]
    if not len(made):
        return Drawn(kept)
    return Drawn(kept[kept < len(X)], frame_like(list(matrix[made].T), X), codes[made])
