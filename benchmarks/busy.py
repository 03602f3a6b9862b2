"""Fits on a machine whose cores are busy: threads that spin while they wait, that sleep, and that spin briefly before they sleep.

    python benchmarks/busy.py [--rows 100000] [--others 2]

OpenMP's threads spin by default while they wait for each other; ``import pipelines`` asks for a brief spin (``GOMP_SPINCOUNT=1000``). The
same LightGBM and XGBoost fits on two threads, each in a process of its own, alone and beside as many busy processes as asked for.
The arms alternate, medians of five.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys

FIT = """
import sys, time, numpy as np
rng = np.random.default_rng(0)
X = rng.normal(size=({rows}, 40)).astype("float32")
y = X[:, 0] + rng.normal(size={rows})
if "{library}" == "lightgbm":
    import lightgbm
    data = lightgbm.Dataset(X, y).construct()
    began = time.perf_counter()
    lightgbm.train(dict(num_leaves=63, num_threads=2, verbose=-1), data, 60)
else:
    import xgboost
    data = xgboost.QuantileDMatrix(X, y)
    began = time.perf_counter()
    xgboost.train(dict(max_depth=6, nthread=2), data, 60)
print(time.perf_counter() - began)
"""
ARMS = {"spinning (default)": {}, "sleeping": {"OMP_WAIT_POLICY": "PASSIVE"}, "brief spin (ours)": {"GOMP_SPINCOUNT": "1000"}}
SETTINGS = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--others", type=int, default=2, help="busy processes beside it")
    asked = parser.parse_args()
    print(f"{asked.rows:,} rows x 40, 60 rounds, two threads, {os.cpu_count()} cores; median seconds (smallest to largest)\n")
    print(f"| library | busy processes beside | {' | '.join(ARMS)} | spinning / ours |\n|---|---|---|---|---|---|")
    for library in ("lightgbm", "xgboost"):
        for others in (0, asked.others):
            seconds = measured(library, asked.rows, others)
            cells = [f"{statistics.median(one):.2f} ({min(one):.2f} to {max(one):.2f})" for one in seconds]
            ratio = statistics.median(seconds[0]) / statistics.median(seconds[-1])
            print(f"| {library} | {others} | {' | '.join(cells)} | {ratio:.2f} |", flush=True)


def measured(library: str, rows: int, others: int) -> list[list[float]]:
    """Seconds of each arm, five times each in turn."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(others)]
    try:
        seconds: list[list[float]] = [[] for _ in ARMS]
        for _ in range(5):
            for at, settings in enumerate(ARMS.values()):
                environment = {name: value for name, value in os.environ.items() if name not in SETTINGS} | settings
                said = subprocess.check_output([sys.executable, "-c", FIT.format(rows=rows, library=library)], text=True, env=environment)
                seconds[at].append(float(said))
    finally:
        for process in busy:
            process.kill()
            process.wait()
    return seconds


if __name__ == "__main__":
    main()
