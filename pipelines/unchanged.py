"""Is there anything to do? Answered from hashes alone, before pandas or scikit-learn are imported."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.declaration import Declaration
from pipelines.outside import SAME
from pipelines.store import hash_file, key_of, read_json, version_of

_LIBRARIES = ("catboost", "lightgbm", "mlflow", "numpy", "pandas", "plotly", "scikit-learn", "scipy", "xgboost", "xgboost-cpu")

_OF_MEMBERS = ("oof", "test", "folds")


@dataclass(frozen=True)
class Latest:
    """The latest full run of a competition, as its ``run.json`` tells it."""

    folder: Path
    facts: dict[str, Any]

    @property
    def is_whole(self) -> bool:
        """Whether every file that the run wrote is still there."""
        return all((self.folder / name).exists() for name in self.facts["files"])


def input_names(declared: dict[str, Any]) -> list[str]:
    """All files that a declaration's plain data names, checked or not."""
    return [*table_names(declared), *member_files(declared)]


def member_files(declared: dict[str, Any]) -> list[str]:
    """The files of predictions made elsewhere."""
    members = declared.get("members")
    named = [member.get(key) for member in members if isinstance(member, dict) for key in _OF_MEMBERS] if isinstance(members, list) else []
    return [name for name in named if isinstance(name, str) and name != SAME]


def table_names(declared: dict[str, Any]) -> list[str]:
    """The files of the competition itself."""
    data = declared.get("data")
    if not isinstance(data, dict):
        return []
    declared_joins = data.get("joins")
    joins = declared_joins if isinstance(declared_joins, list) else []
    names = [data.get(key) for key in ("train", "test", "sample_submission", "holdout", "limit")]
    return [name for name in [*names, *(join.get("file") for join in joins if isinstance(join, dict))] if isinstance(name, str)]


def hash_inputs(folder: Path, names: list[str]) -> dict[str, str]:
    """Hashes of the input files that are there."""
    return {name: hash_file(folder / name) for name in names if (folder / name).is_file()}


def run_key(declaration: Declaration, inputs: dict[str, str], options: dict[str, Any]) -> str:
    """One key for everything a whole run is made from: declaration, data, options, our sources, library versions."""
    package = Path(__file__).parent
    roots = [package, package.parent / "features", declaration.path.parent]
    sources = {f"{root.name}/{path.relative_to(root)}": hash_file(path) for root in roots for path in sorted(root.rglob("*.py"))}
    return key_of("run", declaration.data, inputs, options, sources, {name: version_of(name) for name in _LIBRARIES})


def find_latest(folder: Path, key: str) -> Latest | None:
    """The latest run, when it was made from just this key and all its files are there."""
    if not (folder / "run.json").is_file():
        return None
    latest = Latest(folder, read_json(folder / "run.json"))
    return latest if latest.facts.get("key") == key and latest.is_whole else None
