"""Downloads: continued where they were cut, begun again where the file has changed, refused in words."""

from __future__ import annotations

import errno
import re
import shutil
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import InputError
from pipelines.fetch.download import Retries, discard, download
from pipelines.fetch.kaggle import Asked

from ..stand_in import Served, StandIn, serving

BLOCK = 1 << 16
CONTENT = bytes(range(256)) * 4_000
QUICK = Retries(most=2, pause=0.0)
NEVER = Retries(most=0, pause=0.0)


def get(server: StandIn, target: Path, retries: Retries = QUICK, **given: Any) -> Path:
    request = requests.Request("GET", f"{server.base}/files/{target.name}?signature=secret").prepare()
    return download(request, target, retries=retries, **given)


def test_a_whole_file(server: StandIn, tmp_path: Path) -> None:
    server.files["a.csv"] = Served(CONTENT)
    told: list[tuple[int, int]] = []
    part = get(server, tmp_path / "a.csv", progress=lambda done, total: told.append((done, total)))
    assert part.name == "a.csv.part" and part.read_bytes() == CONTENT
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert "secret" not in (tmp_path / "a.csv.part.json").read_text(encoding="utf-8")


def test_a_cut_connection_is_continued_at_once(server: StandIn, tmp_path: Path) -> None:
    server.files["a.csv"] = Served(CONTENT, cuts=[3 * BLOCK + 7, 2 * BLOCK])
    assert get(server, tmp_path / "a.csv").read_bytes() == CONTENT
    assert server.ranges() == ["", f"bytes={3 * BLOCK}-", f"bytes={5 * BLOCK}-"]


@given(cuts=st.lists(st.integers(0, len(CONTENT) - 1), max_size=4))
@settings(max_examples=25)
def test_any_cuts_give_the_same_bytes(cuts: list[int], tmp_path_factory: pytest.TempPathFactory) -> None:
    with serving() as server:
        server.files["a.csv"] = Served(CONTENT, cuts=list(cuts))
        assert get(server, tmp_path_factory.mktemp("any") / "a.csv", Retries(most=4, pause=0.0)).read_bytes() == CONTENT
        assert len(server.ranges()) <= len(cuts) + 1


def test_a_part_is_continued_by_the_next_call(server: StandIn, tmp_path: Path) -> None:
    server.files["a.csv"] = Served(CONTENT, cuts=[4 * BLOCK, 0, 0, 0])
    with pytest.raises(InputError, match=r"cut after 262144 of 1024000 bytes\. 262144 bytes are kept in .*a\.csv\.part"):
        get(server, tmp_path / "a.csv")
    server.asked.clear()
    assert get(server, tmp_path / "a.csv").read_bytes() == CONTENT
    assert server.ranges() == [f"bytes={4 * BLOCK}-"]


def test_a_changed_file_begins_again(server: StandIn, tmp_path: Path) -> None:
    server.files["a.csv"] = Served(CONTENT, cuts=[4 * BLOCK, 0])
    with pytest.raises(InputError, match="262144 bytes are kept"):
        get(server, tmp_path / "a.csv", NEVER)
    server.files["a.csv"] = Served(CONTENT[::-1])
    assert get(server, tmp_path / "a.csv").read_bytes() == CONTENT[::-1]


@pytest.mark.parametrize("served", [Served(CONTENT, has_ranges=False), Served(CONTENT, etag=None), Served(CONTENT, etag='W/"weak"')])
def test_without_ranges_or_a_validator_all_is_sent_again(server: StandIn, tmp_path: Path, served: Served) -> None:
    served.cuts = [4_000_000]
    server.files["a.csv"] = served
    assert get(server, tmp_path / "a.csv").read_bytes() == CONTENT


def test_a_whole_part_is_not_sent_again(server: StandIn, tmp_path: Path) -> None:
    server.files["a.csv"] = Served(CONTENT)
    get(server, tmp_path / "a.csv")
    assert get(server, tmp_path / "a.csv").read_bytes() == CONTENT
    assert server.ranges() == ["", f"bytes={len(CONTENT)}-"]
    discard(tmp_path / "a.csv")
    assert list(tmp_path.iterdir()) == []


def test_a_longer_part_than_the_file_begins_again(server: StandIn, tmp_path: Path) -> None:
    server.files["a.csv"] = Served(CONTENT)
    part = get(server, tmp_path / "a.csv")
    part.write_bytes(CONTENT + b"more")
    assert get(server, tmp_path / "a.csv").read_bytes() == CONTENT


def test_an_empty_file(server: StandIn, tmp_path: Path) -> None:
    server.files["a.csv"] = Served(b"")
    assert get(server, tmp_path / "a.csv").read_bytes() == b""


def test_a_failing_server_is_asked_again(server: StandIn, tmp_path: Path) -> None:
    server.files["a.csv"] = Served(CONTENT, statuses=[500, 503])
    assert get(server, tmp_path / "a.csv").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (401, r"/files/a\.csv: the server answered 401 \(it wants a password\)"),
        (403, r"403 \(access is refused\)"),
        (404, r"404 \(there is no such file\)\. Mend data\.source"),
        (500, r"the server answered 500\. 0 bytes are kept .* Run the same command again"),
    ],
)
def test_a_refusal_is_said(server: StandIn, tmp_path: Path, status: int, message: str) -> None:
    server.files["a.csv"] = Served(CONTENT, statuses=[status] * 3)
    with pytest.raises(InputError, match=message) as failure:
        get(server, tmp_path / "a.csv")
    assert "secret" not in str(failure.value)


def test_kaggle_s_storage_refuses(server: StandIn, tmp_path: Path) -> None:
    server.files["a.csv"] = Served(CONTENT, statuses=[403])
    with pytest.raises(InputError, match=r"Kaggle's storage refuses the files of 'titanic' \(403\)"):
        get(server, tmp_path / "a.csv", asked=Asked("titanic", "https://page"))


def test_no_network(tmp_path: Path) -> None:
    request = requests.Request("GET", "http://127.0.0.1:9/a.csv").prepare()
    with pytest.raises(InputError, match=r"http://127\.0\.0\.1:9/a\.csv: the connection failed .*refused"):
        download(request, tmp_path / "a.csv", retries=NEVER)


def test_a_full_disk_before_and_during(server: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server.files["a.csv"] = Served(CONTENT)
    usage = namedtuple("usage", "total used free")
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: usage(100, 50, 50))
        with pytest.raises(InputError, match=f"has 50 bytes free; {len(CONTENT)} are still to come. Make room"):
            get(server, tmp_path / "a.csv")

    def full(*_: Any, **__: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pipelines.fetch.download.write_json", full)
    with pytest.raises(InputError, match=r"a\.csv\.part cannot be written: No space left on device\. Make room"):
        get(server, tmp_path / "a.csv")


def test_a_damaged_note_beside_a_part_is_no_reason_to_fail(server: StandIn, tmp_path: Path) -> None:
    server.files["a.csv"] = Served(CONTENT)
    (tmp_path / "a.csv.part").write_bytes(b"something else")
    (tmp_path / "a.csv.part.json").write_text("{", encoding="utf-8")
    assert get(server, tmp_path / "a.csv").read_bytes() == CONTENT
    assert re.fullmatch(r'"[0-9a-f]{32}"', server.files["a.csv"].tag or "")
