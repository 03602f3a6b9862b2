"""Times as seconds: from dates, or from numbers that count them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from features.columns import kind_of
from features.dates import as_dates
from features.numbers import Numbers, as_numbers

SECONDS = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0, "week": 7 * 86400.0}
"""The length of each unit."""


def as_seconds(column: pd.Series, step: str) -> Numbers:
    """A column's times in seconds, of shape (n_rows,), missing as NaN: since 1970 for dates, as they are for numbers.

    Raises
    ------
    InputError
        When the column holds neither dates nor numbers, or an infinite one.
    """
    if kind_of(column) == "numeric":
        return as_numbers(column, step)
    return np.asarray((as_dates(column, step) - pd.Timestamp("1970-01-01")).dt.total_seconds(), dtype=np.float64)
