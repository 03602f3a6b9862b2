"""What came out of a study: its best trial, what that changes, and all trials as a table."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from pipelines.failures import ModelFailedError
from pipelines.tuning.space import Space
from pipelines.tuning.study import DECLARED, FAILED, has_ended

_MOST_FAILURES = 5
"""Failed trials, one after the other, after which a search gives up."""


@dataclass(frozen=True)
class Outcome:
    """A study's result: its best trial, that of the declared parameters (None where it was not finished), and how many ended."""

    best: FrozenTrial
    declared: FrozenTrial | None
    trials: int
    pruned: int
    failed: int

    @property
    def is_declared(self) -> bool:
        """Whether nothing was better than what is declared."""
        return DECLARED in self.best.user_attrs


def outcome_of(study: Study) -> Outcome | None:
    """The result of a study; None where no trial is complete yet."""
    trials = study.get_trials(deepcopy=False)
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    if not complete:
        return None
    declared = next((trial for trial in complete if DECLARED in trial.user_attrs), None)
    states = [trial.state for trial in trials if has_ended(trial)]
    ended = (len(states), states.count(TrialState.PRUNED), states.count(TrialState.FAIL))
    return Outcome(best_trial(complete, study.directions), declared, *ended)


def best_trial(complete: Sequence[FrozenTrial], directions: Sequence[StudyDirection]) -> FrozenTrial:
    """The trial with the best score.

    With prediction time as the second objective: the fastest of those within one standard error of the best score over its
    folds (the rule of Breiman et al., 1984), so that a difference which is noise does not cost time.
    """
    sign = -1.0 if directions[0] == StudyDirection.MAXIMIZE else 1.0
    best = min(complete, key=lambda trial: (sign * trial.values[0], trial.number))
    if len(directions) == 1:
        return best
    folds = np.asarray(best.user_attrs.get("folds", [best.values[0]]), dtype=np.float64)
    error = float(np.nanstd(folds, ddof=1) / np.sqrt(len(folds))) if len(folds) > 1 else 0.0
    near = [trial for trial in complete if sign * trial.values[0] <= sign * best.values[0] + error]
    return min(near, key=lambda trial: (trial.values[1], sign * trial.values[0]))


def check_failures(study: Study, model: str) -> None:
    """Whether a search can go on.

    Raises
    ------
    ModelFailedError
        When the declared parameters failed, or too many trials in a row.
    """
    ended = [trial for trial in study.get_trials(deepcopy=False) if has_ended(trial)]
    of_declared = next((trial for trial in ended if DECLARED in trial.user_attrs and FAILED in trial.user_attrs), None)
    last = ended[-_MOST_FAILURES:]
    if of_declared is not None:
        raise ModelFailedError(f"{model}: the declared parameters cannot be fitted: {of_declared.user_attrs[FAILED]}")
    if len(last) == _MOST_FAILURES and all(FAILED in trial.user_attrs for trial in last):
        raise ModelFailedError(
            f"{model}: the last {_MOST_FAILURES} trials failed, the last one with: {last[-1].user_attrs[FAILED]}. Narrow the space under "
            f"'tune: {{{model}: {{space: ...}}}}'."
        )


def values_of(trial: FrozenTrial, space: Space) -> dict[str, Any]:
    """A trial's parameters as the values that a declaration holds."""
    found = {}
    for name, stored in trial.params.items():
        labels = getattr(space.get(name), "labels", None)
        found[name] = stored if labels is None else space[name].ends[labels.index(stored)]
    return found


def table_of(study: Study, space: Space, facts: Mapping[str, Any]) -> dict[str, Any]:
    """All trials that have ended, with how much each parameter matters, as plain data for ``tuning.json``."""
    trials = [row_of(trial) for trial in study.get_trials(deepcopy=False) if has_ended(trial)]
    is_greater_better = study.directions[0] == StudyDirection.MAXIMIZE
    searched = {name: dimension.declared for name, dimension in space.items()}
    own = {"study": study.study_name, "greater_is_better": is_greater_better, "space": searched, "importances": importances(study)}
    return {**facts, **own, "seconds": _seconds(study), "trials": trials}


def _seconds(study: Study) -> float:
    """From the start of the first trial to the end of the last one."""
    ended = [trial for trial in study.get_trials(deepcopy=False) if has_ended(trial)]
    starts = [trial.datetime_start for trial in ended if trial.datetime_start]
    ends = [trial.datetime_complete for trial in ended if trial.datetime_complete]
    return (max(ends) - min(starts)).total_seconds() if starts and ends else 0.0


def row_of(trial: FrozenTrial) -> dict[str, Any]:
    """A trial that has ended, as plain data."""
    began, ended = trial.datetime_start, trial.datetime_complete
    return {
        "number": trial.number,
        "state": trial.state.name.lower(),
        "values": trial.values if trial.state == TrialState.COMPLETE else None,
        "params": trial.params,
        "steps": {str(step): value for step, value in trial.intermediate_values.items()},
        "seconds": (ended - began).total_seconds() if began and ended else None,
        "is_declared": DECLARED in trial.user_attrs,
        **({"error": trial.user_attrs[FAILED]} if FAILED in trial.user_attrs else {}),
    }


def importances(study: Study) -> dict[str, float]:
    """How much each parameter matters to the score, by fANOVA (Hutter et al., 2014), summing to 1; empty for a few trials."""
    from optuna.importance import get_param_importances

    complete = [trial for trial in study.get_trials(deepcopy=False) if trial.state == TrialState.COMPLETE]
    if len(complete) < 5 or len({trial.values[0] for trial in complete}) < 2:
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = get_param_importances(study, target=lambda trial: trial.values[0])
    return {name: float(value) for name, value in found.items()}
