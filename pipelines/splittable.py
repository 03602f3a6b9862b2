"""What a splitter is given and what it yields."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from features.errors import InputError, closest, listed

Rows: TypeAlias = NDArray[np.intp]
Pairs: TypeAlias = Iterator[tuple[Rows, Rows]]
"""Positions of the rows that a fold fits on, and of those that it scores, fold after fold."""

AtLeastTwo = Annotated[int, Field(ge=2)]
AtLeastOne = Annotated[int, Field(ge=1)]
NotNegative = Annotated[int, Field(ge=0)]


@dataclass(frozen=True)
class Splittable:
    """What a splitter may look at: raw columns (target not among them), the target and the task."""

    columns: pd.DataFrame
    y: NDArray[np.float64]
    task: str

    def column(self, name: str) -> pd.Series:
        """A raw column without gaps; InputError otherwise."""
        if name not in self.columns:
            raise InputError(f"The split needs column {name!r}; train has {listed(self.columns)}.{closest(name, self.columns)}")
        values = self.columns[name]
        if values.isna().any():
            raise InputError(f"The split needs a value of {name!r} in every row; {int(values.isna().sum())} are missing.")
        return values
