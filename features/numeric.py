"""Numbers in a shape that models like: less skewed, on one scale."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.special import boxcox1p
from scipy.stats import boxcox_llf, yeojohnson_llf

from features.columns import Selection
from features.errors import InputError
from features.numbers import Numbers, as_numbers, bounded, is_constant, sample_skewness
from features.step import Learns, Step


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
        for column in self.selected_:
            values = as_numbers(X[column], self.name)
            known = values[~np.isnan(values)]
            is_fit = self.how == "yeo_johnson" or (known >= 0).all()
            if is_fit and abs(sample_skewness(values)) > self.threshold:
                self.powers_[column] = self._power(known)

    def _power(self, known: Numbers) -> float:
        if self.how == "log1p":
            return 0.0
        if self.lam is not None:
            return float(self.lam)
        return likeliest_power(known, self.how)

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        # all that were looked at: which columns a step replaces must not hang on the rows it is fitted on (see pipelines/frames.py)
        written = {column: self._transformed(X[column]) if column in self.powers_ else X[column] for column in self.selected_}
        return pd.DataFrame(written, index=X.index)

    def _transformed(self, column: pd.Series) -> Numbers:
        values, power = as_numbers(column, self.name), self.powers_[str(column.name)]
        if self.how == "yeo_johnson":
            return yeo_johnson(values, power)
        return box_cox(values, power)


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
        learnt = [_centre_and_spread(as_numbers(X[column], self.name), self.how) for column in self.selected_]
        self.centres_ = np.array([centre for centre, _ in learnt])
        self.spreads_ = np.array([spread for _, spread in learnt])

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        scaled = {
            column: _scaled(as_numbers(X[column], self.name), centre, spread)
            for column, centre, spread in zip(self.selected_, self.centres_, self.spreads_, strict=True)
        }
        return pd.DataFrame(scaled, index=X.index)


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


def _scaled(values: Numbers, centre: float, spread: float) -> Numbers:
    with np.errstate(over="ignore"):
        return bounded((values - centre) / spread)


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
    low, middle, high = np.quantile(known, [0.25, 0.5, 0.75])
    return float(middle), 1.0 if is_constant(np.array([low, high])) else float(high - low)
