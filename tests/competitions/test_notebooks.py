"""The competitions' notebooks: clean as committed, run from end to end on samples, and their published figures hold on the real files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("FOLDWISE_DATA") or ROOT.parent / "shared" / "data").resolve()
NOTEBOOKS = {path.parent.name: path for path in sorted((ROOT / "competitions").glob("*/notebook.ipynb"))}
MACHINE_PATH = re.compile(r"(?<![\w.{}\]])/(?:home|Users|root|tmp|work|mnt|var|opt)/|[A-Z]:\\\\")
VERDICTS = re.compile(r"within tolerance|outside: off by [+-][\d.]+|not comparable[^<]*")

every_notebook = pytest.mark.parametrize("name", NOTEBOOKS)


def read(name: str) -> Any:
    return nbformat.read(NOTEBOOKS[name], as_version=nbformat.NO_CONVERT)


def tagged(notebook: Any, tag: str) -> list[Any]:
    return [cell for cell in notebook.cells if tag in cell.metadata.get("tags", [])]


def test_there_are_notebooks() -> None:
    assert len(NOTEBOOKS) >= 5


@every_notebook
def test_a_notebook_is_valid_and_carries_no_results(name: str) -> None:
    notebook = read(name)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.metadata.kernelspec.name == "python3"
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.id for cell in code if cell.outputs or cell.execution_count is not None] == []
    assert 12 <= len(notebook.cells) <= 20
    assert tagged(notebook, "published"), "a notebook holds itself against a published figure"


@every_notebook
def test_a_notebook_names_no_path_of_a_machine(name: str) -> None:
    assert MACHINE_PATH.findall(NOTEBOOKS[name].read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(("text", "is_path"), [("read /home/me/x", True), ("'/tmp/a'", True), ("C:\\\\data", True), ("a/tmp/b", False)])
def test_machine_paths_are_told(text: str, is_path: bool) -> None:
    assert bool(MACHINE_PATH.search(text)) == is_path


def execute(name: str, runs: Path, seconds: int, **environment: str) -> Any:
    """A notebook executed in its own folder, with all that it wrote; a cell that fails raises."""
    notebook = read(name)
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("FOLDWISE_", "MLFLOW_"))}
    client = NotebookClient(notebook, timeout=seconds, kernel_name="python3", resources={"metadata": {"path": str(NOTEBOOKS[name].parent)}})
    client.execute(env={**inherited, "FOLDWISE_RUNS": str(runs), **environment})
    return notebook


def outputs(cells: list[Any]) -> Iterator[Any]:
    yield from (output for cell in cells if cell.cell_type == "code" for output in cell.outputs)


def complaints(notebook: Any) -> list[str]:
    """What was written to stderr: warnings, mostly."""
    return [output.text for output in outputs(notebook.cells) if output.output_type == "stream" and output.name == "stderr"]


def verdicts(notebook: Any) -> list[str]:
    """What the tables of published figures say of each figure."""
    tables = [output.data["text/html"] for output in outputs(tagged(notebook, "published")) if "text/html" in output.get("data", {})]
    return [found for table in tables for found in VERDICTS.findall(table)]


@pytest.mark.slow
@every_notebook
def test_a_notebook_runs_on_its_sample(name: str, tmp_path: Path) -> None:
    done = execute(name, tmp_path, 300, FOLDWISE_SAMPLE="6000")
    assert complaints(done) == []
    assert sum("image/png" in output.get("data", {}) for output in outputs(done.cells)) >= 2
    found = verdicts(done)
    assert found and all(verdict.startswith("not comparable") for verdict in found), found


@pytest.mark.real_data
@every_notebook
def test_published_figures_hold_on_the_real_files(name: str, real_runs: Path) -> None:
    if not (DATA / name).is_dir():
        pytest.skip(f"no real data in {DATA / name}; set FOLDWISE_DATA")
    done = execute(name, real_runs, 3600, FOLDWISE_DATA=str(DATA))
    found = verdicts(done)
    print(f"{name}: {found}")
    assert complaints(done) == []
    assert "within tolerance" in found
    if any(verdict.startswith("outside") for verdict in found):
        assert tagged(done, "deviation"), f"{found}: the notebook's text must say why"
