"""Archives opened safely: names stay inside the folder, no links, no devices, and no more bytes than a limit."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import lzma
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from features.errors import InputError, listed

_BLOCK = 1 << 20
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_STREAMS: dict[bytes, Callable[[Path], Any]] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\x00": lzma.open}


class DiskError(InputError):
    """The disk did not take the files; the archive may be good."""


@dataclass(frozen=True)
class Limits:
    """What an archive may hold.

    Attributes
    ----------
    total
        Bytes of all files together; what is free on the disk where that is less.
    ratio
        Unpacked bytes for each packed one, counted once ``free_of_ratio`` bytes are out. Tables of numbers pack up to about 40 to 1,
        tables of almost nothing but zeros a few hundred to 1; zip's method ends at 1,032 to 1.
    members
        Files and folders.
    """

    total: int = 200 * 1024**3
    ratio: float = 500.0
    free_of_ratio: int = 256 * 1024**2
    members: int = 200_000


@dataclass
class _Allowance:
    """The bytes that may still be written."""

    archive: Path
    limits: Limits
    packed: int
    written: int = 0

    def take(self, n_bytes: int) -> None:
        """Count bytes; InputError when they are too many."""
        self.written += n_bytes
        if self.written > self.limits.total:
            raise InputError(
                f"{self.archive.name} unpacks to more than {self.limits.total} bytes; that is the limit, or what is free on the disk. Nothing was kept."
            )
        if self.written > self.limits.free_of_ratio and self.written > self.limits.ratio * self.packed:
            raise InputError(
                f"{self.archive.name} unpacks to more than {self.limits.ratio:g} times its size, as archives do that are made to fill disks. "
                "Nothing was kept; unpack it by hand if you trust it."
            )


def is_archive(path: Path) -> bool:
    """Whether a file is a zip or tar archive, told by its content."""
    with path.open("rb") as file:
        if file.read(4) in _ZIP:
            return True
    return tarfile.is_tarfile(path)


def unpack(archive: Path, folder: Path, limits: Limits | None = None) -> list[Path]:
    """Unpack a zip or tar archive into an empty folder; gives the files' paths below it.

    Raises
    ------
    InputError
        When the archive is damaged, wants a password, has names outside the folder, links or devices, or is larger than the limits.
    """
    allowance = _allowance(archive, folder, limits)
    with archive.open("rb") as file:
        is_zip = file.read(4) in _ZIP
    with _readable(archive):
        written = _unpack_zip(archive, folder, allowance) if is_zip else _unpack_tar(archive, folder, allowance)
    if not written:
        raise InputError(f"{archive.name} holds no file.")
    return written


def unpack_one(packed: Path, target: Path, limits: Limits | None = None) -> bool:
    """Unpack a file that was packed by gzip, bzip2, xz or, alone, in a zip archive; False where it is none of these."""
    allowance = _allowance(packed, target.parent, limits)
    with packed.open("rb") as file:
        begin = file.read(6)
    opener = next((opener for mark, opener in _STREAMS.items() if begin.startswith(mark)), None)
    with _readable(packed):
        if opener is not None:
            with opener(packed) as stream:
                _copy(stream, target, allowance)
            return True
        if begin[:4] not in _ZIP:
            return False
        with zipfile.ZipFile(packed) as opened:
            inside = [member for member in opened.infolist() if not member.is_dir() and not _is_litter(member.filename)]
            if len(inside) != 1:
                return False
            with opened.open(inside[0]) as stream:
                _copy(stream, target, allowance)
    return True


def _allowance(archive: Path, folder: Path, limits: Limits | None) -> _Allowance:
    limits = limits or Limits()
    free = shutil.disk_usage(folder).free
    total = min(limits.total, free)
    return _Allowance(archive, Limits(total, limits.ratio, limits.free_of_ratio, limits.members), archive.stat().st_size)


def _unpack_zip(archive: Path, folder: Path, allowance: _Allowance) -> list[Path]:
    with zipfile.ZipFile(archive) as opened:
        members = [member for member in opened.infolist() if not _is_litter(member.filename)]
        links = [member.filename for member in members if not _is_plain(member)]
        places = _places(archive, (member.filename for member in members), links, allowance.limits)
        written = []
        for member in members:
            if member.is_dir():
                continue
            with opened.open(member) as stream:
                written.append(_copy(stream, folder / places[member.filename], allowance))
    return written


def _is_plain(member: zipfile.ZipInfo) -> bool:
    kind = stat.S_IFMT(member.external_attr >> 16)
    return kind in (0, stat.S_IFREG, stat.S_IFDIR)


def _unpack_tar(archive: Path, folder: Path, allowance: _Allowance) -> list[Path]:
    written: dict[Path, None] = {}
    with tarfile.open(archive) as opened:
        members = opened.getmembers()
        links = [member.name for member in members if not (member.isreg() or member.isdir())]
        places = _places(archive, (member.name for member in members), links, allowance.limits)
        for member in members:
            stream = opened.extractfile(member) if member.isreg() and not _is_litter(member.name) else None
            if stream is not None:
                with stream:
                    written[_copy(stream, folder / places[member.name], allowance)] = None
    return [*written]


def _places(archive: Path, names: Iterable[str], links: list[str], limits: Limits) -> dict[str, Path]:
    """Where each member goes; all names are judged before the first byte is written."""
    known = list(names)
    outside = [name for name in known if not _is_inside(name)]
    if outside:
        raise InputError(f"{archive.name} has names that lead out of its folder: {listed(outside)}. Nothing was unpacked; do not trust it.")
    if links:
        raise InputError(f"{archive.name} holds links or devices: {listed(links)}. Nothing was unpacked; data files need none.")
    if len(known) > limits.members:
        raise InputError(f"{archive.name} holds {len(known)} files; {limits.members} is the limit. Nothing was unpacked.")
    twice = [name for name, times in Counter(known).items() if times > 1]
    if twice:
        raise InputError(f"{archive.name} holds {listed(twice)} more than once. Nothing was unpacked.")
    return {name: Path(*PurePosixPath(name).parts) for name in known}


def _is_inside(name: str) -> bool:
    parts = PurePosixPath(name).parts
    # a backslash or a colon leads out of a folder on Windows only; no data file needs them
    return bool(parts) and not name.startswith("/") and ".." not in parts and not set(name) & {"\\", "\0", ":"}


def _is_litter(name: str) -> bool:
    """What macOS adds to archives."""
    return name.startswith("__MACOSX/") or PurePosixPath(name).name == ".DS_Store"


def _copy(stream: IO[bytes], target: Path, allowance: _Allowance) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("xb") as file:
        while block := stream.read(_BLOCK):
            allowance.take(len(block))
            file.write(block)
    return target


@contextlib.contextmanager
def _readable(archive: Path) -> Iterator[None]:
    damage = (
        gzip.BadGzipFile,
        zipfile.BadZipFile,
        tarfile.TarError,
        zlib.error,
        lzma.LZMAError,
        EOFError,
        NotImplementedError,
        RuntimeError,
    )
    try:
        yield
    except damage as error:
        raise InputError(
            f"{archive.name} cannot be unpacked: {str(error).rstrip('.') or type(error).__name__}. Is it whole, and without a password?"
        ) from error
    except OSError as error:
        raise DiskError(
            f"{archive.name} cannot be unpacked: {error.strerror or error}. The download is kept: mend that, then run the same command again."
        ) from error
