"""Generated ad clicks, end to end: seconds, peak memory, and how much of the way to the best possible log loss is gone.

    python benchmarks/ad_click.py [--rows 2000000]

The generator draws clicks from a stated model, so the limit is known. Compared with plain hashed logistic regression (FTRL on main
effects, no crosses), whose model stands in the same run. One run, three random folds; the declaration is that of the competition with
fewer passes over the rows and without the models that small data needs.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# a script's folder comes first on the path, where features.py would stand for the package of its name
sys.path[:] = [place for place in sys.path if Path(place or ".").resolve() != Path(__file__).resolve().parent]

SETTINGS = {
    "split": "{stratified: {folds: 3, seed: 0}}",
    "models.hashed_lr": "{ftrl: {alpha: 0.05, l1: 0, l2: 1, epochs: 2}, view: tokens}",
    "models.ftrl": "{ftrl: {alpha: 0.05, l1: 0, l2: 3, epochs: 3, crosses: [[site_category, C21], [app_category, C21], [C18, banner_pos], "
    "[site_id, device_conn_type], [app_id, device_conn_type], [site_id, C21], [app_id, C21]]}, view: tokens}",
    "models.lgb": "{lightgbm: {n_estimators: 120, learning_rate: 0.15, num_leaves: 63, min_data_in_leaf: 100, feature_fraction: 0.4, "
    "lambda_l2: 10}, view: trees}",
    "ensemble.final": "{blend: {of: [ftrl, lgb], method: simplex, scale: logit}}",
}
MODELS = "constant,hashed_lr,ftrl,lgb"


def main() -> None:
    """Write the rows, run, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2_000_000)
    rows = parser.parse_args().rows
    from competitions.ad_click.sample import write

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "ad_click"
        folder.mkdir()
        write(folder, rows=rows)
        settings = [part for name, value in SETTINGS.items() for part in ("--set", f"{name}={value}")]
        foldwise = str(Path(sys.executable).with_name("foldwise"))
        command = [foldwise, "run", "ad_click", "--data", place, "--runs", f"{place}/runs", "--models", MODELS, *settings]
        seconds, peak = watched(command)
        (entry,) = (Path(place) / "runs" / "ad_click" / "history").glob("*/metrics.json")
        metrics = json.loads(entry.read_text(encoding="utf-8"))
    scores = {name: facts["score"] for name, facts in {**metrics["models"], **metrics["ensemble"]}.items()}
    limit, plain = metrics["limit"]["train"], scores["hashed_lr"]
    print(f"\n### {rows:,} generated rows: {seconds:.0f} s, peak {peak:.2f} GB (all processes)\n")
    print("| model | log loss | share of the gap closed |\n|---|---|---|")
    for name, score in scores.items():
        print(f"| {name} | {score:.5f} | {(plain - score) / (plain - limit):.1%} |")
    print(f"| limit | {limit:.5f} | |")


def watched(command: list[str]) -> tuple[float, float]:
    """Seconds of a command, and the most memory that it and its children held together, in GB (shared pages counted once)."""
    began, peak = time.perf_counter(), 0
    process = subprocess.Popen(command)
    while process.poll() is None:
        peak = max(peak, sum(_held(pid) for pid in _family(process.pid)))
        time.sleep(1)
    if process.returncode:
        raise SystemExit(process.returncode)
    return time.perf_counter() - began, peak / 1e6


def _family(pid: int) -> list[int]:
    children = [int(one) for path in Path(f"/proc/{pid}/task").glob("*/children") for one in _text(path).split()]
    return [pid, *(other for child in children for other in _family(child))]


def _held(pid: int) -> int:
    lines = [line for line in _text(Path(f"/proc/{pid}/smaps_rollup")).splitlines() if line.startswith("Pss:")]
    return int(lines[0].split()[1]) if lines else 0


def _text(path: Path) -> str:
    """A file of /proc; empty when its process is gone."""
    try:
        return path.read_text(encoding="ascii")
    except (OSError, ProcessLookupError):
        return ""


if __name__ == "__main__":
    main()
