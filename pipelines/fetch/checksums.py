"""``checksums.json`` beside downloaded files: what was downloaded, from where, with which SHA-256."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TypedDict

from features.errors import InputError
from pipelines.store import write_json

CHECKSUMS = "checksums.json"


class Known(TypedDict):
    """What is recorded of one file; ``source`` is ``kaggle:<slug>`` or an address without its query."""

    sha256: str
    bytes: int
    source: str


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's content in hexadecimal, read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_checksums(folder: Path) -> dict[str, Known]:
    """The recorded files by name; none where nothing was recorded.

    Raises
    ------
    InputError
        When the file is not what ``foldwise fetch`` writes.
    """
    path = folder / CHECKSUMS
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): Known(sha256=entry["sha256"], bytes=entry["bytes"], source=entry["source"]) for name, entry in found.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path} is damaged ({type(error).__name__}: {error}). Delete it and run foldwise fetch again.") from error


def record(folder: Path, files: dict[str, Known]) -> None:
    """Add files to the record; those of other sources stay."""
    write_json(folder / CHECKSUMS, dict(sorted({**read_checksums(folder), **files}.items())))


def changed(folder: Path, files: dict[str, Known]) -> tuple[list[str], list[str]]:
    """The recorded files that are gone, and those that are there with another content."""
    gone = [name for name in files if not (folder / name).is_file()]
    there = [name for name in files if name not in gone]
    return gone, [name for name in there if not is_same(folder / name, files[name])]


def is_same(path: Path, known: Known) -> bool:
    """Whether a file is there with the recorded content."""
    return path.is_file() and path.stat().st_size == known["bytes"] and sha256_of(path) == known["sha256"]
