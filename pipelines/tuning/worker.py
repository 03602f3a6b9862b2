"""A worker: takes trials of a study, one after the other, until it has enough of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import optuna
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, Trial

from pipelines.competition import Competition
from pipelines.devices import Devices
from pipelines.metrics import Metric
from pipelines.options import Options
from pipelines.surroundings import Surroundings
from pipelines.tuning import study as studies
from pipelines.tuning.ground import Ground, open_base
from pipelines.tuning.interrupts import Interrupts
from pipelines.tuning.outcome import check_failures
from pipelines.tuning.pruning import WHOLE_FOLD
from pipelines.tuning.space import Space
from pipelines.tuning.study import DECLARED, FAILED, SURPLUS, Heartbeat, Progress
from pipelines.tuning.trainers import score_on

SCORE, TIME = "score", "time"
_POLL_SECONDS = 0.5


@dataclass(frozen=True)
class Search:
    """Everything a worker needs to take part in a search: places and plain values, so that it can run in another process."""

    competition: str
    folder: Path
    data: Path
    options: Options
    devices: Devices
    model: str
    url: str
    study: str
    trials: int
    """Trials that shall have ended in the whole study."""
    seed: int = 0
    objectives: tuple[str, ...] = (SCORE,)
    prunes: bool = True
    threads: int = 1
    until: float | None = None
    """When to stop, in seconds since the epoch."""
    heartbeat: Heartbeat = field(default_factory=Heartbeat)


class OutOfTimeError(Exception):
    """The time is up in the middle of a trial, which is put back."""


class _SurplusError(Exception):
    """A trial that nobody needs."""


def work(search: Search, around: Surroundings, tell: Callable[[Study, FrozenTrial], None] | None = None) -> None:
    """Take trials until the study has enough, or the time is up.

    Parameters
    ----------
    tell
        Called after every trial that has ended.
    """
    from threadpoolctl import threadpool_limits

    base = open_base(Competition(search.competition, search.folder), search.data, search.options, around, devices=search.devices)
    ground = Ground(base, search.model, search.threads)
    study, _ = open_search(search, base.session.metric)
    with threadpool_limits(search.threads), Interrupts() as interrupts:
        objective = Objective(search, ground, base.space_of(search.model), interrupts)
        while search.until is None or time.time() < search.until:
            interrupts.check()
            studies.fail_stale(study, search.heartbeat)
            progress = Progress.of(study)
            if progress.ended >= search.trials:
                return
            if not progress.waiting and progress.ended + progress.running >= search.trials:
                # somebody else has the last ones; should they fall silent, theirs are ours
                time.sleep(_POLL_SECONDS)
                continue
            study.optimize(objective, n_trials=1, catch=(Exception,), callbacks=[_teller(tell)])
            check_failures(study, search.model)


def _teller(tell: Callable[[Study, FrozenTrial], None] | None) -> Callable[[Study, FrozenTrial], None]:
    def ended(study: Study, trial: FrozenTrial) -> None:
        if tell is not None and studies.has_ended(trial):
            tell(study, trial)

    return ended


def open_search(search: Search, metric: Metric) -> tuple[Study, bool]:
    """The search's study, and whether it was made just now."""
    storage = studies.open_storage(search.url, search.heartbeat)
    wanted = {SCORE: direction_of(metric), TIME: StudyDirection.MINIMIZE}
    directions = [wanted[name] for name in search.objectives]
    return studies.open_study(storage, search.study, directions, search.seed, prunes=search.prunes and len(directions) == 1)


def direction_of(metric: Metric) -> StudyDirection:
    """Which way a metric is better; one that is best at a value is searched by its distance from there."""
    is_greater = metric.greater_is_better and metric.target is None
    return StudyDirection.MAXIMIZE if is_greater else StudyDirection.MINIMIZE


@dataclass
class Objective:
    """A trial's value: the mean score over the tuning folds; with ``time``, also the seconds to predict 1,000 rows."""

    search: Search
    ground: Ground
    space: Space
    interrupts: Interrupts

    def __call__(self, trial: Trial) -> float | tuple[float, ...]:
        """Score a configuration.

        What fails is noted in the trial; what is interrupted is put up again, so that no trial is lost.
        """
        if studies.is_surplus(trial.study, trial.number, self.search.trials):
            trial.set_user_attr(SURPLUS, True)
            raise _SurplusError
        try:
            return self._value(trial)
        except (KeyboardInterrupt, OutOfTimeError):
            studies.put_back(trial.study, trial.study.get_trials(deepcopy=False)[trial.number])
            raise
        except optuna.TrialPruned:
            raise
        except Exception as error:
            error.add_note(f"in trial {trial.number} of {self.search.model!r}")
            trial.set_user_attr(FAILED, f"{type(error).__name__}: {error}")
            raise

    def _value(self, trial: Trial) -> float | tuple[float, ...]:
        values = {name: dimension.suggest(trial, name) for name, dimension in self.space.items()}
        # the declared values themselves, where a range had to take them to its end
        session = self.ground.session({} if trial.user_attrs.get(DECLARED) else values)
        model, scores, seconds = session.spec.models[self.search.model], list[float](), list[float]()
        is_timed = TIME in self.search.objectives
        for place, fold in enumerate(self.ground.used_folds(session)):
            self._check_time()
            watch = self._watch(trial, session.metric) if place == 0 and self.search.prunes and not is_timed else None
            with self.interrupts.inside():
                found = score_on(model.kind, model.params, self.ground.fold(session, fold), watch, is_timed=is_timed)
            scores.append(_judged(found.score, session.metric))
            seconds.append(found.seconds)
            if not is_timed:
                self._report(trial, scores[-1], WHOLE_FOLD * (place + 1))
        trial.set_user_attr("folds", scores)
        score = float(np.nanmean(scores))
        return (score, float(np.mean(seconds))) if is_timed else score

    def _watch(self, trial: Trial, metric: Metric) -> Callable[[int, float], None]:
        def watch(at: int, score: float) -> None:
            with self.interrupts.outside():
                self._check_time()
                self._report(trial, _judged(score, metric), at)

        return watch

    def _report(self, trial: Trial, value: float, step: int) -> None:
        if np.isfinite(value):
            trial.report(value, step)
            if self.search.prunes and trial.should_prune():
                raise optuna.TrialPruned

    def _check_time(self) -> None:
        if self.search.until is not None and time.time() > self.search.until:
            raise OutOfTimeError


def _judged(score: float, metric: Metric) -> float:
    """A score as the study is told it."""
    return score if metric.target is None else metric.loss_of(score)
