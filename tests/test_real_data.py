"""The declared competitions on their real files: the figures that the READMEs state must hold."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipelines import run
from pipelines.audit import audit
from pipelines.console import Console
from pipelines.options import Options
from pipelines.surroundings import Surroundings

ROOT = Path(__file__).parent.parent
DATA = Path(os.environ.get("FOLDWISE_DATA", ROOT.parent / "shared" / "data"))
pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not (DATA / "house_prices" / "train.csv").is_file(), reason=f"no real data in {DATA}; set FOLDWISE_DATA"),
]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One runs folder for all tests: later ones find the fits of earlier ones."""
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def quiet() -> Surroundings:
    """This machine, without a word."""
    return Surroundings.read(Console(is_quiet=True))


def test_house_prices(runs: Path, quiet: Surroundings) -> None:
    """Nested out-of-fold RMSLE of the final over all 1,460 rows, mean of three fold seeds."""
    scores = []
    for seed in (0, 1, 2):
        options = Options(runs=runs, data=DATA, settings=() if seed == 0 else (f"split.kfold.seed={seed}",))
        result = run("house_prices", options=options, around=quiet)
        scores.append(result.metrics["final"]["score"])
        oof = pd.read_parquet(result.folder / "oof" / "final.parquet")
        assert oof["prediction"].notna().sum() == 1460
    print(f"house_prices: {scores}, mean {np.mean(scores):.5f}")
    assert np.mean(scores) <= 0.1190


def test_house_prices_a_second_time(runs: Path) -> None:
    """Nothing is recomputed, and neither scikit-learn nor mlflow is imported."""
    code = (
        "import sys; from pipelines.cli import _code_of; "
        f"code = _code_of(['run', 'house_prices', '--data', {str(DATA)!r}, '--runs', {str(runs)!r}]); "
        "print('heavy:', [name for name in ('sklearn', 'mlflow', 'pandas') if name in sys.modules]); sys.exit(code)"
    )
    started = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    print(f"second run: {time.perf_counter() - started:.2f} s")
    assert done.returncode == 0, done.stderr
    assert "nothing was recomputed" in done.stdout
    assert "heavy: []" in done.stdout


def test_house_prices_audit(runs: Path, quiet: Surroundings) -> None:
    """No leak; adversarial validation and all other checks are made on the real files."""
    found = audit("house_prices", options=Options(runs=runs, data=DATA), around=quiet)
    assert not found.has_leak, [finding for finding in found.findings if finding.severity == "leak"]


@pytest.mark.parametrize("data", [None, DATA], ids=["embedded", "kaggle"])
def test_titanic(runs: Path, quiet: Surroundings, data: Path | None) -> None:
    """Fold-safe accuracy over 10 x 5 folds, at least 5 points above the gender rule on the same rows."""
    metrics = run("titanic", options=Options(runs=runs / str(data is None), data=data), around=quiet).metrics
    gain = metrics["final"]["score"] - metrics["models"]["gender"]["score"]
    print(f"titanic: {metrics['final']['score']:.5f}, gender {metrics['models']['gender']['score']:.5f}, gain {gain:.5f}")
    assert gain >= 0.05
