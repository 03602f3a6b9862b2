"""The days from 2013 to mid-2015: promotion weeks, public holidays and school holidays of the German states.

Public holidays follow the states' laws; the first and last days of school holidays are near the real ones, not exact.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Values: TypeAlias = NDArray[Any]

FIRST, LAST_TRAINING, LAST = pd.Timestamp("2013-01-01"), pd.Timestamp("2015-06-19"), pd.Timestamp("2015-07-31")
DATES = pd.date_range(FIRST, LAST)
N_TRAINING = int((LAST_TRAINING - FIRST).days) + 1
DAY_OF_WEEK: Values = DATES.day_of_week.to_numpy() + 1
"""1 is Monday, 7 is Sunday."""
EASTER = {2013: "2013-03-31", 2014: "2014-04-20", 2015: "2015-04-05"}
# Two states, pooled, are one level of the file
STATES = ("BE", "BW", "BY", "HB,NI", "HE", "HH", "NW", "RP", "SH", "SN", "ST", "TH")
PUBLIC, AT_EASTER, AT_CHRISTMAS = "a", "b", "c"

EVERYWHERE = {"01-01": PUBLIC, "05-01": PUBLIC, "10-03": PUBLIC, "12-25": AT_CHRISTMAS, "12-26": AT_CHRISTMAS}
AFTER_EASTER = {-2: AT_EASTER, 1: AT_EASTER, 39: PUBLIC, 50: PUBLIC}
OF_STATES = {
    "01-06": ("BW", "BY", "ST"),
    "08-15": ("BY",),
    "10-31": ("SN", "ST", "TH"),
    "11-01": ("BW", "BY", "NW", "RP"),
}
CORPUS_CHRISTI, CELEBRATED_IN = 60, ("BW", "BY", "HE", "NW", "RP")
REPENTANCE = {"2013-11-20": "SN", "2014-11-19": "SN"}
# First day of the six weeks of summer and of the two weeks of autumn holidays; how many days of a winter holiday from 1 February
SCHOOL = {
    "BE": ("06-20", "10-01", 5),
    "BW": ("07-26", "10-28", 0),
    "BY": ("07-31", "10-28", 5),
    "HB,NI": ("06-27", "10-04", 2),
    "HE": ("07-08", "10-14", 0),
    "HH": ("06-21", "10-01", 1),
    "NW": ("07-20", "10-14", 0),
    "RP": ("07-08", "10-07", 0),
    "SH": ("06-24", "10-04", 0),
    "SN": ("07-14", "10-18", 10),
    "ST": ("07-15", "10-21", 8),
    "TH": ("07-15", "10-21", 5),
}


def state_holidays() -> Values:
    """``0``, ``a`` (public), ``b`` (Easter) or ``c`` (Christmas) of each state and day, of shape (n_states, n_days)."""
    holidays = np.full((len(STATES), len(DATES)), "0")
    for year, easter in EASTER.items():
        for month_day, kind in EVERYWHERE.items():
            _mark(holidays, STATES, f"{year}-{month_day}", kind)
        for month_day, states in OF_STATES.items():
            _mark(holidays, states, f"{year}-{month_day}", PUBLIC)
        for days, kind in AFTER_EASTER.items():
            _mark(holidays, STATES, pd.Timestamp(easter) + pd.Timedelta(days=days), kind)
        _mark(holidays, CELEBRATED_IN, pd.Timestamp(easter) + pd.Timedelta(days=CORPUS_CHRISTI), PUBLIC)
    for day, state in REPENTANCE.items():
        _mark(holidays, (state,), day, PUBLIC)
    return holidays


def school_holidays() -> Values:
    """1 on the school holidays of each state, weekends apart, else 0; of shape (n_states, n_days)."""
    holidays = np.zeros((len(STATES), len(DATES)), int)
    for number, state in enumerate(STATES):
        summer, autumn, winter = SCHOOL[state]
        for year, easter in EASTER.items():
            windows: list[tuple[pd.Timestamp | str, int]] = [
                (f"{year}-01-01", 3),
                (f"{year}-02-01", winter),
                (pd.Timestamp(easter) - pd.Timedelta(days=6), 13),
                (f"{year}-{summer}", 44),
                (f"{year}-{autumn}", 12),
                (f"{year}-12-23", 9),
            ]
            for start, n_days in windows:
                first = pd.Timestamp(start)
                holidays[number, (first <= DATES) & (first + pd.Timedelta(days=n_days) > DATES)] = 1
    return holidays * (DAY_OF_WEEK < 6)


def promotions() -> Values:
    """1 on the days of a promotion: Monday to Friday of every other week, in all stores; of shape (n_days,)."""
    week = (DATES - pd.Timestamp("2012-12-31")).days.to_numpy() // 7
    running: Values = ((week % 2 == 1) & (DAY_OF_WEEK < 6)).astype(int)
    return running


def _mark(holidays: Values, states: tuple[str, ...], day: pd.Timestamp | str, kind: str) -> None:
    """Set a day's kind in some states, where the day is one of ours."""
    holidays[np.ix_(np.isin(STATES, states), pd.Timestamp(day) == DATES)] = kind
