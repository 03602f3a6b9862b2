"""Optuna's side of a search: the storage that processes share, its studies, and how many of a study's trials have ended."""

from __future__ import annotations

import datetime
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.exceptions import DuplicatedStudyError, ExperimentalWarning, UpdateFinishedTrialError
from optuna.storages import RDBStorage, RetryHeartbeatStaleTrialCallback
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from features.errors import InputError
from pipelines.tuning.pruning import RoundsThenFolds
from pipelines.tuning.sampling import NumberedTPE
from pipelines.tuning.space import Space

# a trial that fails is told of by us, once
optuna.logging.set_verbosity(optuna.logging.CRITICAL)

FAILED = "error"
"""The user attribute that holds why a trial failed by itself; one that was interrupted has none, and is run again."""
DECLARED = "declared"
"""The user attribute of the trial with the declared parameters."""
SURPLUS = "surplus"
"""The user attribute of a trial that a worker began when another had begun the last one."""


_ATTEMPTS = 6
_MADE_MEANWHILE = ("already exists", "UNIQUE constraint", "duplicate key", "no such table", "Duplicate entry")
"""What databases say when two processes make the same tables."""


@dataclass(frozen=True)
class Heartbeat:
    """How often a running trial says that it is alive, and after how long a silence it counts as lost; seconds."""

    interval: int = 10
    grace: int = 40


@contextmanager
def _experimental() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        yield


def open_storage(url: str, heartbeat: Heartbeat) -> RDBStorage:
    """Connect to a storage; its tables are made where they are not there yet.

    Raises
    ------
    InputError
        When the address is none, or nobody answers there.
    """
    from sqlalchemy.exc import SQLAlchemyError

    for attempt in range(_ATTEMPTS):
        try:
            return _connect(url, heartbeat)
        except (SQLAlchemyError, ImportError, ValueError, RuntimeError, OSError) as error:
            reason = str(error).strip().splitlines()[0]
            # another process makes the tables at this moment
            if attempt + 1 < _ATTEMPTS and any(word in reason for word in _MADE_MEANWHILE):
                time.sleep(0.2 * 2**attempt)
                continue
            raise InputError(
                f"--storage {url}: cannot be opened: {reason}. Give a database that is there, such as sqlite:///runs/NAME/tuning.db or "
                "postgresql://user@host/database (with its Python driver installed)."
            ) from error
    raise AssertionError("the last attempt returns or raises")


def _connect(url: str, heartbeat: Heartbeat) -> RDBStorage:
    # workers write at the same time: SQLite lets one wait for the other
    engine = {"connect_args": {"timeout": 60}} if url.startswith("sqlite") else {"pool_pre_ping": True}
    with _experimental():
        beats: dict[str, Any] = {"heartbeat_interval": heartbeat.interval, "grace_period": heartbeat.grace}
        return RDBStorage(url, engine_kwargs=engine, **beats, heartbeat_stale_trial_callback=RetryHeartbeatStaleTrialCallback())


def open_study(storage: RDBStorage, name: str, directions: Sequence[StudyDirection], seed: int, *, prunes: bool) -> tuple[Study, bool]:
    """A study of the storage, and whether this process has made it: of several that open it at once, one has."""
    with _experimental():
        pruner: optuna.pruners.BasePruner = RoundsThenFolds() if prunes else optuna.pruners.NopPruner()
        try:
            storage.create_new_study([*directions], name)
            is_new = True
        except DuplicatedStudyError:
            is_new = False
        return optuna.load_study(storage=storage, study_name=name, sampler=NumberedTPE(seed), pruner=pruner), is_new


@dataclass(frozen=True)
class Progress:
    """How many trials of a study have ended by themselves, are under way, and wait to be begun."""

    ended: int
    running: int
    waiting: int

    @classmethod
    def of(cls, study: Study) -> Progress:
        """Count."""
        trials = study.get_trials(deepcopy=False)
        ended = sum(has_ended(trial) for trial in trials)
        return cls(ended, *(sum(trial.state == state for trial in trials) for state in (TrialState.RUNNING, TrialState.WAITING)))


