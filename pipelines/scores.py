"""Scores with their uncertainty: pooled out-of-fold score, fold spread, bootstrap interval."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from features.errors import InputError
from pipelines.metrics import Array, Columns, Metric
from pipelines.oof import Predictions, pooled, scored_rows
from pipelines.splits import Folds, Rows

RESAMPLES = 500
Groups: TypeAlias = ArrayLike
"""What tells the groups of the rows apart, shape (n_rows,)."""


def score_table(
    predictions: Predictions,
    y: Array,
    folds: Folds,
    metric: Metric,
    *,
    columns: Columns | None = None,
    groups: Groups | None = None,
    weights: Array | None = None,
) -> dict[str, Any]:
    """The entry of one model in ``metrics.json``.

    ``score`` is the metric on the pooled predictions of all scored rows that have one (repeats averaged first), ``folds`` the metric in
    each fold (None where it is not defined on the fold's rows), ``fold_sd`` the standard deviation of those that are defined,
    ``interval`` a 95 % bootstrap interval of the score.

    Parameters
    ----------
    y, columns, groups, weights
        Target, raw columns, groups and weights of all training rows; the last three as in ``bootstrap_interval``.

    Raises
    ------
    InputError
        When the metric is not defined on all scored rows together, or a prediction is no finite number.
    """
    metric.check_columns(columns)
    rows = scored_rows(folds)
    values = pooled(predictions, folds)[rows]
    # a model of some rows has no prediction for the others
    rows, values = rows[has_prediction(values)], values[has_prediction(values)]
    _check_finite(values, metric)
    score = metric.score(y[rows], values, **_of_rows(rows, metric, columns, weights))
    if not math.isfinite(score):
        raise InputError(
            f"metric '{metric}' has no value on the {len(rows)} scored rows (it is {score}): they may lack a class. Score more of "
            "them ('split', 'rows', '--sample'), or use another metric."
        )
    scored = [folds.scored_rows(fold) for fold in range(folds.n_folds)]
    by_fold = []
    for inside, part in zip(scored, predictions.folds, strict=True):
        there = has_prediction(part)
        by_fold.append(metric.score(y[inside[there]], part[there], **_of_rows(inside[there], metric, columns, weights)))
    defined = [one for one in by_fold if math.isfinite(one)]
    drawn = None if groups is None else np.asarray(groups)[rows]
    return {
        "score": score,
        "interval": bootstrap_interval(metric, y[rows], values, groups=drawn, **_of_rows(rows, metric, columns, weights)),
        "fold_sd": float(np.std(defined, ddof=1)) if len(defined) > 1 else 0.0,
        "folds": [one if math.isfinite(one) else None for one in by_fold],
    }


def has_prediction(values: Array) -> NDArray[np.bool_]:
    """Which rows have a prediction, shape (n_rows,), of values of shape (n_rows,) or (n_rows, n_classes)."""
    return np.asarray(~np.isnan(values.reshape(len(values), -1)).any(axis=1)) if len(values) else np.empty(0, dtype=bool)


def _check_finite(values: Array, metric: Metric) -> None:
    bad = int(np.count_nonzero(~np.isfinite(values)))
    if bad:
        raise InputError(
            f"{bad} of {values.size} out-of-fold predictions are infinite, and metric '{metric}' cannot judge them. "
            "Look at the model's parameters and at what its columns hold."
        )


def _of_rows(rows: Rows, metric: Metric, columns: Columns | None, weights: Array | None) -> dict[str, Any]:
    """Weights of some rows, and the columns that the metric asks for."""
    asked = {name: np.asarray(columns[name])[rows] for name in metric.columns if columns is not None}
    return {"columns": asked, "weights": None if weights is None else weights[rows]}


def bootstrap_interval(
    metric: Metric,
    y: Array,
    values: Array,
    *,
    columns: Columns | None = None,
    groups: Groups | None = None,
    weights: Array | None = None,
    level: float = 0.95,
    resamples: int | None = None,
) -> list[float]:
    """Percentile interval of a score over resampled rows, or over resampled groups of rows.

    For classes, what is drawn is drawn within each class, so that a rare one is in every resample. The interval always holds
    the score: the noise of a resample adds to a calibration error, so that all resamples may lie above it.

    Parameters
    ----------
    metric, y, values, columns, weights
        As in ``Metric.score``; weights are multiplied with how often a row is drawn.
    groups
        What tells groups apart: whole groups are drawn, with replacement, so that rows of one group do not pass for
        independent ones. Without it they are those of ``metric.drawn_by``; without that, rows are drawn.
    level
        Share of the resampled scores that the interval holds.
    resamples
        How many there are; 500, and fewer (at least 100) for more than 40,000 rows.

    Returns
    -------
    list of two floats
        Low and high end; NaN where the score is not defined. The seed is fixed: equal input gives an equal interval.
    """
    judge = metric.judge(y, values, columns)
    drawn = _Draws.of(metric, y, columns, groups).weights(weights, resamples)
    low, high = _interval([judge(one) for one in drawn], level)
    score = judge(weights)
    return [min(low, score), max(high, score)] if math.isfinite(low + high + score) else [math.nan, math.nan]


def paired_interval(
    metric: Metric,
    y: Array,
    first: Array,
    second: Array,
    *,
    columns: Columns | None = None,
    groups: Groups | None = None,
    weights: Array | None = None,
    level: float = 0.95,
    resamples: int | None = None,
) -> list[float]:
    """Percentile interval of the difference of two scores on the same resampled rows, first minus second.

    The parameters are those of ``bootstrap_interval``.
    """
    one, other = metric.judge(y, first, columns), metric.judge(y, second, columns)
    drawn = _Draws.of(metric, y, columns, groups).weights(weights, resamples)
    return _interval([one(weight) - other(weight) for weight in drawn], level)


def _interval(drawn: list[float], level: float) -> list[float]:
    scores, tail = np.asarray(drawn), (1 - level) / 2
    scores = scores[np.isfinite(scores)]
    if not len(scores):
        return [math.nan, math.nan]
    return [float(end) for end in np.quantile(scores, [tail, 1 - tail])]


@dataclass(frozen=True)
class _Draws:
    """What is drawn: rows, or whole groups of them; as many of each stratum as it has.

    The number of groups is held fixed (a multinomial draw), as that of rows is. Independent Poisson counts, which let it
    vary, are worth it where rows come in a stream; with ten groups or one of a rare kind they would now and then draw none.
    """

    strata: list[NDArray[np.intp]]
    unit_of: NDArray[np.intp] | None
    """The group of each row; None where rows are drawn."""
    n_rows: int

    @classmethod
    def of(cls, metric: Metric, y: Array, columns: Columns | None, groups: Groups | None) -> _Draws:
        if groups is None and metric.drawn_by is not None and columns is not None:
            groups = columns[metric.drawn_by]
        has_classes = metric.needs != "values"
        if groups is None:
            return cls(_parted(y) if has_classes else [np.arange(len(y))], None, len(y))
        codes, n_groups = _codes(groups)
        return cls(_parted(_rarest_class(y, codes, n_groups)) if has_classes else [np.arange(n_groups)], codes, len(y))

    def weights(self, weights: Array | None, resamples: int | None) -> Iterator[Array]:
        """How often each row is drawn times its weight, shape (n_rows,) for each resample."""
        rng = np.random.default_rng(0)
        n_units = sum(map(len, self.strata))
        # fewer for very many rows, where each costs more and the interval is narrow anyway
        for _ in range(resamples or int(np.clip(2e7 / max(self.n_rows, 1), 100, RESAMPLES))):
            counts = np.zeros(n_units)
            for units in self.strata:
                counts[units] = np.bincount(rng.integers(0, len(units), len(units)), minlength=len(units))
            drawn = counts if self.unit_of is None else counts[self.unit_of]
            yield drawn if weights is None else drawn * weights


def _parted(kinds: Array | NDArray[np.intp]) -> list[NDArray[np.intp]]:
    return [np.flatnonzero(kinds == kind) for kind in np.unique(kinds)]


def _codes(groups: Groups) -> tuple[NDArray[np.intp], int]:
    import pandas as pd

    codes, names = pd.factorize(np.asarray(groups))
    if len(codes) and codes.min() < 0:
        raise InputError(
            f"an interval over groups needs the group of every scored row; {int((codes < 0).sum())} of {len(codes)} are missing. "
            "Complete the column that tells groups apart, or split by rows."
        )
    return codes, len(names)


def _rarest_class(y: Array, codes: NDArray[np.intp], n_groups: int) -> NDArray[np.intp]:
    """Of each group, how rare the rarest class is that it has a row of: 0 for the rarest of all."""
    _, inverse, counts = np.unique(y, return_inverse=True, return_counts=True)
    rarity = np.argsort(np.argsort(counts, kind="stable"), kind="stable")
    rarest = np.full(n_groups, len(counts), dtype=np.intp)
    np.minimum.at(rarest, codes, rarity[inverse])
    return rarest


def paired_fold_test(first: Sequence[float | None], second: Sequence[float | None], *, folds_per_repeat: int) -> dict[str, float]:
    """Corrected resampled t-test of paired fold scores (Nadeau and Bengio, 2003): folds share training rows, so the
    variance of their mean difference is taken larger than that of independent samples.

    A fold in which either has no score (None or NaN) says nothing about the difference and is left out.

    Returns
    -------
    dict
        ``difference`` (first minus second), ``low`` and ``high`` of its 95 % interval, and the two-sided ``p_value``.
    """
    from scipy.stats import t

    differences = np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64)
    differences = differences[~np.isnan(differences)]
    n = len(differences)
    mean = float(differences.mean()) if n else float("nan")
    if n < 2:
        return {"difference": mean, "low": float("nan"), "high": float("nan"), "p_value": float("nan")}
    # test size over training size is 1 / (folds - 1) in k-fold
    spread = float(np.sqrt(differences.var(ddof=1) * (1 / n + 1 / max(folds_per_repeat - 1, 1))))
    reach = float(t.ppf(0.975, n - 1)) * spread
    p_value = float(2 * t.sf(abs(mean) / spread, n - 1)) if spread > 0 else (1.0 if mean == 0 else 0.0)
    return {"difference": mean, "low": mean - reach, "high": mean + reach, "p_value": p_value}
