"""The target's rate in earlier periods: what a key did before, drawn towards what all rows did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd

from features.columns import select
from features.errors import InputError
from features.history import KeySets, key_sets
from features.keys import Codes, key_codes, learn_key_codes
from features.numbers import Numbers
from features.step import Learns, Step
from features.target import target_columns
from features.times import SECONDS, as_seconds

_NEVER = np.iinfo(np.int64).min // 4
"""The period of a row without a time: it is nobody's past, and has none."""


class PastTargetRate(Step):
    """Give the mean target of a row's key in strictly earlier periods: ``<by>__past_rate``, ``<by>__past_rate_<last>``.

    The rate is ``(credibility * prior + sum) / (credibility + count)`` over the training rows of the key in those periods;
    the prior is the mean target of all training rows in them. So a row sees no label of its own period or a later one,
    least of all its own, and training rows and new ones are told the same. Where no period lies before, the rate is
    missing; a key without past, with a missing part or not seen, has the prior. A target of several classes gives a column
    for each (``_<class>`` behind the name). Used by the second place of the Avazu competition (2015), by day.

    Parameters
    ----------
    by
        The key: a column, a list of columns that together are one key, or a list of such lists for several keys at once.
    time
        The column of times: dates, or numbers that count seconds.
    period
        How long a period is; ``value`` takes the column for numbers of periods (which then must be whole).
    credibility
        The strength of the prior, in rows.
    last
        How many periods are looked back on; all earlier ones by default.
    gap
        How many periods right before the row's own are not seen, because their labels come late.
    counts
        Whether the number of rows behind each rate is a column too: ``<by>__past_count``.

    Examples
    --------
    >>> X = pd.DataFrame({"site": ["a", "a", "a"], "hour": [1, 1, 2]})
    >>> step = PastTargetRate("site", time="hour", period="value", credibility=0)
    >>> step.fit_transform(X, pd.Series([1.0, 0.0, 1.0]))["site__past_rate"].tolist()
    [nan, nan, 0.5]
    """

    learns = Learns.PAST
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"by": "Neighborhood", "time": "Sold", "period": "week"},
        {
            "by": [["Street", "HasAir"], ["PoolQC"], []],
            "time": "YrSold",
            "period": "value",
            "credibility": 0.0,
            "last": 2,
            "gap": 1,
            "counts": True,
        },
    )

    def __init__(
        self,
        by: KeySets,
        *,
        time: str,
        period: Literal["value", "minute", "hour", "day", "week"] = "day",
        credibility: float = 10.0,
        last: int | None = None,
        gap: int = 0,
        counts: bool = False,
    ) -> None:
        self.by = by
        self.time = time
        self.period = period
        self.credibility = credibility
        self.last = last
        self.gap = gap
        self.counts = counts

    def check(self) -> None:
        """Check the numbers."""
        super().check()
        if not 0 <= self.credibility < np.inf:
            raise InputError(f"Step 'past_target_rate' needs a credibility of at least 0 rows, found {self.credibility!r}.")
        if self.gap < 0 or (self.last is not None and self.last < 1):
            raise InputError(
                f"Step 'past_target_rate' needs 'last' of at least 1 period and 'gap' of at least 0; found {self.last!r}, {self.gap!r}."
            )

    def _selected(self, X: pd.DataFrame) -> list[str]:
        return select(X, [column for columns in key_sets(self.by) for column in columns])

    def _beside(self, X: pd.DataFrame) -> list[str]:
        return select(X, [self.time])

    def _learn(self, X: pd.DataFrame, y: pd.Series | None) -> None:
        assert y is not None
        periods, targets = self._periods(X), target_columns(y)
        self.everyone_ = _running_sums(np.zeros(len(X), dtype=np.int64), periods, targets)
        self.pasts_: list[dict[str, Any]] = []
        for columns in key_sets(self.by):
            keys, codes = learn_key_codes(X, columns)
            self.pasts_.append({"keys": keys, "sums": _running_sums(codes, periods, targets)})

    def _periods(self, X: pd.DataFrame) -> Codes:
        seconds = as_seconds(X[self.time], self.name)
        if self.period == "value" and bool((np.floor(seconds) != seconds)[~np.isnan(seconds)].any()):
            raise InputError(
                f"Step 'past_target_rate' takes column {self.time!r} for numbers of periods, and it holds fractions. Give a 'period', such as day."
            )
        return _whole(seconds / SECONDS.get(self.period, 1.0))

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        ends = self._periods(X) - self.gap
        all_rows = np.zeros(len(X), dtype=np.int64)
        counts, sums = self._between(self.everyone_, all_rows, ends)
        priors = {name: np.where(counts > 0, total / np.maximum(counts, 1), np.nan) for name, total in sums.items()}
        written: dict[str, Numbers] = {}
        for past in self.pasts_:
            counts, sums = self._between(past["sums"], key_codes(X, past["keys"]), ends)
            weight = counts + self.credibility
            for name, total in sums.items():
                rate = (total + self.credibility * priors[name]) / np.where(weight > 0, weight, 1.0)
                written[self._name(past, "rate", name)] = np.where(weight > 0, rate, priors[name])
            if self.counts:
                written[self._name(past, "count", "")] = counts
        return pd.DataFrame(written, index=X.index)

    def _between(self, running: dict[str, Any], codes: Codes, ends: Codes) -> tuple[Numbers, dict[str, Numbers]]:
        """Count and sums of each row's group over the periods before ``ends``, the last ones only where so asked."""
        at = _place(running, codes, ends)
        since = np.zeros(len(at), dtype=np.int64) if self.last is None else _place(running, codes, ends - self.last)
        counts = running["counts"][at] - running["counts"][since]
        return counts, {name: sums[at] - sums[since] for name, sums in running["sums"].items()}

    def _name(self, past: dict[str, Any], what: str, target: str) -> str:
        parts = [f"past_{what}", *([] if self.last is None else [str(self.last)]), *([target] if target else [])]
        return f"{'_'.join(past['keys']['by']) or 'all'}__{'_'.join(parts)}"


