"""``foldwise export``: an archive from which the competition runs where there is no network."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from features.errors import InputError
from pipelines.export import packing, wheels
from pipelines.export.pins import pins

Call = Callable[..., Any]
TITANIC = Path(packing.__file__).parents[2] / "competitions" / "titanic"


@pytest.fixture
def without_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wheel that takes no time."""

    def build(folder: Path) -> Path:
        (folder / "foldwise-0-py3-none-any.whl").write_bytes(b"wheel")
        return folder / "foldwise-0-py3-none-any.whl"

    monkeypatch.setattr(packing, "build_own", build)


def names(archive: Path) -> list[str]:
    with zipfile.ZipFile(archive) as opened:
        return sorted(opened.namelist())


def test_what_is_packed(without_wheel: None, ran: Any, foldwise: Call) -> None:
    for name, text in {"steps.py": "", "tuned.json": "{}", ".env": "SECRET=1", "notes.txt": "", "checksums.json": "{}"}.items():
        (ran.folder / name).write_text(text, encoding="utf-8")
    said = foldwise("export", ran.folder, "--output", "tiny.zip", "--runs", ran.runs)
    assert said.code == 0, said.err
    packed = ["tiny/pipeline.yaml", "tiny/steps.py", "tiny/tuned.json"]
    beside = ["README.md", "last_run/metrics.json", "requirements.txt", "wheels/foldwise-0-py3-none-any.whl"]
    assert names(Path("tiny.zip")) == sorted([*packed, *beside])
    with zipfile.ZipFile("tiny.zip") as opened:
        readme = opened.read("README.md").decode()
        assert re.search("^pandas==3", opened.read("requirements.txt").decode(), re.MULTILINE)
    first, second = re.findall("^!(.*)$", readme, re.MULTILINE)
    assert first == "pip install --no-index --find-links /kaggle/input/PACK/wheels --no-deps foldwise"
    assert "foldwise run /kaggle/input/PACK/tiny --data data --runs runs && cp runs/tiny/submission.csv ." in second
    assert "rmse" in readme


def test_equal_files_give_equal_archives(without_wheel: None, tiny: Any, foldwise: Call) -> None:
    for name in ("a.zip", "b.zip"):
        assert foldwise("export", tiny.folder, "--output", name).code == 0
    assert Path("a.zip").read_bytes() == Path("b.zip").read_bytes()


def test_embedded_data_is_packed_and_real_data_is_not(without_wheel: None, tmp_path: Path, foldwise: Call) -> None:
    folder = tmp_path / "titanic"
    shutil.copytree(TITANIC, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "train.csv").write_text("secret", encoding="utf-8")
    assert foldwise("export", folder, "--output", "t.zip").code == 0
    assert {"titanic/data/titanic.csv", "titanic/sample.py"} <= set(names(Path("t.zip")))
    assert "titanic/train.csv" not in names(Path("t.zip"))


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("tiny.tar", "a name that ends in .zip is needed"),
        ("nowhere/tiny.zip", "lies in nowhere, which is no folder"),
        ("folder.zip", "is a folder. Name another file"),
    ],
)
def test_bad_outputs(tiny: Any, foldwise: Call, tmp_path: Path, output: str, message: str) -> None:
    (tmp_path / "folder.zip").mkdir()
    said = foldwise("export", tiny.folder, "--output", output)
    assert said.code == 2 and message in said.err


def test_a_wrong_declaration_is_not_packed(tiny: Any, foldwise: Call, tmp_path: Path) -> None:
    tiny.edit(("metric: rmse", "metric: rms"))
    assert foldwise("export", tiny.folder, "--output", "tiny.zip").code == 2
    assert not (tmp_path / "tiny.zip").exists()


def test_pins_are_closed_under_needs() -> None:
    found = pins()
    assert {"pandas", "scikit-learn", "click", "python-dateutil"} <= set(found)
    assert "foldwise" not in found and "pytest" not in found and [*found] == sorted(found)


def test_pins_of_something_absent() -> None:
    with pytest.raises(InputError, match="no-such-thing is not installed here"):
        pins("no-such-thing")


def test_pip_s_failure_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    (tmp_path / "requirements.txt").write_text("no-such-thing==1\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"cannot be downloaded: .*No matching distribution found for no-such-thing==1"):
        wheels.download_dependencies(tmp_path / "requirements.txt", tmp_path)


@pytest.mark.slow
def test_a_build_without_a_network_says_what_it_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheels, "version_of", lambda _: "65.5.0")
    for name, value in {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InputError, match=r"setuptools 65 is installed; with 77 or later no network is needed.*ERROR: .*setuptools>=77"):
        wheels.build_own(tmp_path)


def in_a_child(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The installed copy, in a process that sees the packed wheel before anything else."""
    environment = {**os.environ, "PYTHONPATH": str(folder / "site"), "MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow.db'}"}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.mark.slow
@pytest.mark.parametrize("is_tree", [True, False])
def test_an_exported_competition_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_tree: bool) -> None:
    monkeypatch.chdir(tmp_path)
    if not is_tree:
        for package in wheels._PACKAGES:
            shutil.copytree(wheels.ROOT / package, tmp_path / "installed" / package, ignore=shutil.ignore_patterns("__pycache__"))
        monkeypatch.setattr(packing, "build_own", lambda folder: wheels.build_own(folder, tmp_path / "installed"))
    shutil.copytree(TITANIC, tmp_path / "mine" / "sinking", ignore=shutil.ignore_patterns("__pycache__"))
    made = packing.export("mine/sinking", tmp_path / "s.zip")
    with zipfile.ZipFile(made.archive) as opened:
        opened.extractall(tmp_path / "kernel")
    (wheel,) = (tmp_path / "kernel" / "wheels").iterdir()
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps", "--target", "kernel/site", str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    where = in_a_child(tmp_path / "kernel", "-c", "import features, pipelines; print(features.__file__, pipelines.__file__)")
    assert where.stdout.count(str(tmp_path / "kernel" / "site")) == 2, where
    done = in_a_child(tmp_path / "kernel", "-m", "pipelines.cli", "run", "sinking", "--models", "gender", "--runs", "runs")
    assert done.returncode == 0, done.stderr
    assert "accuracy" in done.stdout
    assert list((tmp_path / "kernel" / "runs" / "sinking" / "history").glob("*/submission.csv"))
