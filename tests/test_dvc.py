"""dvc.yaml: generated, and which stages run again after an edit."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from features.errors import InputError
from pipelines.dvc import competition_stages, dvc_text, write_dvc

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent

NAMES = tuple(sorted(path.parent.name for path in (ROOT / "competitions").glob("*/pipeline.yaml")))

DECLARATION = """
data: {train: train.csv, test: test.csv, id: id, target: y}
task: binary
metric: roc_auc
split: {stratified: {folds: 3, seed: 0}}
features:
  - derive: {total: "a + b"}
views:
  linear: [{scale: standard}]
models:
  first: {logistic_regression: {C: 1.0}, view: linear}
  second: {gaussian_nb: {}, view: linear}
ensemble:
  final: {blend: {method: mean}}
report: {slices: []}
"""


def test_the_committed_file_is_what_the_declarations_give() -> None:
    assert (ROOT / "dvc.yaml").read_text(encoding="utf-8") == dvc_text(ROOT, NAMES)


def test_an_old_file_is_told(tmp_path: Path) -> None:
    _project(tmp_path)
    (tmp_path / "dvc.yaml").write_text("stages: {}\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"is not what the declarations give. Run 'foldwise dvc'"):
        write_dvc(tmp_path, ("shop",), check=True)


def test_each_stage_reads_its_part_of_the_declaration(tmp_path: Path) -> None:
    _project(tmp_path)
    stages = competition_stages(tmp_path, "shop")
    keys = {name: (stage.get("do") or stage)["params"][0]["competitions/shop/pipeline.yaml"] for name, stage in stages.items()}
    assert keys["shop-prepare"] == ["data", "task", "split", "features", "views"]
    assert keys["shop-train"] == ["models.${item}"]
    assert keys["shop-ensemble"] == ["metric", "ensemble"]
    assert keys["shop-report"] == ["report"]


def _project(folder: Path) -> None:
    competition = folder / "competitions" / "shop"
    competition.mkdir(parents=True)
    (competition / "pipeline.yaml").write_text(DECLARATION, encoding="utf-8")
    data = folder / "data" / "shop"
    data.mkdir(parents=True)
    rows = [(i, (i * 7) % 11, (i * 5) % 13) for i in range(90)]
    (data / "train.csv").write_text("id,a,b,y\n" + "\n".join(f"{i},{a},{b},{int(a + b > 11)}" for i, a, b in rows) + "\n", encoding="utf-8")
    (data / "test.csv").write_text("id,a,b\n" + "\n".join(f"{i + 90},{b},{a}" for i, a, b in rows[:20]) + "\n", encoding="utf-8")


def _repro(folder: Path) -> set[str]:
    """The stages that ran."""
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "DVC_NO_ANALYTICS": "1"}
    done = subprocess.run(
        [str(BIN / "dvc"), "repro"], cwd=folder, env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return {line.split("'")[1].removeprefix("shop-") for line in done.stdout.splitlines() if line.startswith("Running stage")}


@pytest.mark.slow
def test_which_stages_run_again(tmp_path: Path) -> None:
    _project(tmp_path)
    write_dvc(tmp_path, ("shop",))
    subprocess.run([str(BIN / "dvc"), "init", "--no-scm", "-q"], cwd=tmp_path, check=True, capture_output=True)
    everything = {"prepare", "train@first", "train@second", "ensemble", "report"}
    assert _repro(tmp_path) == everything
    assert _repro(tmp_path) == set()
    edits = [
        ("C: 1.0", "C: 0.5", {"train@first", "ensemble", "report"}),
        ("method: mean", "method: simplex", {"ensemble", "report"}),
        ("slices: []", "slices: [a]", {"report"}),
        ('"a + b"', '"a - b"', everything),
    ]
    path = tmp_path / "competitions" / "shop" / "pipeline.yaml"
    for before, after, expected in edits:
        path.write_text(path.read_text(encoding="utf-8").replace(before, after), encoding="utf-8")
        assert _repro(tmp_path) == expected, after


@pytest.mark.slow
def test_the_wheel_works_outside_the_checkout(tmp_path: Path) -> None:
    """Built, unpacked elsewhere and run on a folder given by path, with nothing of the checkout on the path."""
    source = tmp_path / "source"
    ignored = shutil.ignore_patterns(".git", ".venv", "runs", "*.egg-info", "build", "dist", ".*_cache", "tests", "data")
    shutil.copytree(ROOT, source, ignore=ignored)
    shutil.copytree(ROOT / "competitions" / "titanic" / "data", source / "competitions" / "titanic" / "data")
    command = [str(BIN / "uv"), "build", "--quiet", "--wheel", "--out-dir", str(tmp_path / "dist"), str(source)]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    shutil.unpack_archive(wheel, tmp_path / "site", "zip")
    _project(tmp_path)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site"), "PYTHONSAFEPATH": "1"}
    main = "import pipelines, sys; assert 'site/pipelines' in pipelines.__file__; from pipelines.cli import main; main(sys.argv[1:])"
    for arguments in (["--help"], ["run", "competitions/shop", "--data", "data"], ["plan", "titanic"]):
        done = subprocess.run(
            [sys.executable, "-c", main, *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "runs" / "shop" / "submission.csv").is_file()