def has_ended(trial: FrozenTrial) -> bool:
    """Whether a trial counts: finished, pruned, or failed by itself."""
    return trial.state in (TrialState.COMPLETE, TrialState.PRUNED) or FAILED in trial.user_attrs


def is_surplus(study: Study, number: int, wanted: int) -> bool:
    """Whether a trial came after the last one that was wanted: two workers may both begin when one is missing."""
    counted = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING, TrialState.WAITING)
    trials = study.get_trials(deepcopy=False)
    return sum(one.number < number and (one.state in counted or FAILED in one.user_attrs) for one in trials) >= wanted


def fail_stale(study: Study, heartbeat: Heartbeat) -> None:
    """Notice trials whose worker has gone silent; each is put up again with its parameters.

    Optuna overlooks a trial whose worker was killed before its first heartbeat. A trial draws its parameters first of all, so
    one that has none after the time of grace is such a one.
    """
    with _experimental():
        optuna.storages.fail_stale_trials(study)
    long_ago = datetime.datetime.now() - datetime.timedelta(seconds=heartbeat.grace)
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        if trial.params or trial.datetime_start is None or trial.datetime_start > long_ago:
            continue
        # of several workers that see it, the one that may say so puts it back
        with suppress(UpdateFinishedTrialError):
            if study._storage.set_trial_state_values(trial._trial_id, state=TrialState.FAIL):
                put_back(study, trial)


def put_back(study: Study, trial: FrozenTrial) -> None:
    """Put a trial that was interrupted up again, with the parameters it had."""
    with _experimental():
        RetryHeartbeatStaleTrialCallback()(study, trial)


def enqueue_first(study: Study, space: Space, declared: Mapping[str, Any], starts: Sequence[Mapping[str, Any]]) -> None:
    """Put up the declared parameters first, then the starts, in a study that was made just now.

    Values that a range does not hold are taken to its nearest end; parameters that are not given are drawn.
    """
    study.enqueue_trial(_inside(space, declared), user_attrs={DECLARED: True}, skip_if_exists=True)
    for start in starts:
        inside = _inside(space, start)
        if inside:
            study.enqueue_trial(inside, skip_if_exists=True)


def _inside(space: Space, values: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: dimension.nearest(values[name]) for name, dimension in space.items() if name in values}
    return {name: value for name, value in found.items() if value is not None}


def past_starts(storage: RDBStorage, name: str, space: Space, *, most: int = 3) -> list[dict[str, Any]]:
    """The best parameters of other studies of the same model in the storage, best study first by date, at most ``most``."""
    prefix = name.rpartition("/")[0] + "/"
    found = []
    for other in storage.get_all_studies():
        if not other.study_name.startswith(prefix) or other.study_name == name or len(other.directions) != 1:
            continue
        complete = [
            trial
            for trial in storage.get_all_trials(other._study_id, deepcopy=False, states=(TrialState.COMPLETE,))
            if trial.value is not None
        ]
        if complete:
            sign = -1.0 if other.directions[0] == StudyDirection.MAXIMIZE else 1.0
            best = min(complete, key=lambda trial: sign * float(trial.value or 0.0))
            found.append((best.datetime_complete, best))
    latest = sorted(found, key=lambda pair: str(pair[0]), reverse=True)[:most]
    return [{key: _value(space, key, value) for key, value in trial.params.items() if key in space} for _, trial in latest]


def _value(space: Space, name: str, stored: Any) -> Any:
    """A stored parameter as a value: a choice is stored by its label."""
    dimension = space[name]
    labels = getattr(dimension, "labels", None)
    return stored if labels is None or stored not in labels else dimension.ends[labels.index(stored)]
