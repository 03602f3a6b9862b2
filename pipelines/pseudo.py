"""Pseudo-labels (Lee, 2013): a fold's model names the classes of the test rows it is sure of, and is fitted again with them.

Everything happens inside one fold: the rows that a fold scores have no part in the labels, so out-of-fold scores say
honestly whether it helps. Put ``best_of`` behind it, so that it is used only where it does.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.metrics import Array
from pipelines.models.contract import Training
from pipelines.spec import PseudoLabels


def with_pseudo_labels(training: Training, test: pd.DataFrame, predicted: Array, wanted: PseudoLabels) -> Training:
    """The training part and the test rows that its model is sure of.

    Parameters
    ----------
    training
        The training part of a fold, before any resampling, for classes.
    test : DataFrame of shape (n_test, n_columns)
    predicted
        The model's probabilities of the test rows: of class 1, shape (n_test,), or of all classes, (n_test, n_classes).
    """
    sure, labels = _sure(predicted, wanted.confidence)
    weights = None
    if training.weights is not None or wanted.weight != 1:
        own = np.ones(len(training.y)) if training.weights is None else training.weights
        weights = np.concatenate([own, np.full(int(sure.sum()), wanted.weight * own.mean())])
    # times say which rows come last, to stop by; rounds are known here, and test rows have none
    return replace(
        training,
        X=pd.concat([training.X, test[sure]], axis=0, ignore_index=True),
        y=np.concatenate([training.y, labels[sure]]),
        weights=weights,
        times=None,
    )


def _sure(predicted: Array, confidence: float) -> tuple[NDArray[np.bool_], Array]:
    """Which rows a model is sure of, and the likeliest class of each."""
    if predicted.ndim == 1:
        return np.maximum(predicted, 1 - predicted) >= confidence, (predicted >= 0.5).astype(np.float64)
    return predicted.max(axis=1) >= confidence, predicted.argmax(axis=1).astype(np.float64)
