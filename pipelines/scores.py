"""Scores with their uncertainty: pooled out-of-fold score, fold spread, bootstrap interval."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.metrics import Array, Metric
from pipelines.oof import Predictions, pooled, scored_rows
from pipelines.splits import Folds

RESAMPLES = 500


def score_table(predictions: Predictions, y: Array, folds: Folds, metric: Metric) -> dict[str, Any]:
    """The entry of one model in ``metrics.json``.

    ``score`` is the metric on the pooled predictions of all scored rows (repeats averaged first), ``folds`` the metric in
    each fold, ``fold_sd`` their standard deviation, ``interval`` a 95 % bootstrap interval of the score over rows.
    """
    rows = scored_rows(folds)
    values = pooled(predictions, folds)[rows]
    by_fold = [metric.score(y[folds.scored_rows(fold)], part) for fold, part in enumerate(predictions.folds)]
    return {
        "score": metric.score(y[rows], values),
        "interval": bootstrap_interval(metric, y[rows], values),
        "fold_sd": float(np.std(by_fold, ddof=1)) if len(by_fold) > 1 else 0.0,
        "folds": by_fold,
    }


def bootstrap_interval(metric: Metric, y: Array, values: Array, *, level: float = 0.95, resamples: int | None = None) -> list[float]:
    """Percentile interval of a score over resampled rows; for classes, rows are drawn within each class.

    Returns
    -------
    list of two floats
        Low and high end. The seed is fixed: equal input gives an equal interval.
    """
    drawn = [metric.score(y, values, counts) for counts in _resamples(y, resamples, stratified=metric.needs != "values")]
    tail = (1 - level) / 2
    return [float(end) for end in np.nanquantile(drawn, [tail, 1 - tail])]


def paired_interval(
    metric: Metric, y: Array, first: Array, second: Array, *, level: float = 0.95, resamples: int | None = None
) -> list[float]:
    """Percentile interval of the difference of two scores on the same resampled rows, first minus second."""
    drawn = [
        metric.score(y, first, counts) - metric.score(y, second, counts)
        for counts in _resamples(y, resamples, stratified=metric.needs != "values")
    ]
    tail = (1 - level) / 2
    return [float(end) for end in np.nanquantile(drawn, [tail, 1 - tail])]


def _resamples(y: Array, resamples: int | None, *, stratified: bool) -> Iterator[Array]:
    """How often each row is drawn, shape (n_rows,) for each resample."""
    rng = np.random.default_rng(0)
    groups: list[NDArray[np.intp]] = [np.flatnonzero(y == value) for value in np.unique(y)] if stratified else [np.arange(len(y))]
    # fewer for very many rows, where each costs more and the interval is narrow anyway
    for _ in range(resamples or int(np.clip(2e7 / max(len(y), 1), 100, RESAMPLES))):
        counts = np.zeros(len(y))
        for rows in groups:
            counts[rows] = np.bincount(rng.integers(0, len(rows), len(rows)), minlength=len(rows))
        yield counts


def paired_fold_test(first: list[float], second: list[float], *, folds_per_repeat: int) -> dict[str, float]:
    """Corrected resampled t-test of paired fold scores (Nadeau and Bengio, 2003): folds share training rows, so the
    variance of their mean difference is taken larger than that of independent samples.

    Returns
    -------
    dict
        ``difference`` (first minus second), ``low`` and ``high`` of its 95 % interval, and the two-sided ``p_value``.
    """
    from scipy.stats import t

    differences = np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64)
    # a fold without a score (one class only, say) says nothing about the difference
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
