"""A file read in parts, of which a hash keeps some rows: seconds and peak memory beside reading all of it.

    python benchmarks/sampling.py [--rows 10000000] [--rate 0.05]

Clicks of the columns of ``app_install``, one address in twenty kept with all its clicks. Each arm is a process of its own, so that its
peak is its own; A and B alternate, medians of three.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

# a script's folder comes first on the path, where features.py would stand for the package of its name
sys.path[:] = [place for place in sys.path if Path(place or ".").resolve() != Path(__file__).resolve().parent]


def main() -> None:
    """Write the file, read it in both ways, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rate", type=float, default=0.05)
    parser.add_argument("--arm", nargs=2, metavar=("FILE", "RATE"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.arm:
        read(Path(asked.arm[0]), float(asked.arm[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "train.csv"
        write(path, asked.rows)
        arms = {"all rows": 1.0, f"{asked.rate:.0%} by address": asked.rate}
        found: dict[str, list[list[float]]] = {name: [] for name in arms}
        for _ in range(3):
            for name, rate in arms.items():
                command = [sys.executable, __file__, "--arm", str(path), str(rate)]
                found[name].append([float(one) for one in subprocess.check_output(command, text=True).split()])
        size = path.stat().st_size / 1e6
    print(f"\n{asked.rows:,} rows, {size:,.0f} MB of CSV\n\n| read | rows | seconds | peak memory, MB |\n|---|---|---|---|")
    for name, runs in found.items():
        rows, seconds, peak = (statistics.median(column) for column in zip(*runs, strict=True))
        print(f"| {name} | {rows:,.0f} | {seconds:.1f} | {peak:,.0f} |")


def write(path: Path, n_rows: int) -> None:
    """Clicks, a million at a time."""
    rng = np.random.default_rng(0)
    for first in range(0, n_rows, 1_000_000):
        n = min(1_000_000, n_rows - first)
        most = {"ip": 300_000, "app": 700, "device": 3000, "os": 800, "channel": 200}
        # busy addresses and apps, and many that are seldom seen
        columns = {name: (count * rng.random(n) ** 3).astype(int) for name, count in most.items()}
        times = pd.Timestamp("2017-11-06") + pd.to_timedelta(np.arange(first, first + n) // 2000, unit="s")
        table = pd.DataFrame({**columns, "click_time": times.astype(str), "attributed_time": "", "is_attributed": rng.random(n) < 0.002})
        table.astype({"is_attributed": int}).to_csv(path, index=False, mode="a", header=first == 0)


def read(path: Path, rate: float) -> None:
    """Read as a run does, and say rows, seconds and peak memory of this process."""
    from pipelines.files import read_file
    from pipelines.spec import Data, HashSample

    started = time.perf_counter()
    table = read_file(path, Data(train=path.name, target="is_attributed"), None if rate == 1 else HashSample(rate=rate, by="ip"))
    print(len(table), time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3)


if __name__ == "__main__":
    main()
