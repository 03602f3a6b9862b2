"""Optuna's side: what is drawn, what is pruned, what counts, and what a lost trial becomes."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import optuna
import pytest
from optuna.distributions import FloatDistribution
from optuna.study import Study, StudyDirection
from optuna.trial import TrialState

from features.errors import InputError
from pipelines.tuning import study as studies
from pipelines.tuning.outcome import best_trial, importances
from pipelines.tuning.pruning import RoundsThenFolds
from pipelines.tuning.sampling import NumberedTPE
from pipelines.tuning.space import Choice, Numbers, Space
from pipelines.tuning.study import Heartbeat, Progress

SPACE: Space = {"x": Numbers(-5, 5), "n": Numbers(1, 100, log=True, is_whole=True), "c": Choice(("a", None))}


@pytest.fixture
def open_one(tmp_path: Path) -> Callable[..., Study]:
    """Opens a study of the test's storage."""

    def one(name: str = "tiny/m/1", direction: StudyDirection = StudyDirection.MINIMIZE, seed: int = 0, prunes: bool = False) -> Study:
        storage = studies.open_storage(f"sqlite:///{tmp_path / 'tuning.db'}", Heartbeat())
        return studies.open_study(storage, name, [direction], seed, prunes=prunes)[0]

    return one


def _value(trial: optuna.Trial) -> float:
    values = {name: dimension.suggest(trial, name) for name, dimension in SPACE.items()}
    return float(abs(values["x"] - 1) + values["n"] / 50 + (values["c"] is None))


def test_an_interrupted_study_draws_what_it_would_have_drawn(open_one: Callable[..., Study]) -> None:
    whole, parts = open_one("tiny/m/whole"), open_one("tiny/m/parts")
    whole.optimize(_value, n_trials=16)
    for n_trials in (1, 11, 4):
        open_one("tiny/m/parts").optimize(_value, n_trials=n_trials)
    assert [trial.params for trial in parts.trials] == [trial.params for trial in whole.trials]
    drawn = {tuple(trial.params.values()) for trial in whole.trials}
    assert len(drawn) == 16
    other = open_one("tiny/m/other", seed=1)
    other.optimize(_value, n_trials=3)
    assert not drawn & {tuple(trial.params.values()) for trial in other.trials}


def test_the_declared_parameters_come_first_then_the_starts(open_one: Callable[..., Study]) -> None:
    study = open_one()
    studies.enqueue_first(study, SPACE, {"x": 9.0, "n": 3, "c": None, "other": 1}, [{"x": 2.0}, {"unknown": 1}])
    study.optimize(_value, n_trials=3)
    first, second, _ = study.trials
    assert first.params == {"x": 5.0, "n": 3, "c": "null"} and studies.DECLARED in first.user_attrs
    assert second.params["x"] == 2.0 and studies.DECLARED not in second.user_attrs


def test_past_studies_of_the_same_model_give_their_best(open_one: Callable[..., Study]) -> None:
    for name, at in (("tiny/m/old", 1.5), ("tiny/other/old", 3.0)):
        study = open_one(name)
        study.enqueue_trial({"x": at, "n": 1, "c": "null"})
        study.optimize(_value, n_trials=1)
    study = open_one("tiny/m/new")
    assert studies.past_starts(study._storage, "tiny/m/new", SPACE) == [{"x": 1.5, "n": 1, "c": None}]  # type: ignore[arg-type]
    assert studies.past_starts(study._storage, "tiny/m/old", SPACE) == []  # type: ignore[arg-type]


def test_an_interrupted_trial_is_put_up_again_and_only_ended_ones_count(open_one: Callable[..., Study]) -> None:
    study = open_one()

    def interrupted(trial: optuna.Trial) -> float:
        value = _value(trial)
        if trial.number == 1:
            studies.put_back(trial.study, trial.study.trials[trial.number])
            raise KeyboardInterrupt
        return value

    with pytest.raises(KeyboardInterrupt):
        study.optimize(interrupted, n_trials=3)
    assert Progress.of(study) == Progress(ended=1, running=0, waiting=1)
    study.optimize(_value, n_trials=2)
    assert Progress.of(study) == Progress(ended=3, running=0, waiting=0)
    assert study.trials[2].params == study.trials[1].params


