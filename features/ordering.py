"""Categories as few numbers: their order by the target, or a hash of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from features.columns import Selection
from features.design import by_label, refuse_too_few
from features.errors import InputError
from features.expressions import as_text
from features.keys import levels_of
from features.step import Learns, Step, missing_safe_codes


class TargetOrder(Step):
    """Number the levels of a category in the order of their mean target: ``<column>__target_order``, 0 for the lowest.

    Missing is a level of its own where training rows have it. A level with fewer than ``min_rows`` training rows, or none,
    stands half a place beyond the levels whose mean is below that of all rows. Levels of equal mean stand in the order of
    their names. The order is learnt from all training rows, not cross-fitted: for columns of many small levels take
    ``target_encode``, which is. The source columns stay.

    Parameters
    ----------
    columns
        The columns to number.
    min_rows
        How many training rows a level needs for a place of its own.

    Examples
    --------
    >>> X, y = pd.DataFrame({"zone": ["a", "a", "b", "b"]}), pd.Series([9.0, 7.0, 1.0, 1.0])
    >>> TargetOrder("zone", min_rows=2).fit_transform(X, y)["zone__target_order"].tolist()
    [1.0, 1.0, 0.0, 0.0]
    """

    learns = Learns.TARGET_STRUCTURE
    accepts = ("categorical", "text", "numeric", "flags")
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = ({}, {"columns": ["Neighborhood", "MSSubClass", "HasAir"], "min_rows": 3})

    def __init__(self, columns: Selection = "categorical", *, min_rows: int = 10) -> None:
        self.columns = columns
        self.min_rows = min_rows

    def check(self) -> None:
        """Check the limit."""
        super().check()
        if self.min_rows < 1:
            raise InputError(f"Step 'target_order' needs min_rows of at least 1, found {self.min_rows!r}.")

    def _learn(self, X: pd.DataFrame, y: pd.Series | None) -> None:
        X, y = by_label(X, y)
        assert y is not None
        target = y.to_numpy(dtype=np.float64)
        self.levels_ = {column: levels_of(X[column]) for column in self.selected_}
        self.places_ = {column: self._places(self._codes(X[column]), target) for column in self.selected_}

    def _codes(self, column: pd.Series) -> np.ndarray:
        """Each row's level; missing has the code after the last one, an unseen level the one after that."""
        levels = self.levels_[str(column.name)]
        codes = missing_safe_codes(column, levels)
        return np.where(column.isna().to_numpy(), len(levels), np.where(codes < 0, len(levels) + 1, codes))

    def _places(self, codes: np.ndarray, target: np.ndarray) -> np.ndarray:
        """The place of each code; the last is that of levels without one of their own."""
        n = codes.max(initial=0) + 3
        count, total = np.bincount(codes, minlength=n), np.bincount(codes, weights=target, minlength=n)
        large = np.flatnonzero(count >= self.min_rows)
        means = total[large] / count[large]
        places = np.full(n, (means < target.mean()).sum() - 0.5 if len(large) else 0.0)
        places[large[np.argsort(means, kind="stable")]] = np.arange(len(large))
        return places

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        written = {}
        for column in self.selected_:
            places = self.places_[column]
            written[f"{column}__target_order"] = places[np.minimum(self._codes(X[column]), len(places) - 1)]
        return pd.DataFrame(written, index=X.index)


class HashEncode(Step):
    """Hash categories into a fixed number of columns: ``<into>__0`` to ``<into>__<width - 1>``.

    Each value adds 1 or -1, both drawn from its hash, to one of the columns; the same text in two columns is two values.
    Nothing is learnt, so levels may be many and unseen ones are like the others; two levels may meet. Missing adds
    nothing. The source columns stay.

    Parameters
    ----------
    columns
        The columns to hash, together.
    width
        How many columns are made.
    into
        What the new columns' names begin with.

    Examples
    --------
    >>> HashEncode("site", width=4).fit_transform(pd.DataFrame({"site": ["a", "b"]})).shape
    (2, 5)
    """

    accepts = ("categorical", "text", "numeric", "flags")
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {},
        {"columns": ["Neighborhood", "MSSubClass", "HasAir"], "width": 3, "into": "key"},
    )

    def __init__(self, columns: Selection = "categorical", *, width: int = 16, into: str = "hash") -> None:
        self.columns = columns
        self.width = width
        self.into = into

    def check(self) -> None:
        """Check the width."""
        super().check()
        if self.width < 1:
            raise InputError(f"Step 'hash_encode' needs a width of at least 1, found {self.width!r}.")

    def _learn(self, X: pd.DataFrame, y: pd.Series | None) -> None:
        refuse_too_few(self.selected_, 1, self.name)

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        # column-major, so that each column can be used as it is
        sums = np.zeros((len(X), self.width), order="F")
        for column in self.selected_:
            codes, texts = pd.factorize(as_text(X[column]))
            known = np.flatnonzero(codes >= 0)
            hashes = pd.util.hash_array(np.array([f"{column}={text}" for text in texts], dtype=object), categorize=False)
            # the lowest bit gives the sign, the others the place
            at, sign = (hashes >> np.uint64(1)) % np.uint64(self.width), np.where(hashes & np.uint64(1), 1.0, -1.0)
            sums[known, at.astype(np.int64)[codes[known]]] += sign[codes[known]]
        return pd.DataFrame(sums, index=X.index, columns=[f"{self.into}__{number}" for number in range(self.width)], copy=False)
