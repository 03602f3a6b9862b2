"""How fast is the board with 5,000 recorded runs? Seconds to build the page, and to its first paint in headless Chromium.

One real run of Titanic's sample is recorded; the others are copies of its history entry under other ids, with other scores and
a changed parameter. Compared with nothing but the limits we set ourselves: 20 s to build, 1 s to the first paint.
"""

from __future__ import annotations

import argparse
import copy
import datetime
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

_PARAMETER = "max_depth: 5"
_SHARED = ("plan.json", "keys.json", "serving.json", "ensemble.json", "folds.parquet", "report.html")


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recorded", type=int, default=5000, help="runs to fabricate")
    parser.add_argument("--competitions", type=int, default=1, help="competitions they are spread over")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep", type=Path, help="a new folder for the runs, which stays")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        runs = arguments.keep or Path(folder) / "runs"
        fabricate(runs, arguments.recorded, arguments.competitions)
        built = [_build(runs) for _ in range(arguments.rounds)]
        page = runs / "board.html"
        painted, ready = zip(*(_paint(page) for _ in range(arguments.rounds)), strict=True)
        size = page.stat().st_size / 1e6
    print(f"{arguments.recorded:,} runs of {arguments.competitions} competition(s), page of {size:.1f} MB, {os.cpu_count()} cores")
    for what, values, unit in (("build, whole command", built, "s"), ("first paint", painted, "ms"), ("content loaded", ready, "ms")):
        print(f"{what:22} median {statistics.median(values):8.2f} {unit:2}   largest {max(values):8.2f} {unit}")


def fabricate(runs: Path, n_runs: int, n_competitions: int) -> None:
    """Record one real run and copies of it."""
    subprocess.run(["foldwise", "run", "titanic", "--runs", str(runs)], check=True, stdout=subprocess.DEVNULL)
    (template,) = (runs / "titanic" / "history").iterdir()
    rng = np.random.default_rng(0)
    facts, metrics = (json.loads((template / name).read_text(encoding="utf-8")) for name in ("run.json", "metrics.json"))
    declared = (template / "declaration.yaml").read_text(encoding="utf-8")
    assert _PARAMETER in declared, f"the declaration has no {_PARAMETER!r} to change"
    first = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    for at in range(n_runs - 1):
        name = "titanic" if n_competitions == 1 else f"competition-{at % n_competitions}"
        started = first + datetime.timedelta(minutes=37 * at)
        entry = runs / name / "history" / f"{started:%Y%m%d-%H%M%S}-{at:06x}"
        entry.mkdir(parents=True)
        for shared in _SHARED:
            os.link(template / shared, entry / shared)
        own = {**facts, "run_id": entry.name, "competition": name, "started": started.isoformat()}
        shift = 0.02 * (at / n_runs - 1) + float(rng.normal(0, 0.004))
        (entry / "run.json").write_text(json.dumps(own, indent=1), encoding="utf-8")
        (entry / "metrics.json").write_text(json.dumps({**_shifted(metrics, shift, rng), "competition": name}, indent=1), encoding="utf-8")
        (entry / "declaration.yaml").write_text(declared.replace(_PARAMETER, f"max_depth: {3 + at % 9}"), encoding="utf-8")
        if at % 50 == 0:
            _submit(runs / name, entry.name, started, own_score=metrics["final"]["score"] + shift, noise=float(rng.normal(0, 0.01)))


def _shifted(metrics: dict[str, Any], shift: float, rng: np.random.Generator) -> dict[str, Any]:
    made = copy.deepcopy(metrics)
    for table in (made["final"], *made["models"].values(), *made["ensemble"].values()):
        table["score"] += shift
        table["interval"] = [end + shift for end in table["interval"]]
        table["folds"] = [
            score + shift + float(noise) for score, noise in zip(table["folds"], rng.normal(0, 0.005, len(table["folds"])), strict=True)
        ]
    return made


def _submit(latest: Path, run_id: str, started: datetime.datetime, *, own_score: float, noise: float) -> None:
    said = {"run_id": run_id, "time": started.isoformat(), "file_sha256": "", "message": "fabricated", "sent": True}
    with (latest / "submissions.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps({**said, "public_score": round(own_score - 0.05 + noise, 5)}) + "\n")


def _build(runs: Path) -> float:
    started = time.perf_counter()
    subprocess.run(["foldwise", "board", "--runs", str(runs)], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def _paint(page: Path) -> tuple[float, float]:
    """Milliseconds to the first paint and until the document is there, in a browser started anew."""
    from playwright.sync_api import sync_playwright

    chromium = next(found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        window = browser.new_page()
        window.goto(page.resolve().as_uri())
        window.wait_for_selector('html[data-drawn="all"]', state="attached", timeout=60_000)
        found = window.evaluate(
            "() => [performance.getEntriesByName('first-contentful-paint')[0].startTime, "
            "performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd]"
        )
        browser.close()
    return float(found[0]), float(found[1])


if __name__ == "__main__":
    sys.exit(main())
