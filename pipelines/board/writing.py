"""Putting a page where the user wants it."""

from __future__ import annotations

from pathlib import Path

from features.errors import InputError
from pipelines.store import whole_file


def write_page(path: Path, text: str, *, option: str) -> Path:
    """Write a page whole or not at all; gives its path.

    Parameters
    ----------
    option
        What named the path on the command line, for the message.

    Raises
    ------
    InputError
        When it cannot be written there.
    """
    if path.is_dir():
        raise InputError(f"{option} {path} is a folder; name a file, such as {path / 'page.html'}.")
    try:
        with whole_file(path) as file:
            file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{option} {path} cannot be written ({error.strerror or error}). Name a file in a folder of yours.") from error
    return path
