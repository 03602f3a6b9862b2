"""Where a new competition goes: its folder, its data files, its declaration."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from features.errors import InputError
from pipelines.competition import DECLARATION
from pipelines.draft.sources import Source
from pipelines.store import hash_file, show, whole_file


@dataclass(frozen=True)
class Place:
    """A competition's folder and the folder of its data."""

    folder: Path
    data: Path

    @property
    def declaration(self) -> Path:
        """The file that is written."""
        return self.folder / DECLARATION


def place_of(name_or_folder: str, root: Path) -> Place:
    """``competitions/NAME`` with ``data/NAME`` for a name; the folder itself for a path or a folder that is there.

    Raises
    ------
    InputError
        When a declaration is there already, or the name cannot name a folder.
    """
    path = root / name_or_folder
    if "/" in name_or_folder or "\\" in name_or_folder or path.is_dir() or Path(name_or_folder).is_absolute():
        place = Place(path, path)
    elif re.fullmatch(r"\w[\w.-]*", name_or_folder):
        place = Place(root / "competitions" / name_or_folder, root / "data" / name_or_folder)
    else:
        raise InputError(f"{name_or_folder!r} cannot name a competition. Use letters, digits, '_' and '-', or a path to a folder.")
    if path.is_file():
        raise InputError(f"{path} is a file. Name a competition, or a folder for it.")
    if place.declaration.exists():
        raise InputError(
            f"{place.declaration} is there already and is not overwritten. Choose another name, edit that file, or move it away first."
        )
    return place


def settle(source: Source, place: Place, name: str) -> str:
    """Put a table where a run finds it: as it is (by a hard link or a copy), or written anew where something was put right.

    Parameters
    ----------
    name
        What the file is called if it is not in the folder already.

    Returns
    -------
    The file's name relative to the data folder.

    Raises
    ------
    InputError
        When another file of that name is there.
    """
    inside = _inside(source.path, place.data)
    if not source.notes:
        if inside is None:
            _keep_others(place.data / name, source.path, source)
            show(source.path, place.data / name)
        return inside or name
    target = place.data / name
    if inside == name:
        target = target.with_stem(f"{target.stem}_plain")
    with whole_file(target) as file:
        _write(source, file)
        _keep_others(target, file, source)
    return target.name


def _inside(path: Path, folder: Path) -> str | None:
    real, root = path.resolve(), folder.resolve()
    return real.relative_to(root).as_posix() if real.is_relative_to(root) else None


def _keep_others(target: Path, made: Path, source: Source) -> None:
    if target.exists() and hash_file(target) != hash_file(made):
        raise InputError(
            f"{target} is there already, with other content than {source.path} gives, and is not overwritten. "
            "Choose another name for the competition, or move that file away first."
        )


def _write(source: Source, file: Path) -> None:
    if source.is_columnar:
        source.table.to_parquet(file)
    else:
        source.table.to_csv(file, index=False, encoding="utf-8")


def file_names(*sources: Source) -> list[str]:
    """The names the tables have among a competition's data: their own, without endings of compression."""
    stems = [source.path.name for source in sources]
    for ending in (".zip", ".gz", ".bz2", ".xz", ".csv", ".tsv", ".txt", ".data", ".parquet", ".feather", ".arrow"):
        stems = [stem[: -len(ending)] if stem.lower().endswith(ending) and len(stem) > len(ending) else stem for stem in stems]
    if len(set(stems)) < len(stems):
        stems = ["train", "test"][: len(stems)]
    return [f"{stem}.parquet" if source.is_columnar else f"{stem}.csv" for stem, source in zip(stems, sources, strict=True)]
