"""Scoring new rows: rows a second in a large batch, and the time of a request of one row through the MLflow model.

Generated houses of 80 raw columns, three cases: one LightGBM model fitted on all rows (``refit: all``) behind the cleaning and
the ordinal view of the House Prices declaration, the same behind all its features, and the whole declared ensemble of seven
models by ten folds. Everything is loaded before, and calls before the first one counted warm up. CPU seconds stand beside
wall-clock seconds: on a shared machine they leave out most of what other work takes. The comparison, which bounds what a
batch can reach, is LightGBM's own ``predict`` on a matrix that is ready.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
from ruamel.yaml import YAML

# a script's folder comes first on the path, where features.py would stand for the package of its name
sys.path[:] = [place for place in sys.path if Path(place or ".").resolve() != Path(__file__).resolve().parent]

# ruff: noqa: E402
from competitions.house_prices import sample
from pipelines.console import Console
from pipelines.options import Options
from pipelines.serve.files import read_rows
from pipelines.serve.predictor import Predictor
from pipelines.serve.pyfunc import save_model
from pipelines.surroundings import Surroundings
from pipelines.whole_run import run

BATCH, CALLS = 100_000, 30
BOOSTER = {"lgb": {"lightgbm": {"n_estimators": 100}, "view": "trees"}}
"""LightGBM's own defaults."""
SOURCE = Path(sample.__file__).parent / "pipeline.yaml"


def declarations(declared: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The declaration of each case, from that of House Prices."""
    booster = {**declared, "models": BOOSTER, "views": {"trees": declared["views"]["trees"]}, "refit": "all"}
    del booster["ensemble"]
    return {
        "one booster, cleaning": {**booster, "features": []},
        "one booster, all features": booster,
        "10-fold ensemble": declared,
    }


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=BATCH, help="rows of the batch")
    parser.add_argument("--calls", type=int, default=CALLS, help="requests of one row")
    parser.add_argument("--only", default="", help="cases whose name holds this")
    arguments = parser.parse_args()
    declared = YAML(typ="safe", pure=True).load(SOURCE.read_text(encoding="utf-8"))
    lines = []
    with tempfile.TemporaryDirectory() as place:
        for number, (name, declaration) in enumerate(declarations(declared).items()):
            if arguments.only in name:
                folder = _run(Path(place) / f"houses_{number}", declaration)
                lines += _measure(name, folder, Path(place) / f"model_{number}", arguments.rows, arguments.calls)
    print("| case | what | wall clock | CPU | |\n|---|---|---|---|---|")
    print("\n".join(lines))


def _run(folder: Path, declaration: dict[str, Any]) -> Path:
    folder.mkdir()
    sample.write(folder)
    yaml = YAML(typ="safe", pure=True)
    # the order of expressions has a meaning
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    with (folder / "pipeline.yaml").open("w", encoding="utf-8") as file:
        yaml.dump(declaration, file)
    around = Surroundings.read(Console(is_quiet=True))
    return run(str(folder), options=Options(runs=folder.parent / "runs", data=folder.parent), around=around).folder


def _measure(name: str, run_folder: Path, model: Path, n_rows: int, calls: int) -> list[str]:
    import mlflow.pyfunc

    predictor = Predictor.read(run_folder)
    test = read_rows(predictor.inputs, run_folder.parent.parent / run_folder.name / "test.csv")
    lines = []
    if "booster" in name:
        batch = pd.concat([test] * (n_rows // len(test) + 1), ignore_index=True).iloc[:n_rows]
        wall, cpu = _timed(lambda: predictor.predict(batch), 3)
        lines.append(f"| {name} | {n_rows} rows | {wall:.2f} s | {cpu:.2f} s | {n_rows / wall:,.0f} rows/s |")
        bare = _bare(predictor, batch)
        lines.append(f"| {name} | LightGBM alone, on a matrix | {bare[0]:.2f} s | {bare[1]:.2f} s | {n_rows / bare[0]:,.0f} rows/s |")
    save_model(run_folder, model)
    loaded = mlflow.pyfunc.load_model(str(model))
    wall, cpu = _timed(lambda: loaded.predict(test.iloc[[7]]), calls)
    lines.append(f"| {name} | one row, pyfunc | {wall * 1000:.0f} ms | {cpu * 1000:.0f} ms | |")
    return lines


def _bare(predictor: Predictor, batch: pd.DataFrame) -> tuple[float, float]:
    """The booster on the columns that its last step makes."""
    from pipelines.serve.replay import Frames, replay

    (model,), (steps,) = predictor.models.values(), predictor.views.values()
    frames = replay(Frames.start(predictor.inputs.features(batch), [0]), [*predictor.base, *steps])
    X = frames.of(0, model.fits[0].columns).to_numpy(dtype=float)
    booster: Any = model.fits[0].seeds[0].model
    return _timed(lambda: booster.booster.predict(X, num_threads=1), 3)


def _timed(call: Callable[[], Any], times: int) -> tuple[float, float]:
    """Median seconds of a call, by the clock and of the CPU, after one that does not count."""
    call()
    walls, cpus = [], []
    for _ in range(times):
        wall, cpu = time.perf_counter(), time.process_time()
        call()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return statistics.median(walls), statistics.median(cpus)


if __name__ == "__main__":
    main()
