"""Addresses, as seen from the page."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from pipelines.board.records import Record
from pipelines.report.blocks import Cell, Link


@dataclass(frozen=True)
class Places:
    """Where the page is, and where that is which it leads to.

    Attributes
    ----------
    folder
        The folder of the page.
    trackers
        Pages that are served while the board is looked at: MLflow and Optuna.
    experiments
        The address of a competition's experiment in MLflow, by competition.
    """

    folder: Path
    trackers: Sequence[Link] = ()
    experiments: Mapping[str, str] = field(default_factory=dict)

    def href(self, path: Path) -> str:
        """A file, relative to the page, so that a folder that was moved keeps its links."""
        return quote(Path(os.path.relpath(path, self.folder)).as_posix())

    def report(self, record: Record) -> Cell:
        """A run's name, leading to its report where there is one."""
        if not record.has_report:
            return record.run_id
        return Link(record.run_id, self.href(record.entry.folder / "report.html"))
