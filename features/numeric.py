"""Numbers in a shape that models like: less skewed, on one scale."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.special import boxcox1p
from scipy.stats import boxcox_llf, yeojohnson_llf

from features.columns import Selection
from features.errors import InputError
from features.numbers import VANISHING, Numbers, as_numbers, bounded, is_constant
from features.step import Learns, Step

_BLOCK = 1_000_000
"""Values that are looked at together: 8 MB."""

_ROUNDING = 10 * np.finfo(np.float64).eps


class Skew(Step):
    """Transform, in place, the numeric columns that are skewed in the training rows.

    ``log1p`` and ``boxcox`` act on columns without a negative training value and leave the others as they are; in new
    rows a value below 0 of such a column counts as 0. ``yeo_johnson`` acts on any column. Missing stays missing.

    Parameters
    ----------
    columns
        The columns to look at.
    threshold
        Columns whose skewness is larger than this, in either direction, are transformed.
    how
        ``log1p``, ``boxcox`` (of one plus the value) or ``yeo_johnson``.
    lam
        The power of ``boxcox`` or ``yeo_johnson`` for all columns; by default the likeliest one for each column, from
        -5 to 5.

    Examples
    --------
    >>> Skew().fit_transform(pd.DataFrame({"area": [0.0, 0.0, 0.0, 99.0]}))["area"].round(2).tolist()
    [0.0, 0.0, 0.0, 4.61]
    """

    learns = Learns.ROWS
    accepts = ("numeric",)
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"threshold": 0.5},
        {"threshold": 0.0, "how": "boxcox"},
        {"threshold": 0.0, "how": "boxcox", "lam": 0.15},
        {"threshold": 0.0, "how": "yeo_johnson"},
    )

    def __init__(
        self,
        columns: Selection = "numeric",
        *,
        threshold: float = 0.75,
        how: Literal["log1p", "boxcox", "yeo_johnson"] = "log1p",
        lam: float | None = None,
    ) -> None:
        self.columns = columns
        self.threshold = threshold
        self.how = how
        self.lam = lam

    def check(self) -> None:
        """Check the parameters as far as that needs no data."""
        super().check()
        if not self.threshold >= 0:
            raise InputError(f"Step 'skew' needs a threshold of at least 0, found {self.threshold!r}.")
        if self.how == "log1p" and self.lam is not None:
            raise InputError("Step 'skew' has a power 'lam', which 'log1p' does not use. Take 'how: boxcox' or leave it out.")

    def _learn(self, X: pd.DataFrame, y: pd.Series | None) -> None:
        self.powers_: dict[str, float] = {}
        for names, values in blocks(X, self.name):
            is_fit = self.how == "yeo_johnson" or ~(values < 0).any(axis=0)
            is_skewed = is_fit & (np.abs(skewness(values)) > self.threshold)
            for position in np.flatnonzero(is_skewed):
                column = values[:, position]
                self.powers_[names[position]] = self._power(column[~np.isnan(column)])

    def _power(self, known: Numbers) -> float:
        if self.how == "log1p":
            return 0.0
        if self.lam is not None:
            return float(self.lam)
        return likeliest_power(known, self.how)

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        # all that were looked at: which columns a step replaces must not hang on the rows it is fitted on (see pipelines/frames.py)
        written = {column: self._transformed(X[column], self.powers_.get(column)) for column in self.selected_}
        return pd.DataFrame(written, index=X.index, copy=False)

    def _transformed(self, column: pd.Series, power: float | None) -> pd.Series | Numbers:
        if power is None:
            return column
        values = as_numbers(column, self.name)
        return yeo_johnson(values, power) if self.how == "yeo_johnson" else box_cox(values, power)


class Scale(Step):
    """Bring numeric columns, in place, to one scale.

    Statistics are those of the known training values; missing stays missing. A column that is constant there, or whose
    quartiles are equal under ``robust``, is only shifted.

    Parameters
    ----------
    columns
        The columns to scale.
    how
        ``standard`` (mean 0, standard deviation 1), ``robust`` (median 0, quartiles 1 apart) or ``min_max`` (0 to 1 over
        the training rows; new rows may lie outside).

    Examples
    --------
    >>> Scale(how="min_max").fit_transform(pd.DataFrame({"area": [5.0, 10.0, 15.0]}))["area"].tolist()
    [0.0, 0.5, 1.0]
    """

    learns = Learns.ROWS
    shorthand = "how"
    accepts = ("numeric",)
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = ({}, {"how": "robust"}, {"how": "min_max"})

    def __init__(self, columns: Selection = "numeric", *, how: Literal["standard", "robust", "min_max"] = "standard") -> None:
        self.columns = columns
        self.how = how

    def _learn(self, X: pd.DataFrame, y: pd.Series | None) -> None:
        learnt = [_centre_and_spread(column, self.how) for _, values in blocks(X, self.name) for column in values.T]
        self.centres_ = np.array([centre for centre, _ in learnt])
        self.spreads_ = np.array([spread for _, spread in learnt])

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        # column-major, so that each column can be used as it is
        scaled, start = np.empty((len(X), len(self.selected_)), order="F"), 0
        for _, values in blocks(X, self.name):
            part = slice(start, start + values.shape[1])
            with np.errstate(over="ignore"):
                scaled[:, part] = bounded((values - self.centres_[part]) / self.spreads_[part])
            start = part.stop
        return pd.DataFrame(scaled, index=X.index, columns=self.selected_, copy=False)


def box_cox(values: Numbers, power: float) -> Numbers:
    """The Box-Cox transform of 1 + x, with x below 0 taken as 0; power 0 is ``log1p``.

    >>> box_cox(np.array([-1.0, 0.0, 3.0]), 0.5).tolist()
    [0.0, 0.0, 2.0]
    """
    with np.errstate(over="ignore"):
        return bounded(boxcox1p(np.maximum(values, 0.0), power))


def yeo_johnson(values: Numbers, power: float) -> Numbers:
    """The Yeo-Johnson transform: Box-Cox of 1 + x for x from 0, its mirror image with power ``2 - power`` below.

    >>> yeo_johnson(np.array([-1.0, 0.0, 1.0]), 1.0).tolist()
    [-1.0, 0.0, 1.0]
    """
    return box_cox(values, power) - box_cox(-values, 2.0 - power)


def likeliest_power(known: Numbers, how: Literal["boxcox", "yeo_johnson"]) -> float:
    """The power from -5 to 5 under which the transformed values look most like a normal sample (maximum likelihood)."""
    # sorted, so that the sums and with them the power do not hang on the order of the rows
    values = np.sort(known) + (1.0 if how == "boxcox" else 0.0)
    likelihood = boxcox_llf if how == "boxcox" else yeojohnson_llf
    with np.errstate(all="ignore"):
        found = minimize_scalar(lambda power: -likelihood(power, values), bounds=(-5.0, 5.0), method="bounded")
    return float(found.x)


def blocks(X: pd.DataFrame, step: str) -> Iterator[tuple[list[str], Numbers]]:
    """The columns of a frame of numbers, a block at a time: their names, and their values of shape (n_rows, n_in_block).

    A table of few rows is one block, which is much faster than column by column; a large one is not copied as a whole.

    Raises
    ------
    InputError
        When a value is no number, or is infinite.
    """
    width = max(1, _BLOCK // max(len(X), 1))
    for start in range(0, X.shape[1], width):
        part = X if width >= X.shape[1] else X.iloc[:, start : start + width]
        try:
            values = part.to_numpy(dtype=np.float64, na_value=np.nan)
        except (TypeError, ValueError):
            values = np.full(part.shape, np.inf)
        if np.isinf(values).any():
            # one of them raises, and says which column it is
            values = np.column_stack([as_numbers(part[name], step) for name in part])
        yield list(part.columns), np.asfortranarray(values)


def skewness(values: Numbers) -> Numbers:
    """Skewness of each column's known values (third moment over the cubed standard deviation), of shape (n_columns,).

    0 for a column that is constant or has fewer than three values.

    >>> skewness(np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 3.0]])).round(3).tolist()
    [0.0, 0.707]
    """
    known = ~np.isnan(values)
    n = np.maximum(known.sum(axis=0), 1)
    low = np.where(known, values, np.inf).min(axis=0, initial=np.inf)
    high = np.where(known, values, -np.inf).max(axis=0, initial=-np.inf)
    varies = (known.sum(axis=0) >= 3) & (high - low > np.maximum(_ROUNDING * np.maximum(np.abs(low), np.abs(high)), VANISHING))
    with np.errstate(over="ignore", invalid="ignore"):
        centred = np.where(known, values - np.where(known, values, 0.0).sum(axis=0) / n, 0.0)
        centred /= np.where(varies, np.sqrt((centred * centred).sum(axis=0) / n), 1.0)
        return np.where(varies, (centred * centred * centred).sum(axis=0) / n, 0.0)


def _centre_and_spread(values: Numbers, how: str) -> tuple[float, float]:
    known = values[~np.isnan(values)]
    if len(known) == 0:
        return 0.0, 1.0
    if is_constant(known):
        return float(known[0]), 1.0
    if how == "standard":
        return float(known.mean()), float(known.std())
    if how == "min_max":
        return float(known.min()), float(known.max() - known.min())
    low, middle, high = quartiles(known)
    return middle, 1.0 if is_constant(np.array([low, high])) else high - low


def quartiles(known: Numbers) -> tuple[float, float, float]:
    """The three quartiles of at least one value, between the two nearest in proportion.

    ``numpy.quantile`` gives the same and takes several times as long for a thousand values.

    >>> quartiles(np.array([4.0, 1.0, 2.0, 3.0]))
    (1.75, 2.5, 3.25)
    """
    places = (len(known) - 1) * np.array([0.25, 0.5, 0.75])
    below = places.astype(np.int64)
    above = np.minimum(below + 1, len(known) - 1)
    ordered = np.partition(known, np.unique(np.concatenate([below, above])))
    share = places - below
    low, middle, high = (1 - share) * ordered[below] + share * ordered[above]
    return float(low), float(middle), float(high)
