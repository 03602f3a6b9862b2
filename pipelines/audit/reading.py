"""Own steps may not fetch the target themselves: while they are loaded and run, nobody opens the file that holds it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.audit.case import Case
from pipelines.audit.finding import Finding, Severity, passed
from pipelines.audit.world import World

CHECK = "files that own steps open"
_watching: list[set[str]] = []


def check(case: Case) -> Iterator[Finding]:
    """Load the competition's own steps and run fold 0 while every opened file is noted; the tables were read before.

    A library that opens files by itself (Arrow, for parquet) is not seen here: what such a step writes is looked at by the
    checks of rows' labels and of columns that explain too much.
    """
    if case.own_steps is None:
        yield passed(CHECK, "the competition has no steps of its own")
        return
    data = case.session.spec.data
    with opened_files() as opened:
        World.of(case, case.y, [0])
    with_target = [name for name in (data.train, data.holdout) if name and Path(name).name in opened]
    for name in with_target:
        yield Finding(
            CHECK,
            Severity.LEAK,
            str(case.own_steps),
            f"its steps open {name!r}, where the targets of all rows are",
            "A step works on the frame it is given; one that needs the target sets learns and is given the y of its training rows.",
        )
    if not with_target:
        yield passed(CHECK, "own steps open no file that holds the target")


@contextmanager
def opened_files() -> Iterator[set[str]]:
    """The names, without folders, of all files that Python opens meanwhile."""
    _install()
    names: set[str] = set()
    _watching.append(names)
    try:
        yield names
    finally:
        _watching.remove(names)


def _install() -> None:
    # an audit hook cannot be taken out again; it is put in once, by the first audit, and idles while nobody watches
    if not getattr(sys, "_foldwise_watches", False):
        sys.addaudithook(_note)
        sys._foldwise_watches = True  # type: ignore[attr-defined]


def _note(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open" and _watching and isinstance(arguments[0], str | os.PathLike):
        name = Path(arguments[0]).name
        for names in _watching:
            names.add(name)
