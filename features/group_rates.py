"""The target of the other members of a row's group: families, tickets, whatever names people who share a fate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from features.columns import select
from features.crossfit import Sums, inner_folds
from features.errors import InputError
from features.keys import key_codes, learn_keys, n_groups
from features.step import Learns, Step


class GroupTargetRate(Step):
    """Mean target of the other members of a row's group: ``<name>__rate`` and ``<name>__has_rate``.

    For a training row its own target is left out, for every other row all training members count; with fewer than
    ``min_size`` others the rate is the target's mean (for a training row that of the inner folds it is not in) and the
    flag is false. Families and tickets of the Titanic are the model case. ``fit_transform`` is not ``fit`` then
    ``transform``.

    Parameters
    ----------
    by
        The columns that together name the group.
    min_size
        How many other members with a known target a rate needs.
    smooth
        Rows of the target's mean mixed into each rate.
    inner_folds
        Folds from which a training row's share of the target's mean comes.
    random_state
        Seed of the inner folds.
    """

    learns = Learns.TARGET_VALUES
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"by": "Owner"},
        {"by": ["Neighborhood", "MSSubClass"], "min_size": 2, "smooth": 3.0},
    )

    def __init__(
        self, by: str | Sequence[str], *, min_size: int = 1, smooth: float = 0.0, inner_folds: int = 5, random_state: int = 0
    ) -> None:
        self.by = by
        self.min_size = min_size
        self.smooth = smooth
        self.inner_folds = inner_folds
        self.random_state = random_state

    def check(self) -> None:
        """Check the limits."""
        super().check()
        if self.min_size < 1:
            raise InputError(f"Step 'group_target_rate' needs min_size of at least 1, found {self.min_size!r}.")

    def _selected(self, X: pd.DataFrame) -> list[str]:
        return select(X, [self.by] if isinstance(self.by, str) else self.by)

    def _learn(self, X: pd.DataFrame, y: pd.Series | None) -> None:
        assert y is not None
        self.keys_ = learn_keys(X, self.selected_)
        codes, n = key_codes(X, self.keys_), n_groups(self.keys_)
        target = y.to_numpy(dtype=np.float64)
        sums = Sums.of(np.where(codes < 0, n, codes), target, (n + 1,))
        self.count_, self.total_, self.mean_ = sums.count, sums.total, float(target.mean())

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        return self._rates(X, own=np.zeros(len(X)), counted=0, prior=np.full(len(X), self.mean_))

    def write_training(self, X: pd.DataFrame, y: pd.Series | None) -> pd.DataFrame:
        """The training rows' rates, each without the row's own target."""
        assert y is not None
        target = y.to_numpy(dtype=np.float64)
        inner = inner_folds(X.index, self.inner_folds, self.random_state)
        # the mean less the row's own target would give that target away
        priors = Sums.of(inner, target, (self.inner_folds, 1)).outside_each().overall_mean()[:, 0]
        return self._rates(X, own=target, counted=1, prior=priors[inner])

    def _rates(self, X: pd.DataFrame, *, own: np.ndarray, counted: int, prior: np.ndarray) -> pd.DataFrame:
        codes = key_codes(X, self.keys_)
        known = codes >= 0
        others = np.where(known, self.count_[codes] - counted, 0.0)
        total = np.where(known, self.total_[codes] - own, 0.0)
        has_rate = others >= self.min_size
        rate = (total + self.smooth * prior) / np.where(has_rate, others + self.smooth, 1.0)
        name = "_".join(self.selected_)
        return pd.DataFrame({f"{name}__rate": np.where(has_rate, rate, prior), f"{name}__has_rate": has_rate}, index=X.index)
