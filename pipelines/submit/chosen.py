"""Which file is submitted, and which run it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from features.errors import InputError
from pipelines.fetch.checksums import sha256_of
from pipelines.history import entries, entry_named
from pipelines.store import read_json

FILE = "submission.csv"


@dataclass(frozen=True)
class Chosen:
    """A submission file and the history entry of its run; None for a file that no run has made."""

    path: Path
    entry: Path | None

    @property
    def run_id(self) -> str:
        """Empty where no run has made the file."""
        return "" if self.entry is None else self.entry.name

    @property
    def facts(self) -> dict[str, Any]:
        """The ``run.json`` of the run; empty without one."""
        return {} if self.entry is None else read_json(self.entry / "run.json")

    def sha256(self) -> str:
        """The file's SHA-256; InputError when there is no file."""
        if not self.path.is_file():
            raise InputError(f"There is no submission file {self.path}. Make one with foldwise run, or name one with --file.")
        return sha256_of(self.path)

    def default_message(self) -> str:
        """The run and its out-of-fold score; the file's name without a run."""
        if self.entry is None:
            return self.path.name
        metrics = read_json(self.entry / "metrics.json")
        return f"foldwise {self.run_id}: {metrics['metric']} {metrics['final']['score']:.5f} out-of-fold"


def choose(latest: Path, run: str | None, file: Path | None) -> Chosen:
    """The named file, the submission of a named run, or that of the latest full run.

    Raises
    ------
    InputError
        When there is no run, no such run, or it made no submission.
    """
    if file is not None:
        return Chosen(file, _run_of(latest, file) if run is None else _entry(latest, run))
    if run is None and not (latest / "run.json").is_file():
        raise InputError(
            f"{latest.name!r} has no finished full run in {latest.parent}. Run it first: foldwise run {latest.name} --runs {latest.parent}"
        )
    entry = _entry(latest, read_json(latest / "run.json")["run_id"] if run is None else run)
    if not (entry / FILE).is_file():
        raise InputError(f"Run {entry.name} has no {FILE}: its declaration names no test file. Declare data.test and run again.")
    if read_json(entry / "run.json")["options"].get("sample"):
        raise InputError(f"Run {entry.name} has used a sample of the rows (--sample), so its {FILE} lacks rows. Run without --sample.")
    return Chosen(latest / FILE if run is None else entry / FILE, entry)


def _entry(latest: Path, run: str) -> Path:
    known = [entry for entry in entries(latest.parent) if entry.folder.parent.parent == latest]
    return entry_named(run, known, f"in {latest / 'history'}").folder


def _run_of(latest: Path, file: Path) -> Path | None:
    """The run whose submission has the same bytes."""
    if not file.is_file():
        return None
    size, digest = file.stat().st_size, ""
    for path in sorted((latest / "history").glob(f"[!.]*/{FILE}"), reverse=True):
        if path.stat().st_size == size:
            digest = digest or sha256_of(file)
            if sha256_of(path) == digest:
                return path.parent
    return None
