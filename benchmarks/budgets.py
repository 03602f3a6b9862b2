"""Does a run end within its budget? Random budgets on tables of four sizes, from the start of the process to its end.

    python benchmarks/budgets.py [--budgets 20] [--longest 600] [--seed 0] [--log budgets.jsonl]

Budgets are drawn between 20 s and ``--longest``, uniform in their logarithm; sizes take turns. A run is late when it takes over
2 % or 5 s more than its budget, whichever is more. Runs that the log has already are not made again.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

SIZES = (200, 5_000, 100_000, 1_000_000)
_SHORTEST = 20.0


def main() -> None:
    """Run what is asked for and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--budgets", type=int, default=20)
    parser.add_argument("--longest", type=float, default=600)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--log", type=Path, default=Path("budgets.jsonl"))
    given = parser.parse_args()
    drawn = np.exp(np.random.default_rng(given.seed).uniform(np.log(_SHORTEST), np.log(given.longest), given.budgets)).round()
    asked = [(SIZES[number % len(SIZES)], float(budget)) for number, budget in enumerate(drawn)]
    known = [json.loads(line) for line in given.log.read_text().splitlines()] if given.log.is_file() else []
    done = {(one["rows"], one["budget"]) for one in known}
    for n_rows, budget in asked:
        if (n_rows, budget) not in done:
            known.append(one := measure(n_rows, budget))
            with given.log.open("a") as file:
                file.write(json.dumps(one) + "\n")
            print(json.dumps(one), flush=True)
    print(summary(pd.DataFrame(known)))


def table_of(n_rows: int) -> pd.DataFrame:
    """Numbers, levels and gaps, and two classes that hang on some of them."""
    rng = np.random.default_rng(n_rows)
    numbers = pd.DataFrame(rng.normal(size=(n_rows, 10)).round(4), columns=[f"x{at}" for at in range(10)])
    levels = {f"c{at}": rng.choice([f"l{level}" for level in range(4**at)], n_rows) for at in range(1, 5)}
    y = numbers["x0"] + numbers["x1"] * numbers["x2"] + (pd.Series(levels["c1"]) == "l0") + rng.normal(size=n_rows) > 0
    return numbers.mask(rng.random(numbers.shape) < 0.03).assign(**levels, y=y.astype(int))


def measure(n_rows: int, budget: float) -> dict[str, object]:
    """One run: its seconds from the start of the process to its end, and how many models are in it."""
    foldwise = str(Path(sys.executable).with_name("foldwise"))
    with tempfile.TemporaryDirectory() as place:
        table, test = table_of(n_rows), table_of(n_rows + 1).head(max(50, n_rows // 10))
        table.to_csv(Path(place) / "train.csv", index=False)
        test.drop(columns="y").to_csv(Path(place) / "test.csv", index=False)
        new = [foldwise, "new", "it", "--train", "train.csv", "--test", "test.csv", "--target", "y", "--metric", "roc_auc"]
        subprocess.run(new, cwd=place, check=True, capture_output=True)
        began = time.perf_counter()
        run = subprocess.run([foldwise, "run", "it", "--budget", f"{budget:.0f}s"], cwd=place, check=False, capture_output=True, text=True)
        seconds = time.perf_counter() - began
        metrics = Path(place) / "runs" / "it" / "metrics.json"
        found = json.loads(metrics.read_text()) if metrics.is_file() else None
    return {
        "rows": n_rows,
        "budget": budget,
        "seconds": round(seconds, 1),
        "code": run.returncode,
        "models": len(found["models"]) if found else 0,
        "score": round(found["final"]["score"], 5) if found else None,
        "said": "" if found else run.stderr[-300:],
    }


def summary(known: pd.DataFrame) -> str:
    """The table, and how many were late."""
    known = known.assign(over=(known["seconds"] - known["budget"]).round(1))
    late = known["over"] > np.maximum(5.0, 0.02 * known["budget"])
    told = f"{int(late.sum())} of {len(known)} late; most over {known['over'].max():.1f} s; {int((known['code'] != 0).sum())} without an answer"
    columns = ["rows", "budget", "seconds", "over", "models", "score", "code"]
    return f"{known[columns].sort_values(['rows', 'budget']).to_markdown(index=False)}\n\n{told}"


if __name__ == "__main__":
    main()
