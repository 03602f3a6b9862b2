"""``foldwise fetch``: files come whole, checked and once; a real Kaggle client talks to a server on loopback."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import shutil
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from features.errors import InputError
from pipelines.fetch import download, kaggle
from pipelines.held import held

from ..stand_in import Served, StandIn

FILES = {"train.csv": b"Id,price\n1,2\n" * 9, "test.csv": b"Id\n3\n", "sample.csv": b"Id,price\n3,0\n"}
Call = Callable[..., Any]


def zipped(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pauses between attempts."""
    monkeypatch.setattr(download.Retries, "__init__", lambda self: self.__dict__.update(most=1, pause=0.0))


@pytest.fixture
def houses(make_tiny: Callable[..., Any]) -> Callable[[str], Any]:
    """A competition without files, with a source."""

    def make(source: str) -> Any:
        tiny = make_tiny(name="houses")
        tiny.edit(("target: price}", f"target: price, source: {source}}}"))
        for name in FILES:
            (tiny.folder / name).unlink()
        return tiny

    return make


def there(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_competition(kaggle: StandIn, houses: Call, foldwise: Call) -> None:
    kaggle.files["the-houses.zip"] = Served(zipped(FILES))
    tiny = houses("{kaggle: the-houses}")
    said = foldwise("fetch", tiny.folder)
    assert said.code == 0, said.err
    assert "new " in said.out and "data/houses/train.csv" in said.out
    found = there(Path("data/houses"))
    known = json.loads(found.pop("checksums.json"))
    assert found == FILES
    assert known["train.csv"] == {"sha256": hashlib.sha256(FILES["train.csv"]).hexdigest(), "bytes": 117, "source": "kaggle:the-houses"}
    kaggle.asked.clear()
    again = foldwise("fetch", tiny.folder)
    assert again.code == 0 and "nothing to do: all 3 files are there" in again.out
    assert kaggle.asked == []


def test_a_data_set_with_packed_tables(kaggle: StandIn, houses: Call, foldwise: Call) -> None:
    inner = {"train.csv.zip": zipped({"train.csv": FILES["train.csv"]}), "test.gz": gzip.compress(FILES["test.csv"])}
    kaggle.files["data.zip"] = Served(zipped(inner))
    said = foldwise("fetch", houses("{kaggle: owner/data}").folder, "--data", "elsewhere")
    assert said.code == 0, said.err
    assert {name: FILES[name] for name in ("train.csv", "test.csv")}.items() <= there(Path("elsewhere/houses")).items()
    assert "note: the declaration names 'sample.csv', which was not among what was downloaded" in said.err


def test_a_cut_download_is_continued_by_the_same_command(kaggle: StandIn, houses: Call, foldwise: Call) -> None:
    content = zipped({**FILES, "noise.bin": os.urandom(300_000)})
    kaggle.files["the-houses.zip"] = Served(content, cuts=[0, 131_100, 0, 0])  # the library itself asks once, for the address
    tiny = houses("{kaggle: the-houses}")
    cut = foldwise("fetch", tiny.folder)
    assert cut.code == 2 and "131072 bytes are kept in data/houses/.fetch/the-houses.zip.part. Run the same command again" in cut.err
    kaggle.asked.clear()
    assert foldwise("fetch", tiny.folder).code == 0
    assert kaggle.ranges() == ["", "bytes=131072-"]
    assert FILES.items() <= there(Path("data/houses")).items()
    assert not Path("data/houses/.fetch").exists()


@pytest.mark.slow
def test_a_killed_download_is_continued(server: StandIn, houses: Call, foldwise: Call, start_foldwise: Call) -> None:
    content = FILES["train.csv"] + os.urandom(1_000_000)
    server.files["train.csv"] = Served(content, stalls=threading.Event())
    tiny = houses(f"{{url: {server.base}/files/train.csv}}")
    process, part = start_foldwise("fetch", tiny.folder), Path("data/houses/.fetch/train.csv.part")
    end = time.monotonic() + 60
    while not (part.is_file() and part.stat().st_size > 400_000):
        assert time.monotonic() < end
        time.sleep(0.02)
    process.kill()
    process.wait()
    kept = part.stat().st_size
    stalled = server.files["train.csv"].stalls
    assert stalled is not None
    server.files["train.csv"].stalls = None
    stalled.set()
    server.asked.clear()
    assert foldwise("fetch", tiny.folder).code == 0
    assert server.ranges() == [f"bytes={kept}-"] and Path("data/houses/train.csv").read_bytes() == content


@pytest.mark.parametrize(
    ("call", "answer", "message"),
    [
        ("DownloadDataFiles", (401, "Unauthenticated"), "Kaggle does not accept the credentials. Make a new token"),
        (
            "DownloadDataFiles",
            (403, "You must accept this competition's rules"),
            "Are the rules accepted.*competitions/the-houses.*must accept",
        ),
        ("DownloadDataFiles", (404, "Not found"), "Kaggle knows no 'the-houses' (404)"),
        ("DownloadDataFiles", (429, "Too many"), "Kaggle asks to wait (429"),
        ("DownloadDataFiles", (500, "Oops"), "Kaggle answered with an error of its own (500)"),
    ],
)
def test_kaggle_s_refusals(kaggle: StandIn, houses: Call, foldwise: Call, call: str, answer: tuple[int, str], message: str) -> None:
    kaggle.refuses[call] = answer
    said = foldwise("fetch", houses("{kaggle: the-houses}").folder)
    assert said.code == 2 and said.out == ""
    for part in message.split(".*"):
        assert part in said.err
    assert "Traceback" not in said.err


def test_no_network(kaggle: StandIn, houses: Call, foldwise: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    from kagglesdk import kaggle_env

    monkeypatch.setitem(kaggle_env._env_to_endpoint, kaggle_env.KaggleEnv.PROD, "http://127.0.0.1:9")
    said = foldwise("fetch", houses("{kaggle: the-houses}").folder)
    assert said.code == 2 and "Kaggle cannot be reached (ConnectionError). Is there a network?" in said.err


def test_no_credentials(nobody: None, houses: Call, foldwise: Call) -> None:
    said = foldwise("fetch", houses("{kaggle: the-houses}").folder)
    assert said.code == 2
    assert not Path("data").exists() or not any(Path("data").iterdir())
    assert "There are no Kaggle credentials. Set KAGGLE_API_TOKEN, or KAGGLE_USERNAME and KAGGLE_KEY, or put kaggle.json into" in said.err


@pytest.mark.parametrize(("token", "code"), [("good", 0), ("expired", 2)])
def test_a_token(kaggle: StandIn, houses: Call, foldwise: Call, monkeypatch: pytest.MonkeyPatch, token: str, code: int) -> None:
    for name in ("KAGGLE_USERNAME", "KAGGLE_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("KAGGLE_API_TOKEN", token)
    kaggle.files["the-houses.zip"] = Served(zipped(FILES))
    said = foldwise("fetch", houses("{kaggle: the-houses}").folder)
    assert said.code == code, said.err
    assert code == 0 or "Kaggle does not accept the credentials" in said.err
    assert said.out.count("Authentication") == 0


def test_credentials_are_looked_for_where_the_library_does(tmp_path: Path) -> None:
    assert not kaggle.has_credentials({"KAGGLE_USERNAME": "only"}, tmp_path)
    assert kaggle.has_credentials({"KAGGLE_USERNAME": "a", "KAGGLE_KEY": "b"}, tmp_path)
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "kaggle.json").write_text("{}", encoding="utf-8")
    assert kaggle.has_credentials({"KAGGLE_CONFIG_DIR": str(tmp_path / "own")}, tmp_path)
    (tmp_path / ".kaggle").mkdir()
    (tmp_path / ".kaggle" / "access_token").write_text("x", encoding="utf-8")
    assert kaggle.has_credentials({}, tmp_path)


def test_without_credentials_the_library_is_not_imported(nobody: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.import_module", lambda name: pytest.fail(f"{name} was imported"))
    with pytest.raises(InputError, match="There are no Kaggle credentials"):
        kaggle.Kaggle.sign_in()


@pytest.mark.parametrize(
    ("raised", "message"),
    [
        (SystemExit(1), "Kaggle does not accept the credentials"),
        (ImportError("no kaggle"), r"The Kaggle client library cannot be imported: no kaggle\. Install it"),
        (ValueError("Expecting value"), r"The Kaggle credentials cannot be read: Expecting value\. Download kaggle\.json again"),
        (requests.ConnectTimeout(), r"Kaggle cannot be reached \(ConnectTimeout\)"),
    ],
)
def test_what_the_library_does_when_it_is_imported(monkeypatch: pytest.MonkeyPatch, raised: BaseException, message: str) -> None:
    monkeypatch.setenv("KAGGLE_API_TOKEN", "any")

    def fail(name: str) -> Any:
        raise raised

    monkeypatch.setattr("importlib.import_module", fail)
    with pytest.raises(InputError, match=message):
        kaggle.Kaggle.sign_in()


def test_addresses_with_checksums(server: StandIn, houses: Call, foldwise: Call) -> None:
    for name, content in FILES.items():
        server.files[name] = Served(content)
    digest = hashlib.sha256(FILES["train.csv"]).hexdigest()
    urls = ", ".join(f"{server.base}/files/{name}" for name in FILES)
    tiny = houses(f"{{url: [{urls}], sha256: {{train.csv: {digest}}}}}")
    assert foldwise("fetch", tiny.folder).code == 0
    assert FILES.items() <= there(Path("data/houses")).items()
    Path("data/houses/test.csv").unlink()
    server.asked.clear()
    said = foldwise("fetch", tiny.folder)
    assert said.code == 0 and said.out.count("new ") == 1
    assert [path for path, _ in server.asked] == ["/files/test.csv"]


def test_a_wrong_checksum_leaves_nothing(server: StandIn, houses: Call, foldwise: Call) -> None:
    server.files["train.csv"] = Served(FILES["train.csv"])
    said = foldwise("fetch", houses(f"{{url: {server.base}/files/train.csv, sha256: {'a' * 64}}}").folder)
    assert said.code == 2 and "train.csv: its SHA-256 is " in said.err and "data.source declares aaa" in said.err
    assert there(Path("data/houses")) == {}


def test_a_wrong_checksum_inside_an_archive_leaves_nothing(server: StandIn, houses: Call, foldwise: Call) -> None:
    server.files["all.zip"] = Served(zipped(FILES))
    said = foldwise("fetch", houses(f"{{url: {server.base}/files/all.zip, sha256: {{test.csv: {'a' * 64}}}}}").folder)
    assert said.code == 2 and "test.csv: its SHA-256 is " in said.err
    assert there(Path("data/houses")) == {}


def test_nothing_is_overwritten(server: StandIn, houses: Call, foldwise: Call) -> None:
    server.files["all.zip"] = Served(zipped(FILES))
    tiny, mine = houses(f"{{url: {server.base}/files/all.zip}}"), Path("data/houses/test.csv")
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"my own")
    said = foldwise("fetch", tiny.folder)
    assert said.code == 2 and "data/houses has 'test.csv' with another content; nothing was replaced" in said.err
    assert mine.read_bytes() == b"my own" and not Path("data/houses/train.csv").exists()
    server.asked.clear()
    assert foldwise("fetch", tiny.folder, "--force").code == 0
    assert len(server.ranges()) == 1 and server.ranges()[0].startswith("bytes="), "the part is not downloaded again"
    assert mine.read_bytes() == FILES["test.csv"]
    mine.write_bytes(b"changed")
    said = foldwise("fetch", tiny.folder)
    assert said.code == 2 and "'test.csv' with another content than was downloaded (checksums.json). Use --force" in said.err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (zipped({"../../evil.csv": b"1"}), "all.zip has names that lead out of its folder: '../../evil.csv'"),
        (zipped(FILES)[:-40], "all.zip cannot be unpacked: "),
    ],
)
def test_bad_archives_leave_nothing(server: StandIn, houses: Call, foldwise: Call, tmp_path: Path, content: bytes, message: str) -> None:
    server.files["all.zip"] = Served(content)
    said = foldwise("fetch", houses(f"{{url: {server.base}/files/all.zip}}").folder)
    assert said.code == 2 and message in said.err
    assert there(tmp_path / "data") == {} and not list(tmp_path.rglob("evil.csv"))


