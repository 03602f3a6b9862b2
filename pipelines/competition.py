"""Finding a competition: its folder, its declaration and its data."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from features.errors import InputError, closest, listed
from pipelines.declaration import Declaration, read_declaration
from pipelines.store import whole_folder
from pipelines.tuning.tuned import with_tuned as merge_tuned
from pipelines.unchanged import table_names

DECLARATION = "pipeline.yaml"
_BUILT_IN = Path(__file__).parent.parent / "competitions"


@dataclass(frozen=True)
class Competition:
    """A folder with a declaration, and perhaps own steps and a sample generator."""

    name: str
    folder: Path

    def declaration(self, settings: tuple[str, ...] = (), history: Path | None = None, *, with_tuned: bool = True) -> Declaration:
        """Its declaration with the tuned parameters beside it, or that of an earlier run in ``history``, with settings applied.

        Raises
        ------
        InputError
            When there is no such run, or the declaration cannot be read.
        """
        if history is not None and not (history / "declaration.yaml").is_file():
            known = sorted(path.name for path in history.parent.glob("*") if (path / "declaration.yaml").is_file())
            raise InputError(
                f"--from: no run {history.name!r}; {history.parent} has {listed(known) or 'none'}.{closest(history.name, known)}"
            )
        path = self.folder / DECLARATION if history is None else history / "declaration.yaml"
        read = read_declaration(path)
        return (merge_tuned(read) if with_tuned and history is None else read).with_settings(settings)

    def load_own_steps(self) -> None:
        """Import ``steps.py``, which registers the competition's own steps."""
        if (self.folder / "steps.py").is_file():
            _import_file(self.folder / "steps.py", f"foldwise_own_{self.name}_steps")


def find_competition(name_or_folder: str) -> Competition:
    """A competition by folder, by name below ``competitions/`` here, or by the name of a built-in one.

    Raises
    ------
    InputError
        When there is none.
    """
    places = [Path(name_or_folder), Path("competitions") / name_or_folder, _BUILT_IN / name_or_folder]
    for place in places:
        if (place / DECLARATION).is_file():
            return Competition(place.resolve().name, place)
    known = {path.parent.name for root in (Path("competitions"), _BUILT_IN) for path in root.glob(f"*/{DECLARATION}")}
    raise InputError(
        f"No competition {name_or_folder!r}: neither a folder with a {DECLARATION} nor one of {listed(known)}.{closest(name_or_folder, known)} "
        "Name a folder, or make one with a pipeline.yaml in it."
    )


def find_data(competition: Competition, declaration: Declaration, data: Path | None, runs: Path) -> tuple[Path, str | None]:
    """The folder of a competition's files, and a line to say aloud when they are a sample.

    Raises
    ------
    InputError
        When the files are not there and no sample stands in for them.
    """
    if data is not None:
        folder = data / competition.name
        if not folder.is_dir():
            raise InputError(f"--data {data}: there is no folder {folder}. Files of a competition are looked for in DIR/<competition>/.")
        return folder, None
    needed = table_names(declaration.data)[:1]
    if not needed:
        return competition.folder, None  # the check of the declaration says what is missing in it
    for folder in (Path("data") / competition.name, competition.folder):
        if (folder / needed[0]).is_file():
            return folder, None
    if not (competition.folder / "sample.py").is_file():
        raise InputError(
            f"No data for {competition.name!r}: data/{competition.name}/{needed[0]} is missing. "
            "Put the files there, or name a folder that holds <competition>/<files> with --data."
        )
    folder = _write_sample(competition, runs)
    said = f"SAMPLE DATA: data/{competition.name}/ has no files, so this run uses the sample that comes with the competition ({folder})."
    return folder, said


def _write_sample(competition: Competition, runs: Path) -> Path:
    """Write the embedded or generated sample, unless it is there from the same generator."""
    from pipelines.store import hash_file, key_of

    sources = sorted(path for path in competition.folder.rglob("*") if path.suffix in (".py", ".csv") and path.is_file())
    key = key_of([hash_file(path) for path in sources])
    folder = runs / competition.name / "sample" / key / competition.name
    if folder.is_dir():
        return folder
    module = _import_file(competition.folder / "sample.py", f"foldwise_own_{competition.name}_sample")
    with whole_folder(folder) as place:
        module.write(place)
    return folder


def _import_file(path: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
