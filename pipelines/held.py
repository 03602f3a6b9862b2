"""One process at a time: a lock on a folder, which the system lets go when its holder ends, however that ends."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from features.errors import InputError


@contextlib.contextmanager
def held(folder: Path, *, waits: bool = True) -> Iterator[None]:
    """Hold a folder while the block runs; only those who ask for it in this way are kept out.

    Parameters
    ----------
    waits
        Whether to wait for another holder; otherwise its presence is an error.

    Raises
    ------
    InputError
        When another process holds the folder and ``waits`` is False.
    """
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX if waits else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise InputError(f"Another process is at work in {folder}. Wait for it, or end it.") from error
    finally:
        os.close(handle)
