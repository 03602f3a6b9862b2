"""The target of the other members of a row's group: families, tickets, whatever names people who share a fate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from features.columns import select
from features.crossfit import Sums, inner_folds
from features.errors import InputError
from features.keys import Codes, key_codes, learn_key_codes, n_groups
from features.numbers import Numbers
from features.step import Learns, Step
from features.target import target_columns


class GroupTargetRate(Step):
    """Mean target of the other members of a row's group: ``<name>__rate`` and ``<name>__has_rate``.

    For a training row its own target is left out, for every other row all training members count; with fewer than
    ``min_size`` others the rate is the target's mean (for a training row that of the inner folds it is not in) and the
    flag is false. Families and tickets of the Titanic are the model case. A target of several classes gives a rate for
    each (``<name>__rate_<class>``). ``fit_transform`` is not ``fit`` then ``transform``.

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
        self.keys_, codes = learn_key_codes(X, self.selected_)
        # the last slot, where code -1 points, is that of rows without a group
        codes = np.where(codes < 0, n_groups(self.keys_), codes)
        targets = target_columns(y)
        sums = {label: Sums.of(codes, target, (n_groups(self.keys_) + 1,)) for label, target in targets.items()}
        self.count_ = next(iter(sums.values())).count
        self.totals_ = {label: one.total for label, one in sums.items()}
        self.means_ = {label: float(target.mean()) for label, target in targets.items()}

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        nobody = np.zeros(len(X))
        return self._rates(X, {label: (nobody, np.full(len(X), mean)) for label, mean in self.means_.items()}, counted=0)

    def write_training(self, X: pd.DataFrame, y: pd.Series | None) -> pd.DataFrame:
        """The training rows' rates, each without the row's own target."""
        assert y is not None
        inner = inner_folds(X.index, self.inner_folds, self.random_state)
        # the mean less the row's own target would give that target away
        own = {label: (target, self._priors(target, inner)[inner]) for label, target in target_columns(y).items()}
        return self._rates(X, own, counted=1)

    def _priors(self, target: Numbers, inner: Codes) -> Numbers:
        """The target's mean outside each inner fold."""
        return Sums.of(inner, target, (self.inner_folds, 1)).outside_each().overall_mean()[:, 0]

    def _rates(self, X: pd.DataFrame, own: dict[str, tuple[Numbers, Numbers]], *, counted: int) -> pd.DataFrame:
        """Rates from each target's own share in its group's total and its mean for rows without a rate."""
        codes, name = key_codes(X, self.keys_), "_".join(self.selected_)
        others = np.where(codes >= 0, self.count_[codes] - counted, 0.0)
        has_rate = others >= self.min_size
        written: dict[str, np.ndarray] = {}
        for label, (target, prior) in own.items():
            total = np.where(codes >= 0, self.totals_[label][codes] - target, 0.0)
            rate = (total + self.smooth * prior) / np.where(has_rate, others + self.smooth, 1.0)
            written["_".join([f"{name}__rate", *([label] if label else [])])] = np.where(has_rate, rate, prior)
        return pd.DataFrame({**written, f"{name}__has_rate": has_rate}, index=X.index)
