"""Categories: grouping rare levels and counting them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from features.columns import Selection
from features.errors import InputError
from features.expressions import as_text
from features.keys import levels_of
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

    Examples
    --------
    >>> X = pd.DataFrame({"street": ["Pave", "Pave", "Grvl"]})
    >>> CountEncode("street").fit_transform(X)["street__count"].tolist()
    [2.0, 2.0, 1.0]
    """

    learns = Learns.ROWS
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = ({}, {"columns": ["MSSubClass", "Street", "HasAir", "Sold"], "normalize": True})

    def __init__(self, columns: Selection = "categorical", *, normalize: bool = False) -> None:
        self.columns = columns
        self.normalize = normalize

    def _learn(self, X: pd.DataFrame, y: pd.Series | None) -> None:
        self.levels_ = {column: levels_of(X[column]) for column in self.selected_}
        unit = max(len(X), 1) if self.normalize else 1
        self.counts_ = {column: _counts(X[column], levels) / unit for column, levels in self.levels_.items()}

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({f"{column}__count": self._counted(X[column]) for column in self.selected_}, index=X.index)

    def _counted(self, column: pd.Series) -> np.ndarray:
        codes = missing_safe_codes(column, self.levels_[str(column.name)])
        gaps = column.isna().to_numpy()
        counts = self.counts_[str(column.name)]
        return np.where(gaps, counts[-1], np.where(codes >= 0, counts[codes], 0.0))


def _counts(column: pd.Series, levels: np.ndarray) -> np.ndarray:
    """Rows of each level, then of missing, of shape (n_levels + 1,)."""
    codes = missing_safe_codes(column, levels)
    return np.bincount(np.where(codes < 0, len(levels), codes), minlength=len(levels) + 1).astype(np.float64)
