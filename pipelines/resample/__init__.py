"""Ways to resample the training part of a fold, by their names in a declaration, and the correction of probabilities afterwards.

A declaration says ``resample: none`` or ``resample: {smote: {rate: 0.1}}``, for all models or for one. Scored rows and test rows
are never resampled.
"""

from __future__ import annotations

from collections.abc import Callable

from pipelines.resample.nominal import smotenc
from pipelines.resample.priors import class_shifts, correct_prior, prior_odds, prior_shift
from pipelines.resample.real import near_miss, negative_sample, none, random_over, random_under
from pipelines.resample.resampler import Resampled, Resampler, check_memory
from pipelines.resample.synthetic import adasyn, borderline_smote, smote, smote_enn, smote_tomek

__all__ = ["RESAMPLERS", "Resampled", "Resampler", "check_memory", "class_shifts", "correct_prior", "prior_odds", "prior_shift"]

RESAMPLERS: dict[str, Callable[..., Resampler]] = {
    factory.__name__: factory
    for factory in (
        none,
        random_over,
        random_under,
        smote,
        smotenc,
        borderline_smote,
        adasyn,
        smote_tomek,
        smote_enn,
        near_miss,
        negative_sample,
    )
}
