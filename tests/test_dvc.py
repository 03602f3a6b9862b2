"""dvc.yaml: generated, and which stages run again after an edit."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from features.errors import InputError
from pipelines.dvc import competition_stages, dvc_text, write_dvc

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent

NAMES = tuple(sorted(path.parent.name for path in (ROOT / "competitions").glob("*/pipeline.yaml")))

DECLARATION = """
title: Shop
data: {source: {kaggle: shop}, train: train.csv, test: test.csv, id: id, target: y}
task: binary
metric: roc_auc
split: {stratified: {folds: 3, seed: 0}}
features:
  - derive: {total: "a + b"}
views:
  linear: [{scale: standard}]
  plain: [{clip: {columns: [a], high: 9}}]
models:
  first: {logistic_regression: {C: 1.0}, view: linear}
  second: {gaussian_nb: {}, view: plain}
  third: {logistic_regression: {C: 0.2}, stack_on: [first], passthrough: false}
ensemble:
  final: {blend: {method: mean}}
postprocess: [{clip: {low: 0.01, high: 0.99}}]
tune: {second: {trials: 3, space: {var_smoothing: {float: [1.0e-9, 0.1], log: true}}}}
report: {slices: []}
"""
FOUND = {"metric": "roc_auc", "score": 0.98, "declared_score": 0.97, "study": "shop/second/1", "folds": "other folds"}
TUNED = {"second": {"kind": "gaussian_nb", "params": {"var_smoothing": 1e-9}, "trials": 3, **FOUND}}


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
    data = ["data.train", "data.test", "data.id", "data.target"]
    assert keys["shop-prepare"] == [*data, "task", "split", "features", "views"]
    assert keys["shop-train"] == ["models.${key}"]
    assert keys["shop-layer-third"] == ["models.third"]
    assert keys["shop-ensemble"] == ["metric", "ensemble", "postprocess"]
    assert keys["shop-report"] == ["title", "report", "tune"]
    assert stages["shop-train"]["foreach"] == {"first": {"reads": "views/linear.json"}, "second": {"reads": "views/plain.json"}}


def test_the_file_changes_when_tuned_parameters_come_or_go(tmp_path: Path) -> None:
    _project(tmp_path)
    write_dvc(tmp_path, ("shop",))
    _tune(tmp_path, TUNED)
    with pytest.raises(InputError, match=r"is not what the declarations give. Run 'foldwise dvc'"):
        write_dvc(tmp_path, ("shop",), check=True)
    tuned = competition_stages(tmp_path, "shop")["shop-train"]["foreach"]["second"]
    assert (tuned["tuned_in"], tuned["tuned"]) == ("competitions/shop/tuned.json", "second")


def _tune(folder: Path, entries: dict[str, Any]) -> None:
    (folder / "competitions" / "shop" / "tuned.json").write_text(json.dumps(entries), encoding="utf-8")


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
    said = _dvc(folder, "repro")
    return {line.split("'")[1].removeprefix("shop-") for line in said.splitlines() if line.startswith("Running stage")}


# by a name for the edit: its file, what is replaced, and the stages that see it by themselves (others by what those write)
EDITS = {
    "title": ("pipeline.yaml", "title: Shop", "title: Small shop", {"report"}),
    "report.slices": ("pipeline.yaml", "slices: []", "slices: [a]", {"report"}),
    "a tuning to come": ("pipeline.yaml", "trials: 3", "trials: 9", {"report"}),
    "data.source": ("pipeline.yaml", "kaggle: shop", "kaggle: other", set()),
    "data.missing": ("pipeline.yaml", "id: id,", "id: a,", {"prepare"}),
    "split seed": ("pipeline.yaml", "seed: 0", "seed: 1", {"prepare"}),
    "feature step": ("pipeline.yaml", "a + b", "a - b", {"prepare"}),
    "one view": ("pipeline.yaml", "high: 9", "high: 8", {"prepare"}),
    "a model's parameter": ("pipeline.yaml", "C: 1.0", "C: 0.5", {"train@first"}),
    "a layer's parameter": ("pipeline.yaml", "C: 0.2", "C: 0.3", {"layer-third"}),
    "a model's view": ("pipeline.yaml", "{}, view: plain", "{}, view: linear", {"train@second"}),
    "ensemble method": ("pipeline.yaml", "method: mean", "method: simplex", {"ensemble"}),
    "ensemble scale": ("pipeline.yaml", "{method: mean}", "{method: mean, scale: logit}", {"ensemble"}),
    "postprocess": ("pipeline.yaml", "0.99", "0.9", {"ensemble"}),
    "metric": ("pipeline.yaml", "roc_auc", "log_loss", {"ensemble"}),
    "tuned parameter": ("tuned.json", "1e-09", "0.001", {"train@second"}),
    "how it was tuned": ("tuned.json", '"trials": 3', '"trials": 9', {"train@second"}),
    "a file": ("../../data/shop/train.csv", "y\n0,", "y\n900,", {"prepare"}),
    "a comment": ("pipeline.yaml", "task: binary", "task: binary  # sold or not", set()),
}
_STATUS = """\
import json, sys
from pathlib import Path
from dvc.repo import Repo
found = {}
for name, (file, before, after, _) in json.loads(sys.argv[1]).items():
    path = Path("competitions/shop") / file
    text = path.read_text()
    assert text.count(before) == 1, (name, text.count(before))
    path.write_text(text.replace(before, after))
    with Repo(".") as repo:
        found[name] = sorted(stage.removeprefix("shop-") for stage in repo.status())
    path.write_text(text)
