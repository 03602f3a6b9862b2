"""Statistics of a number within groups of rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd

from features.columns import Selection, select
from features.errors import InputError
from features.keys import Codes, key_codes, learn_keys, n_groups
from features.numbers import Numbers, as_numbers, refuse_all_missing
from features.step import Learns, Step

_PLAIN = ("mean", "median", "sd", "min", "max", "count")
_RELATIVE = ("difference", "ratio")


class GroupStatistics(Step):
    """Statistics of numeric columns within groups: ``<column>__<statistic>_by_<by>``.

    Learnt from the training rows. A row whose group was not seen, or had no value, gets the statistic of all training
    rows (a count of 0). The source columns stay.

    Parameters
    ----------
    columns
        The numeric columns to summarise.
    by
        The columns that together name a group.
    statistics
        ``mean``, ``median``, ``sd`` (of the population: 0 for a single row), ``min``, ``max``, ``count`` (of known
        values), ``difference`` (the row's value less its group's mean) and ``ratio`` (the value over that mean; missing
        where the mean is 0).

    Examples
    --------
    >>> X = pd.DataFrame({"area": [1.0, 3.0, 8.0], "street": ["a", "a", "b"]})
    >>> GroupStatistics("area", by="street").fit_transform(X)["area__mean_by_street"].tolist()
    [2.0, 2.0, 8.0]
    """

    learns = Learns.ROWS
    accepts = ("numeric",)
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"columns": ["LotFrontage"], "by": "Neighborhood"},
        {"columns": ["LotFrontage", "LotArea"], "by": ["Neighborhood", "Street"], "statistics": [*_PLAIN, *_RELATIVE]},
    )

    def __init__(
        self,
        columns: Selection,
        *,
        by: str | Sequence[str],
        statistics: Sequence[Literal["mean", "median", "sd", "min", "max", "count", "difference", "ratio"]] = ("mean",),
    ) -> None:
        self.columns = columns
        self.by = by
        self.statistics = statistics

    def check(self) -> None:
        """Check the parameters as far as that needs no data."""
        super().check()
        if not self.by or not self.statistics:
            raise InputError("Step 'group_statistics' needs at least one column in 'by' and one of 'statistics'.")

    def _beside(self, X: pd.DataFrame) -> list[str]:
        return select(X, self.by)

    def _learn(self, X: pd.DataFrame, y: pd.Series | None) -> None:
        self.keys_ = learn_keys(X, self._beside(X))
        codes, n = key_codes(X, self.keys_), n_groups(self.keys_)
        self.learnt_: dict[str, dict[str, np.ndarray]] = {}
        for column in self.selected_:
            values = as_numbers(X[column], self.name)
            refuse_all_missing(values, column, self.name, "Leave it out, or fill it first.")
            self.learnt_[column] = {statistic: _by_group(values, codes, n, statistic) for statistic in self._needed()}

    def _needed(self) -> list[str]:
        """The statistics to learn: a difference or ratio needs the mean."""
        return list(dict.fromkeys("mean" if statistic in _RELATIVE else statistic for statistic in self.statistics))

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        codes, suffix = key_codes(X, self.keys_), "_".join(self.keys_["by"])
        written = {
            f"{column}__{statistic}_by_{suffix}": self._values(X[column], statistic, codes)
            for column in self.selected_
            for statistic in dict.fromkeys(self.statistics)
        }
        return pd.DataFrame(written, index=X.index)

    def _values(self, column: pd.Series, statistic: str, codes: Codes) -> Numbers:
        learnt = self.learnt_[str(column.name)]
        if statistic not in _RELATIVE:
            # the last slot, where code -1 points, is that of all rows
            return learnt[statistic][codes]
        values, means = as_numbers(column, self.name), learnt["mean"][codes]
        if statistic == "difference":
            return np.asarray(values - means)
        return np.asarray(np.divide(values, means, out=np.full(len(values), np.nan), where=means != 0))


def _by_group(values: Numbers, codes: Codes, n: int, statistic: str) -> Numbers:
    """A statistic of each group's known values, then of all of them (0 for a count), of shape (n_groups + 1,)."""
    known = ~np.isnan(values)
    grouped = known & (codes >= 0)
    groups = pd.Series(values[grouped]).groupby(codes[grouped])
    if statistic == "count":
        return np.append(groups.count().reindex(range(n), fill_value=0).to_numpy(dtype=np.float64), 0.0)
    overall = pd.Series(values[known])
    by_group = groups.std(ddof=0) if statistic == "sd" else groups.agg(statistic)
    of_all = float(overall.std(ddof=0) if statistic == "sd" else overall.agg(statistic))
    return np.append(by_group.reindex(range(n)).fillna(of_all).to_numpy(dtype=np.float64), of_all)