def test_a_trial_whose_worker_was_killed_before_its_first_heartbeat_is_noticed(open_one: Callable[..., Study]) -> None:
    study = open_one()
    study.enqueue_trial({"x": 2.0})
    with pytest.warns(UserWarning, match="Heartbeat"):
        study.ask()
    studies.fail_stale(study, Heartbeat(grace=1000))
    assert Progress.of(study) == Progress(ended=0, running=1, waiting=0)
    for _ in range(2):
        studies.fail_stale(study, Heartbeat(grace=-1))
    assert Progress.of(study) == Progress(ended=0, running=0, waiting=1)
    study.optimize(_value, n_trials=1)
    assert study.trials[1].params["x"] == 2.0


def test_a_trial_after_the_last_one_is_surplus() -> None:
    study = optuna.create_study()
    numbers = [study.ask().number for _ in range(3)]
    assert [studies.is_surplus(study, number, 2) for number in numbers] == [False, False, True]
    study.tell(0, state=TrialState.FAIL)  # lost: its place is free
    assert not studies.is_surplus(study, 2, 2)


def test_processes_that_open_a_new_storage_at_once_all_get_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new.db'}"

    def open_it(_: int) -> bool:
        storage = studies.open_storage(url, Heartbeat())
        return studies.open_study(storage, "tiny/m/1", [StudyDirection.MINIMIZE], 0, prunes=False)[1]

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(open_it, range(4))) == 1


@pytest.mark.parametrize("url", ["nonsense", "postgresql://nobody@localhost:1/none", "sqlite:////no/such/folder/x.db", "redis://x"])
def test_a_storage_that_cannot_be_opened_is_refused_in_one_message(url: str) -> None:
    with pytest.raises(InputError, match=r"--storage .*cannot be opened.*Give a database"):
        studies.open_storage(url, Heartbeat())


def _trial(folds: dict[int, float], value: float | None = None) -> optuna.trial.FrozenTrial:
    state = TrialState.PRUNED if value is None else TrialState.COMPLETE
    return optuna.create_trial(
        state=state, value=value, params={"x": 0.0}, distributions={"x": FloatDistribution(-1, 1)}, intermediate_values=folds
    )


@pytest.mark.parametrize("direction", [StudyDirection.MINIMIZE, StudyDirection.MAXIMIZE])
@pytest.mark.parametrize(
    "steps, is_pruned",
    [
        ({25: 2.0}, False),
        ({25: 30.0}, True),
        ({25: 2.0, 100: 1.5}, False),
        ({25: 2.0, 100: 4.0}, True),
        ({100: 1.0, 200: 1.2}, False),
        ({25: 1.0, 100: 1.1, 200: 1.2}, False),
        ({25: 1.0, 100: 1.1, 200: 1.2, 300: 1.3}, True),
        ({25: 1.0, 100: 1.1, 200: 0.9, 300: 1.3}, False),
        ({25: float("nan")}, False),
    ],
)
def test_what_falls_behind_is_pruned(direction: StudyDirection, steps: dict[int, float], is_pruned: bool) -> None:
    sign = -1.0 if direction == StudyDirection.MAXIMIZE else 1.0
    study = optuna.create_study(direction=direction.name.lower())
    study.add_trial(
        _trial({step: sign * value for step, value in {25: 1.5, 100: 1.0, 200: 1.0, 300: 1.0, 400: 1.0, 500: 1.0}.items()}, sign)
    )
    for place in range(2, 9):
        study.add_trial(_trial({25: sign * place, 100: sign * place}))
    with studies._experimental():
        pruner = RoundsThenFolds()
    trial = _trial({step: sign * value for step, value in steps.items()})
    assert pruner.prune(study, trial) is is_pruned


def test_the_first_trials_are_never_pruned() -> None:
    study = optuna.create_study()
    with studies._experimental():
        pruner = RoundsThenFolds()
    for _ in range(5):
        assert not pruner.prune(study, _trial({25: 100.0}))
        study.add_trial(_trial({25: 1.0}))


def test_of_two_objectives_the_fastest_within_one_standard_error_is_best() -> None:
    study = optuna.create_study(directions=["maximize", "minimize"])
    for score, seconds in ((0.90, 5.0), (0.89, 1.0), (0.80, 0.1)):
        trial = optuna.create_trial(values=[score, seconds], user_attrs={"folds": [score - 0.03, score, score + 0.03]})
        study.add_trial(trial)
    assert best_trial(study.trials, study.directions).values == [0.89, 1.0]
    assert importances(study) == {}


def test_two_workers_of_one_study_never_draw_the_same() -> None:
    storage = optuna.storages.InMemoryStorage()
    workers = [optuna.create_study(storage=storage, study_name="s", load_if_exists=True, sampler=NumberedTPE(0)) for _ in range(2)]
    asked = [workers[at % 2].ask() for at in range(6)]
    assert len({trial.suggest_float("x", 0, 1) for trial in asked}) == 6
