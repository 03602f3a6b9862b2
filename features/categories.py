"""Categories: grouping rare levels and counting them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from features.columns import Selection
from features.design import refuse_too_few
from features.errors import InputError
from features.expressions import as_text
from features.keys import key_codes, learn_key_codes, levels_of, n_groups
from features.step import Learns, Step, missing_safe_codes


class RareGroup(Step):
    """Put the rare levels of a category, in place, into one level.

    A level that the training rows do not have is rare as well; missing stays missing. The result is text.

    Parameters
    ----------
    columns
        The columns to group.
    min_count
        How many training rows a level needs to stay.
    min_share
        Which share of the training rows, 0 to 1, a level needs to stay. With both limits a level needs both.
    into
        The level that the rare ones become.

    Examples
    --------
    >>> X = pd.DataFrame({"street": ["Pave", "Pave", "Grvl"]})
    >>> RareGroup("street", min_count=2).fit_transform(X)["street"].tolist()
    ['Pave', 'Pave', 'rare']
    """

    learns = Learns.ROWS
    accepts = ("categorical", "text")
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = ({"min_count": 5}, {"min_share": 0.1, "into": "other"})

    def __init__(
        self, columns: Selection = "categorical", *, min_count: int | None = None, min_share: float | None = None, into: str = "rare"
    ) -> None:
        self.columns = columns
        self.min_count = min_count
        self.min_share = min_share
        self.into = into

    def check(self) -> None:
        """Check the limits."""
        super().check()
        if self.min_count is None and self.min_share is None:
            raise InputError("Step 'rare_group' needs a limit: 'min_count: 10' (training rows) or 'min_share: 0.01' of them.")
        if self.min_share is not None and not 0 <= self.min_share <= 1:
            raise InputError(f"Step 'rare_group' needs a min_share from 0 to 1, found {self.min_share!r}.")

    def _learn(self, X: pd.DataFrame, y: pd.Series | None) -> None:
        self.kept_: dict[str, np.ndarray] = {}
        for column in self.selected_:
            levels = levels_of(X[column])
            counts = _counts(X[column], levels)[:-1]
            stays = (counts >= (self.min_count or 0)) & (counts / max(len(X), 1) >= (self.min_share or 0.0))
            self.kept_[column] = levels[stays]

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({column: self._grouped(X[column]) for column in self.selected_}, index=X.index)

    def _grouped(self, column: pd.Series) -> pd.Series:
        stays = missing_safe_codes(column, self.kept_[str(column.name)]) >= 0
        return as_text(column).where(stays | column.isna().to_numpy(), self.into)


class CountEncode(Step):
    """Count how often a value occurs in the training rows: ``<column>__count``.

    Missing is counted as a value of its own; an unseen value counts 0. The source columns stay.

    Parameters
    ----------
    columns
        The columns to count.
    normalize
        Give the share of the training rows, 0 to 1, in place of the count.
    together
        Whether the columns are one key, whose combinations are counted (``<first>_<second>__count``), instead of one key
        each; all combinations with a missing part count as one.

    Examples
    --------
    >>> X = pd.DataFrame({"street": ["Pave", "Pave", "Grvl"]})
    >>> CountEncode("street").fit_transform(X)["street__count"].tolist()
    [2.0, 2.0, 1.0]
    """

    learns = Learns.ROWS
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {},
        {"columns": ["MSSubClass", "Street", "HasAir", "Sold"], "normalize": True},
        {"columns": ["PoolQC", "HasAir", "Condition"], "together": True},
    )

    def __init__(self, columns: Selection = "categorical", *, normalize: bool = False, together: bool = False) -> None:
        self.columns = columns
        self.normalize = normalize
        self.together = together

    def _learn(self, X: pd.DataFrame, y: pd.Series | None) -> None:
        if self.together:
            refuse_too_few(self.selected_, 1, self.name)
        unit = max(len(X), 1) if self.normalize else 1
        self.keys_: list[dict[str, Any]] = []
        self.counts_: list[np.ndarray] = []
        for columns in [self.selected_] if self.together else [[column] for column in self.selected_]:
            keys, codes = learn_key_codes(X, columns)
            self.keys_.append(keys)
            # every combination has been learnt: what has no group has a missing part, which is counted last
            self.counts_.append(np.bincount(np.where(codes < 0, n_groups(keys), codes), minlength=n_groups(keys) + 1) / unit)

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        counted = zip(self.keys_, self.counts_, strict=True)
        return pd.DataFrame({f"{'_'.join(keys['by'])}__count": _counted(X, keys, counts) for keys, counts in counted}, index=X.index)


def _counted(X: pd.DataFrame, keys: dict[str, Any], counts: np.ndarray) -> np.ndarray:
    codes = key_codes(X, keys)
    unknown = np.flatnonzero(codes < 0)
    found = counts[codes]
    # a missing part, or a combination that was not seen
    found[unknown] = np.where(X[keys["by"]].iloc[unknown].isna().any(axis=1), counts[-1], 0.0)
    return found


def _counts(column: pd.Series, levels: np.ndarray) -> np.ndarray:
    """Rows of each level, then of missing, of shape (n_levels + 1,)."""
    codes = missing_safe_codes(column, levels)
    return np.bincount(np.where(codes < 0, len(levels), codes), minlength=len(levels) + 1).astype(np.float64)
