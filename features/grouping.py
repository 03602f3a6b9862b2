"""What all steps share that look at a column within groups of rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from features.columns import Selection, select
from features.errors import InputError
from features.keys import Codes, key_codes, learn_key_codes, n_groups
from features.numbers import Numbers
from features.step import Learns, Step


class GroupStep(Step):
    """Base of the steps that learn something of each column within groups named by the columns ``by``.

    A subclass fills ``_learnt`` (what the training rows say of one column) and ``_made`` (the columns made of it, by what
    they are called between the column's and the groups' names: ``<column>__<what>_by_<by>``).
    """

    abstract = True
    learns = Learns.ROWS
    accepts: ClassVar[tuple[str, ...]] = ("numeric",)
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"columns": ["LotFrontage"], "by": "Neighborhood"},
        {"columns": ["LotFrontage", "LotArea"], "by": ["PoolQC", "HasAir"]},
    )

    def __init__(self, columns: Selection, *, by: str | Sequence[str]) -> None:
        self.columns = columns
        self.by = by

    def _learnt(self, column: pd.Series, codes: Codes, n: int) -> dict[str, np.ndarray]:
        """What is learnt of a column; ``codes`` holds each row's group from 0 to ``n - 1``, or -1 for none."""
        raise NotImplementedError

    def _made(self, column: pd.Series, codes: Codes, learnt: dict[str, np.ndarray]) -> dict[str, Numbers]:
        """The values made of a column, by what they are; ``codes`` is -1 where the group was not seen."""
        raise NotImplementedError

    def check(self) -> None:
        """Check that there is a group column."""
        super().check()
        if not self.by:
            raise InputError(f"Step {self.name!r} needs at least one column in 'by'.")

    def _beside(self, X: pd.DataFrame) -> list[str]:
        return select(X, self.by)

    def _learn(self, X: pd.DataFrame, y: pd.Series | None) -> None:
        self.keys_, codes = learn_key_codes(X, self._beside(X))
        n = n_groups(self.keys_)
        self.learnt_ = {column: self._learnt(X[column], codes, n) for column in self.selected_}

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        codes, suffix = key_codes(X, self.keys_), "_".join(self.keys_["by"])
        written = {
            f"{column}__{what}_by_{suffix}": values
            for column in self.selected_
            for what, values in self._made(X[column], codes, self.learnt_[column]).items()
        }
        return pd.DataFrame(written, index=X.index, copy=False)
