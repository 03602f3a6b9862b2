"""Metrics of very many rows against scikit-learn, or a plain pandas or NumPy way where it has none: time as a ratio.

Clicks of 10M impressions and 1M users. Arms alternate, after a round that does not count; the table gives medians, and the
largest difference of the two scores. Both arms run on one thread. Ratios are of CPU seconds, which leave out what other work
takes of a shared machine; wall-clock seconds stand beside them. Group AUC is also compared with a scikit-learn loop over a
sample of the users. (The ECE by sorting has parts that differ by a row where the rows cannot be cut evenly.)
"""

from __future__ import annotations

import argparse
import functools
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn import metrics as sk

# a script's folder comes first on the path, where features.py would stand for the package of its name
sys.path[:] = [place for place in sys.path if Path(place or ".").resolve() != Path(__file__).resolve().parent]

# ruff: noqa: E402
from pipelines.metrics import METRICS, metric_of
from pipelines.scores import bootstrap_interval

RESULTS = Path(__file__).parent / "results" / "metrics.md"
COLD = """
import numpy as np, time
from pipelines.metrics import metric_of
metric, n = metric_of("gauc", {"group": "user"}), 1000
rows = np.arange(n) % 2.0, np.linspace(0, 1, n), None, {"user": np.arange(n) // 10}
started = time.process_time()
metric.score(*rows)
print(time.process_time() - started)
"""


