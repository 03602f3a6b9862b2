"""What a run says: plain lines, and a progress line on a terminal."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TextIO


@dataclass
class Console:
    """Says things on a stream; a quiet one says nothing."""

    stream: TextIO = field(default_factory=lambda: sys.stderr)
    is_quiet: bool = False

    def say(self, line: str) -> None:
        """One line."""
        if not self.is_quiet:
            print(f"{self._clear()}{line}", file=self.stream, flush=True)

    def progress(self, done: int, total: int, what: str) -> None:
        """How far something is; on a terminal only, where the next line takes its place."""
        if not self.is_quiet and self.stream.isatty():
            filled = 24 * done // max(total, 1)
            print(f"{self._clear()}[{'#' * filled}{'.' * (24 - filled)}] {done}/{total} {what}", end="", file=self.stream, flush=True)

    def _clear(self) -> str:
        return "\r\x1b[K" if self.stream.isatty() else ""
