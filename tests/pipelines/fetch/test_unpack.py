"""Archives: good ones are unpacked, bad ones leave nothing outside their folder and say what is wrong."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import InputError
from pipelines.fetch.unpack import Limits, is_archive, unpack, unpack_one

GOOD = {"train.csv": b"a,b\n1,2\n", "more/test.csv": b"a\n1\n"}
SMALL = Limits(total=1_000_000, ratio=50.0, free_of_ratio=1000, members=5)


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def tarred(path: Path, files: dict[str, bytes], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """The folder to unpack into, with a neighbour that must stay alone."""
    (tmp_path / "place").mkdir()
    (tmp_path / "neighbour").write_bytes(b"as it was")
    return tmp_path / "place"


@pytest.mark.parametrize(
    "pack", [zipped, tarred, lambda path, files: tarred(path, files, "w"), lambda path, files: tarred(path, files, "w:xz")]
)
def test_good_archives(place: Path, pack: Callable[[Path, dict[str, bytes]], Path]) -> None:
    archive = pack(place.parent / "archive", GOOD)
    assert is_archive(archive)
    unpack(archive, place)
    assert {path.relative_to(place).as_posix(): path.read_bytes() for path in place.rglob("*") if path.is_file()} == GOOD


OUTSIDE = ["../neighbour", "/etc/neighbour", "a/../../neighbour", "..\\neighbour", "C:neighbour", "a/.."]


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize("pack", [zipped, tarred])
def test_names_that_lead_outside(place: Path, pack: Callable[[Path, dict[str, bytes]], Path], name: str) -> None:
    archive = pack(place.parent / "archive", {"good.csv": b"1", name: b"evil"})
    with pytest.raises(InputError, match=r"archive has names that lead out of its folder: .*Nothing was unpacked; do not trust it"):
        unpack(archive, place)
    assert list(place.iterdir()) == [] and (place.parent / "neighbour").read_bytes() == b"as it was"


@given(parts=st.lists(st.sampled_from(["..", ".", "", "a", "b", "\\", "C:", "place"]), min_size=1, max_size=6))
def test_no_name_leads_outside(parts: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("any")
    (folder / "place").mkdir()
    archive = tarred(folder / "archive", {"/".join(parts): b"1"})
    try:
        written = unpack(archive, folder / "place")
    except InputError:
        written = []
    inside = (folder / "place").resolve()
    assert all(path.resolve().is_relative_to(inside) for path in written)
    assert sorted(path.name for path in folder.iterdir()) == ["archive", "place"]


def test_a_symlink_in_a_zip(place: Path) -> None:
    with zipfile.ZipFile(place.parent / "archive", "w") as opened:
        link = zipfile.ZipInfo("link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        opened.writestr(link, "../neighbour")
        opened.writestr("link/train.csv", "evil")
    with pytest.raises(InputError, match="archive holds links or devices: 'link'"):
        unpack(place.parent / "archive", place)
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_in_a_tar(place: Path, kind: bytes) -> None:
    with tarfile.open(place.parent / "archive", "w") as opened:
        entry = tarfile.TarInfo("thing")
        entry.type, entry.linkname = kind, "../neighbour"
        opened.addfile(entry)
    with pytest.raises(InputError, match="archive holds links or devices: 'thing'"):
        unpack(place.parent / "archive", place)


@pytest.mark.parametrize("pack", [zipped, tarred])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"zeros.csv": bytes(900_000)}, "unpacks to more than 50 times its size, as archives do that are made to fill disks"),
        ({f"{k}.csv": bytes(300_000) for k in range(4)}, "more than (50 times|1000000 bytes)"),
        ({f"{k}.csv": b"1" for k in range(6)}, "archive holds 6 files; 5 is the limit"),
    ],
)
def test_bombs(place: Path, pack: Callable[[Path, dict[str, bytes]], Path], content: dict[str, bytes], message: str) -> None:
    archive = pack(place.parent / "archive", content)
    with pytest.raises(InputError, match=message):
        unpack(archive, place, SMALL)


def test_a_zip_that_lies_about_its_sizes(place: Path) -> None:
    archive = zipped(place.parent / "archive", {"zeros.csv": bytes(2_000_000)})
    # the size in both headers, changed to 10 bytes
    archive.write_bytes(archive.read_bytes().replace((2_000_000).to_bytes(4, "little"), (10).to_bytes(4, "little")))
    with pytest.raises(InputError, match=r"archive (cannot be unpacked: Bad CRC|unpacks to more)"):
        unpack(archive, place, SMALL)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice(place: Path) -> None:
    with zipfile.ZipFile(place.parent / "archive", "w") as opened:
        for text in ("1", "2"):
            opened.writestr("train.csv", text)
    with pytest.raises(InputError, match=r"archive holds 'train\.csv' more than once"):
        unpack(place.parent / "archive", place)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PK\x03\x04 and no more", "archive cannot be unpacked: File is not a zip file. Is it whole, and without a password?"),
        (b"neither", "archive cannot be unpacked: file could not be opened successfully"),
        (b"", "archive cannot be unpacked: "),
    ],
)
def test_damaged_archives(place: Path, content: bytes, message: str) -> None:
    (place.parent / "archive").write_bytes(content)
    with pytest.raises(InputError, match=message):
        unpack(place.parent / "archive", place)


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_a_cut_archive(place: Path, pack: Callable[[Path, dict[str, bytes]], Path]) -> None:
    archive = pack(place.parent / "archive", {"train.csv": bytes(range(256)) * 100})
    archive.write_bytes(archive.read_bytes()[:-30])
    with pytest.raises(InputError, match="archive cannot be unpacked: "):
        unpack(archive, place)


def test_an_encrypted_zip(place: Path) -> None:
    archive = zipped(place.parent / "archive", {"train.csv": b"1"})
    content = bytearray(archive.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + offset] |= 1
    archive.write_bytes(content)
    with pytest.raises(InputError, match="password"):
        unpack(archive, place)


def test_an_empty_archive(place: Path) -> None:
    with pytest.raises(InputError, match="archive holds no file"):
        unpack(zipped(place.parent / "archive", {}), place)


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_one_packed_file(place: Path, pack: Callable[[bytes], bytes]) -> None:
    (place / "train.packed").write_bytes(pack(b"a,b\n"))
    assert unpack_one(place / "train.packed", place / "train.csv")
    assert (place / "train.csv").read_bytes() == b"a,b\n"


def test_one_file_in_a_zip_and_none(place: Path) -> None:
    assert unpack_one(zipped(place / "train.csv.zip", {"train.csv": b"a\n", "__MACOSX/x": b""}), place / "train.csv")
    assert not unpack_one(zipped(place / "two.zip", GOOD), place / "two.csv")
    assert not unpack_one(place / "train.csv", place / "other.csv")


def test_one_packed_bomb(place: Path) -> None:
    (place / "train.gz").write_bytes(gzip.compress(bytes(900_000)))
    with pytest.raises(InputError, match="more than 50 times its size"):
        unpack_one(place / "train.gz", place / "train.csv", SMALL)
