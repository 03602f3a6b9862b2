"""Leaving columns out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import pandas as pd

from features.columns import Selection, select
from features.step import Step


class Drop(Step):
    """Remove the selected columns.

    Parameters
    ----------
    columns
        The columns to remove.
    """

    examples: ClassVar[tuple[Mapping[str, Any], ...]] = ({"columns": ["LotArea", "Street"]},)

    def __init__(self, columns: Selection) -> None:
        self.columns = columns

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame(index=X.index)

    def _dropped(self) -> list[str]:
        return list(self.selected_)


class Keep(Step):
    """Remove every column but the selected ones.

    Parameters
    ----------
    columns
        The columns to keep.
    """

    examples: ClassVar[tuple[Mapping[str, Any], ...]] = ({"columns": ["LotArea", "Street"]},)

    def __init__(self, columns: Selection) -> None:
        self.columns = columns

    def _selected(self, X: pd.DataFrame) -> list[str]:
        """The columns it works on are the ones it removes."""
        kept = set(select(X, self.columns))
        return [column for column in X.columns if column not in kept]

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame(index=X.index)

    def _dropped(self) -> list[str]:
        return list(self.selected_)
