"""A run's predictor in a folder of its own: the files it reads and nothing else."""

from __future__ import annotations

from pathlib import Path

from pipelines.serve.predictor import store_of
from pipelines.serve.record import STORES, Record
from pipelines.store import show


def pack(run: Path, folder: Path) -> None:
    """Link (or copy, on another disk) every file that predicting reads into a new folder, which ``Predictor.read`` takes."""
    store = store_of(run)
    for path in Record.read(run).files(store):
        # not hidden: tools that copy a model's folder may leave hidden ones behind
        place = Path(STORES[1], *path.parts[1:]) if path.parts[0] == store.name else path
        show(run / path, folder / place)
