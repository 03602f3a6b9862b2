"""Statistics across a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd

from features.columns import KINDS, Selection
from features.design import refuse_too_few
from features.errors import InputError
from features.numbers import Numbers, as_numbers, bounded
from features.step import Step

Statistic = Literal["missing", "zeros", "sum", "mean", "min", "max", "sd"]


class RowStatistics(Step):
    """Summarise several columns of each row: ``<into>__<statistic>``.

    Missing values are left out; where all of a row's values are, ``mean``, ``min``, ``max`` and ``sd`` are missing and
    ``sum`` and ``zeros`` are 0. The source columns stay.

    Parameters
    ----------
    columns
        The columns to summarise; of any kind for ``missing`` alone, numbers and flags for the others.
    statistics
        ``missing`` (how many are), ``zeros`` (how many are 0), ``sum``, ``mean``, ``min``, ``max``, ``sd`` (of the
        population).
    into
        What the new columns' names begin with.

    Examples
    --------
    >>> X = pd.DataFrame({"open": [3.0, None], "enclosed": [0.0, 5.0]})
    >>> RowStatistics(["open", "enclosed"], statistics=["missing", "sum"], into="porch").fit(X).write(X).to_numpy().tolist()
    [[0.0, 3.0], [1.0, 5.0]]
    """

    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"columns": None},
        {"columns": "numeric", "statistics": ["missing", "zeros", "sum", "mean", "min", "max", "sd"], "into": "all"},
    )

    def __init__(self, columns: Selection, *, statistics: Sequence[Statistic] = ("missing",), into: str = "row") -> None:
        self.columns = columns
        self.statistics = statistics
        self.into = into

    @property
    def accepts(self) -> tuple[str, ...]:  # type: ignore[override]
        """Every kind where gaps alone are counted, numbers and flags otherwise."""
        return (*KINDS,) if set(self.statistics) <= {"missing"} else ("numeric", "flags")

    def check(self) -> None:
        """Check that there is a statistic."""
        super().check()
        if not self.statistics:
            raise InputError(f"Step 'row_statistics' needs at least one of 'statistics': {', '.join(_STATISTICS)}.")

    def _learn(self, X: pd.DataFrame, y: pd.Series | None) -> None:
        refuse_too_few(self.selected_, 1, self.name)

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        chosen = X[self.selected_]
        if set(self.statistics) <= {"missing"}:
            return pd.DataFrame({f"{self.into}__missing": chosen.isna().sum(axis=1).astype(np.float64)}, index=X.index)
        values = np.stack([as_numbers(chosen[column], self.name) for column in chosen], axis=1)
        written = {f"{self.into}__{statistic}": _STATISTICS[statistic](values) for statistic in dict.fromkeys(self.statistics)}
        return pd.DataFrame(written, index=X.index)


def _known_or_missing(summary: Callable[[Numbers], Numbers]) -> Callable[[Numbers], Numbers]:
    """A summary of the rows that have a value; NaN for the others."""

    def summarised(values: Numbers) -> Numbers:
        result = np.full(len(values), np.nan)
        known = ~np.isnan(values).all(axis=1)
        with np.errstate(over="ignore", invalid="ignore"):
            result[known] = summary(values[known])
        return bounded(result)

    return summarised


def _sum(values: Numbers) -> Numbers:
    with np.errstate(over="ignore"):
        return bounded(np.nansum(values, axis=1))


def _mean(values: Numbers) -> Numbers:
    # each part over the count first: their sum cannot overflow
    count = (~np.isnan(values)).sum(axis=1, keepdims=True)
    return np.asarray(np.nansum(values / count, axis=1))


def _sd(values: Numbers) -> Numbers:
    largest = np.nanmax(np.abs(values), axis=1, keepdims=True)
    unit = np.where(largest > 0, largest, 1.0)
    return np.asarray(np.nanstd(values / unit, axis=1) * unit[:, 0])


_STATISTICS: dict[str, Callable[[Numbers], Numbers]] = {
    "missing": lambda values: np.isnan(values).sum(axis=1).astype(np.float64),
    "zeros": lambda values: (values == 0).sum(axis=1).astype(np.float64),
    "sum": _sum,
    "mean": _known_or_missing(_mean),
    "min": _known_or_missing(lambda values: np.asarray(np.nanmin(values, axis=1))),
    "max": _known_or_missing(lambda values: np.asarray(np.nanmax(values, axis=1))),
    "sd": _known_or_missing(_sd),
}
