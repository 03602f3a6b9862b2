"""The bytes of a file, unpacked where it is compressed."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path

from features.errors import InputError, listed

_PACKED: dict[bytes, tuple[str, Callable[[bytes], bytes]]] = {
    b"\x1f\x8b": ("gzip", gzip.decompress),
    b"BZh": ("bzip2", bz2.decompress),
    b"\xfd7zXZ\x00": ("xz", lzma.decompress),
}


def unpacked(path: Path) -> tuple[bytes, str | None]:
    """A file's bytes, and how they were packed; told by the first bytes, not by the name.

    Raises
    ------
    InputError
        When an archive does not hold exactly one table, or is damaged.
    """
    data = path.read_bytes()
    try:
        if data.startswith(b"PK\x03\x04"):
            return _from_zip(path), "its zip archive"
        for mark, (name, decompress) in _PACKED.items():
            if data.startswith(mark):
                return decompress(data), f"its {name} compression"
    except (OSError, EOFError, lzma.LZMAError, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise InputError(f"File {path} cannot be unpacked: {error}. Unpack it by hand and name the table in it.") from error
    return data, None


def _from_zip(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        inside = [name for name in archive.namelist() if not name.endswith("/") and not name.startswith("__MACOSX")]
        if "xl/workbook.xml" in inside:
            raise InputError(f"File {path} is an Excel workbook. Save the sheet as CSV (UTF-8) first.")
        tables = [name for name in inside if Path(name).suffix.lower() in (".csv", ".tsv", ".txt", ".data")] or inside
        if len(tables) != 1:
            raise InputError(f"Archive {path} holds {listed(inside) or 'nothing'}; one table is needed. Unpack it and name the table.")
        return archive.read(tables[0])
