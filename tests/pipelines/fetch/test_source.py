"""``data.source``: what is allowed, and what is said of the rest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from features.errors import InputError
from pipelines.build_spec import build_spec
from pipelines.declaration import DeclarationError, read_declaration
from pipelines.fetch.source import Source, source_of

SUM = "a" * 64


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"kaggle": "titanic"}, Source("titanic")),
        ({"kaggle": "mlg-ulb/creditcardfraud", "sha256": {"x.csv": SUM.upper()}}, Source("mlg-ulb/creditcardfraud", sha256={"x.csv": SUM})),
        ({"url": "https://h/a.csv", "sha256": SUM}, Source(urls=("https://h/a.csv",), sha256={"a.csv": SUM})),
        ({"url": ["http://h/a.csv", "https://h/b.csv?t=1"]}, Source(urls=("http://h/a.csv", "https://h/b.csv?t=1"))),
    ],
)
def test_sources(raw: dict[str, Any], expected: Source) -> None:
    assert source_of(raw) == expected


def test_only_competitions_take_submissions() -> None:
    assert Source("titanic").competition == "titanic"
    assert Source("owner/data").competition is None
    assert Source("owner/data").page == "https://www.kaggle.com/datasets/owner/data"


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"kagle": "titanic"}, "unknown key 'kagle'; allowed: kaggle, url, sha256. Closest: 'kaggle'"),
        ({}, "needs one of 'kaggle'"),
        ({"kaggle": "a", "url": "https://h/a"}, "needs one of 'kaggle'"),
        ({"kaggle": "https://www.kaggle.com/c/titanic"}, "kaggle: found 'https.*needed: the end of the page's address"),
        ({"kaggle": "../../x"}, "needed: the end of the page's address"),
        ({"url": "file:///etc/passwd"}, "needed: an address that begins with https:// or http://"),
        ({"url": "ftp://h/a.csv"}, "begins with https"),
        ({"url": []}, "no address; needed: addresses of files with different names"),
        ({"url": "https://h/"}, "does not end in a file's name"),
        ({"url": "https://h/%2e%2e"}, "does not end in a file's name"),
        ({"url": "https://h/.hidden"}, "does not end in a file's name"),
        ({"url": "https://h/..%5Cevil"}, "does not end in a file's name"),
        ({"url": ["https://h/a.csv", "https://g/a.csv"]}, "'a.csv'; needed: addresses of files with different names"),
        ({"url": ["https://h/a.csv", "https://h/b.csv"], "sha256": SUM}, "one checksum fits one address only"),
        ({"kaggle": "titanic", "sha256": SUM}, "one checksum fits one address only"),
        ({"url": "https://h/a.csv", "sha256": "abc"}, "found 'abc' for 'a.csv'; needed: 64 hexadecimal digits"),
        ({"url": "https://h/a.csv", "sha256": {}}, "needed: a checksum, or"),
    ],
)
def test_refused(raw: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        source_of(raw)


def test_a_declaration_says_where(tmp_path: Path, tiny: Any) -> None:
    tiny.edit(("target: price}", "target: price, source: {kagle: x}}"))
    with pytest.raises(DeclarationError, match=r"pipeline\.yaml:2: data\.source: unknown key 'kagle'; allowed: kaggle, url, sha256\."):
        build_spec(read_declaration(tiny.declaration))
