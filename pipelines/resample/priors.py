"""From the class shares that a model was fitted on back to the true ones."""

from __future__ import annotations

import numpy as np

from features.errors import InputError
from pipelines.metrics import Array


def correct_prior(p: Array, w: float | Array) -> Array:
    """Probabilities of a model fitted on other class shares than the true ones, as they are under the true ones.

    The odds of class 1 are multiplied by ``w``: q = p / (p + (1 - p) / w), which is exact for a model that is calibrated on
    the rows it was fitted on (Elkan, 2001; for thinned-out negatives He et al., 2014). Of several classes each is multiplied
    by its entry of ``w`` and the row is brought to a sum of 1.

    Parameters
    ----------
    p
        Probabilities of class 1, shape (n_rows,), or of all classes, shape (n_rows, n_classes).
    w
        What ``prior_shift`` gives, above 0; for several classes what ``class_shifts`` gives, shape (n_classes,). 1 leaves
        everything as it is, values that are no probabilities too.

    Examples
    --------
    >>> correct_prior(np.array([0.0, 0.5, 1.0]), 0.25).tolist()
    [0.0, 0.2, 1.0]
    """
    if np.all(np.asarray(w) == 1):
        return p
    if p.ndim == 2:
        scaled = p * w
        return np.asarray(scaled / scaled.sum(axis=1, keepdims=True), dtype=np.float64)
    return np.asarray(p / (p + (1 - p) / w), dtype=np.float64)


def prior_odds(y: Array, weights: Array | None = None) -> float:
    """Negatives per positive of a target of zeros and ones, by weight where there are weights; both of shape (n_rows,).

    Raises
    ------
    InputError
        When one of the classes has no row, or no weight.
    """
    negatives, positives = np.bincount(y.astype(np.intp), weights, minlength=2)[:2]
    if not (positives > 0 and negatives > 0):
        raise InputError(
            f"Class shares need rows of both classes; found {positives:g} of class 1 and {negatives:g} of class 0 (by weight). "
            "Use 'stratified' or fewer folds."
        )
    return float(negatives / positives)


def prior_shift(y_before: Array, y_after: Array, weights_after: Array | None = None, weights_before: Array | None = None) -> float:
    """The ``w`` that takes a model's odds back: negatives per positive that it was fitted on, over those that are true.

    Rows are counted by weight, so that class weights shift as resampling does. Targets and weights have shape (n_rows,).

    Raises
    ------
    InputError
        When one of the classes has no row before or after.

    Examples
    --------
    >>> prior_shift(np.array([0.0, 0, 0, 1]), np.array([0.0, 0, 0, 1, 1, 1]))
    0.3333333333333333
    """
    return prior_odds(y_after, weights_after) / prior_odds(y_before, weights_before)


def class_shifts(y_before: Array, y_after: Array, n_classes: int, weights_after: Array | None = None) -> Array:
    """Of each class its true share over the share that a model was fitted on, shape (n_classes,).

    Raises
    ------
    InputError
        When a class has no row, or no weight, in what the model was fitted on.
    """
    before = np.bincount(y_before.astype(np.intp), minlength=n_classes)
    after = np.bincount(y_after.astype(np.intp), weights_after, minlength=n_classes)
    if not (after > 0).all():
        raise InputError(
            f"Class {int(np.argmin(after))} has no row to fit on. Use 'stratified' or fewer folds, or another way to resample."
        )
    return np.asarray(before / before.sum() / (after / after.sum()), dtype=np.float64)
