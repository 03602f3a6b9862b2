"""What every way to resample offers, and what comes out of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.errors import InputError
from pipelines.metrics import Array
from pipelines.resample.balance import Codes
from pipelines.resample.priors import prior_shift
from pipelines.splits import Rows

SYNTHETIC = -1
BINARY = ("binary",)


@dataclass(frozen=True)
class Resampled:
    """The rows to fit on.

    ``X`` has shape (n_rows_after, n_columns), the types of the rows before and the index 0, 1, 2 ...; ``y`` has shape
    (n_rows_after,). ``origin``, of the same shape, is the position of a real row before, and -1 for a synthetic one: weights
    and times follow it. ``w`` is the negatives per positive after over those before, for ``correct_prior``; None with more
    than two classes, where ``class_shifts`` takes its place.
    """

    X: pd.DataFrame
    y: Array
    origin: Rows
    w: float | None


@dataclass(frozen=True)
class Drawn:
    """Positions of the real rows that are kept or copied, and synthetic rows with the codes of their classes."""

    kept: Rows
    made: pd.DataFrame | None = None
    y_made: Codes | None = None


def no_bytes(X: pd.DataFrame, y: Codes) -> int:
    """What a draw of rows needs beside the frame that it gives."""
    return 0


@dataclass(frozen=True)
class Resampler:
    """A way to resample the training part of a fold: a pure function of columns, class codes and a seed.

    ``tasks`` are the tasks it can do. ``extra_bytes`` is an estimate of the memory it needs for a while, beside the two frames.
    """

    name: str
    draw: Callable[[pd.DataFrame, Codes, int], Drawn]
    tasks: tuple[str, ...] = ("binary", "multiclass")
    extra_bytes: Callable[[pd.DataFrame, Codes], int] = no_bytes

    def resample(self, X: pd.DataFrame, y: Array, seed: int) -> Resampled:
        """Resample a training part; scored rows are never given to it. The same seed gives the same bytes.

        Parameters
        ----------
        X
            The training part's columns, shape (n_rows, n_columns); never changed.
        y
            Class codes, shape (n_rows,).
        seed
            At least 0.

        Raises
        ------
        InputError
            When these rows cannot be resampled so, with the numbers found and what to do.
        """
        codes = y.astype(np.intp)
        if codes.max(initial=0) > 1 and "multiclass" not in self.tasks:
            raise InputError(
                f"{self.name!r} is for two classes; there are {codes.max() + 1}. Use random_over, random_under, smote or smotenc."
            )
        drawn = self.draw(X, codes, seed)
        real = X.iloc[drawn.kept].reset_index(drop=True)
        if drawn.made is None or drawn.y_made is None:
            made, codes_after = real, codes[drawn.kept]
        else:
            made, codes_after = pd.concat([real, drawn.made], ignore_index=True), np.concatenate([codes[drawn.kept], drawn.y_made])
        origin = np.concatenate([drawn.kept, np.full(len(made) - len(real), SYNTHETIC, dtype=np.intp)])
        self._check_classes(codes, codes_after)
        after = codes_after.astype(np.float64)
        return Resampled(made, after, origin, self._shift(y, after))

    def _check_classes(self, before: Codes, after: Codes) -> None:
        lost = np.setdiff1d(before, after)
        if len(lost):
            raise InputError(f"{self.name!r} leaves no row of class {lost[0]} in the training part. Use another way to resample.")

    def _shift(self, before: Array, after: Array) -> float | None:
        if before.max(initial=0) > 1:
            return None
        unchanged = np.array_equal(np.sort(before), np.sort(after))
        return 1.0 if unchanged else prior_shift(before, after)


def check_memory(resampler: Resampler, X: pd.DataFrame, y: Array, available: int) -> None:
    """Refuse to resample what would not fit into memory.

    Parameters
    ----------
    X
        The training part's columns, shape (n_rows, n_columns).
    y
        Class codes, shape (n_rows,).
    available
        Bytes that may be used.

    Raises
    ------
    InputError
        When the estimate is above ``available``.
    """
    needed = resampler.extra_bytes(X, y.astype(np.intp))
    if needed > available:
        raise InputError(
            f"{resampler.name!r} would need about {needed / 1e9:.2g} GB for {len(X)} rows and {X.shape[1]} columns; {available / 1e9:.2g} GB are free. "
            "Ask for a lower rate, put rare levels together ('rare_group') or code columns ('ordinal', 'target_encode') in the view, "
            "or use random_over or random_under."
        )
