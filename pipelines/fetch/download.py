"""One file over HTTP: what was cut is kept in ``.part`` and continued, unless the file has changed on the server meanwhile.

A part is continued only with ``If-Range`` (RFC 9110, section 13.1.5): the server itself says whether the file is the one the part
came from, and sends the whole one otherwise.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from features.errors import InputError
from pipelines.fetch.kaggle import Asked
from pipelines.store import read_json, write_json

if TYPE_CHECKING:
    import requests

_BLOCK = 1 << 16
"""Bytes; what a cut loses is less than this."""
_TIMEOUT = (20.0, 60.0)
"""Seconds to connect, and to wait for the next bytes."""


@dataclass(frozen=True)
class Retries:
    """How often a cut download is tried again without any progress, and the pause before the first of them; each next one doubles."""

    most: int = 4
    pause: float = 1.0


@dataclass(frozen=True)
class Origin:
    """Where a part comes from: address without its query (signed ones change), validator for ``If-Range``, and whole length."""

    url: str
    validator: str | None
    length: int | None


class CutError(Exception):
    """The connection ended too early, or the server failed; the part is kept."""


def download(
    request: requests.PreparedRequest,
    target: Path,
    *,
    asked: Asked | None = None,
    retries: Retries | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Path:
    """Download what a request asks for into ``<target>.part``, continuing what is there.

    Parameters
    ----------
    asked
        The Kaggle page behind the request, for messages; None for an address of its own.
    progress
        Is told of bytes done and in all.

    Returns
    -------
    Path
        The whole ``.part``; the caller checks it and gives it its name, or deletes it with ``discard``.

    Raises
    ------
    InputError
        When the server refuses, there is no network, the disk is full, or the connection is cut again and again.
    """
    retries = retries or Retries()
    part = _part(target)
    part.parent.mkdir(parents=True, exist_ok=True)
    without_progress = 0
    while True:
        before = _size(part)
        try:
            _once(request, part, asked, progress)
            return part
        except CutError as error:
            without_progress = 0 if _size(part) > before else without_progress + 1
            if without_progress > retries.most:
                raise InputError(
                    f"{_plain(request)}: {error} {_size(part)} bytes are kept in {part}. Run the same command again to continue."
                ) from error
            time.sleep(retries.pause * 2 ** max(without_progress - 1, 0))


def discard(target: Path) -> None:
    """Remove a part and what is known of it."""
    for path in (_part(target), _origin(_part(target))):
        path.unlink(missing_ok=True)


def _once(request: requests.PreparedRequest, part: Path, asked: Asked | None, progress: Callable[[int, int], None]) -> None:
    """One attempt; CutError when another one may help."""
    import requests

    known = _known(part, request)
    try:
        with requests.Session() as session:
            settings = session.merge_environment_settings(request.url or "", {}, True, None, None)
            with session.send(_continued(request, part, known), timeout=_TIMEOUT, **settings) as response:
                if response.status_code == 416 and known is not None:
                    # the file is still the one of the part: a server that knew of another would have sent that one
                    if _size(part) == known.length:
                        return
                    part.unlink()
                    raise CutError("the part was longer than the file.")
                _check(response, asked, _plain(request))
                _write(response, part, known, progress)
    except requests.RequestException as error:
        raise CutError(f"the connection failed ({_reason(error)}).") from error


def _continued(request: requests.PreparedRequest, part: Path, known: Origin | None) -> requests.PreparedRequest:
    """The request for what is missing; the whole file where nothing tells that a part still fits."""
    wanted = request.copy()
    # bytes are counted as they lie on the server: a packed answer has other ones
    wanted.headers["Accept-Encoding"] = "identity"
    if known is not None and known.validator is not None and _size(part):
        wanted.headers["Range"] = f"bytes={_size(part)}-"
        wanted.headers["If-Range"] = known.validator
    return wanted


def _write(response: requests.Response, part: Path, known: Origin | None, progress: Callable[[int, int], None]) -> None:
    import requests

    start = _size(part) if _continues(response, part, known) else 0
    if response.status_code == 206 and not start:
        part.unlink(missing_ok=True)
        raise CutError("the server sent another part than the one that was asked for.")
    is_cut = True
    origin = known if start and known is not None else _origin_of(response)
    length = origin.length
    with _disk(part):
        _check_room(part, (length or 0) - start)
        write_json(_origin(part), asdict(origin))
        with part.open("ab" if start else "wb") as file, contextlib.suppress(requests.exceptions.ChunkedEncodingError):
            for block in response.iter_content(_BLOCK):
                file.write(block)
                progress(file.tell(), length or 0)
            is_cut = False
    if is_cut or (length is not None and _size(part) != length):
        raise CutError(f"the connection was cut after {_size(part)} of {length or 'unknown'} bytes.")


def _continues(response: requests.Response, part: Path, known: Origin | None) -> bool:
    """Whether an answer begins where the part ends, in the same file."""
    span = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
    if response.status_code != 206 or span is None or known is None:
        return False
    same = known.length is None or span[2] in ("*", str(known.length))
    return int(span[1]) == _size(part) and same and _validator(response) in (None, known.validator)


def _origin_of(response: requests.Response) -> Origin:
    is_packed = response.headers.get("Content-Encoding", "identity") != "identity"
    length = response.headers.get("Content-Length", "")
    if is_packed:
        return Origin(_without_query(response.url), None, None)
    return Origin(_without_query(response.url), _validator(response), int(length) if length.isdigit() else None)


def _validator(response: requests.Response) -> str | None:
    """A strong ETag, or the hour of the last change; a weak ETag does not promise the same bytes."""
    tag = response.headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified")


def _check(response: requests.Response, asked: Asked | None, url: str) -> None:
    if response.ok:
        return
    status = response.status_code
    if status >= 500 or status == 429:
        raise CutError(f"the server answered {status}.")
    if asked is not None:
        raise InputError(
            f"Kaggle's storage refuses the files of {asked.kaggle!r} ({status}). Run the command again; see also {asked.page}."
        )
    meaning = {401: "it wants a password", 403: "access is refused", 404: "there is no such file", 410: "the file is gone"}
    raise InputError(f"{url}: the server answered {status} ({meaning.get(status, response.reason)}). Mend data.source in the declaration.")


@contextlib.contextmanager
def _disk(part: Path) -> Iterator[None]:
    """What the disk says, as a message; errors of the connection go their own way."""
    import requests

    try:
        yield
    except requests.RequestException:
        raise
    except OSError as error:
        raise InputError(
            f"{part} cannot be written: {error.strerror or error}. Make room, then run the same command to continue."
        ) from error


def _check_room(part: Path, needed: int) -> None:
    free = shutil.disk_usage(part.parent).free
    if needed > free:
        raise InputError(f"{part.parent} has {free} bytes free; {needed} are still to come. Make room, or name another folder with --data.")


def _known(part: Path, request: requests.PreparedRequest) -> Origin | None:
    """Where a part came from; None when that is unknown or was another address."""
    if not part.is_file() or not _origin(part).is_file():
        return None
    try:
        known = Origin(**read_json(_origin(part)))
    except (ValueError, TypeError):
        return None
    return known if known.url == _plain(request) else None


def _plain(request: requests.PreparedRequest) -> str:
    return _without_query(request.url or "")


def _without_query(url: str) -> str:
    return url.partition("?")[0]


def _reason(error: requests.RequestException) -> str:
    inner = getattr(error.args[0], "reason", error.args[0]) if error.args else error
    return f"{type(error).__name__}: {str(inner).rpartition(': ')[2][:120]}"


def _size(part: Path) -> int:
    return part.stat().st_size if part.is_file() else 0


def _part(target: Path) -> Path:
    return target.with_name(target.name + ".part")


def _origin(part: Path) -> Path:
    return part.with_name(part.name + ".json")
