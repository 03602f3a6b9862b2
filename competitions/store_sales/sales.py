"""The stated model of a day's sales in a store.

The logarithm of the sales of an open store is the sum of

- its level, higher in type b and with assortment c;
- a weekday pattern (Monday and Friday high), with a deviation of each store and weekday;
- the promotion: about 0.3, different for each store, more on Mondays; the standing one, while it runs: 0.04;
- the year: up to 0.5 in the weeks before Christmas, a little up in spring, and a trend of each store's own;
- the month: its first and last days are 0.1 higher; the days before a holiday 0.15;
- school holidays: 0.03; after a rebuilding: 0.08; after a competitor has opened nearby: -0.08;
- a slow wander of each store (a first-order autoregression by weeks, standard deviation about 0.05);
- a shock of each day that all stores share (0.03), and noise of each row (0.09): together about 0.1 cannot be known in advance.

Customers are the sales divided by a basket that differs by type. Closed days have neither.
"""

from __future__ import annotations

from calendar import month_abbr
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from competitions.store_sales.days import DATES, DAY_OF_WEEK, promotions, school_holidays, state_holidays
from competitions.store_sales.stores import Stores

Values: TypeAlias = NDArray[Any]

NOISE_SD, SHOCK_SD, WANDER_SD, WANDER_KEPT = 0.09, 0.03, 0.016, 0.95
OF_WEEKDAY = (0.12, 0.0, -0.03, -0.03, 0.06, 0.0, 0.15)
PROMO_BY_WEEKDAY = (0.13, 0.05, 0.0, -0.02, -0.1, 0.0, 0.0)
BASKET = {"a": 8.8, "b": 5.1, "c": 8.6, "d": 11.2}
REBUILT_FROM, REBUILT_TO = pd.Timestamp("2014-07-01"), pd.Timestamp("2014-12-31")
OPEN_ON_HOLIDAY_SHARE = 0.03


@dataclass(frozen=True)
class Panel:
    """Columns of the rows, each of shape (n_stores, n_days); ``is_there`` says which rows there are."""

    is_open: Values
    state_holiday: Values
    school_holiday: Values
    promo: Values
    sales: Values
    customers: Values
    is_there: Values


def drawn(rng: Generator, stores: Stores) -> Panel:
    """What happens in all stores on all days of ``DATES``."""
    n_stores, n_days = len(stores.table), len(DATES)
    state_holiday = state_holidays()[stores.state]
    school_holiday = school_holidays()[stores.state]
    promo = np.broadcast_to(promotions(), (n_stores, n_days))
    is_there = ~(stores.is_rebuilt[:, None] & (REBUILT_FROM <= DATES) & (REBUILT_TO >= DATES))
    is_open = _opening(rng, stores, state_holiday)
    logarithm = _store_part(rng, stores) + _calendar_part(rng, stores, promo, school_holiday) + _before_holidays(state_holiday)
    noise = rng.normal(0, SHOCK_SD, n_days) + rng.normal(0, NOISE_SD, (n_stores, n_days))
    sales = np.rint(np.exp(logarithm + _wander(rng, n_stores) + noise)).astype(int) * is_open
    basket = np.array([BASKET[kind] for kind in stores.table["StoreType"]]) * np.exp(rng.normal(0, 0.15, n_stores))
    customers = np.rint(sales / basket[:, None] * np.exp(rng.normal(0, 0.05, (n_stores, n_days)))).astype(int)
    return Panel(is_open, state_holiday, school_holiday, promo, sales, customers, is_there)


def _opening(rng: Generator, stores: Stores, state_holiday: Values) -> Values:
    """Closed on Sundays and holidays, but for a few stores, and now and then for some weeks of works."""
    n_stores = len(stores.table)
    is_open = np.where(DAY_OF_WEEK == 7, stores.opens_sundays[:, None], True)
    on_holidays = stores.opens_sundays | (rng.random(n_stores) < OPEN_ON_HOLIDAY_SHARE)
    is_open &= (state_holiday == "0") | on_holidays[:, None]
    start, length = rng.integers(0, 12 * len(DATES), n_stores), rng.integers(6, 28, n_stores)
    position = np.arange(len(DATES))
    is_open &= ~((start[:, None] <= position) & (position < (start + length)[:, None]))
    return is_open


