"""Target statistics as values of a column, cross-fitted: no row's value is made from its own target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.columns import Selection
from features.crossfit import Sums, inner_folds
from features.errors import InputError
from features.keys import key_codes, learn_key_codes, n_groups
from features.step import Learns, Step

_BY_SUMS = ("mean", "sd", "count")
_BY_ROWS = ("median",)


class TargetEncode(Step):
    """Say in numbers what a category says about the target: ``<column>__target``, ``<column>__target_<statistic>``.

    A training row of inner fold j gets its value from the training rows outside j, every other row from all training
    rows: ``fit_transform`` is not ``fit`` then ``transform``. Missing is a level of its own; an unseen level, and one with
    fewer than ``min_size`` rows, gets the statistic of all rows. A target of several classes gives a column for each
    (``<column>__target_<class>``).

    Parameters
    ----------
    columns
        The columns to encode; the source columns stay.
    together
        Whether the columns are one key (their combinations are the levels) instead of one key each.
    statistics
        ``mean`` (smoothed), ``sd``, ``count``, ``median``.
    smooth
        Strength of the pull of a mean towards the mean of all rows, in rows; ``"auto"`` estimates it per level (empirical
        Bayes).
    min_size
        How many rows a level needs for a statistic of its own.
    inner_folds
        Folds of the cross-fitting inside the training part.
    random_state
        Seed of the inner folds.
    """

    learns = Learns.TARGET_VALUES
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"columns": ["Neighborhood", "MSSubClass"]},
        {"columns": ["Neighborhood", "MSSubClass"], "together": True, "statistics": ["mean", "sd", "count"], "smooth": 5.0},
        {"columns": ["Neighborhood"], "statistics": ["median"], "min_size": 3},
    )

    def __init__(
        self,
        columns: Selection = "categorical",
        *,
        together: bool = False,
        statistics: Sequence[str] = ("mean",),
        smooth: float | str = "auto",
        min_size: int = 1,
        inner_folds: int = 5,
        random_state: int = 0,
    ) -> None:
        self.columns = columns
        self.together = together
        self.statistics = statistics
        self.smooth = smooth
        self.min_size = min_size
        self.inner_folds = inner_folds
        self.random_state = random_state

    def check(self) -> None:
        """Check statistics, smoothing and folds."""
        super().check()
        unknown = [name for name in self.statistics if name not in (*_BY_SUMS, *_BY_ROWS)]
        if unknown or not self.statistics:
            raise InputError(f"Step 'target_encode' knows the statistics {', '.join((*_BY_SUMS, *_BY_ROWS))}; found {unknown or 'none'}.")
        if isinstance(self.smooth, str) and self.smooth != "auto":
            raise InputError(f"Step 'target_encode' takes a number of rows or 'auto' for smooth, found {self.smooth!r}.")
        if self.inner_folds < 2:
            raise InputError(f"Step 'target_encode' needs at least 2 inner_folds, found {self.inner_folds}.")

    @property
    def has_totals(self) -> bool:
        """Whether all folds can share one pass over the rows: sums can be taken apart, medians cannot."""
        return all(name in _BY_SUMS for name in self.statistics)

    def _keys(self) -> dict[str, list[str]]:
        """The columns of each key by its name."""
        return {"_".join(self.selected_): self.selected_} if self.together else {column: [column] for column in self.selected_}

    def _learn(self, X: pd.DataFrame, y: pd.Series | None) -> None:
        assert y is not None
        self._learn_from(Totals.of(self, X, y), None)

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame(self._values({name: codes_of(X, keys) for name, keys in self.keys_.items()}, self.tables_), index=X.index)

    def write_training(self, X: pd.DataFrame, y: pd.Series | None) -> pd.DataFrame:
        """The training rows' values, each from the inner folds the row is not in."""
        assert y is not None
        totals = Totals.of(self, X, y)
        return self._training_values(totals, self._outside(totals, None), np.arange(len(X)))

    def take_totals(self, X: pd.DataFrame, y: pd.Series, outer: NDArray[np.int64], n_outer: int) -> Totals:
        """One pass over the rows for all folds; give it to ``learn_outside`` for each.

        Parameters
        ----------
        X : DataFrame of shape (n_rows, n_columns)
            Training rows first, then rows without a target.
        y : Series of shape (n_train,)
        outer : ndarray of shape (n_train,)
            The fold that leaves a row out (see ``crossfit.outer_parts``).
        """
        return Totals.of(self, X, y, outer, n_outer)

    def learn_outside(self, totals: Totals, fold: int) -> Self:
        """Learn from the rows that a fold does not leave out."""
        self._learn_from(totals, fold)
        return self

    def write_outside(self, totals: Totals, fold: int, fit: NDArray[np.intp], others: NDArray[np.intp]) -> pd.DataFrame:
        """What ``write_training`` writes for the fit rows and ``write`` for the others, one below the other."""
        training = self._training_values(totals, self._outside(totals, fold), fit)
        codes = {name: codes[others] for name, codes in totals.codes.items()}
        return pd.concat([training, pd.DataFrame(self._values(codes, self.tables_), index=totals.index[others])])

    def _learn_from(self, totals: Totals, fold: int | None) -> None:
        self.keys_ = totals.keys
        self.tables_ = {
            name: {
                f"{target}:{statistic}": self._table(statistic, totals, name, target, fold)
                for target in totals.targets
                for statistic in self.statistics
            }
            for name in totals.keys
        }

    def _table(self, statistic: str, totals: Totals, name: str, target: str, fold: int | None) -> NDArray[np.float64]:
        if statistic in _BY_ROWS:
            return medians(totals.codes[name], totals.targets[target], n_groups(totals.keys[name]) + 2, self.min_size)
        return self._from_sums(statistic, totals.cells(name, target, fold).added())

    def _outside(self, totals: Totals, fold: int | None) -> dict[str, dict[str, NDArray[np.float64]]]:
        """For each key and statistic a table of shape (inner_folds, n_groups + 2): row j is made from the rows outside j."""
        return {
            name: {
                f"{target}:{statistic}": self._outside_table(statistic, totals, name, target, fold)
                for target in totals.targets
                for statistic in self.statistics
            }
            for name in totals.keys
        }

    def _outside_table(self, statistic: str, totals: Totals, name: str, target: str, fold: int | None) -> NDArray[np.float64]:
        if statistic in _BY_SUMS:
            return self._from_sums(statistic, totals.cells(name, target, fold).outside_each())
        codes, values, size = totals.codes[name], totals.targets[target], n_groups(totals.keys[name]) + 2
        rest = [totals.inner != inner for inner in range(self.inner_folds)]
        return np.stack([medians(codes[kept], values[kept], size, self.min_size) for kept in rest])

    def _from_sums(self, statistic: str, sums: Sums) -> NDArray[np.float64]:
        if statistic == "count":
            return sums.count
        found = sums.means(self.smooth) if statistic == "mean" else sums.sds()
        overall = sums.overall_mean() if statistic == "mean" else sums.overall_sd()
        return np.where(sums.count >= max(self.min_size, 1), found, overall)

    def _training_values(self, totals: Totals, tables: dict[str, dict[str, NDArray[np.float64]]], rows: NDArray[np.intp]) -> pd.DataFrame:
        inner = totals.inner[rows]
        written = {
            column: table[inner, totals.codes[name][rows]]
            for name, of_key in tables.items()
            for column, table in self._columns(name, of_key).items()
        }
        return pd.DataFrame(written, index=totals.index[rows])

    def _values(
        self, codes: dict[str, NDArray[np.int64]], tables: dict[str, dict[str, NDArray[np.float64]]]
    ) -> dict[str, NDArray[np.float64]]:
        return {column: table[codes[name]] for name, of_key in tables.items() for column, table in self._columns(name, of_key).items()}

    def _columns(self, name: str, tables: dict[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
        """Tables by the names of their columns; the mean's is the shortest."""
        return {
            "_".join([f"{name}__target", *(part for part in key.split(":") if part not in ("", "mean"))]): table
            for key, table in tables.items()
        }


@dataclass(frozen=True)
class Totals:
    """Codes of every row and sums of the target by outer fold, inner fold and group: one pass over the rows for all folds."""

    index: pd.Index
    keys: dict[str, dict[str, Any]]
    codes: dict[str, NDArray[np.int64]]
    targets: dict[str, NDArray[np.float64]]
    inner: NDArray[np.int64]
    sums: dict[tuple[str, str], Sums]
    """By key and target: arrays of shape (n_outer + 1, n_inner, n_groups + 2)."""

    @classmethod
    def of(cls, step: TargetEncode, X: pd.DataFrame, y: pd.Series, outer: NDArray[np.int64] | None = None, n_outer: int = 0) -> Totals:
        """Take the totals of a step's keys; without ``outer`` all rows are in one fold."""
        outer = np.zeros(len(y), dtype=np.int64) if outer is None else outer
        learnt = {name: learn_key_codes(X, by) for name, by in step._keys().items()}
        keys = {name: key for name, (key, _) in learnt.items()}
        # every combination in X has been learnt; what has no group has a missing part
        codes = {name: np.where(found < 0, n_groups(key), found) for name, (key, found) in learnt.items()}
        inner = inner_folds(X.index, step.inner_folds, step.random_state)
        targets, used, n = target_columns(y), outer >= 0, len(y)
        sums: dict[tuple[str, str], Sums] = {}
        for name, key in keys.items():
            shape = (n_outer + 1, step.inner_folds, n_groups(key) + 2)
            flat = ((outer * shape[1] + inner[:n]) * shape[2] + codes[name][:n])[used]
            sums |= {(name, target): Sums.of(flat, values[used], shape) for target, values in targets.items()}
        return cls(X.index, keys, codes, targets, inner, sums)

    def cells(self, name: str, target: str, fold: int | None) -> Sums:
        """Sums by inner fold and group, shape (n_inner, n_groups + 2), over the rows that a fold does not leave out."""
        sums = self.sums[name, target]
        return sums.added() if fold is None else sums.without(fold)


def codes_of(X: pd.DataFrame, keys: dict[str, Any]) -> NDArray[np.int64]:
    """Each row's group; a missing part gives the group after the last, an unseen combination the one after that."""
    codes, n = key_codes(X, keys), n_groups(keys)
    unknown = np.flatnonzero(codes < 0)
    if len(unknown):
        is_missing = X[keys["by"]].iloc[unknown].isna().any(axis=1).to_numpy()
        codes = codes.copy()
        codes[unknown] = np.where(is_missing, n, n + 1)
    return codes


def target_columns(y: pd.Series) -> dict[str, NDArray[np.float64]]:
    """The numbers a target gives: its values, or for several classes (a categorical) one 0/1 column for each."""
    values = y.to_numpy(dtype=np.float64)
    if not isinstance(y.dtype, pd.CategoricalDtype):
        return {"": values}
    return {f"{float(one):g}": (values == float(one)).astype(np.float64) for one in y.cat.categories}


def medians(codes: NDArray[np.int64], y: NDArray[np.float64], size: int, min_size: int) -> NDArray[np.float64]:
    """Median per group, shape (size,); the median of all rows for a group with fewer than ``min_size``."""
    grouped = pd.Series(y).groupby(codes)
    table = np.full(size, np.median(y) if len(y) else np.nan)
    counts = grouped.size()
    kept = counts.index[counts >= max(min_size, 1)].to_numpy()
    table[kept] = grouped.median().loc[kept].to_numpy()
    return table
