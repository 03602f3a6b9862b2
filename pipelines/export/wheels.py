"""Wheels: Foldwise's own, built from the tree it runs from, and those of all it needs."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

from features.errors import InputError
from pipelines.store import version_of

ROOT = Path(__file__).parents[2]
_PACKAGES = ("features", "pipelines", "competitions")
_BESIDE = ("pyproject.toml", "README.md", "LICENSE")
_SETUPTOOLS = 77


def is_source_tree(root: Path = ROOT) -> bool:
    """Whether Foldwise runs from a source tree, not from installed files."""
    return (root / "pyproject.toml").is_file()


def build_own(folder: Path, root: Path = ROOT) -> Path:
    """Build Foldwise's wheel into a folder; the tree itself is only read.

    Without a source tree the installed packages are built again, with what their metadata says of them.

    Raises
    ------
    InputError
        When pip or setuptools is missing, or the build fails.
    """
    tree = folder / "tree"
    tree.mkdir()
    for package in _PACKAGES:
        shutil.copytree(root / package, tree / package, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    if is_source_tree(root):
        for name in _BESIDE:
            if (root / name).is_file():
                shutil.copyfile(root / name, tree / name)
    else:
        (tree / "pyproject.toml").write_text(_pyproject(), encoding="utf-8")
    # an isolated build would download setuptools
    found = version_of("setuptools").partition(".")[0]
    isolation = ["--no-build-isolation"] if found.isdigit() and int(found) >= _SETUPTOOLS else []
    hint = "" if isolation else f" (setuptools {found or 'absent'} is installed; with {_SETUPTOOLS} or later no network is needed)"
    _pip(["wheel", "--no-deps", *isolation, "--wheel-dir", str(folder), str(tree)], f"Foldwise's wheel cannot be built{hint}")
    shutil.rmtree(tree)
    return next(folder.glob("foldwise-*.whl"))


def download_dependencies(requirements: Path, folder: Path) -> None:
    """Download a wheel of every pinned version, for this Python and this machine.

    Raises
    ------
    InputError
        When one of them is not to be had.
    """
    arguments = ["download", "--no-deps", "--only-binary", ":all:", "--dest", str(folder), "--requirement", str(requirements)]
    _pip(arguments, "The wheels of what Foldwise needs cannot be downloaded")


def _pip(arguments: list[str], failed: str) -> None:
    if importlib.util.find_spec("pip") is None:
        raise InputError(f"{failed}: this Python ({sys.executable}) has no pip. Install it: {sys.executable} -m ensurepip")
    # the same files give the same wheel at any hour
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "315532800", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--quiet", *arguments], capture_output=True, text=True, env=environment, check=False
    )
    if done.returncode:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        said = " ".join([line for line in lines if line.startswith("ERROR:")][-3:] or lines[-3:])
        raise InputError(f"{failed}: {said[-600:] or f'pip ended with {done.returncode}'}")


def _pyproject() -> str:
    """The build's declaration from the metadata of what is installed; texts of JSON are texts of TOML."""
    own = distribution("foldwise")
    needs = [text for text in own.requires or [] if "extra ==" not in text]
    scripts = {point.name: point.value for point in own.entry_points if point.group == "console_scripts"}
    lines = [
        "[build-system]",
        f'requires = ["setuptools>={_SETUPTOOLS}"]',
        'build-backend = "setuptools.build_meta"',
        "[project]",
        'name = "foldwise"',
        f"version = {json.dumps(own.version)}",
        f"requires-python = {json.dumps(own.metadata['Requires-Python'])}",
        f"dependencies = {json.dumps(needs)}",
        "[project.scripts]",
        *(f"{name} = {json.dumps(value)}" for name, value in scripts.items()),
        "[tool.setuptools.packages.find]",
        f"include = {json.dumps([f'{package}*' for package in _PACKAGES])}",
        "[tool.setuptools.package-data]",
        '"*" = ["**/*"]',
    ]
    return "\n".join(lines) + "\n"
