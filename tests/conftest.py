"""Tiny competitions in a folder, and the command line called in this process or in one of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import settings

# a busy machine must not fail a test: no deadline, and the same examples each time
settings.register_profile("foldwise", deadline=None, derandomize=True)
settings.load_profile("foldwise")


@pytest.fixture(scope="session")
def real_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One runs folder for all runs on real files: later ones find the fits of earlier ones. ``FOLDWISE_RUNS`` may name one that has them."""
    named = os.environ.get("FOLDWISE_RUNS")
    return Path(named).resolve() if named else tmp_path_factory.mktemp("real_runs")


DECLARED = {
    "regression": """\
title: Tiny houses
data: {train: train.csv, test: test.csv, sample_submission: sample.csv, id: Id, target: price}
task: regression
metric: rmse
split: {kfold: {folds: 3, seed: 0}}
clean:
  - fill: {columns: [area], with: median}
features:
  - derive: {space: "area * rooms"}
  - target_encode: {columns: [street]}
views:
  linear: [{drop: [street]}, {scale: standard}]
models:
  ridge: {ridge: {alpha: 1.0}, view: linear}
  tree: {decision_tree: {max_depth: 3}, view: linear}
ensemble:
  final: {blend: {method: simplex}}
""",
    "binary": """\
title: Tiny sales
data: {train: train.csv, test: test.csv, sample_submission: sample.csv, id: Id, target: sold}
task: binary
metric: log_loss
split: {stratified: {folds: 3, seed: 0}}
clean:
  - fill: {columns: [area], with: median}
features:
  - target_encode: {columns: [street]}
views:
  linear: [{drop: [street]}, {scale: standard}]
models:
  logistic: {logistic_regression: {}, view: linear}
  tree: {decision_tree: {max_depth: 3}, view: linear}
ensemble:
  final: {blend: {method: mean}}
""",
    "multiclass": """\
title: Tiny kinds
data: {train: train.csv, test: test.csv, sample_submission: sample.csv, id: Id, target: kind}
task: multiclass
metric: log_loss
split: {stratified: {folds: 3, seed: 0}}
clean:
  - fill: {columns: [area], with: median}
views:
  linear: [one_hot, {scale: standard}]
models:
  logistic: {logistic_regression: {}, view: linear}
  tree: {decision_tree: {max_depth: 3}, view: linear}
ensemble:
  final: {blend: {method: mean}}
""",
}
TARGETS = {"regression": "price", "binary": "sold", "multiclass": "kind"}
_UNTRACKED = (
    "import os; os.sched_getaffinity = lambda _: set(range({cores})); import pipelines.track; pipelines.track.send_unsent = lambda *_: 0; "
    "from pipelines.cli import main; main()"
)


def tiny_table(n_rows: int, seed: int) -> pd.DataFrame:
    """Houses with a gap or two, and three targets that can be learnt."""
    rng = np.random.default_rng(seed)
    area, rooms, street = rng.normal(100, 20, n_rows).round(1), rng.integers(1, 6, n_rows), rng.choice(["Elm", "Oak", "Pine"], n_rows)
    price = (1000 * (area + 10 * rooms + 30 * (street == "Oak") + rng.normal(0, 10, n_rows))).round(0)
    table = pd.DataFrame({"Id": np.arange(n_rows) + 1 + 1000 * seed, "area": area, "rooms": rooms, "street": street, "price": price})
    table["sold"] = (table["price"] > table["price"].median()).astype(int)
    table["kind"] = np.array(["flat", "house", "villa"])[pd.qcut(table["price"], 3, labels=False)]
    table.loc[table.index[::17], "area"] = np.nan
    return table


