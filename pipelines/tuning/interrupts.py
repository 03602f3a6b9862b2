"""Interrupts that come at a good moment only: inside a fit, whose trial is then put back, or between two trials."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any


class Interrupts:
    """While it is entered, an interrupt waits until somebody is ``inside`` or asks for it.

    Around fits Optuna writes to its storage: an interrupt there would leave a trial running for ever, or a database locked.
    A second interrupt does not disturb what the first one set off. Outside the main thread, where signals do not arrive,
    nothing changes.
    """

    def __init__(self) -> None:
        self.is_due = False
        self._is_inside = False
        self._before: Any = None

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._heed)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Where an interrupt may come at once."""
        self.check()
        self._is_inside = True
        try:
            yield
        finally:
            self._is_inside = False

    @contextmanager
    def outside(self) -> Iterator[None]:
        """Where it waits again, in the middle of what is inside."""
        self._is_inside = False
        yield
        self.check()
        self._is_inside = True

    def check(self) -> None:
        """Raise the interrupt that has come."""
        if self.is_due:
            raise KeyboardInterrupt

    def _heed(self, number: int, frame: FrameType | None) -> None:
        is_first, self.is_due = not self.is_due, True
        if self._is_inside and is_first:
            raise KeyboardInterrupt
