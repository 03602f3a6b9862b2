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
from pipelines.metrics import METRICS
from pipelines.metrics.calibration import calibration_slope_intercept
from pipelines.options import Options
from pipelines.scores import bootstrap_interval, paired_interval
from pipelines.surroundings import Surroundings

ROOT = Path(__file__).parent.parent
DATA = Path(os.environ.get("FOLDWISE_DATA", ROOT.parent / "shared" / "data"))
pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not (DATA / "house_prices" / "train.csv").is_file(), reason=f"no real data in {DATA}; set FOLDWISE_DATA"),
]


@pytest.fixture(scope="module")
def runs(real_runs: Path) -> Path:
    """The runs folder that all tests on real files share."""
    return real_runs


@pytest.fixture(scope="module")
def quiet() -> Surroundings:
    """This machine, without a word."""
    return Surroundings.read(Console(is_quiet=True))


def _oof(folder: Path, name: str) -> np.ndarray:
    return pd.read_parquet(folder / "oof" / f"{name}.parquet")["prediction"].to_numpy()


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


def test_credit_fraud(runs: Path, quiet: Surroundings) -> None:
    """Arms with and without SMOTE in one run, the final calibrated: its slope holds 1, and it loses nothing that matters."""
    result = run("credit_fraud", options=Options(runs=runs, data=DATA), around=quiet)
    metrics = result.metrics
    print(f"credit_fraud: {metrics['final']}, {[found['verdict'] for found in metrics['arms']]}")
    assert metrics["final"]["score"] >= 0.88
    assert {family["base"] for family in metrics["arms"]} == {"logistic", "forest", "lgb"}
    y = pd.read_csv(DATA / "credit_fraud" / "creditcard.csv")["Class"].to_numpy(dtype=np.float64)
    before, after = (pd.read_parquet(result.folder / "oof" / f"{name}.parquet")["prediction"] for name in ("final", "calibrated"))
    there = after.notna().to_numpy()
    slope = calibration_slope_intercept(y[there], after.to_numpy()[there]).slope
    losses = [METRICS["log_loss"].score(y[there], one.to_numpy()[there]) for one in (before, after)]
    lost = METRICS["average_precision"].score(y[there], before.to_numpy()[there]) - metrics["final"]["score"]
    print(f"slope {slope:.3f}, log loss {losses[0]:.5f} -> {losses[1]:.5f}, average precision lost {lost:.5f}")
    assert 0.9 <= slope <= 1.1
    assert losses[1] <= losses[0] + 2e-4
    assert lost <= 0.002


def test_ad_click(runs: Path, quiet: Surroundings) -> None:
    """Below the constant, LightGBM on ordinal codes and a hashed logistic regression in one table; calibrated as it comes."""
    result = run("ad_click", options=Options(runs=runs, data=DATA), around=quiet)
    metrics = result.metrics
    scores = {name: table["score"] for name, table in {**metrics["models"], "final": metrics["final"]}.items()}
    y = pd.read_csv(DATA / "ad_click" / "train.csv")["click"].to_numpy(dtype=np.float64)
    low, high = bootstrap_interval(METRICS["calibration_ratio"], y, _oof(result.folder, "final"))
    print(f"ad_click: {scores}, calibration ratio {low:.4f} to {high:.4f}")
    assert scores["final"] < min(scores["constant"], scores["hashed_lr"], scores["default_lgb"])
    assert low <= 1 <= high


def test_app_install(runs: Path, quiet: Surroundings) -> None:
    """Three forward blocks by time, no attributed_time: clearly above LightGBM on the raw columns."""
    result = run("app_install", options=Options(runs=runs, data=DATA), around=quiet)
    metrics = result.metrics
    oof, raw = _oof(result.folder, metrics["final"]["name"]), _oof(result.folder, "raw")
    y = pd.read_csv(DATA / "app_install" / "train.csv")["is_attributed"].to_numpy(dtype=np.float64)
    scored = ~np.isnan(oof)
    gain = paired_interval(METRICS["average_precision"], y[scored], oof[scored], raw[scored])
    last = pd.read_parquet(result.folder / "folds.parquet").iloc[:, -1].to_numpy() == 2
    area = METRICS["roc_auc"].score(y[last], oof[last])
    print(f"app_install: {metrics['final']}, raw {metrics['models']['raw']['score']:.4f}, gain {gain}, AUC of the last block {area:.4f}")
    assert metrics["final"]["score"] > metrics["models"]["raw"]["score"] + 0.05
    assert gain[0] > 0, "above the raw columns beyond chance"
    assert area >= 0.970


def test_app_install_audit(runs: Path, quiet: Surroundings) -> None:
    """No leak, and the column that is known only after an install is named."""
    found = audit("app_install", options=Options(runs=runs, data=DATA), around=quiet)
    assert not found.has_leak, [finding for finding in found.findings if finding.severity == "leak"]
    assert "column 'attributed_time'" in [finding.where for finding in found.findings if finding.severity == "warning"]


def test_store_sales(runs: Path, quiet: Surroundings) -> None:
    """The last 42 labelled days, and three rolling windows; every baseline is far behind."""
    metrics = run("store_sales", options=Options(runs=runs, data=DATA), around=quiet).metrics
    windows = metrics["final"]["folds"]
    print(f"store_sales: {metrics['final']}, { {name: (table['score'], table['folds'][-1]) for name, table in metrics['models'].items()} }")
    assert windows[-1] <= 0.105 and np.mean(windows) <= 0.110
    assert metrics["models"]["lgb"]["folds"][-1] <= 0.112
    baselines = [metrics["models"][name]["folds"] for name in ("median", "last_year", "last_week")]
    assert all(window < 0.9 * min(others) for window, others in zip(windows, zip(*baselines, strict=True), strict=True))
