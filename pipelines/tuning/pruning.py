"""Which trials are not worth going on with: by rounds inside the first fold's fit, then by folds.

A trial reports the score of fold k under step ``100 * (k + 1)``, and scores on the way through its first fit under steps below 100.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from optuna.pruners import BasePruner, WilcoxonPruner
from optuna.study import StudyDirection
from optuna.trial import TrialState

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial

WHOLE_FOLD = 100
_ENDED = (TrialState.COMPLETE, TrialState.PRUNED)


@dataclass(frozen=True)
class _FoldsOnly:
    """A trial, or a study's best one, without the scores on the way through a fold."""

    number: int
    intermediate_values: Mapping[int, float]


@dataclass(frozen=True)
class _Study:
    """What the paired test asks a study for."""

    direction: StudyDirection
    best_trial: _FoldsOnly


class RoundsThenFolds(BasePruner):
    """Successive halving inside the first fold, Wilcoxon's paired test against the best trial over the folds.

    Up to the end of the first fold a trial goes on when it is among the best share of all trials that came so far there
    (Li et al., 2020, asynchronous successive halving); with fewer than ``least`` others it always does. After that it is
    compared with the best trial fold by fold (``optuna.pruners.WilcoxonPruner``).

    Parameters
    ----------
    on_the_way, after_fold
        The share that goes on at scores inside the first fold, and at its end.
    p_threshold
        Of the one-sided test. 0.13 lets three folds that are all worse decide (p = 0.125).
    least
        Trials that must have come to a point before it decides.
    """

    def __init__(self, on_the_way: float = 0.5, after_fold: float = 0.35, p_threshold: float = 0.13, least: int = 6) -> None:
        self.on_the_way, self.after_fold, self.least = on_the_way, after_fold, least
        self._folds = WilcoxonPruner(p_threshold=p_threshold)

    def prune(self, study: Study, trial: FrozenTrial) -> bool:
        """Whether the trial ends here."""
        step = trial.last_step
        if step is None or not np.isfinite(trial.intermediate_values[step]):
            return False
        if step <= WHOLE_FOLD:
            share = self.after_fold if step == WHOLE_FOLD else self.on_the_way
            return not self._is_among_best(study, trial, step, share)
        best = _best(study)
        if best is None or best.number == trial.number:
            return False
        proxy: Any = _Study(study.direction, best)
        compared: Any = _folds_only(trial)
        # both must have a score in every fold that is compared
        return bool(compared.intermediate_values.keys() <= best.intermediate_values.keys() and self._folds.prune(proxy, compared))

    def _is_among_best(self, study: Study, trial: FrozenTrial, step: int, share: float) -> bool:
        ended = study.get_trials(deepcopy=False, states=_ENDED)
        others = [one.intermediate_values[step] for one in ended if step in one.intermediate_values]
        others = [value for value in others if np.isfinite(value)]
        if len(others) < self.least:
            return True
        sign = -1.0 if study.direction == StudyDirection.MAXIMIZE else 1.0
        losses = np.sort(sign * np.asarray(others))
        # the place in the middle of those that keep the share among n + 1
        border = losses[max(0, round(share * (len(losses) + 1)) - 1)]
        return bool(sign * trial.intermediate_values[step] <= border)


def _best(study: Study) -> _FoldsOnly | None:
    complete: Sequence[FrozenTrial] = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    values = [trial for trial in complete if trial.value is not None]
    if not values:
        return None
    sign = -1.0 if study.direction == StudyDirection.MAXIMIZE else 1.0
    return _folds_only(min(values, key=lambda trial: sign * float(trial.value or 0.0)))


def _folds_only(trial: FrozenTrial) -> _FoldsOnly:
    kept = {step: value for step, value in trial.intermediate_values.items() if step % WHOLE_FOLD == 0 and np.isfinite(value)}
    return _FoldsOnly(trial.number, kept)
