"""Stores: their type, assortment, competition and standing promotion, and what of them the files do not say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from competitions.store_sales.days import STATES

Values: TypeAlias = NDArray[Any]

TYPES, TYPE_SHARES = ("a", "b", "c", "d"), (0.54, 0.016, 0.132, 0.312)
ASSORTMENT_C = {"a": 0.37, "b": 0.06, "c": 0.48, "d": 0.63}
STATE_SHARES = (0.083, 0.065, 0.0, 0.02, 0.1, 0.025, 0.257, 0.036, 0.103, 0.067, 0.05, 0.033)
"""Of the states in their order, but for the one of the rebuilt stores."""
INTERVALS, INTERVAL_SHARES = ("Jan,Apr,Jul,Oct", "Feb,May,Aug,Nov", "Mar,Jun,Sept,Dec"), (0.59, 0.23, 0.18)
PROMO2_SHARE, NO_OPENING_SHARE, NO_DISTANCE_SHARE = 0.51, 0.317, 0.0027
REBUILT_IN, REBUILT_SHARE = "BY", 0.16
"""Stores without rows in the second half of 2014, when they were rebuilt: all those of one state, as in the real file."""
UNTESTED_SHARE = 0.2
"""Stores that the test file does not ask for."""


@dataclass(frozen=True)
class Stores:
    """``table`` is ``store.csv``, ``state`` a position in ``STATES``; the rest is hidden or shows only in the rows."""

    table: pd.DataFrame
    state: Values
    is_rebuilt: Values
    is_tested: Values
    opens_sundays: Values


def drawn(rng: Generator, n_stores: int) -> Stores:
    """So many stores, numbered from 1; one at least is of type b, so that each sample has a store that is open on Sundays."""
    kind = rng.choice(TYPES, n_stores, p=TYPE_SHARES)
    kind[rng.integers(n_stores)] = "b"
    is_b = kind == "b"
    has_c = rng.random(n_stores) < np.array([ASSORTMENT_C[letter] for letter in kind])
    assortment = np.where(is_b & ~has_c, rng.choice(["a", "b"], n_stores, p=[0.45, 0.55]), np.where(has_c, "c", "a"))
    columns: dict[str, Any] = {"Store": np.arange(1, n_stores + 1), "StoreType": kind, "Assortment": assortment}
    is_rebuilt = _some(rng, n_stores, n_rebuilt(n_stores))
    state = rng.choice(len(STATES), n_stores, p=np.array(STATE_SHARES) / sum(STATE_SHARES))
    table = pd.DataFrame(columns | _competition(rng, n_stores) | _promo2(rng, n_stores))
    return Stores(
        table,
        state=np.where(is_rebuilt, STATES.index(REBUILT_IN), state),
        is_rebuilt=is_rebuilt,
        is_tested=~_some(rng, n_stores, max(1, round(UNTESTED_SHARE * n_stores))),
        opens_sundays=is_b | (rng.random(n_stores) < 0.014),
    )


def n_rebuilt(n_stores: int) -> int:
    """How many of so many stores are closed for half a year."""
    return max(1, round(REBUILT_SHARE * n_stores))


def _competition(rng: Generator, n_stores: int) -> dict[str, Any]:
    """Distance in metres and opening of the nearest competitor; the opening is known or not as a pair, and never without the distance."""
    distance = np.clip(10 * np.round(np.exp(rng.normal(7.75, 1.55, n_stores)) / 10), 20, 75_860)
    no_opening = _some(rng, n_stores, max(2, round(NO_OPENING_SHARE * n_stores)))
    no_distance = np.zeros(n_stores, bool)
    no_distance[np.flatnonzero(no_opening)[: max(1, round(NO_DISTANCE_SHARE * n_stores))]] = True
    year = np.clip(2015 - np.floor(rng.exponential(5.5, n_stores)), 1990, 2015)
    # One competitor is older than the rest, as in the real file, where a year of 1900 is no error
    year[np.flatnonzero(~no_opening)[0]] = 1900
    month = np.where(year == 2015, rng.integers(1, 7, n_stores), rng.integers(1, 13, n_stores))
    return {
        "CompetitionDistance": _whole(distance, no_distance),
        "CompetitionOpenSinceMonth": _whole(month, no_opening),
        "CompetitionOpenSinceYear": _whole(year, no_opening),
    }


def _promo2(rng: Generator, n_stores: int) -> dict[str, Any]:
    """A standing promotion that starts again in the months of its interval; its three columns are empty where there is none."""
    is_in = _some(rng, n_stores, max(1, round(PROMO2_SHARE * n_stores)))
    year = rng.choice([2009, 2010, 2011, 2012, 2013, 2014, 2015], n_stores, p=[0.13, 0.11, 0.22, 0.14, 0.21, 0.17, 0.02])
    week = np.where(
        year == 2015, rng.integers(1, 24, n_stores), rng.choice([1, 5, 9, 10, 13, 14, 18, 22, 27, 31, 35, 37, 40, 45, 48, 50], n_stores)
    )
    return {
        "Promo2": is_in.astype(int),
        "Promo2SinceWeek": _whole(week, ~is_in),
        "Promo2SinceYear": _whole(year, ~is_in),
        "PromoInterval": pd.Series(rng.choice(INTERVALS, n_stores, p=INTERVAL_SHARES)).where(is_in),
    }


def _some(rng: Generator, n_stores: int, count: int) -> Values:
    """A mask of so many stores."""
    chosen: Values = rng.permutation(n_stores) < count
    return chosen


def _whole(numbers: Values, is_missing: Values) -> pd.Series:
    """Whole numbers with gaps, which are written without a point, as in the real file, and read back with one."""
    return pd.Series(numbers).astype("Int64").mask(is_missing)