print(json.dumps(found))
"""


def _dvc(folder: Path, *arguments: str) -> str:
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "DVC_NO_ANALYTICS": "1"}
    done = subprocess.run(
        [str(BIN / "dvc"), *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_which_stages_see_an_edit(tmp_path: Path) -> None:
    """By DVC itself, over outputs that are stand-ins."""
    _project(tmp_path)
    _tune(tmp_path, TUNED)
    write_dvc(tmp_path, ("shop",))
    _dvc(tmp_path, "init", "--no-scm", "-q")
    runs, stages = tmp_path / "runs" / "shop", competition_stages(tmp_path, "shop")
    outs = [next(iter(out)) for stage in stages.values() for out in [*(stage.get("do") or stage)["outs"], *stage.get("metrics", [])]]
    for out in {out.replace("${key}", model) for out in outs for model in ("first", "second")}:
        path = tmp_path / out if Path(out).suffix else tmp_path / out / "file"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(out, encoding="utf-8")
    assert runs.is_dir()
    _dvc(tmp_path, "commit", "-f", "-q")
    edits = {name: (*edit[:3], sorted(edit[3])) for name, edit in EDITS.items()}
    command = [sys.executable, "-c", _STATUS, json.dumps(edits)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {name: sorted(edit[3]) for name, edit in EDITS.items()}


@pytest.mark.slow
def test_which_stages_run_again(tmp_path: Path) -> None:
    _project(tmp_path)
    _tune(tmp_path, TUNED)
    write_dvc(tmp_path, ("shop",))
    _dvc(tmp_path, "init", "--no-scm", "-q")
    everything = {"prepare", "train@first", "train@second", "layer-third", "ensemble", "report"}
    assert _repro(tmp_path) == everything
    assert _repro(tmp_path) == set()
    expected = {
        "a model's parameter": {"train@first", "layer-third", "ensemble", "report"},
        "a layer's parameter": {"layer-third", "ensemble", "report"},
        "tuned parameter": {"train@second", "ensemble", "report"},
        "one view": {"prepare", "train@second", "ensemble", "report"},
        "ensemble method": {"ensemble", "report"},
        "report.slices": {"report"},
        "feature step": everything,
    }
    for name, stages in expected.items():
        file, before, after, _ = EDITS[name]
        path = tmp_path / "competitions" / "shop" / file
        path.write_text(path.read_text(encoding="utf-8").replace(before, after), encoding="utf-8")
        assert _repro(tmp_path) == stages, name
    _dvc(tmp_path, "metrics", "show")
    drawn = json.loads(_dvc(tmp_path, "plots", "show", "--json"))
    assert {*drawn["data"]} == {f"shop-{name}" for name in ("folds", "roc", "precision_recall", "calibration")}


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
