"""Trials per minute of ``foldwise tune``: LightGBM, 5 folds, against plain Optuna over ``cross_val_score``.

All arms search the same space with the same sampler and seed on the same folds, one process with all cores. The plain arm
fits scikit-learn's interface anew in every fold and keeps its study in memory; Foldwise's arms keep theirs in SQLite, with
heartbeats, over binned data that trials share, with pruning off and on. Arms run one after the other, ``--rounds`` times. A
trial's time is from the first trial's start to the last one's end; the whole command is timed beside it. ``best after the
plain arm's time`` goes on with the pruning arm for as long as the plain one took.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

# a script's folder comes first on the path, where features.py would stand for the package of its name
sys.path[:] = [place for place in sys.path if Path(place or ".").resolve() != Path(__file__).resolve().parent]

# ruff: noqa: E402
from pipelines.console import Console
from pipelines.engine import available_cores
from pipelines.options import Options
from pipelines.surroundings import Surroundings
from pipelines.tuning.sampling import NumberedTPE
from pipelines.tuning.split import OTHER_SEED
from pipelines.tuning.whole import Wanted, tune

_SPACE: dict[str, dict[str, Any]] = {
    "learning_rate": {"float": [0.02, 0.3], "log": True},
    "num_leaves": {"int": [8, 255], "log": True},
    "min_child_samples": {"int": [5, 200], "log": True},
    "colsample_bytree": {"float": [0.4, 1.0]},
    "reg_lambda": {"float": [0.001, 30.0], "log": True},
}


@dataclass(frozen=True)
class Arm:
    """What an arm came to."""

    name: str
    trials: int
    seconds: float
    """From the first trial's start to the last one's end."""
    whole: float
    """Of the whole call, reading and checking included."""
    best: float
    cpu: float
    """Seconds of processor time of the whole call: what a busy machine does not distort."""
    pruned: int = 0

    @property
    def per_minute(self) -> float:
        """Trials per minute."""
        return 60 * self.trials / self.seconds


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--columns", type=int, default=30)
    parser.add_argument("--rounds-of-boosting", type=int, default=300)
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--most-leaves", type=int, default=255, help="upper end of num_leaves")
    given = parser.parse_args()
    arms: list[Arm] = []
    _SPACE["num_leaves"]["int"] = [8, given.most_leaves]
    for number in range(given.rounds):
        with tempfile.TemporaryDirectory() as place:
            X, y = _table(given.rows, given.columns, number)
            folder = _competition(Path(place) / "bench", X, y, given.rounds_of_boosting)
            plain = _plain(X, y, given.rounds_of_boosting, given.trials, number)
            arms += [_told(plain), _told(_foldwise("foldwise, no pruning", folder, given.trials, number, prunes=False))]
            arms.append(_told(_foldwise("foldwise", folder, given.trials, number, prunes=True)))
            arms.append(_told(_foldwise("foldwise, the plain arm's time", folder, 100_000, number, prunes=True, seconds=plain.whole)))
    print(
        f"{given.rows} x {given.columns}, {given.rounds_of_boosting} rounds, 5 folds, {available_cores()} cores, {given.rounds} round(s)\n"
    )
    _print(arms)


def _told(arm: Arm) -> Arm:
    print(f"  {arm}", file=sys.stderr, flush=True)
    return arm


def _table(n_rows: int, n_columns: int, seed: int) -> tuple[pd.DataFrame, Any]:
    from sklearn.datasets import make_classification

    X, y = make_classification(n_rows, n_columns, n_informative=12, n_redundant=6, flip_y=0.1, class_sep=0.7, random_state=seed)
    return pd.DataFrame(X, columns=[f"x{at}" for at in range(n_columns)]), y


def _competition(folder: Path, X: pd.DataFrame, y: Any, rounds: int) -> Path:
    import json

    folder.mkdir()
    X.assign(y=y).to_csv(folder / "train.csv", index=False)
    lines = [
        "data: {train: train.csv, target: y}",
        "task: binary",
        "metric: roc_auc",
        "split: {stratified: {folds: 5, seed: 0}}",
        f"models: {{lgb: {{lightgbm: {{n_estimators: {rounds}}}}}}}",
        f"tune: {{lgb: {{space: {json.dumps(_SPACE)}}}}}",
    ]
    (folder / "pipeline.yaml").write_text("\n".join(lines), encoding="utf-8")
    return folder


def _plain(X: pd.DataFrame, y: Any, rounds: int, n_trials: int, seed: int) -> Arm:
    import optuna
    from lightgbm import LGBMClassifier
    from sklearn.model_selection import StratifiedKFold, cross_val_score

    folds = StratifiedKFold(5, shuffle=True, random_state=OTHER_SEED)

    def objective(trial: optuna.Trial) -> float:
        params: dict[str, Any] = {}
        for name, range_ in _SPACE.items():
            suggest: Any = trial.suggest_int if "int" in range_ else trial.suggest_float
            low, high = range_["int" if "int" in range_ else "float"]
            params[name] = suggest(name, low, high, log=range_.get("log", False))
        model = LGBMClassifier(n_estimators=rounds, n_jobs=available_cores(), random_state=0, verbosity=-1, **params)
        return float(np.mean(cross_val_score(model, X, y, cv=folds, scoring="roc_auc")))

    began, began_cpu = time.perf_counter(), time.process_time()
    study = optuna.create_study(direction="maximize", sampler=NumberedTPE(seed))
    study.enqueue_trial({"learning_rate": 0.1, "num_leaves": 31, "min_child_samples": 20, "colsample_bytree": 1.0, "reg_lambda": 0.001})
    study.optimize(objective, n_trials=n_trials)
    taken = time.perf_counter() - began
    return Arm("Optuna over cross_val_score", n_trials, taken, taken, study.best_value, time.process_time() - began_cpu)


def _foldwise(name: str, folder: Path, n_trials: int, seed: int, *, prunes: bool, seconds: float | None = None) -> Arm:
    import json

    runs = folder.parent / name.replace(" ", "-")
    # no configurations of the portfolio: the plain arm has none
    wanted = Wanted(trials=n_trials, seed=seed, prunes=prunes, seconds=seconds, starts=())
    began, began_cpu = time.perf_counter(), time.process_time()
    found = tune(str(folder), options=Options(runs=runs), wanted=wanted, around=Surroundings.read(Console(is_quiet=True)))
    taken, cpu = time.perf_counter() - began, time.process_time() - began_cpu
    outcome = found.outcomes["lgb"]
    trials = json.loads((runs / folder.name / "tuning.json").read_text(encoding="utf-8"))["lgb"]
    return Arm(name, outcome.trials, trials["seconds"], taken, outcome.best.values[0], cpu, outcome.pruned)


def _print(arms: list[Arm]) -> None:
    print("| arm | trials | of them pruned | trials per minute | ratio | with reading | by processor time | best roc_auc |")
    print("|---|---|---|---|---|---|---|---|")
    plain = statistics.median(arm.per_minute for arm in arms if arm.name.startswith("Optuna"))
    plain_cpu = statistics.median(arm.trials / arm.cpu for arm in arms if arm.name.startswith("Optuna"))
    for name in dict.fromkeys(arm.name for arm in arms):
        own = [arm for arm in arms if arm.name == name]
        rate = statistics.median(arm.per_minute for arm in own)
        whole = statistics.median(60 * arm.trials / arm.whole for arm in own) / plain
        by_cpu = statistics.median(arm.trials / arm.cpu for arm in own) / plain_cpu
        trials, pruned = (statistics.median(value) for value in ([arm.trials for arm in own], [arm.pruned for arm in own]))
        best = statistics.mean(arm.best for arm in own)
        print(f"| {name} | {trials:.0f} | {pruned:.0f} | {rate:.1f} | {rate / plain:.2f} | {whole:.2f} | {by_cpu:.2f} | {best:.5f} |")


if __name__ == "__main__":
    main()
