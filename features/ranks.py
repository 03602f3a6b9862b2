"""Numbers by their place among the training values, and powers and limits of numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
from scipy.special import ndtri

from features.columns import Selection
from features.errors import InputError
from features.numbers import Numbers, as_numbers, bounded, refuse_all_missing
from features.step import Learns, Step

_TAIL = 1e-7
"""How close to 0 or 1 a rank comes before it is turned into a normal value, as in scikit-learn's QuantileTransformer."""


class RankGauss(Step):
    """Replace numbers, in place, by their rank among the training values, spread like a normal sample (rank-gauss).

    Values between two training quantiles are interpolated; values beyond the training range get that of its end. Missing
    stays missing. A column with one value only becomes 0 (``normal``) or 0.5 (``uniform``).

    Parameters
    ----------
    columns
        The columns to replace.
    into
        ``normal`` (mean 0, standard deviation 1, from -5.2 to 5.2) or ``uniform`` (0 to 1).
    quantiles
        How many quantiles are kept at most.

    Examples
    --------
    >>> RankGauss("area", into="uniform").fit_transform(pd.DataFrame({"area": [1.0, 2.0, 900.0]}))["area"].tolist()
    [0.0, 0.5, 1.0]
    """

    learns = Learns.ROWS
    accepts = ("numeric",)
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = ({}, {"into": "uniform", "quantiles": 20})

    def __init__(self, columns: Selection = "numeric", *, into: Literal["normal", "uniform"] = "normal", quantiles: int = 1000) -> None:
        self.columns = columns
        self.into = into
        self.quantiles = quantiles

    def check(self) -> None:
        """Check the number of quantiles."""
        super().check()
        if self.quantiles < 2:
            raise InputError(f"Step 'rank_gauss' needs at least 2 quantiles, found {self.quantiles!r}.")

    def _learn(self, X: pd.DataFrame, y: pd.Series | None) -> None:
        self.quantiles_: dict[str, Numbers] = {}
        for column in self.selected_:
            values = as_numbers(X[column], self.name)
            refuse_all_missing(values, column, self.name, "Leave it out, or drop it.")
            known = values[~np.isnan(values)]
            at = np.linspace(0.0, 1.0, min(self.quantiles, len(known)) if len(known) > 1 else 2)
            # interpolation can leave rounding that is not in order
            self.quantiles_[column] = np.maximum.accumulate(np.quantile(known, at))

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({column: self._ranked(X[column]) for column in self.selected_}, index=X.index)

    def _ranked(self, column: pd.Series) -> Numbers:
        ranks = rank_among(as_numbers(column, self.name), self.quantiles_[str(column.name)])
        return np.asarray(ndtri(np.clip(ranks, _TAIL, 1 - _TAIL))) if self.into == "normal" else ranks


class Power(Step):
    """Make powers of numeric columns: ``<column>__power_<power>``.

    A negative value to a power that is no whole number, and 0 to a negative one, are missing; a result beyond the largest
    float is the largest float. The source columns stay.

    Parameters
    ----------
    columns
        The columns to raise.
    powers
        The powers: 2 for the square, 3 for the cube, 0.5 for the square root, -1 for the inverse.

    Examples
    --------
    >>> Power("area", powers=[2, 0.5]).fit_transform(pd.DataFrame({"area": [4.0, -1.0]})).to_numpy().tolist()
    [[4.0, 16.0, 2.0], [-1.0, 1.0, nan]]
    """

    accepts = ("numeric",)
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"columns": ["LotArea", "LotFrontage"]},
        {"columns": "numeric", "powers": [3, 0.5, -1]},
    )

    def __init__(self, columns: Selection, *, powers: Sequence[float] = (2,)) -> None:
        self.columns = columns
        self.powers = powers

    def check(self) -> None:
        """Check the powers."""
        super().check()
        if not self.powers or not np.isfinite([float(power) for power in self.powers]).all():
            raise InputError(f"Step 'power' needs finite powers, such as [2, 0.5]; found {list(self.powers)!r}.")

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        values = {column: as_numbers(X[column], self.name) for column in self.selected_}
        written = {f"{column}__power_{power:g}": raised(values[column], float(power)) for column in self.selected_ for power in self.powers}
        return pd.DataFrame(written, index=X.index)