def _store_part(rng: Generator, stores: Stores) -> Values:
    """What hangs on the store, and on the store and time; of shape (n_stores, n_days)."""
    table, n_stores = stores.table, len(stores.table)
    year = ((DATES - DATES[0]).days.to_numpy() - len(DATES) / 2) / 365
    level = rng.normal(8.57, 0.28, n_stores) + 0.3 * (table["StoreType"] == "b").to_numpy() + 0.1 * (table["Assortment"] == "c").to_numpy()
    part: Values = level[:, None] + rng.normal(0.02, 0.045, n_stores)[:, None] * year
    opened = pd.to_datetime(
        {"year": table["CompetitionOpenSinceYear"].fillna(1900), "month": table["CompetitionOpenSinceMonth"].fillna(1), "day": 1}
    )
    part -= 0.08 * (opened.to_numpy()[:, None] <= DATES.to_numpy())
    part += 0.08 * (stores.is_rebuilt[:, None] & (REBUILT_TO < DATES))
    part += 0.04 * _promo2_runs(table)
    return part


def _promo2_runs(table: pd.DataFrame) -> Values:
    """Whether the standing promotion has begun and this is a month of its interval."""
    months = table["PromoInterval"].fillna("").str.replace("Sept", "Sep")
    in_month = np.array([[name in interval for name in month_abbr[1:]] for interval in months])
    since = table["Promo2SinceYear"].fillna(9999).to_numpy(int) * 100 + table["Promo2SinceWeek"].fillna(1).to_numpy(int)
    iso = DATES.isocalendar()
    has_begun: Values = since[:, None] <= (iso["year"] * 100 + iso["week"]).to_numpy(int)
    return in_month[:, DATES.month.to_numpy() - 1] & has_begun


def _calendar_part(rng: Generator, stores: Stores, promo: Values, school_holiday: Values) -> Values:
    n_stores = len(stores.table)
    weekday = DAY_OF_WEEK - 1
    of_weekday = np.array(OF_WEEKDAY) + rng.normal(0, 0.06, (n_stores, 7))
    of_promo = rng.normal(0.33, 0.11, n_stores)[:, None] + np.array(PROMO_BY_WEEKDAY)
    to_christmas = (
        (pd.to_datetime(pd.Series(DATES.year).astype(str) + "-12-24").to_numpy() - DATES.to_numpy()).astype("timedelta64[D]").astype(int)
    )
    december = np.where((to_christmas >= 0) & (to_christmas < 28), 0.5 * np.exp(-to_christmas / 16), 0)
    spring = 0.03 * np.cos((DATES.day_of_year.to_numpy() - 150) * 2 * np.pi / 365)
    payday = 0.1 * ((DATES.day.to_numpy() <= 3) | (DATES.day.to_numpy() >= 29))
    part: Values = of_weekday[:, weekday] + promo * of_promo[:, weekday] + 0.03 * school_holiday + december + spring + payday
    return part


def _before_holidays(state_holiday: Values) -> Values:
    """People buy ahead on the day before a holiday."""
    before = np.zeros(state_holiday.shape)
    before[:, :-1] = 0.15 * (state_holiday[:, 1:] != "0")
    return before


def _wander(rng: Generator, n_stores: int) -> Values:
    """A first-order autoregression by weeks, begun where it has settled, of shape (n_stores, n_days)."""
    n_weeks = len(DATES) // 7 + 1
    steps = rng.normal(0, WANDER_SD, (n_stores, n_weeks))
    steps[:, 0] /= np.sqrt(1 - WANDER_KEPT**2)
    for week in range(1, n_weeks):
        steps[:, week] += WANDER_KEPT * steps[:, week - 1]
    weeks: Values = steps[:, np.arange(len(DATES)) // 7]
    return weeks
