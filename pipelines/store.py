"""The one cache: immutable artifacts under a key, there whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


def key_of(*parts: object) -> str:
    """The key of an artifact: a hash of everything it was made from (JSON-ready values)."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def hash_file(path: Path) -> str:
    """A hash of a file's content, read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def source_hash(module: str) -> str:
    """A hash of a module's source, or of all files of a package, without importing it again."""
    import importlib.util

    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        return ""
    if spec.submodule_search_locations is None:
        return hash_file(Path(spec.origin))
    return key_of([hash_file(path) for place in spec.submodule_search_locations for path in sorted(Path(place).glob("*.py"))])


def version_of(distribution: str) -> str:
    """The installed version of a distribution, or ``absent``."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "absent"


@dataclass(frozen=True)
class Store:
    """Artifacts of one competition, each a folder ``<root>/<key>``."""

    root: Path

    def path(self, key: str) -> Path:
        """Where the artifact of a key is, or will be."""
        return self.root / key

    def has(self, key: str) -> bool:
        """Whether the artifact is there (then it is whole)."""
        return self.path(key).is_dir()

    def ensure(self, key: str, make: Callable[[Path], None]) -> Path:
        """The artifact's folder; made by ``make(folder)`` when it is not there."""
        if not self.has(key):
            with whole_folder(self.path(key)) as folder:
                make(folder)
        return self.path(key)


@contextlib.contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """A folder to fill beside ``target``; it takes its name only when the block ends without an error.

    When somebody else finished the same artifact meanwhile, theirs stays: equal keys mean equal content.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        yield folder
        folder.chmod(0o755)
        try:
            folder.rename(target)
        except OSError:
            if not target.is_dir():
                raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def discard_unfinished(target: Path) -> None:
    """Remove what somebody who was ended had begun to write for ``target``."""
    for folder in target.parent.glob(f".{target.name}-*"):
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def whole_file(target: Path) -> Iterator[Path]:
    """A file to write beside ``target``; it replaces it only when the block ends without an error."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.parent)
    os.close(handle)
    try:
        yield Path(name)
        Path(name).chmod(0o644)
        os.replace(name, target)
    finally:
        Path(name).unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    """Write JSON whole or not at all."""
    with whole_file(path) as file:
        file.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """Read JSON."""
    return json.loads(path.read_text(encoding="utf-8"))


def show(source: Path, target: Path) -> None:
    """Let ``target`` show an artifact: a hard link, or a copy where links are not to be had; it appears whole."""
    with whole_file(target) as file:
        file.unlink()
        try:
            os.link(source, file)
        except OSError:
            shutil.copyfile(source, file)
