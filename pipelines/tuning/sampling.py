"""Drawing a trial's parameters: TPE whose draws depend on the seed, the trial's number and the trials before it, nothing else."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, TPESampler

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.study import Study
    from optuna.trial import FrozenTrial, TrialState


class NumberedTPE(BaseSampler):
    """Multivariate, grouped TPE (Bergstra et al., 2011; Falkner et al., 2018), seeded anew for every trial.

    A study that is interrupted and continued draws what it would have drawn, and workers that share a study never draw the
    same, as they would with a generator each of the same seed.

    Parameters
    ----------
    seed
        Of the whole study.
    n_startup
        Trials that are drawn at random before the model of good ones is used.
    """

    def __init__(self, seed: int, n_startup: int = 10) -> None:
        self.seed, self.n_startup = seed, n_startup
        self._tpe = self._seeded(0)

    def _seeded(self, number: int) -> TPESampler:
        state = int(np.random.SeedSequence([self.seed, number]).generate_state(1)[0])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            return TPESampler(multivariate=True, group=True, constant_liar=True, n_startup_trials=self.n_startup, seed=state)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Seed for this trial."""
        self._tpe = self._seeded(trial.number)
        self._tpe.before_trial(study, trial)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Parameters that are drawn together."""
        return self._tpe.infer_relative_search_space(study, trial)

    def sample_relative(self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]) -> dict[str, Any]:
        """Draw them."""
        return self._tpe.sample_relative(study, trial, search_space)

    def sample_independent(self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution) -> Any:
        """Draw one alone."""
        return self._tpe.sample_independent(study, trial, param_name, param_distribution)

    def after_trial(self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None) -> None:
        """What TPE does at a trial's end."""
        self._tpe.after_trial(study, trial, state, values)
