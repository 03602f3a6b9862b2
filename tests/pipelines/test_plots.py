"""The small tables that DVC and MLflow draw: what they hold for each task, and that equal runs write equal bytes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from pipelines.plots import PLOTS
from pipelines.store import read_json
from tests.conftest import Said, Tiny


@pytest.mark.parametrize("task", sorted(PLOTS))
def test_every_task_has_its_plots(task: str, make_tiny: Callable[..., Tiny], foldwise: Callable[..., Said]) -> None:
    tiny = make_tiny(task)
    assert foldwise("run", tiny.folder).code == 0
    place, metrics = tiny.latest / "plots", read_json(tiny.latest / "metrics.json")
    assert {path.stem for path in place.glob("*")} == {"folds", *(plot.name for plot in PLOTS[task])}
    folds = pd.read_csv(place / "folds.csv")
    tables = {**metrics["models"], **metrics["ensemble"]}
    assert [*folds.columns] == ["fold", *tables] and folds["fold"].tolist() == [0, 1, 2]
    for name, table in tables.items():
        assert folds[name].tolist() == pytest.approx(table["folds"], rel=1e-5)
    for plot in PLOTS[task]:
        table = pd.read_csv(place / f"{plot.name}.csv")
        assert {*table.columns} == {plot.x, plot.y} and len(table) >= 2 and not table.isna().any(axis=None)
    assert {f"plots/{path.name}" for path in place.glob("*")} <= {*read_json(tiny.latest / "run.json")["files"]}


def test_the_curves_of_a_binary_task(make_tiny: Callable[..., Tiny], foldwise: Callable[..., Said]) -> None:
    tiny = make_tiny("binary", n_train=300)
    assert foldwise("run", tiny.folder).code == 0
    roc, believed = (pd.read_csv(tiny.latest / "plots" / f"{name}.csv") for name in ("roc", "calibration"))
    assert roc.iloc[[0, -1]].to_numpy().tolist() == [[0, 0], [1, 1]]
    assert roc.apply(lambda column: column.is_monotonic_increasing).all()
    assert believed["predicted"].is_monotonic_increasing and believed["observed"].between(0, 1).all()


def test_a_cloud_is_thinned(make_tiny: Callable[..., Tiny], foldwise: Callable[..., Said]) -> None:
    tiny = make_tiny(n_train=700)
    assert foldwise("run", tiny.folder).code == 0
    assert len(pd.read_csv(tiny.latest / "plots" / "predicted.csv")) == 500


def test_equal_runs_write_equal_bytes(tiny: Tiny, foldwise: Callable[..., Said], tmp_path: Path) -> None:
    for runs in ("one", "two"):
        assert foldwise("run", tiny.folder, "--runs", tmp_path / runs).code == 0
    for path in (tmp_path / "one" / "tiny" / "plots").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / "tiny" / "plots" / path.name).read_bytes()
