"""Finding earlier runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from features.errors import InputError, closest, listed
from pipelines.store import read_json


@dataclass(frozen=True)
class Entry:
    """A recorded run: ``runs/<competition>/history/<run_id>/``."""

    folder: Path

    @property
    def run_id(self) -> str:
        """Its id."""
        return self.folder.name

    def read(self, name: str) -> Any:
        """One of its JSON files."""
        return read_json(self.folder / name)

    def declared(self) -> dict[str, Any]:
        """Its declaration as plain data."""
        from pipelines.declaration import read_declaration

        return read_declaration(self.folder / "declaration.yaml").data


def entries(runs: Path) -> list[Entry]:
    """All recorded runs below a runs folder, oldest first."""
    found = [entry for competition in runs.glob("*/history") for entry in entries_of(competition.parent)]
    return sorted(found, key=lambda entry: entry.run_id)


def entries_of(competition: Path) -> list[Entry]:
    """The recorded runs of one competition, ``runs/<competition>``, oldest first."""
    # a name with a dot in front is a run that was killed while it was written
    return [Entry(path.parent) for path in sorted(competition.glob("history/[!.]*/run.json"))]


def find_entry(name: str, runs: Path) -> Entry:
    """A run by its id (or the beginning of it), or a competition's latest full run by the competition's name.

    Raises
    ------
    InputError
        When no run, or more than one, answers to the name.
    """
    latest = runs / name / "run.json"
    if latest.is_file():
        name = read_json(latest)["run_id"]
    return entry_named(name, entries(runs), f"below {runs}")


def entry_named(name: str, known: list[Entry], where: str) -> Entry:
    """The one of some runs whose id is, or begins with, a name; ``where`` they are is said when there is none, or more than one."""
    found = [entry for entry in known if entry.run_id.startswith(name)]
    if len(found) == 1:
        return found[0]
    ids = [entry.run_id for entry in known]
    if found:
        raise InputError(f"{len(found)} runs begin with {name!r}: {listed(entry.run_id for entry in found)}. Give more of the id.")
    raise InputError(f"No run {name!r} {where}; there are {listed(ids) or 'none'}.{closest(name, ids)}")
