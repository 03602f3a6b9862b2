"""Folds in time, as they really are: from when to when each is fitted and scored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.columns import kind_of
from pipelines.splits import Folds, Rows
from pipelines.times import as_times


@dataclass(frozen=True)
class Window:
    """The stretches of time that a fold fits on and scores."""

    fold: int
    fit_from: str
    fit_to: str
    fit_rows: int
    scored_from: str
    scored_to: str
    scored_rows: int
    unused_rows: int
    gap: float | None
    """The time between the nearest fit and scored rows: whole days between them for dates, the distance for numbers.
    None where rows of one time are both fitted on and scored."""

    @property
    def line(self) -> str:
        """The window as one line of text."""
        gap = "times mixed" if self.gap is None else f"gap {self.gap:g}"
        return (
            f"fold {self.fold}: fit {self.fit_from} to {self.fit_to} ({self.fit_rows:,} rows), {gap}, "
            f"scored {self.scored_from} to {self.scored_to} ({self.scored_rows:,} rows), {self.unused_rows:,} unused"
        )


def windows(folds: Folds, times: pd.Series) -> list[Window]:
    """The window of each fold.

    Parameters
    ----------
    folds
        Folds of ``n_rows`` training rows.
    times : Series of shape (n_rows,)
        The raw column that orders them: dates, text that holds dates, or numbers. Rows without a value are counted, and
        left out of the rest.
    """
    known = np.flatnonzero(times.notna().to_numpy())
    read = as_times(times.iloc[known])
    is_dates = kind_of(read) == "dates"
    shown = (
        read.dt.strftime("%Y-%m-%d" if (read == read.dt.normalize()).all() else "%Y-%m-%d %H:%M") if is_dates else read.map("{:g}".format)
    )
    place = np.full(len(times), -1)
    place[known] = np.arange(len(known))
    numbers = read.to_numpy(dtype="datetime64[D]").astype(np.float64) if is_dates else read.to_numpy()
    return [_window(folds, fold, place, numbers, read.to_numpy(), shown.to_numpy(), is_dates) for fold in range(folds.n_folds)]


def _window(folds: Folds, fold: int, place: Rows, numbers: np.ndarray, order: np.ndarray, shown: np.ndarray, is_dates: bool) -> Window:
    fit, scored = folds.fit_rows(fold), folds.scored_rows(fold)
    own, other = (place[rows][place[rows] >= 0] for rows in (fit, scored))
    distance = _distance(numbers[own], numbers[other]) - is_dates
    return Window(
        fold,
        *_ends(own, order, shown),
        len(fit),
        *_ends(other, order, shown),
        len(scored),
        len(place) - len(fit) - len(scored),
        None if distance < 0 or (distance == 0 and not is_dates) else distance,
    )


def _ends(rows: Rows, order: np.ndarray, shown: np.ndarray) -> tuple[str, str]:
    """The first and the last time of some rows, as text."""
    if not len(rows):
        return "", ""
    return str(shown[rows[np.argmin(order[rows])]]), str(shown[rows[np.argmax(order[rows])]])


def _distance(fit: np.ndarray, scored: np.ndarray) -> float:
    """The smallest distance between a number of the one and a number of the other."""
    fit = np.unique(fit)
    if not len(fit) or not len(scored):
        return np.inf
    at = np.searchsorted(fit, scored)
    above = fit[np.minimum(at, len(fit) - 1)] - scored
    below = scored - fit[np.maximum(at - 1, 0)]
    return float(min(np.abs(above).min(), np.abs(below).min()))
