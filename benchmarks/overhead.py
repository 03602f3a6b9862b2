"""What Foldwise costs on top of the fits: 6 models x 10 folds of House Prices against a bare loop on the same matrices.

Both arms run in one process with one thread (on two cores Foldwise runs two such processes), on matrices made beforehand. The bare arm fits each library's own estimator and
predicts the scored and the test rows. Foldwise's arm is ``fit_fold``: it reads the matrices, fits, predicts, saves the model,
its predictions and its facts. Arms alternate within each round; the table gives medians.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

# a script's folder comes first on the path, where features.py would stand for the package of its name
sys.path[:] = [place for place in sys.path if Path(place or ".").resolve() != Path(__file__).resolve().parent]

# ruff: noqa: E402
from pipelines import stages
from pipelines.competition import find_competition, find_data
from pipelines.console import Console
from pipelines.models import kinds
from pipelines.options import Options
from pipelines.prepare import Prepared
from pipelines.session import Session, open_session
from pipelines.surroundings import Surroundings
from pipelines.training import FoldFit, Matrices, fit_fold, read_matrices

THREADS = 1


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder with house_prices/; the generated sample without it")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as runs:
        session, prepared = _prepare(arguments.data, Path(runs))
        jobs = [stages.job(session, prepared, model, fold) for model in session.models for fold in range(prepared.folds.n_folds)]
        arms = {"bare loop": lambda: _bare(jobs, prepared), "foldwise": lambda: _foldwise(jobs)}
        seconds: dict[str, list[float]] = {name: [] for name in arms}
        for number in range(arguments.rounds + 1):
            for name, arm in arms.items() if number % 2 else reversed(arms.items()):
                taken = _timed(arm)
                if number:  # the first round warms up
                    seconds[name].append(taken)
        _print(session, jobs, seconds)


def _prepare(data: Path | None, runs: Path) -> tuple[Session, Prepared]:
    competition = find_competition("house_prices")
    options = Options(runs=runs, data=data)
    folder, _ = find_data(competition, competition.declaration(), data, runs)
    session = open_session(competition, folder, options, Surroundings.read(Console(is_quiet=True)))
    (runs / "out").mkdir()
    return session, stages.prepare(session, runs / "out")


def _foldwise(jobs: list[FoldFit]) -> None:
    for job in jobs:
        shutil.rmtree(job.out, ignore_errors=True)
    for job in jobs:
        fit_fold(job, THREADS)


def _bare(jobs: list[FoldFit], prepared: Prepared) -> None:
    y = np.log1p(prepared.y)
    blocks: dict[Path, Matrices] = {}
    for job in jobs:
        if job.fold_block not in blocks:
            blocks[job.fold_block] = read_matrices(job.view, job.fold_block)
        block = blocks[job.fold_block]
        predict = _bare_fit(job, block.fit.to_numpy(dtype=np.float64), y[block.rows.fit])
        for part in (block.scored, block.test):
            np.expm1(predict(part.to_numpy(dtype=np.float64)))


def _bare_fit(job: FoldFit, X: Any, y: Any) -> Callable[[Any], Any]:
    """The library's own estimator with the declared parameters, averaged over the declared seeds."""
    fitted = [_estimator(job, seed).fit(X, y) for seed in range(job.keys.seeds)]
    return lambda rows: np.mean([model.predict(rows) for model in fitted], axis=0)


def _estimator(job: FoldFit, seed: int) -> Any:
    if job.kind == "lightgbm":
        import lightgbm

        return lightgbm.LGBMRegressor(
            **job.params, n_jobs=THREADS, random_state=seed, verbosity=-1, force_col_wise=True, deterministic=True
        )
    if job.kind == "xgboost":
        import xgboost

        return xgboost.XGBRegressor(**job.params, n_jobs=THREADS, random_state=seed, tree_method="hist")
    kind: Any = kinds()[job.kind]
    estimator = kind._class("regression")(**{**kind.defaults, **job.params})
    known = estimator.get_params()
    return estimator.set_params(**{name: value for name, value in (("random_state", seed), ("n_jobs", THREADS)) if name in known})


def _timed(arm: Callable[[], None]) -> float:
    # the engine gives every fit its share of BLAS threads too; two that wait for each other on a busy machine take many times as long
    with threadpool_limits(THREADS):
        started = time.perf_counter()
        arm()
        return time.perf_counter() - started


def _print(session: Session, jobs: list[FoldFit], seconds: dict[str, list[float]]) -> None:
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    ratios = [ours / bare for ours, bare in zip(seconds["foldwise"], seconds["bare loop"], strict=True)]
    print(
        f"{len(session.models)} models x {len(jobs) // len(session.models)} folds, {THREADS} threads, {len(ratios)} rounds, data: {session.data.name}"
    )
    print("| arm | median s | min s | max s |\n|---|---|---|---|")
    for name, values in seconds.items():
        print(f"| {name} | {medians[name]:.2f} | {min(values):.2f} | {max(values):.2f} |")
    print(f"\nfoldwise / bare loop, pair by pair: median {statistics.median(ratios):.3f} (min {min(ratios):.3f}, max {max(ratios):.3f})")


if __name__ == "__main__":
    main()
