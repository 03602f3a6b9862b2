"""The deployed ensemble of a run: its entries as they were fitted on all out-of-fold rows, applied to new predictions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.combiners import COMBINERS
from pipelines.ensembles import Problem
from pipelines.known import Known
from pipelines.metrics import Array, metric_of
from pipelines.oof import OnOof, stacked
from pipelines.serve.record import Entry, Record
from pipelines.store import read_json
from pipelines.targets import TRANSFORMS


@dataclass(frozen=True)
class Deployed:
    """Entries in declared order, and the threshold beside a final of probabilities."""

    entries: dict[str, tuple[list[str], OnOof]]
    decision: OnOof | None

    @classmethod
    def read(cls, folder: Path, record: Record) -> Deployed:
        """The entries of a run's folder with what they learnt."""
        learnt = read_json(folder / "ensemble.json")
        problem = Problem(record.task, metric_of(*record.metric), TRANSFORMS[record.transform])
        entries = {name: _lightened(entry, problem, learnt["entries"][name]) for name, entry in record.entries.items()}
        return cls(entries, None if record.decision is None else _made(record.decision, problem, learnt["decision"]))

    def combine(self, models: Mapping[str, Array], known: Known) -> dict[str, Array]:
        """The predictions of models and entries."""
        predictions = dict(models)
        for name, (of, entry) in self.entries.items():
            predictions[name] = entry.predict(stacked([predictions[member] for member in of]), known)
        return predictions

    def decide(self, final: Array, known: Known) -> Array | None:
        """The classes (codes) that the threshold gives the final's probabilities; None where none stands beside it."""
        return None if self.decision is None else self.decision.predict(stacked([final]), known)


def _lightened(entry: Entry, problem: Problem, learnt: dict[str, Any]) -> tuple[list[str], OnOof]:
    """An entry's members and itself, without the members that weigh nothing and are not there."""
    of: list[str] = entry.params["of"]
    if not entry.left_out:
        return of, _made(entry, problem, learnt)
    kept = [position for position, member in enumerate(of) if member not in entry.left_out]
    there = [of[position] for position in kept]
    weights = [learnt["weights"][position] for position in kept]
    return there, _made(Entry(entry.kind, {**entry.params, "of": there}), problem, {**learnt, "weights": weights})


def _made(entry: Entry, problem: Problem, learnt: dict[str, Any]) -> OnOof:
    made = COMBINERS[entry.kind](problem, **entry.params)
    made.restore(learnt)
    return made