@dataclass(frozen=True)
class Tiny:
    """A competition in a folder of its own."""

    folder: Path
    task: str

    @property
    def runs(self) -> Path:
        """Where its runs go."""
        return self.folder.parent / "runs"

    @property
    def latest(self) -> Path:
        """``runs/<competition>``."""
        return self.runs / self.folder.name

    @property
    def declaration(self) -> Path:
        """Its ``pipeline.yaml``."""
        return self.folder / "pipeline.yaml"

    def edit(self, *replacements: tuple[str, str]) -> None:
        """Replace texts of the declaration."""
        text = self.declaration.read_text(encoding="utf-8")
        for old, new in replacements:
            assert text.count(old) == 1, f"{old!r} must be there once"
            text = text.replace(old, new)
        self.declaration.write_text(text, encoding="utf-8")

    def change(self, file: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
        """Replace a table by what ``change`` makes of it."""
        change(pd.read_csv(self.folder / file)).to_csv(self.folder / file, index=False)

    def history(self) -> list[Path]:
        """The recorded runs, oldest first."""
        return sorted((self.latest / "history").glob("*/run.json"))

    def artifacts(self) -> set[str]:
        """The keys in the store."""
        return {path.name for path in (self.latest / ".store").glob("*") if not path.name.startswith(".")}


def write_tiny(folder: Path, task: str, *, n_train: int = 60, n_test: int = 20) -> Tiny:
    """Write declaration, train, test and sample submission."""
    folder.mkdir(parents=True)
    target = TARGETS[task]
    others = [name for name in TARGETS.values() if name != target]
    train, test = (tiny_table(n_rows, seed).drop(columns=others) for n_rows, seed in ((n_train, 0), (n_test, 1)))
    train.to_csv(folder / "train.csv", index=False)
    test.drop(columns=target).to_csv(folder / "test.csv", index=False)
    classes = ["flat", "house", "villa"] if task == "multiclass" else [target]
    test[["Id"]].iloc[::-1].assign(**dict.fromkeys(classes, 0)).to_csv(folder / "sample.csv", index=False)
    (folder / "pipeline.yaml").write_text(DECLARED[task], encoding="utf-8")
    return Tiny(folder, task)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """BLAS and OpenMP on one thread: with more, they wait for each other on a busy machine."""
    import sklearn.ensemble  # noqa: F401 - loads the libraries that are to be limited
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        yield


@pytest.fixture(scope="session")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """A tiny regression that was run once; for copying only."""
    from pipelines.console import Console
    from pipelines.options import Options
    from pipelines.surroundings import Surroundings
    from pipelines.whole_run import run

    tiny = write_tiny(tmp_path_factory.mktemp("first") / "tiny", "regression")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.track.send_unsent", lambda *_: 0)
        around = Surroundings(datetime.now(UTC), 1, "a machine", None, None, Console(is_quiet=True))
        run(str(tiny.folder), options=Options(runs=tiny.runs), around=around)
    return tiny


@pytest.fixture
def ran(first_run: Tiny, tmp_path: Path) -> Tiny:
    """A tiny regression that was run once."""
    for folder in (first_run.folder, first_run.runs):
        shutil.copytree(folder, tmp_path / folder.name)
    return replace(first_run, folder=tmp_path / first_run.folder.name)


@pytest.fixture
def make_tiny(tmp_path: Path) -> Callable[..., Tiny]:
    """Writes a tiny competition of a task below the test's folder."""
    return lambda task="regression", name="tiny", **sizes: write_tiny(tmp_path / name, task, **sizes)


@pytest.fixture
def tiny(make_tiny: Callable[..., Tiny]) -> Tiny:
    """A tiny regression."""
    return make_tiny()


@dataclass(frozen=True)
class Said:
    """What a command gave back."""

    code: int
    out: str
    err: str


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """One core, so that fits run in this process, and no tracker."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    monkeypatch.setattr("pipelines.track.send_unsent", lambda *_: 0)


@pytest.fixture
def foldwise(alone: None, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Said]:
    """Calls the command line in this process, in the test's folder."""
    from pipelines.cli import _code_of

    monkeypatch.chdir(tmp_path)

    def call(*arguments: Any) -> Said:
        capsys.readouterr()
        code = _code_of([str(argument) for argument in arguments])
        return Said(code, *capsys.readouterr())

    return call


def _heed_interrupts() -> None:
    """A test run in the background ignores interrupts, and its children would inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture
def start_foldwise(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts the command line, or other code, as a process in the test's folder; on one core and without a tracker."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: Any, cores: int = 1, code: str = "") -> subprocess.Popen[str]:
        command = [sys.executable, "-c", code or _UNTRACKED.format(cores=cores), *(str(argument) for argument in arguments)]
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
        # a session of its own, so that its workers can be stopped with it
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process = subprocess.Popen(
            command, cwd=tmp_path, env=environment, text=True, start_new_session=True, preexec_fn=_heed_interrupts, **pipes
        )
        started.append(process)
        return started[-1]

    yield start
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=60)
