"""Values far from the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd

from features.columns import Selection, select
from features.errors import InputError
from features.keys import key_codes, learn_keys, n_groups
from features.numbers import Numbers, as_numbers, refuse_all_missing
from features.step import Learns, Step

_USUAL_LIMIT = {"iqr": 1.5, "mad": 3.5, "z": 3.0}


class Outliers(Step):
    """Cut, remove or mark values far from the others, by limits learnt from the training rows.

    Clipped and missing values replace the column; a mark is the new column ``<column>__is_outlier``. With ``by`` the limits
    are those of the row's group; a group with fewer than ``min_rows`` known values, or not seen in training, takes the
    limits of all rows. Where the spread is 0 (half the values or more are equal, say) nothing is an outlier. Missing values
    are none.

    Parameters
    ----------
    columns
        The numeric columns to look at.
    how
        ``iqr``: further than ``limit`` quartile distances below the lower or above the upper quartile. ``mad``: a modified
        z-score, 0.6745 times the distance to the median over the median absolute deviation, beyond ``limit``. ``z``: more
        than ``limit`` standard deviations from the mean.
    limit
        By default 1.5 for ``iqr``, 3.5 for ``mad`` and 3 for ``z``.
    by
        Group columns.
    min_rows
        How many known training values a group needs for limits of its own.
    action
        ``clip`` puts the limit in the value's place, ``missing`` leaves a gap, ``mark`` says which they are.

    Examples
    --------
    >>> Outliers("area").fit_transform(pd.DataFrame({"area": [1.0, 2.0, 3.0, 4.0, 99.0]}))["area"].tolist()
    [1.0, 2.0, 3.0, 4.0, 7.0]
    """

    learns = Learns.ROWS
    accepts = ("numeric",)
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {},
        {"columns": ["LotFrontage", "LotArea"], "how": "mad", "by": "Neighborhood", "action": "missing"},
        {"columns": ["LotFrontage"], "how": "z", "limit": 1.0, "by": ["Street", "MSSubClass"], "action": "mark"},
    )

    def __init__(
        self,
        columns: Selection = "numeric",
        *,
        how: Literal["iqr", "mad", "z"] = "iqr",
        limit: float | None = None,
        by: str | Sequence[str] | None = None,
        min_rows: int = 10,
        action: Literal["clip", "missing", "mark"] = "clip",
    ) -> None:
        self.columns = columns
        self.how = how
        self.limit = limit
        self.by = by
        self.min_rows = min_rows
        self.action = action

    def check(self) -> None:
        """Check the limit."""
        super().check()
        if self.limit is not None and not self.limit > 0:
            raise InputError(f"Step 'outliers' needs a limit above 0, found {self.limit!r}.")

    def _beside(self, X: pd.DataFrame) -> list[str]:
        return select(X, [] if self.by is None else self.by)

    def _learn(self, X: pd.DataFrame, y: pd.Series | None) -> None:
        self.keys_ = learn_keys(X, self._beside(X))
        codes, n = key_codes(X, self.keys_), n_groups(self.keys_)
        limit = _USUAL_LIMIT[self.how] if self.limit is None else self.limit
        self.limits_: dict[str, Numbers] = {}
        for column in self.selected_:
            values = as_numbers(X[column], self.name)
            refuse_all_missing(values, column, self.name, "Leave it out, or drop it.")
            overall = _limits(values[~np.isnan(values)], self.how, limit)
            # the last slot, where code -1 points, is that of all rows
            self.limits_[column] = np.tile(overall, (n + 1, 1))
            if self.keys_["by"]:
                for code, known in _groups(values, codes, self.min_rows):
                    self.limits_[column][code] = _limits(known, self.how, limit)

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        codes = key_codes(X, self.keys_)
        suffix = "__is_outlier" if self.action == "mark" else ""
        return pd.DataFrame({f"{column}{suffix}": self._treated(X[column], codes) for column in self.selected_}, index=X.index)

    def _treated(self, column: pd.Series, codes: np.ndarray) -> np.ndarray:
        values = as_numbers(column, self.name)
        low, high = self.limits_[str(column.name)][codes].T
        if self.action == "clip":
            return np.clip(values, low, high)
        is_outlier = (values < low) | (values > high)
        return is_outlier if self.action == "mark" else np.where(is_outlier, np.nan, values)


def _groups(values: Numbers, codes: np.ndarray, min_rows: int) -> list[tuple[int, Numbers]]:
    """The known values of every group that has at least ``min_rows``, sorted."""
    known = (codes >= 0) & ~np.isnan(values)
    values, codes = values[known], codes[known]
    order = np.lexsort((values, codes))
    groups, starts = np.unique(codes[order], return_index=True)
    parts = np.split(values[order], starts[1:])
    return [(int(group), part) for group, part in zip(groups, parts, strict=True) if len(part) >= min_rows]


def _limits(known: Numbers, how: str, limit: float) -> tuple[float, float]:
    """The lowest and the highest value that is no outlier; infinite where the spread is 0."""
    if how == "iqr":
        low, high = np.quantile(known, [0.25, 0.75])
        spread = high - low
    elif how == "mad":
        low = high = np.median(known)
        spread = np.median(np.abs(known - low)) / 0.6745
    else:
        low = high = known.mean()
        # of equal values the mean may differ from each in its last bit
        spread = 0.0 if np.ptp(known) == 0 else known.std()
    if not spread > 0:
        return -np.inf, np.inf
    return float(low - limit * spread), float(high + limit * spread)
