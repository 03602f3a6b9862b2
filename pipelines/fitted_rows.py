"""The rows that a model is really fitted on: weighted and resampled, and how its probabilities come back to the true shares."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pipelines.metrics import Array
from pipelines.models.contract import Resample, Training
from pipelines.resample import RESAMPLERS, check_memory, class_shifts, prior_shift
from pipelines.spec import ModelKeys
from pipelines.surroundings import free_memory


def weights_of(keys: ModelKeys, y: Array, declared: Array | None, *, is_resampled: bool) -> Array | None:
    """Declared weights of the rows times those that a model asks for; None where all rows count the same.

    ``y`` and ``declared`` have shape (n_rows,). Classes of resampled rows are levelled after that, by ``resampler_of``.
    """
    if keys.weights == "inverse_square":
        return _inverse_square(y) * (1.0 if declared is None else declared)
    if keys.weights == "balanced" and not is_resampled:
        return balanced(y, declared)
    return declared


def resampler_of(keys: ModelKeys, resample: tuple[str, dict[str, Any]] | None) -> Resample | None:
    """What makes the rows that are fitted from the training part; None where they stay as they are."""
    if resample is None:
        return None
    name, params = resample
    resampler = RESAMPLERS[name](**params)

    def make(X: pd.DataFrame, y: Array, weights: Array | None, seed: int) -> tuple[pd.DataFrame, Array, Array | None]:
        check_memory(resampler, X, y, free_memory())
        made = resampler.resample(X, y, seed)
        # a synthetic row counts like the mean one
        kept = None if weights is None else np.where(made.origin >= 0, weights[np.maximum(made.origin, 0)], weights.mean())
        return made.X, made.y, balanced(made.y, kept) if keys.weights == "balanced" else kept

    return make


def shift_of(fitted: Training, y: Array, declared: Array | None, params: dict[str, Any]) -> float | list[float] | None:
    """What takes the probabilities of a fitted model back to the true class shares, for ``resample.correct_prior``.

    Parameters
    ----------
    fitted
        The rows that were fitted.
    y, declared
        Target and declared weights of the rows before they were resampled or levelled.
    params
        The library parameters, which may weigh classes too.

    Returns
    -------
    A factor of the odds for two classes, one factor a class for several, None where nothing has shifted.
    """
    if fitted.task == "regression":
        return None
    weights = balanced(fitted.y, fitted.weights) if _levels_classes(params) else fitted.weights
    if fitted.task == "multiclass":
        shifts = class_shifts(y, fitted.y, fitted.n_classes, weights)
        return None if np.allclose(shifts, 1.0, rtol=1e-12) else [float(shift) for shift in shifts]
    shift = prior_shift(y, fitted.y, weights, declared) / float(params.get("scale_pos_weight") or 1.0)
    return None if abs(shift - 1.0) < 1e-12 else shift


def balanced(y: Array, weights: Array | None = None) -> Array:
    """Weights that give every class the same total, times those that rows have already."""
    own = np.ones(len(y)) if weights is None else weights
    totals = np.bincount(y.astype(int), own)
    share = np.divide(own.sum() / np.count_nonzero(totals), totals, out=np.zeros(len(totals)), where=totals > 0)
    return np.asarray(own * share[y.astype(int)], dtype=np.float64)


def _inverse_square(y: Array) -> Array:
    """Weights 1 / target^2 with mean 1; none for a target of zero, which a percentage error does not score."""
    weights = np.divide(1.0, y**2, out=np.zeros(len(y)), where=y != 0)
    return np.asarray(weights / weights.mean(), dtype=np.float64)


def _levels_classes(params: dict[str, Any]) -> bool:
    """Whether library parameters give all classes the same total."""
    return params.get("class_weight") == "balanced" or params.get("is_unbalance") is True or params.get("auto_class_weights") == "Balanced"
