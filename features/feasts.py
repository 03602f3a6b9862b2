"""Movable feasts: days counted from Easter, which carnival, Good Friday, Ascension and Whitsun go by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from features.columns import Selection
from features.cutoffs import NO_DAY, Days, day_numbers
from features.errors import InputError
from features.step import Step


class DaysFromEaster(Step):
    """Count the days from the nearest Easter Sunday of the Western churches: ``<column>__days_from_easter``; negative before it.

    Carnival Monday is -48, Good Friday -2, Ascension 39, Whit Monday 50, Corpus Christi 60. Missing for a missing date and
    outside of ``first`` and ``last``. The source columns stay.

    Parameters
    ----------
    columns
        The date columns.
    first
        The earliest day that is told apart.
    last
        The latest one.

    Examples
    --------
    >>> X = pd.DataFrame({"day": pd.to_datetime(["2015-02-16", "2015-04-05", "2015-05-25", "2015-12-24"])})
    >>> DaysFromEaster("day").fit_transform(X)["day__days_from_easter"].tolist()
    [-48.0, 0.0, 50.0, nan]
    """

    accepts = ("dates",)
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"columns": ["Sold", "Remodelled"]},
        {"columns": "dates", "first": -180, "last": 190},
    )

    def __init__(self, columns: Selection = "dates", *, first: int = -52, last: int = 61) -> None:
        self.columns = columns
        self.first = first
        self.last = last

    def check(self) -> None:
        """Check that the first day comes before the last."""
        super().check()
        if self.first >= self.last:
            raise InputError(f"Step 'days_from_easter' needs a first day before the last one; found {self.first} and {self.last}.")

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({f"{column}__days_from_easter": self._days(X[column]) for column in self.selected_}, index=X.index)

    def _days(self, column: pd.Series) -> np.ndarray:
        days = day_numbers(column, self.name)
        known = days != NO_DAY
        year = np.where(known, days, 0).astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
        distances = np.stack([days - easter(year + shift) for shift in (-1, 0, 1)])
        nearest = np.take_along_axis(distances, np.abs(distances).argmin(axis=0)[None], axis=0)[0]
        return np.where(known & (nearest >= self.first) & (nearest <= self.last), nearest, np.nan)


def easter(year: Days) -> Days:
    """Easter Sundays of some years, in days since 1970-01-01: the Gregorian computus of Meeus, Jones and Butcher.

    Meeus, Astronomical Algorithms (1991), chapter 8.

    >>> easter(np.array([2014, 2015])).astype("datetime64[D]").astype(str).tolist()
    ['2014-04-20', '2015-04-05']
    """
    golden, century, rest = year % 19, year // 100, year % 100
    corrected = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - century // 4 - corrected + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (rest // 4) - epact - rest % 4) % 7
    late = (golden + 11 * epact + 22 * weekday) // 451
    from_march = epact + weekday - 7 * late + 21  # days after the first of March
    march = ((year - 1970) * 12 + 2).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    return np.asarray(march + from_march, dtype=np.int64)
