"""``foldwise fetch``: a competition's files from where its declaration says, into ``data/<competition>/``."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from features.errors import InputError, listed
from pipelines.competition import find_competition
from pipelines.console import Console
from pipelines.declaration import Declaration, DeclarationError, Fault
from pipelines.fetch import placing
from pipelines.fetch.checksums import Known, changed, read_checksums, record
from pipelines.fetch.download import discard, download
from pipelines.fetch.kaggle import Asked, Kaggle
from pipelines.fetch.source import Source, file_name, source_of
from pipelines.fetch.unpack import DiskError
from pipelines.held import held
from pipelines.spec import Data
from pipelines.tables import input_files

_WORK = ".fetch"


@dataclass(frozen=True)
class Fetched:
    """The folder of a competition's files, what is recorded of them, and which of them are new."""

    folder: Path
    files: dict[str, Known]
    new: list[str]
    lacking: list[str]
    """Files that the declaration names and that are not there."""


@dataclass(frozen=True)
class _Item:
    """One thing to download: what it is recorded as, and the name of its part."""

    source: str
    part: str
    url: str | None = None


def fetch(name_or_folder: str, *, data: Path | None = None, replaces: bool = False, console: Console | None = None) -> Fetched:
    """Download a competition's files.

    Parameters
    ----------
    data
        The folder for ``<competition>/<files>``; ``data`` by default.
    replaces
        Download again, and replace files of another content.

    Raises
    ------
    InputError
        When the declaration names no source, a download fails or is refused, a checksum or an archive is wrong, or a file would be replaced.
    """
    console = console or Console()
    competition = find_competition(name_or_folder)
    declared = data_of(competition.declaration(with_tuned=False))
    source = _source(declared, competition.folder)
    folder = (data or Path("data")) / competition.name
    with _work_in(folder), held(folder, waits=False):
        known = read_checksums(folder)
        new: list[str] = []
        for item in _items(source):
            files = {name: entry for name, entry in known.items() if entry["source"] == item.source}
            if replaces or not _is_there(folder, files, source):
                new += _fetch_one(item, source, declared, folder, console, replaces=replaces)
    there = {name: entry for name, entry in read_checksums(folder).items() if (folder / name).is_file()}
    return Fetched(folder, there, sorted(new), [name for name in needed(declared) if not (folder / name).is_file()])


def data_of(declaration: Declaration) -> Data:
    """The section ``data`` of a declaration, checked alone: files can be fetched before the rest of it is right.

    Raises
    ------
    DeclarationError
        When the section is wrong.
    """
    from pipelines.parameters import check

    faults: list[Fault] = []
    data = check(Data, declaration.data.get("data", {}), ("data",), faults)
    if faults or not isinstance(data, Data):
        raise DeclarationError(declaration, faults)
    return data


def needed(data: Data) -> list[str]:
    """The files of a competition that somebody has to bring."""
    return [*input_files(data), *([data.sample_submission] if data.sample_submission else [])]


def _source(data: Data, folder: Path) -> Source:
    if data.source is None:
        raise InputError(
            f"{folder}: the declaration does not say where the files come from. Add to 'data' a line such as: source: {{kaggle: titanic}}"
        )
    try:
        return source_of(data.source)
    except InputError as error:
        raise InputError(f"{folder}: data.source {error}") from error


def _items(source: Source) -> Iterator[_Item]:
    if source.kaggle is not None:
        yield _Item(f"kaggle:{source.kaggle}", f"{source.kaggle.replace('/', '-')}.zip")
    for url in source.urls:
        yield _Item(url.partition("?")[0], file_name(url), url)


def _is_there(folder: Path, files: dict[str, Known], source: Source) -> bool:
    """Whether all files of a source are there as recorded; InputError when somebody has changed one of them."""
    gone, other = changed(folder, files)
    if other:
        raise InputError(
            f"{folder} has {listed(other)} with another content than was downloaded (checksums.json). Use --force to download again and replace."
        )
    wrong = [name for name, entry in files.items() if source.sha256.get(name, entry["sha256"]) != entry["sha256"]]
    return bool(files) and not gone and not wrong


def _fetch_one(item: _Item, source: Source, data: Data, folder: Path, console: Console, *, replaces: bool) -> list[str]:
    import requests

    asked = None if source.kaggle is None else Asked(source.kaggle, source.page)
    request = requests.Request("GET", item.url).prepare() if asked is None else Kaggle.sign_in().files(asked)
    target = folder / _WORK / item.part
    console.say(f"downloading {item.source}")
    part = download(
        request, target, asked=asked, progress=lambda done, total: console.progress(done >> 20, total >> 20, f"MiB of {item.part}")
    )
    name = item.part if asked is None else Path(file_name(request.url or "")).name or item.part
    with tempfile.TemporaryDirectory(prefix=".unpacked-", dir=folder / _WORK) as place:
        try:
            placing.check(part, name, source.sha256)
            staged = placing.stage(part, name, needed(data), Path(place))
            files = placing.move(staged, folder, item.source, source.sha256, replaces=replaces)
        except (placing.TakenError, DiskError):
            raise
        except InputError:
            # a bad part that is kept would be taken for the file the next time
            discard(target)
            raise
    record(folder, files)
    discard(target)
    lacking = [table for table in source.sha256 if table not in (*files, name) and source.kaggle is not None]
    if lacking:
        raise InputError(f"data.source has checksums of {listed(lacking)}, which were not downloaded; there are {listed(files)}.")
    return [*files]


@contextlib.contextmanager
def _work_in(folder: Path) -> Iterator[None]:
    """Make a folder and the one for parts in it; what is empty at the end is taken away again, whatever happened."""
    work = folder / _WORK
    try:
        work.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"Folder {folder} cannot be made: {error.strerror}. Name another one with --data.") from error
    try:
        yield
    finally:
        for place in (work, folder):
            with contextlib.suppress(OSError):
                place.rmdir()
