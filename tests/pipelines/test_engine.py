"""Where fits run: threads are planned, an error in one fit does not stop the others, and a fit that is there is not made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import stages
from pipelines.competition import find_competition
from pipelines.console import Console
from pipelines.engine import ThreadPlan, run_fits
from pipelines.options import Options
from pipelines.session import open_session
from pipelines.store import read_json
from pipelines.surroundings import Surroundings
from pipelines.training import FoldFit


@given(st.integers(1, 128), st.integers(0, 500), st.integers(0, 10**9))
def test_threads_times_workers_are_at_most_the_cores(cores: int, tasks: int, cells: int) -> None:
    plan = ThreadPlan.of(cores, tasks, cells=cells)
    assert plan.workers >= 1 and plan.threads >= 1
    assert plan.workers * plan.threads <= cores
    assert plan.workers <= max(tasks, 1)


@pytest.mark.parametrize(
    ("cores", "tasks", "cells", "expected"),
    [
        (2, 10, 100_000, (2, 1)),
        (2, 1, 100_000, (1, 2)),
        (8, 3, 100_000, (3, 2)),
        (8, 10, 10**8, (1, 8)),
        (1, 10, 0, (1, 1)),
        (4, 0, 0, (1, 4)),
    ],
)
def test_folds_side_by_side_for_small_tables(cores: int, tasks: int, cells: int, expected: tuple[int, int]) -> None:
    plan = ThreadPlan.of(cores, tasks, cells=cells)
    assert (plan.workers, plan.threads) == expected


@pytest.fixture
def jobs(tiny: Any) -> list[FoldFit]:
    """The fits of the tiny competition, prepared and not made."""
    around = Surroundings(datetime.now(UTC), 1, "a machine", None, None, Console(is_quiet=True))
    session = open_session(find_competition(str(tiny.folder)), tiny.folder, Options(runs=tiny.runs), around)
    prepared = stages.prepare(session, tiny.runs / "out")
    return [stages.job(session, prepared, model, fold) for model in session.models for fold in range(3)]


def test_an_error_in_one_fit_does_not_stop_the_others(jobs: list[FoldFit]) -> None:
    jobs[1] = replace(jobs[1], kind="knn", params={"n_neighbors": 500}, out=jobs[1].out.with_name("wrong"))
    outcomes = list(run_fits(jobs, ThreadPlan(1, 1)))
    assert [outcome.job for outcome in outcomes] == jobs
    assert [outcome.error is None for outcome in outcomes] == [True, False, True, True, True, True]
    assert isinstance(outcomes[1].error, ValueError) and outcomes[1].error.__notes__ == ["in model 'ridge', fold 1"]
    assert [job.out.is_dir() for job in jobs] == [True, False, True, True, True, True]
    assert not list(jobs[0].out.parent.glob(".*")), "of the failed one nothing is left"


def test_a_fit_that_is_there_is_not_made_again(jobs: list[FoldFit]) -> None:
    list(run_fits(jobs[:1], ThreadPlan(1, 1)))
    before = (jobs[0].out / "facts.json").stat().st_mtime_ns
    list(run_fits(jobs[:1], ThreadPlan(1, 1)))
    assert (jobs[0].out / "facts.json").stat().st_mtime_ns == before


def test_what_a_fit_writes(jobs: list[FoldFit], monkeypatch: pytest.MonkeyPatch) -> None:
    import warnings

    from pipelines.models.estimators import Estimator

    fit = Estimator.fit

    def warning(*arguments: Any) -> Any:
        warnings.warn("the rows are few", UserWarning, stacklevel=2)
        return fit(*arguments)

    monkeypatch.setattr(Estimator, "fit", warning)
    job = replace(jobs[0], keys=jobs[0].keys.model_copy(update={"seeds": 2}))
    (outcome,) = run_fits([job], ThreadPlan(1, 1))
    assert outcome.error is None
    assert {path.name for path in job.out.iterdir()} == {"oof.npy", "test.npy", "facts.json", "seed-0", "seed-1"}
    facts = read_json(job.out / "facts.json")
    assert facts["warnings"] == ["UserWarning: the rows are few"], "a warning is kept, once, and not raised"
    assert facts["seconds"] >= facts["fit_seconds"] > 0
    assert sorted(facts["columns"]) == sorted(["area", "rooms", "space", "street__target"]) and len(facts["importances"]) == 4
    assert np.load(job.out / "oof.npy").shape == np.load(job.out / "test.npy").shape == (20,)


def test_a_job_is_made_of_paths_and_plain_values(jobs: list[FoldFit]) -> None:
    import pickle

    again: FoldFit = pickle.loads(pickle.dumps(jobs[0]))
    assert again == jobs[0]
    assert all(isinstance(getattr(again, name), Path) for name in ("table", "view", "fold_block", "out"))


@pytest.mark.slow
def test_errors_come_back_from_worker_processes(jobs: list[FoldFit], make_tiny: Callable[..., Any]) -> None:
    jobs[1] = replace(jobs[1], kind="knn", params={"n_neighbors": 500}, out=jobs[1].out.with_name("wrong"))
    outcomes = list(run_fits(jobs, ThreadPlan(2, 1)))
    assert {outcome.job.out for outcome in outcomes} == {job.out for job in jobs}
    (failed,) = [outcome for outcome in outcomes if outcome.error is not None]
    assert failed.job == jobs[1] and "Expected n_neighbors" in str(failed.error)
    assert "in model 'ridge', fold 1" in failed.error.__notes__  # type: ignore[union-attr]
