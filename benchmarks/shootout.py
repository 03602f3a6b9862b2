"""Foldwise against AutoML libraries: the same raw tables, the same held-out quarter, the same cores, rows and seconds.

    python benchmarks/shootout.py --data ../shared/data --seconds 60 --peer autogluon=PYTHON [--tables a,b] [--seeds 0,1,2]
                                   [--peer autogluon-medium_quality=PYTHON]

``PYTHON`` is the interpreter of an environment in which that peer is installed (``README.md`` says how). Foldwise
drafts its declaration (``foldwise new``) and runs it within the budget, which counts everything; a peer is given the same
number of seconds as its time limit. Each line of the log, and the raw output of every arm, is kept below ``--logs``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from shootout_tables import TABLES, Table, loss_of

PEERS = Path(__file__).parent / "peers"


def main() -> None:
    """Run what is asked for and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--tables", default=",".join(TABLES))
    parser.add_argument("--peer", action="append", default=[], metavar="NAME[-PRESET]=PYTHON")
    parser.add_argument("--logs", type=Path, default=Path("runs/shootout"))
    given = parser.parse_args()
    given.logs.mkdir(parents=True, exist_ok=True)
    results = given.logs / f"results-{given.seconds:.0f}s.jsonl"
    arms = {"foldwise": sys.executable, **dict(peer.split("=", 1) for peer in given.peer)}
    known = [json.loads(line) for line in results.read_text().splitlines()] if results.is_file() else []
    for seed in (int(one) for one in given.seeds.split(",")):
        for name in given.tables.split(","):
            for arm, python in arms.items():
                if any((one["table"], one["seed"], one["arm"]) == (name, seed, arm) for one in known):
                    continue
                known.append(one := measure(arm, python, name, TABLES[name], seed, given))
                with results.open("a") as file:
                    file.write(json.dumps(one) + "\n")
                print(json.dumps(one), flush=True)
    print(summary(pd.DataFrame(known), given.seconds))


def measure(arm: str, python: str, name: str, table: Table, seed: int, given: argparse.Namespace) -> dict[str, object]:
    """One arm on one table: its loss on the held-out quarter, and the seconds it took in all."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        y = write_halves(table, seed, folder, given.data)
        began = time.perf_counter()
        log = given.logs / f"{name}-{seed}-{arm}-{given.seconds:.0f}s.log"
        with log.open("w") as file:
            for command in commands_of(arm, python, table, given.seconds, folder):
                done = subprocess.run(command, cwd=folder, stdout=file, stderr=subprocess.STDOUT, env=environment(), check=False)
        seconds = time.perf_counter() - began
        output = folder / ("runs/it/submission.csv" if arm == "foldwise" else "predicted.csv")
        loss = None
        if output.is_file():
            predicted, given_columns = pd.read_csv(output), pd.read_csv(folder / "test.csv", nrows=1).columns
            loss = loss_of(table.metric, y, predicted.drop(columns=["row", *given_columns], errors="ignore"))
        return {
            "table": name,
            "seed": seed,
            "arm": arm,
            "metric": table.metric,
            "loss": loss,
            "seconds": round(seconds, 1),
            "code": done.returncode,
        }


def write_halves(table: Table, seed: int, folder: Path, data: Path) -> np.ndarray:
    """Write ``train.csv`` and ``test.csv`` (a quarter, without the target), and give the quarter's target."""
    from sklearn.model_selection import train_test_split

    frame = table.read(data)
    strata = frame[table.target] if table.metric != "rmse" else None
    train, test = train_test_split(frame, test_size=0.25, random_state=seed, stratify=strata)
    train.to_csv(folder / "train.csv", index=False)
    test.drop(columns=table.target).to_csv(folder / "test.csv", index=False)
    return test[table.target].to_numpy()


def commands_of(arm: str, python: str, table: Table, seconds: float, folder: Path) -> list[list[str]]:
    """What an arm runs in its folder."""
    if arm != "foldwise":
        peer, _, preset = arm.partition("-")
        told = ["train.csv", "test.csv", table.target, table.metric, str(seconds), "predicted.csv", *([preset] if preset else [])]
        return [[python, str(PEERS / f"{peer}_arm.py"), *told]]
    foldwise = str(Path(python).with_name("foldwise"))
    new = [foldwise, "new", "it", "--train", "train.csv", "--test", "test.csv", "--target", table.target, "--metric", table.metric]
    return [new, [foldwise, "run", "it", "--budget", f"{seconds:.0f}s"]]


def environment() -> dict[str, str]:
    """Two cores for everybody; nothing of this process's own settings for libraries."""
    return {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}


def summary(known: pd.DataFrame, seconds: float) -> str:
    """Losses by table and arm, mean ranks, and the sign test of Foldwise against each peer."""
    from scipy.stats import binomtest

    wide = known.pivot_table(index=["table", "seed"], columns="arm", values="loss")
    lines = [
        f"# {seconds:.0f} s, two cores, held-out quarter; losses (1 - AUC and 1 - AP for these), smaller is better",
        "",
        wide.to_markdown(),
        "",
    ]
    lines.append("mean rank: " + ", ".join(f"{arm} {rank:.2f}" for arm, rank in wide.rank(axis=1).mean().sort_values().items()))
    for arm in wide.columns.drop("foldwise"):
        both = wide[["foldwise", arm]].dropna()
        wins, ties = int((both["foldwise"] < both[arm]).sum()), int((both["foldwise"] == both[arm]).sum())
        n = len(both) - ties
        p = binomtest(wins, n).pvalue if n else 1.0
        lines.append(f"foldwise better than {arm} on {wins} of {len(both)} ({ties} ties), sign test p = {p:.3f}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
