"""Freeing the store: artifacts that no recorded run is made from."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.store import read_json

_NAMED_IN = ("keys.json", "serving.json")


@dataclass(frozen=True)
class Unneeded:
    """Artifacts of one competition that no recorded run names, and how many bytes they hold."""

    competition: str
    paths: tuple[Path, ...]
    size: int


def unneeded(latest: Path, *, younger_than: float = 3600.0) -> Unneeded:
    """What can go from the store of ``runs/<competition>``.

    Parameters
    ----------
    younger_than
        Seconds; what was made since then is left, because a run may be under way. Half-written artifacts of runs that were
        killed before that go too.
    """
    entries = [latest, *(latest / "history").glob("*")]
    kept = {key for entry in entries for name in _NAMED_IN if (entry / name).is_file() for key in _texts(read_json(entry / name))}
    border = time.time() - younger_than
    store = latest / ".store"
    found = [path for path in sorted(store.glob("*")) if path.is_dir() and path.name not in kept and path.stat().st_mtime < border]
    return Unneeded(latest.name, tuple(found), sum(_size(path) for path in found))


def remove(what: Unneeded) -> None:
    """Remove artifacts."""
    for path in what.paths:
        shutil.rmtree(path)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _size(folder: Path) -> int:
    """Bytes that would be freed: a file that a run shows by another hard link stays."""
    files = [path.stat() for path in folder.rglob("*") if path.is_file()]
    return sum(file.st_size for file in files if file.st_nlink == 1)
