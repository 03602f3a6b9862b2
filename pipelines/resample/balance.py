"""How many rows of each class there are to be: the declared rate or ratio, checked against the rows that are there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from features.errors import InputError

Codes = NDArray[np.intp]
Share = Annotated[float, Field(gt=0, lt=1)]
Above0 = Annotated[float, Field(gt=0)]


@dataclass(frozen=True)
class Balance:
    """The class shares that a way to resample is asked for.

    ``rate`` is the share of positives after, above 0 and below 1; ``ratio`` the positives per negative after, above 0. With
    neither, every class is to have the same number of rows.

    Raises
    ------
    InputError
        When both are given.
    """

    name: str
    rate: float | None = None
    ratio: float | None = None

    def __post_init__(self) -> None:
        if self.rate is not None and self.ratio is not None:
            raise InputError(f"{self.name!r} takes 'rate' or 'ratio'; found rate {self.rate:g} and ratio {self.ratio:g}. Leave one out.")

    def grown(self, y: Codes) -> dict[int, int]:
        """Rows of each class when the rarer classes get more; none loses any."""
        counts = self._counts(y)
        if self._is_even:
            return dict.fromkeys(counts, max(counts.values()))
        rarer, common = _rarer_and_common(counts)
        wanted = round(counts[common] * self._rarer_per_common(rarer))
        if wanted < counts[rarer]:
            raise InputError(f"{self.name!r} adds rows of class {rarer}, the rarer one; {self._refusal(counts)}")
        return {common: counts[common], rarer: wanted}

    def shrunk(self, y: Codes) -> dict[int, int]:
        """Rows of each class when the more frequent classes lose some; none gets more."""
        counts = self._counts(y)
        if self._is_even:
            return dict.fromkeys(counts, min(counts.values()))
        rarer, common = _rarer_and_common(counts)
        wanted = round(counts[rarer] / self._rarer_per_common(rarer))
        if not 1 <= wanted <= counts[common]:
            raise InputError(f"{self.name!r} drops rows of class {common}, the more frequent one; {self._refusal(counts)}")
        return {rarer: counts[rarer], common: wanted}

    @property
    def _is_even(self) -> bool:
        return self.rate is None and self.ratio is None

    def _counts(self, y: Codes) -> dict[int, int]:
        codes, counts = np.unique(y, return_counts=True)
        if len(codes) < 2:
            raise InputError(
                f"{self.name!r} needs rows of two classes; the training part holds {len(y)} rows of one. Use 'stratified' or fewer folds."
            )
        if len(codes) > 2 and not self._is_even:
            raise InputError(
                f"{self.name!r} takes a rate or ratio for two classes; there are {len(codes)}. "
                "Leave it out: every class then gets the same number of rows."
            )
        return dict(zip(codes.tolist(), counts.tolist(), strict=True))

    def _rarer_per_common(self, rarer: int) -> float:
        positives_per_negative = self.rate / (1 - self.rate) if self.rate is not None else float(self.ratio or 1.0)
        return positives_per_negative if rarer == 1 else 1 / positives_per_negative

    def _refusal(self, counts: dict[int, int]) -> str:
        is_rate = self.rate is not None
        asked, present = (self.rate, counts[1] / sum(counts.values())) if is_rate else (self.ratio, counts[1] / counts[0])
        what, bound = "rate" if is_rate else "ratio", "above" if counts[1] <= counts[0] else "below"
        return (
            f"the present {what} is {present:.4g} ({counts[1]} positives, {counts[0]} negatives), and {what} {asked:g} cannot be reached. "
            f"Ask for a {what} {bound} {present:.4g} (one that leaves a row of each class), or write 'resample: none'."
        )


def _rarer_and_common(counts: dict[int, int]) -> tuple[int, int]:
    return (1, 0) if counts[1] <= counts[0] else (0, 1)
