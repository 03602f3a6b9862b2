"""Cutoffs: the day before which a row sees history, for rows that must not look at what comes after them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.dates import as_dates
from features.errors import InputError

Days = NDArray[np.int64]

NO_DAY = -(10**9)
"""Stands for a missing date: earlier than any day there is, so that nothing lies before it."""


def day_numbers(column: pd.Series, step: str) -> Days:
    """Days since 1970-01-01 of a date column, shape (n_rows,); the time of day is cut off, ``NO_DAY`` stands for missing.

    >>> day_numbers(pd.Series(pd.to_datetime(["1970-01-02 23:00", None])), "lag").tolist()
    [1, -1000000000]
    """
    dates = as_dates(column, step)
    days = dates.to_numpy(dtype="datetime64[D]").astype(np.int64)
    return np.where(dates.isna().to_numpy(), NO_DAY, days)


def gap_cutoffs(days: Days, gap: int) -> Days:
    """Each row's own cutoff: its day less ``gap``; what is seen lies before it, so ``gap`` whole days lie between.

    >>> gap_cutoffs(np.array([100]), 6).tolist()  # sees day 93 and earlier
    [94]
    """
    return np.where(days == NO_DAY, NO_DAY, days - gap)


def block_cutoffs(days: Days, block: int, anchor: int, label_delay: int = 0) -> Days:
    """The first day of each row's block, less the label delay; blocks of ``block`` days begin at ``anchor`` and go both ways from there.

    >>> block_cutoffs(np.array([93, 99, 100, 107]), 7, anchor=100).tolist()
    [93, 93, 100, 107]
    """
    return np.where(days == NO_DAY, NO_DAY, anchor + (days - anchor) // block * block - label_delay)


def check_cutoff(step: str, gap: int | None, block: int | None, label_delay: int) -> None:
    """Raise InputError when a step's cutoff is not said in one way, or in days that make no sense."""
    if gap is not None and block is not None:
        raise InputError(f"Step {step!r} takes its cutoff from 'gap' or from 'block', not both; found gap={gap} and block={block}.")
    for name, value, least in (("gap", gap, 0), ("block", block, 1), ("label_delay", label_delay, 0)):
        if value is not None and value < least:
            raise InputError(f"Step {step!r} needs {name!r} to be at least {least} (days); found {value!r}.")
