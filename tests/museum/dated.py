"""Dated rows: steps that look ahead of a row's moment, and steps that see the past only."""

from __future__ import annotations

import pandas as pd

from pipelines.audit import absent, canary, future, independence

from .exhibit import Exhibit, own


def _dated(table, rng):
    """Rows in the order of their days, test last; the target drifts with time."""
    day = pd.Series(rng.integers(0, 200, len(table))).where(~table["is_test"], 200 + pd.Series(rng.integers(0, 60, len(table))))
    table = table.assign(day=day, sold=(pd.Timestamp("2024-01-01") + pd.to_timedelta(day, unit="D")).dt.strftime("%Y-%m-%d"))
    return table.sort_values("day", ignore_index=True).drop(columns="sold")


def _with_dates(table, rng):
    dated = _dated(table, rng)
    return dated.assign(day=(pd.Timestamp("2024-01-01") + pd.to_timedelta(dated["day"], unit="D")).dt.strftime("%Y-%m-%d"))


def _holidays(table, rng):
    """Two holidays in the 200 days of train, none in the 60 of test; much is sold on them."""
    dated = _dated(table, rng)
    is_holiday = dated["day"].between(10, 20) | dated["day"].between(110, 120)
    return dated.assign(holiday=is_holiday.astype(int), y=dated["y"] + 100 * is_holiday)


def _known_later(table, rng):
    """Filled for some of the dear ones on all days of train, never in test."""
    dated = _dated(table, rng)
    is_known = (dated["y"] > dated["y"].median()) & ~dated["is_test"] & (rng.random(len(dated)) < 0.7)
    return dated.assign(late=is_known.astype(int))


# the mean of the training rows that a row may see: `when` says which, `value` of what
_WINDOW = """
def _learn(self, X, y):
    self.day_, self.value_ = X['day'].to_numpy(float), {value}
    self.start_ = {start}
def _mean(self, X):
    day = X['day'].to_numpy(float)[:, None]
    seen = {seen}
    n = seen.sum(axis=1)
    total = np.where(seen, self.value_[None, :], 0.0).sum(axis=1)
    return pd.DataFrame({{'window': np.where(n > 0, total / np.maximum(n, 1), self.start_)}}, index=X.index)
def _write(self, X):
    return self._mean(X)
"""
_X, _Y = "X['area'].to_numpy()", "y.to_numpy()"
_BEFORE = "self.day_[None, :] < day"


def _window(*, value=_X, seen=_BEFORE, start="0.0") -> str:
    return own("Window", "PAST", _WINDOW.format(value=value, seen=seen, start=start), columns=["day", "area"])


_LAG = {"data": {"time": "day"}, "features": ["my_window"]}
_NEXT = own("Next", "NOTHING", "def _write(self, X):\n    return pd.DataFrame({'next': X['area'].shift(-1).fillna(0)})")
_RANK = own(
    "Rank",
    "PAST",
    "def _learn(self, X, y):\n    self.sorted_ = np.sort(X['area'].to_numpy())\n"
    "def _write(self, X):\n    return pd.DataFrame({'rank': np.searchsorted(self.sorted_, X['area'].to_numpy())}, index=X.index)",
)

PLANTED = [
    Exhibit(
        "the next row of a sorted file",
        independence.check,
        change=_dated,
        steps=_NEXT,
        declared={"data": {"time": "day"}, "features": ["my_next"]},
    ),
    Exhibit(
        "a mean of days before and after",
        future.check,
        change=_dated,
        steps=_window(seen="np.abs(self.day_[None, :] - day) < 10"),
        declared=_LAG,
    ),
    Exhibit(
        "a mean of the days that follow", future.check, change=_dated, steps=_window(seen="(self.day_[None, :] - day > 0)"), declared=_LAG
    ),
    Exhibit(
        "a mean of all days for rows without a past",
        future.check,
        change=_dated,
        steps=_window(start="float(self.value_.mean())"),
        declared=_LAG,
    ),
    Exhibit(
        "a rank among rows of all days",
        future.check,
        change=_dated,
        steps=_RANK,
        declared={"data": {"time": "day"}, "features": ["my_rank"]},
    ),
    Exhibit(
        "a mean of targets that are known later",
        future.check,
        change=_dated,
        steps=_window(value=_Y, seen="np.abs(self.day_[None, :] - day - 12) < 10"),
        declared=_LAG,
    ),
    Exhibit(
        "a mean of targets up to the row's own",
        canary.check,
        change=_dated,
        steps=_window(value=_Y, seen="self.day_[None, :] <= day"),
        declared=_LAG,
    ),
    Exhibit(
        "written dates, and a mean of days before and after",
        future.check,
        change=_with_dates,
        steps=own(
            "Window",
            "PAST",
            _WINDOW.format(value=_X, seen="np.abs(self.day_[None, :] - day) < 864e9", start="0.0").replace(
                "X['day'].to_numpy(float)", "pd.to_datetime(X['day']).astype('int64').to_numpy(float)"
            ),
            columns=["day", "area"],
        ),
        declared={"data": {"time": "day"}, "features": ["my_window", {"drop": ["day"]}]},
    ),
    Exhibit("known later, on all days of train", absent.check, change=_known_later, declared={"data": {"time": "day"}}),
]

CLEAN = [
    Exhibit("a mean of the days before", change=_dated, steps=_window(), declared=_LAG),
    Exhibit("a mean of the targets of the days before", change=_dated, steps=_window(value=_Y), declared=_LAG),
    Exhibit(
        "parts of a date, and steps that learn from a whole training part",
        change=_with_dates,
        declared={
            "data": {"time": "day"},
            "features": [
                {"cast": {"columns": "day", "to": "date"}},
                {"date_parts": {"columns": ["day"], "parts": ["month", "day"]}},
                {"drop": ["day"]},
                {"target_encode": {"columns": ["street"]}},
            ],
        },
    ),
    Exhibit(
        "folds by blocks of time",
        change=lambda t, r: _dated(t, r).assign(block=lambda t: t["day"] // 50),
        declared={"data": {"time": "day"}, "split": {"column": {"column": "block"}}},
    ),
    Exhibit("holidays that the weeks of test do not have", change=_holidays, declared={"data": {"time": "day"}}),
    Exhibit(
        "forward folds, the first of which know nothing of the last days of train",
        change=_dated,
        n_test=40,
        declared={
            "data": {"time": "day"},
            "split": {"forward": {"column": "day", "blocks": 4, "windows": 3}},
            "features": [{"target_encode": {"columns": ["street"]}}, {"derive": {"twice": "street + street"}}, "my_window"],
        },
        steps=_window(),
    ),
]