def test_a_full_disk_while_unpacking(server: StandIn, houses: Call, foldwise: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    server.files["all.zip"] = Served(zipped(FILES))

    def full(*_: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pipelines.fetch.unpack._copy", full)
    said = foldwise("fetch", houses(f"{{url: {server.base}/files/all.zip}}").folder)
    assert said.code == 2 and "all.zip cannot be unpacked: No space left on device. The download is kept" in said.err
    assert Path("data/houses/.fetch/all.zip.part").is_file()


def test_no_source_and_no_competition(tiny: Any, foldwise: Call) -> None:
    said = foldwise("fetch", tiny.folder)
    assert said.code == 2 and "does not say where the files come from. Add to 'data' a line such as: source: {kaggle: titanic}" in said.err
    assert foldwise("fetch", "nowhere").code == 2


def test_two_at_once(server: StandIn, houses: Call, foldwise: Call) -> None:
    tiny = houses(f"{{url: {server.base}/files/all.zip}}")
    Path("data/houses").mkdir(parents=True)
    with held(Path("data/houses")):
        said = foldwise("fetch", tiny.folder)
    assert said.code == 2 and "Another process is at work in data/houses" in said.err


def test_a_damaged_record(server: StandIn, houses: Call, foldwise: Call) -> None:
    tiny = houses(f"{{url: {server.base}/files/all.zip}}")
    Path("data/houses").mkdir(parents=True)
    Path("data/houses/checksums.json").write_text("[1]", encoding="utf-8")
    said = foldwise("fetch", tiny.folder)
    assert said.code == 2 and "checksums.json is damaged" in said.err
    shutil.rmtree("data")