class Clip(Step):
    """Cut numbers, in place, at a lowest and a highest value.

    Fixed limits learn nothing; quantiles are those of the known training values. Missing stays missing.

    Parameters
    ----------
    columns
        The columns to cut.
    low
        The lowest value; none by default.
    high
        The highest value; none by default.
    quantiles
        In place of fixed limits: the shares, 0 to 1, of the training values at which to cut, such as ``[0.01, 0.99]``.

    Examples
    --------
    >>> Clip("age", low=0, high=90).fit_transform(pd.DataFrame({"age": [-1, 50, None, 700]}))["age"].tolist()
    [0.0, 50.0, nan, 90.0]
    """

    accepts = ("numeric",)
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"columns": ["LotFrontage", "LotArea"], "low": 20},
        {"columns": "numeric", "quantiles": [0.05, 0.95]},
    )

    def __init__(
        self, columns: Selection, *, low: float | None = None, high: float | None = None, quantiles: Sequence[float] | None = None
    ) -> None:
        self.columns = columns
        self.low = low
        self.high = high
        self.quantiles = quantiles

    @property
    def learns(self) -> Learns:  # type: ignore[override]
        """Nothing for fixed limits, rows for quantiles."""
        return Learns.NOTHING if self.quantiles is None else Learns.ROWS

    def check(self) -> None:
        """Check the limits."""
        super().check()
        is_fixed = self.low is not None or self.high is not None
        if is_fixed == (self.quantiles is not None):
            raise InputError("Step 'clip' needs either 'low' and 'high' (or one of them) or 'quantiles: [0.01, 0.99]', and not both.")
        low, high = self._limits()
        if not low <= high or (self.quantiles is not None and not 0 <= low <= high <= 1):
            raise InputError(f"Step 'clip' needs a low limit not above the high one (quantiles from 0 to 1), found {low!r} and {high!r}.")

    def _limits(self) -> tuple[float, float]:
        if self.quantiles is not None:
            if len(self.quantiles) != 2:
                raise InputError(f"Step 'clip' needs two quantiles, such as [0.01, 0.99]; found {list(self.quantiles)!r}.")
            return float(self.quantiles[0]), float(self.quantiles[1])
        return -np.inf if self.low is None else float(self.low), np.inf if self.high is None else float(self.high)

    def _learn(self, X: pd.DataFrame, y: pd.Series | None) -> None:
        low, high = self._limits()
        self.limits_ = {column: np.array([low, high]) for column in self.selected_}
        if self.quantiles is None:
            return
        for column in self.selected_:
            values = as_numbers(X[column], self.name)
            refuse_all_missing(values, column, self.name, "Leave it out, or drop it.")
            self.limits_[column] = np.nanquantile(values, [low, high])

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        written = {column: np.clip(as_numbers(X[column], self.name), *self.limits_[column]) for column in self.selected_}
        return pd.DataFrame(written, index=X.index)


def rank_among(values: Numbers, quantiles: Numbers) -> Numbers:
    """The share, 0 to 1, of evenly spaced ``quantiles`` below each value; the middle of the place where several are equal.

    >>> rank_among(np.array([1.0, 2.0, 7.0]), np.array([1.0, 2.0, 2.0, 2.0, 7.0])).tolist()
    [0.0, 0.5, 1.0]
    """
    if quantiles[0] == quantiles[-1]:
        return np.where(np.isnan(values), np.nan, np.where(values < quantiles[0], 0.0, np.where(values > quantiles[0], 1.0, 0.5)))
    at = np.linspace(0.0, 1.0, len(quantiles))
    # interp takes the last of equal quantiles from the left and the first from the right
    from_left, from_right = np.interp(values, quantiles, at), -np.interp(-values, -quantiles[::-1], -at[::-1])
    ranks = (from_left + from_right) / 2
    return np.where(values <= quantiles[0], 0.0, np.where(values >= quantiles[-1], 1.0, ranks))


def raised(values: Numbers, power: float) -> Numbers:
    """Values to a power; missing where the result is no number, the largest float where it is too large."""
    with np.errstate(all="ignore"):
        result = bounded(np.power(values, power))
    return np.where((values == 0) & (power < 0), np.nan, result)