@dataclass(frozen=True)
class Impressions:
    """Clicks, probabilities and users, each of shape (n_rows,)."""

    y: np.ndarray
    p: np.ndarray
    user: np.ndarray

    @classmethod
    def draw(cls, n_rows: int) -> Impressions:
        """Clicks of a rate of a sixth; a user has ten impressions in the mean."""
        rng = np.random.default_rng(0)
        p = rng.beta(1.0, 5.0, n_rows)
        return cls((rng.random(n_rows) < p).astype(np.float64), p, rng.integers(0, max(n_rows // 10, 1), n_rows))

    def of_some_users(self, n_users: int) -> Impressions:
        """The rows of the first users."""
        rows = np.flatnonzero(self.user < n_users)
        return Impressions(self.y[rows], self.p[rows], self.user[rows])


def main() -> None:
    """Measure, print, and write the table where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", action="store_true", help="write results/metrics.md as well")
    arguments = parser.parse_args()
    shown = []
    for line in lines(Impressions.draw(arguments.rows), arguments.rounds):
        print(line, flush=True)
        shown.append(line)
    if arguments.write:
        options = f"--rows {arguments.rows} --rounds {arguments.rounds}"
        RESULTS.write_text("\n".join([f"# `benchmarks/metrics.py {options}`", "", *shown, ""]), encoding="utf-8")


def lines(rows: Impressions, rounds: int) -> Iterator[str]:
    """The results as Markdown."""
    yield f"{os.cpu_count()} cores, load of the machine by other work {os.getloadavg()[0]:.1f} at the start, {len(rows.y):,} rows."
    yield "\n| score | compared with | foldwise, CPU s (wall) | other, CPU s (wall) | other / foldwise | difference |\n|---|---|---|---|---|---|"
    for name, other, ours, theirs in arms(rows):
        found, seconds = alternate(ours, theirs, rounds)
        ratio = np.median(seconds[1, :, 0] / seconds[0, :, 0])
        times = " | ".join(f"{cpu:.2f} ({wall:.2f})" for cpu, wall in np.median(seconds, axis=1))
        difference = np.max(np.abs(np.subtract(*found)))
        yield f"| {name} | {other} | {times} | {ratio:.1f} | {difference:.0e} |"
    sample = rows.of_some_users(2000)
    ours, theirs = group_auc(sample), by_group_with_scikit_learn(sample)
    yield f"\nGroup AUC of {len(np.unique(sample.user)):,} users: {ours:.15f}; scikit-learn in a loop: {theirs:.15f}."
    cold = [float(subprocess.run([sys.executable, "-c", COLD], capture_output=True, text=True, check=True).stdout) for _ in range(3)]
    yield f"The first group AUC of a process, which loads pandas, numba and the compiled loops: {statistics.median(cold):.2f} CPU s."


def arms(rows: Impressions) -> Iterator[tuple[str, str, Callable[[], Any], Callable[[], Any]]]:
    """What is measured: the score, what it is compared with, and the two ways."""
    y, p = rows.y, rows.p

    def scored(name: str) -> Callable[[], float]:
        return functools.partial(METRICS[name].score, y, p)

    yield f"group AUC, {len(np.unique(rows.user)):,} groups", "pandas `groupby.rank`", lambda: group_auc(rows), lambda: by_ranks(rows)
    yield "log loss", "scikit-learn", scored("log_loss"), lambda: sk.log_loss(y, p)
    yield "ECE, 15 bins of equal mass", "NumPy, sorting all", scored("ece"), lambda: ece_by_sorting(rows, 15)
    yield "lift of the top tenth", "NumPy, sorting all", scored("lift"), lambda: lift_by_sorting(rows, 0.1)
    yield "ROC AUC", "scikit-learn", scored("roc_auc"), lambda: sk.roc_auc_score(y, p)
    yield "average precision", "scikit-learn", scored("average_precision"), lambda: sk.average_precision_score(y, p)
    few = Impressions(y[:50_000], p[:50_000], rows.user[:50_000])
    yield (
        f"ROC AUC, {len(few.y):,} rows, 200 resamples",
        "scikit-learn on the drawn rows",
        lambda: bootstrap_interval(METRICS["roc_auc"], few.y, few.p, resamples=200),
        lambda: interval_by_drawing(few, 200),
    )


def alternate(ours: Callable[[], Any], theirs: Callable[[], Any], rounds: int) -> tuple[list[Any], np.ndarray]:
    """What the two give, and CPU and wall-clock seconds of each arm and round, shape (2, rounds, 2); in changing order."""
    found: list[Any] = [ours(), theirs()]
    seconds = np.empty((2, rounds, 2))
    for number in range(rounds):
        for which, arm in [(0, ours), (1, theirs)][:: 1 if number % 2 else -1]:
            before = time.process_time(), time.perf_counter()
            arm()
            seconds[which, number] = np.subtract((time.process_time(), time.perf_counter()), before)
    return found, seconds


def group_auc(rows: Impressions) -> float:
    """Ours, grouping included."""
    return metric_of("gauc", {"group": "user"}).score(rows.y, rows.p, None, {"user": rows.user})


def by_ranks(rows: Impressions) -> float:
    """Group AUC from the ranks within groups."""
    frame = pd.DataFrame({"user": rows.user, "p": rows.p, "y": rows.y})
    frame["ranks"] = frame.groupby("user")["p"].rank() * frame["y"]
    sums = frame.groupby("user").agg(n=("y", "size"), ups=("y", "sum"), ranks=("ranks", "sum"))
    sums = sums[(sums["ups"] > 0) & (sums["ups"] < sums["n"])]
    areas = (sums["ranks"] - sums["ups"] * (sums["ups"] + 1) / 2) / (sums["ups"] * (sums["n"] - sums["ups"]))
    return float(np.average(areas, weights=sums["n"]))


def by_group_with_scikit_learn(rows: Impressions) -> float:
    """Group AUC as it is written down."""
    parts = [(rows.y[inside], rows.p[inside]) for inside in pd.Series(rows.user).groupby(rows.user).groups.values()]
    both = [(len(y), sk.roc_auc_score(y, p)) for y, p in parts if len(np.unique(y)) == 2]
    return float(np.average([area for _, area in both], weights=[n for n, _ in both]))


def ece_by_sorting(rows: Impressions, bins: int) -> float:
    """Expected calibration error of sorted rows cut in parts."""
    excess = (rows.p - rows.y)[np.argsort(rows.p)]
    return float(sum(abs(part.sum()) for part in np.array_split(excess, bins)) / len(excess))


def lift_by_sorting(rows: Impressions, share: float) -> float:
    """Rate of the first rows over that of all."""
    top = np.argsort(-rows.p)[: int(len(rows.p) * share)]
    return float(rows.y[top].mean() / rows.y.mean())


def interval_by_drawing(rows: Impressions, resamples: int) -> list[float]:
    """Percentile interval over rows drawn within each class."""
    rng = np.random.default_rng(0)
    strata = [np.flatnonzero(rows.y == code) for code in (0, 1)]
    drawn = [np.concatenate([part[rng.integers(0, len(part), len(part))] for part in strata]) for _ in range(resamples)]
    return [float(end) for end in np.quantile([sk.roc_auc_score(rows.y[one], rows.p[one]) for one in drawn], [0.025, 0.975])]


if __name__ == "__main__":
    main()
