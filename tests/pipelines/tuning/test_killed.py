"""Two workers of one study, of which one is killed: no trial is lost, none is done twice, and the study completes."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.storages import RDBStorage
from optuna.trial import TrialState

from pipelines.tuning.study import Heartbeat, open_storage
from tests.conftest import Tiny

TRIALS = 10
# slow enough to be met in the middle of a trial, and with a short heartbeat
_SLOW = """\
import sys, time
import pipelines.track
from pipelines.tuning import trainers, worker
fast = trainers.score_on
def slow(*given, **more):
    time.sleep(0.3)
    return fast(*given, **more)
worker.score_on = slow
"""
_SHARED = (
    _SLOW
    + """\
from pathlib import Path
from pipelines.console import Console
from pipelines.options import Options
from pipelines.surroundings import Surroundings
from pipelines.tuning.study import Heartbeat
from pipelines.tuning.whole import Wanted, tune
folder, data, runs, url = sys.argv[1:]
wanted = Wanted(trials={trials}, storage=url, heartbeat=Heartbeat(1, 3), prunes=False)
options = Options(runs=Path(runs), data=Path(data), models=("ridge",))
tune(folder, options=options, wanted=wanted, around=Surroundings.read(Console(is_quiet=True)))
"""
)


@functools.cache
def _storage(url: str) -> RDBStorage:
    return open_storage(url, Heartbeat(1, 3))


def _trials(url: str) -> list[optuna.trial.FrozenTrial]:
    storage = _storage(url)
    studies = storage.get_all_studies()
    return storage.get_all_trials(studies[0]._study_id) if studies else []


def _wait_for(met: Callable[[], Any], what: str, seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < until, f"waited in vain for {what}"
        time.sleep(0.05)


def _check(trials: list[optuna.trial.FrozenTrial], lost: set[int]) -> None:
    """Every trial that was begun has ended, or was lost and has been run again with the same parameters; none twice."""
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    assert len(complete) == TRIALS
    assert all(trial.state.is_finished() for trial in trials)
    drawn = [tuple(sorted(trial.params.items())) for trial in complete]
    assert len(set(drawn)) == TRIALS
    for number in lost:
        (again,) = (trial for trial in complete if trial.system_attrs.get("failed_trial") == number)
        kept = trials[number].params
        assert {name: again.params[name] for name in kept} == kept


@pytest.mark.slow
def test_a_killed_machine_loses_no_trial(tiny: Tiny, start_foldwise: Callable[..., subprocess.Popen[str]], tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'shared.db'}"
    arguments = (tiny.folder, tiny.folder.parent)
    # two machines with runs of their own, which share the storage only
    first, second = (start_foldwise(*arguments, tmp_path / name, url, code=_SHARED.format(trials=TRIALS)) for name in ("one", "other"))
    _wait_for(lambda: (tmp_path / "shared.db").exists(), "the storage")
    _wait_for(lambda: sum(trial.state == TrialState.RUNNING for trial in _trials(url)) == 2, "both at work")
    first.kill()
    first.wait()
    lost = {trial.number for trial in _trials(url) if trial.state == TrialState.RUNNING}
    assert second.wait(timeout=120) == 0, second.communicate()[1]
    trials = _trials(url)
    # of the two that were running, the one of the killed process never ended by itself
    gone = {number for number in lost if trials[number].state == TrialState.FAIL}
    assert len(gone) == 1
    _check(trials, gone)


@pytest.mark.slow
def test_a_killed_worker_is_told_of_and_its_trial_run_again(
    tiny: Tiny, start_foldwise: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    code = (
        "if __name__ == '__main__':\n"
        "    import sys; from pathlib import Path\n"
        "    from pipelines.options import Options; from pipelines.tuning.study import Heartbeat\n"
        "    from pipelines.tuning.whole import Wanted, tune\n"
        f"    wanted = Wanted(trials={TRIALS}, workers=2, heartbeat=Heartbeat(1, 3), prunes=False, storage=sys.argv[4])\n"
        "    tune(sys.argv[1], options=Options(runs=Path(sys.argv[3]), data=Path(sys.argv[2]), models=('slow',)), wanted=wanted)\n"
    )
    slow = "  slow: {bagging: {of: {decision_tree: {max_depth: 6}}, n_estimators: 900}, view: linear}\n"
    space = "tune: {slow: {space: {max_samples: {float: [0.3, 1.0]}}}}\n"
    tiny.edit(("  tree: {decision_tree", f"{slow}  tree: {{decision_tree"))
    tiny.declaration.write_text(tiny.declaration.read_text(encoding="utf-8") + space, encoding="utf-8")
    url = f"sqlite:///{tmp_path / 'tuning.db'}"
    parent = start_foldwise(tiny.folder, tiny.folder.parent, tiny.runs, url, code=code)
    _wait_for(lambda: sum(trial.state == TrialState.RUNNING for trial in _trials(url)) == 2, "both at work")
    children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text(encoding="ascii").split()
    workers = [int(pid) for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    assert len(workers) == 2
    os.kill(workers[0], signal.SIGKILL)
    _, said = parent.communicate(timeout=120)
    assert parent.returncode == 0, said
    assert f"worker {workers[0]} was ended from outside (SIGKILL)" in said
    trials = _trials(url)
    _check(trials, {trial.number for trial in trials if trial.state == TrialState.FAIL and "surplus" not in trial.user_attrs})


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_an_interrupt_keeps_what_is_done_and_says_how_to_go_on(
    tiny: Tiny, start_foldwise: Callable[..., subprocess.Popen[str]], workers: int
) -> None:
    tiny.edit(("{max_depth: 3}", "{max_depth: 30}"))
    arguments = ("tune", tiny.folder, "--data", tiny.folder.parent, "--runs", tiny.runs, "--models", "tree", "--workers", workers)
    url = f"sqlite:///{tiny.latest.resolve() / 'tuning.db'}"
    process = start_foldwise(*arguments, "--trials", 500)
    database = tiny.latest / "tuning.db"
    _wait_for(lambda: database.exists() and sum(trial.state.is_finished() for trial in _trials(url)) > 3, "some trials")
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "interrupted" in said and "To continue: foldwise tune" in said
    assert "Traceback" not in said
    trials = _trials(url)
    assert not [trial for trial in trials if trial.state == TrialState.RUNNING]
    done = sum(trial.state in (TrialState.COMPLETE, TrialState.PRUNED) for trial in trials)
    again = start_foldwise(*arguments, "--trials", done + 3)
    _, said = again.communicate(timeout=120)
    assert again.returncode == 0, said
    ended = [trial for trial in _trials(url) if trial.state in (TrialState.COMPLETE, TrialState.PRUNED)]
    assert len(ended) == done + 3
    assert len({tuple(sorted(trial.params.items())) for trial in ended}) == len(ended)
