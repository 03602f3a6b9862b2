"""Ways to resample that keep, drop or copy real rows."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from pydantic import Field
from threadpoolctl import threadpool_limits

from features.errors import InputError
from pipelines.resample.balance import Above0, Balance, Codes, Share
from pipelines.resample.matrix import AtLeastOne, numbers_of, refuse_few_neighbours
from pipelines.resample.resampler import BINARY, Drawn, Resampler
from pipelines.splits import Rows

KeptShare = Annotated[float, Field(gt=0, le=1)]


def none() -> Resampler:
    """Rows as they are."""
    return Resampler("none", lambda X, y, seed: Drawn(np.arange(len(y))))


def random_over(*, rate: Share | None = None, ratio: Above0 | None = None) -> Resampler:
    """Copies of rows of the rarer classes, drawn at random, behind all rows as they are; any types and missing values.

    ``rate`` is the share of positives after; ``ratio`` the positives per negative; without either, as many rows of each class.
    """
    balance = Balance("random_over", rate, ratio)

    def draw(X: pd.DataFrame, y: Codes, seed: int) -> Drawn:
        from imblearn.over_sampling import RandomOverSampler

        return Drawn(_chosen(RandomOverSampler(sampling_strategy=balance.grown(y), random_state=seed), _positions(y), y))

    return Resampler("random_over", draw)


def random_under(*, rate: Share | None = None, ratio: Above0 | None = None) -> Resampler:
    """Rows of the more frequent classes dropped at random, the others in their order; any types and missing values.

    ``rate`` is the share of positives after; ``ratio`` the positives per negative; without either, as many rows of each class.
    """
    return Resampler("random_under", _dropping(Balance("random_under", rate, ratio).shrunk))


def negative_sample(*, share: KeptShare = 0.1) -> Resampler:
    """All positives and a ``share`` of the negatives, drawn at random: negatives of a smaller share are among those of a larger.

    As in click prediction with very many negatives (He et al., 2014).
    """

    def counts(y: Codes) -> dict[int, int]:
        negatives, positives = np.bincount(y, minlength=2)[:2]
        kept = round(negatives * share)
        if not (positives and kept):
            raise InputError(
                f"'negative_sample' would keep {positives} positives and {kept} of {negatives} negatives; it needs some of both. "
                "Raise 'share', or use 'stratified' or fewer folds."
            )
        return {0: kept, 1: int(positives)}

    return Resampler("negative_sample", _dropping(counts), BINARY)


def near_miss(
    *,
    rate: Share | None = None,
    ratio: Above0 | None = None,
    version: Literal[1, 2, 3] = 1,
    n_neighbors: AtLeastOne = 3,
    n_neighbors_ver3: AtLeastOne = 3,
) -> Resampler:
    """Only the rows of the more frequent class that are nearest to the rarer one (Mani and Zhang, 2003); numbers without gaps.

    Distances are taken on the columns as they are: put 'scale' into the view. ``version`` 2 holds a distance for every pair of
    rows of different classes.
    """
    balance = Balance("near_miss", rate, ratio)

    def draw(X: pd.DataFrame, y: Codes, seed: int) -> Drawn:
        from imblearn.under_sampling import NearMiss

        counts = _lowered(balance.shrunk(y), y)
        if not counts:
            return Drawn(np.arange(len(y)))
        (common,) = counts
        refuse_few_neighbours("near_miss", y, 1 - common, n_neighbors, f"n_neighbors: {n_neighbors}")
        refuse_few_neighbours("near_miss", y, common, n_neighbors_ver3, f"n_neighbors_ver3: {n_neighbors_ver3}")
        sampler = NearMiss(sampling_strategy=counts, version=version, n_neighbors=n_neighbors, n_neighbors_ver3=n_neighbors_ver3)
        with warnings.catch_warnings():
            # version 3 may find fewer rows than asked for, which is refused below
            warnings.filterwarnings("ignore", "The number of the samples to be selected is larger", UserWarning)
            kept = np.sort(_chosen(sampler, numbers_of(X, "near_miss"), y))
        if np.sum(y[kept] == common) < counts[common]:
            raise InputError(
                f"'near_miss' version 3 finds {np.sum(y[kept] == common)} rows of class {common} near those of class {1 - common}, and "
                f"{counts[common]} are asked for. Raise 'n_neighbors_ver3' or the rate."
            )
        return Drawn(kept)

    def distances(X: pd.DataFrame, y: Codes) -> int:
        return 16 * int(np.prod(np.bincount(y, minlength=2))) if version == 2 else 0

    return Resampler("near_miss", draw, BINARY, distances)


def _dropping(counts: Callable[[Codes], dict[int, int]]) -> Callable[[pd.DataFrame, Codes, int], Drawn]:
    def draw(X: pd.DataFrame, y: Codes, seed: int) -> Drawn:
        from imblearn.under_sampling import RandomUnderSampler

        sampler = RandomUnderSampler(sampling_strategy=_lowered(counts(y), y), random_state=seed)
        return Drawn(np.sort(_chosen(sampler, _positions(y), y)))

    return draw


def _lowered(counts: dict[int, int], y: Codes) -> dict[int, int]:
    """The classes that lose rows."""
    return {code: count for code, count in counts.items() if count < np.sum(y == code)}


def _positions(y: Codes) -> Rows:
    return np.arange(len(y)).reshape(-1, 1)


def _chosen(sampler: Any, values: Any, y: Codes) -> Rows:
    with threadpool_limits(1):
        sampler.fit_resample(values, y)
    return np.asarray(sampler.sample_indices_, dtype=np.intp)
