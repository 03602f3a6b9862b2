"""``data.source`` of a declaration: where a competition's files come from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from features.errors import InputError, closest, listed

_KEYS = ("kaggle", "url", "sha256")
_SLUG = re.compile(r"[\w-]+(/[\w-]+)?", re.ASCII)


@dataclass(frozen=True)
class Source:
    """A competition or data set of Kaggle, or addresses; and the checksums that files must have."""

    kaggle: str | None = None
    """``competition`` or ``owner/data-set``, as in the page's address."""
    urls: tuple[str, ...] = ()
    sha256: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 in hexadecimal by file name, of what is downloaded or of what is unpacked from it."""

    @property
    def competition(self) -> str | None:
        """The Kaggle competition that takes submissions; None for data sets and addresses."""
        return None if self.kaggle is None or "/" in self.kaggle else self.kaggle

    @property
    def page(self) -> str:
        """Where a person finds the files."""
        if self.kaggle is None:
            return ", ".join(self.urls)
        return f"https://www.kaggle.com/{'competitions' if self.competition else 'datasets'}/{self.kaggle}"


def file_name(url: str) -> str:
    """The name under which an address is kept: the last part of its path.

    >>> file_name("https://example.org/a/train%201.csv?token=1")
    'train 1.csv'
    """
    return unquote(urlsplit(url).path).rpartition("/")[2]


def source_of(raw: Mapping[str, Any]) -> Source:
    """Check ``data.source``.

    Raises
    ------
    InputError
        For unknown keys, both or neither of ``kaggle`` and ``url``, an address that is not http(s), or something that is no SHA-256.
    """
    unknown = [key for key in raw if key not in _KEYS]
    if unknown:
        raise InputError(f"unknown key {unknown[0]!r}; allowed: {', '.join(_KEYS)}.{closest(unknown[0], _KEYS)}")
    if ("kaggle" in raw) == ("url" in raw):
        raise InputError("needs one of 'kaggle' (a competition, or owner/data-set) and 'url' (an address, or a list of them).")
    if "url" in raw:
        urls = _urls(raw["url"])
        return Source(urls=urls, sha256=_checksums(raw.get("sha256"), urls))
    if not isinstance(raw["kaggle"], str) or not _SLUG.fullmatch(raw["kaggle"]):
        raise InputError(
            f"kaggle: found {raw['kaggle']!r}; needed: the end of the page's address, such as titanic or mlg-ulb/creditcardfraud."
        )
    return Source(raw["kaggle"], sha256=_checksums(raw.get("sha256"), ()))


def _urls(found: Any) -> tuple[str, ...]:
    urls = tuple(found) if isinstance(found, list) else (found,)
    for url in urls:
        if not isinstance(url, str) or urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
            raise InputError(f"url: found {url!r}; needed: an address that begins with https:// or http://.")
        name = file_name(url)
        if name in ("", ".", "..") or "\\" in name or "/" in name or name.startswith("."):
            raise InputError(f"url: {url!r} does not end in a file's name, so there is no name to keep it under.")
    names = [file_name(url) for url in urls]
    if not urls or len(set(names)) < len(names):
        raise InputError(f"url: {listed(names) or 'no address'}; needed: addresses of files with different names.")
    return urls


def _checksums(found: Any, urls: tuple[str, ...]) -> dict[str, str]:
    if found is None:
        return {}
    if isinstance(found, str):
        if len(urls) != 1:
            raise InputError("sha256: one checksum fits one address only. Write {file name: checksum}.")
        found = {file_name(urls[0]): found}
    if not isinstance(found, Mapping) or not found:
        raise InputError(f"sha256: found {found!r}; needed: a checksum, or {{file name: checksum}}.")
    for name, value in found.items():
        if not isinstance(value, str) or not re.fullmatch("[0-9a-fA-F]{64}", value):
            raise InputError(f"sha256: found {value!r} for {name!r}; needed: 64 hexadecimal digits.")
    return {str(name): str(value).lower() for name, value in found.items()}