def _whole(periods: Numbers) -> Codes:
    """The period each number lies in; ``_NEVER`` for a missing one."""
    known = np.clip(np.nan_to_num(np.floor(periods), nan=0.0), -(2.0**53), 2.0**53).astype(np.int64)
    return np.where(np.isnan(periods), _NEVER, known)


def _running_sums(codes: Codes, periods: Codes, targets: Mapping[str, Numbers]) -> dict[str, Any]:
    """Count and sums of the targets of each group up to and with each of its periods.

    Returns
    -------
    dict
        ``periods``: the distinct ones. ``cells``: group times number of periods plus one, plus place of the period, for
        the pairs there are. ``counts`` and ``sums``: one more than cells, the first is 0 and stands for no past; each
        group's start anew, so that no label of another group leaves its rounding in them.
    """
    there = np.flatnonzero((codes >= 0) & (periods != _NEVER))
    distinct, places = np.unique(periods[there], return_inverse=True)
    cells, rows = np.unique(codes[there] * (len(distinct) + 1) + places, return_inverse=True)
    groups = cells // (len(distinct) + 1)

    def running(values: Numbers) -> Numbers:
        # in the order of the values, so that sums do not hang on the order of the rows
        order = np.argsort(values, kind="stable")
        per_cell = np.bincount(rows[order], weights=values[order], minlength=len(cells))
        return np.append(0.0, pd.Series(per_cell).groupby(groups).cumsum().to_numpy(dtype=np.float64))

    sums = {name: running(values[there]) for name, values in targets.items()}
    return {"periods": distinct, "cells": cells, "counts": running(np.ones(len(there))), "sums": sums}


def _place(running: dict[str, Any], codes: Codes, ends: Codes) -> Codes:
    """Where the running sums of each row's group over the periods before ``ends`` stand; 0 where there are none."""
    width = len(running["periods"]) + 1
    groups = np.maximum(codes, 0)
    at = np.searchsorted(running["cells"], groups * width + np.searchsorted(running["periods"], ends))
    has_past = (codes >= 0) & (at > 0) & (np.append(-1, running["cells"])[at] // width == groups)
    return np.where(has_past, at, 0)
