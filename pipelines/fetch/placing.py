"""From a downloaded file to the files of a competition: unpacked beside the folder, checked, moved into place."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from features.errors import InputError, listed
from pipelines.fetch.checksums import CHECKSUMS, Known, is_same, sha256_of
from pipelines.fetch.unpack import is_archive, unpack, unpack_one
from pipelines.store import show

_PACKED = (".zip", ".gz", ".bz2", ".xz")


class TakenError(InputError):
    """Files of these names are there with another content; what was downloaded is good."""


def stage(download: Path, name: str, needed: Iterable[str], place: Path) -> Path:
    """Put what a download holds below an empty folder: an archive's files, or the file itself under its name; gives the folder of these.

    Archives of older competitions hold each table packed once more (``train.csv.zip``, ``train.gz``): one that is needed is unpacked.
    """
    files, whole, wanted = place / ".files", place / name, list(needed)
    files.mkdir()
    # under its own name, which messages show
    show(download, whole)
    if name not in wanted and is_archive(whole):
        unpack(whole, files)
    else:
        whole.rename(files / name)
    for table in wanted:
        packed = next((path for path in _packed_forms(files, table) if path.is_file()), None)
        if not (files / table).exists() and packed is not None and unpack_one(packed, files / table):
            packed.unlink()
    return files


def _packed_forms(place: Path, table: str) -> Iterator[Path]:
    for suffix in _PACKED:
        yield place / f"{table}{suffix}"
        yield (place / table).with_suffix(suffix)


def check(path: Path, name: str, declared: Mapping[str, str]) -> str:
    """The SHA-256 of a file; InputError when it is not the declared one."""
    found = sha256_of(path)
    if declared.get(name, found) != found:
        raise InputError(
            f"{name}: its SHA-256 is {found}, data.source declares {declared[name]}. The download is thrown away. "
            "Run the command again; if it stays so, the file on the server is another one: compare, then mend the declaration."
        )
    return found


def move(place: Path, folder: Path, source: str, declared: Mapping[str, str], *, replaces: bool) -> dict[str, Known]:
    """Move staged files into a competition's folder, each in one step; gives what is to be recorded of them.

    Raises
    ------
    TakenError
        When a file there has another content and ``replaces`` is False; nothing is moved then.
    InputError
        When a checksum is not the declared one.
    """
    names = sorted(path.relative_to(place).as_posix() for path in place.rglob("*") if path.is_file())
    known = {
        name: Known(sha256=check(place / name, name, declared), bytes=(place / name).stat().st_size, source=source)
        for name in names
        if name != CHECKSUMS
    }
    other = [name for name, entry in known.items() if (folder / name).exists() and not is_same(folder / name, entry)]
    if other and not replaces:
        raise TakenError(f"{folder} has {listed(other)} with another content; nothing was replaced. Move them away, or use --force.")
    for name in known:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if (folder / name).is_dir():
            raise InputError(f"{folder / name} is a folder, and a file of this name was downloaded. Move the folder away.")
        os.replace(place / name, folder / name)
    return known
