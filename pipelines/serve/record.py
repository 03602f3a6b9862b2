"""``serving.json``: which of a run's artifacts its final prediction needs, and how they are put together."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from features.errors import InputError, listed
from pipelines.frames import REFIT
from pipelines.layers import all_above, stack_on_of
from pipelines.prepare import Prepared
from pipelines.serve.inputs import inputs_key
from pipelines.session import Session
from pipelines.spec import Part, views_of
from pipelines.store import read_json, write_json

NAME, OWN_STEPS = "serving.json", "steps.py"
_FORMAT = 1
_NOTHING = 1e-9
"""A weight below it is what a search leaves of zero."""
STORES = (".store", "store")
"""Where artifacts lie: in a run's folder, and in one that is made to be passed on."""


@dataclass(frozen=True)
class View:
    """The artifacts of one view: its steps that ran once, and its fold blocks in the order of the folds."""

    key: str
    folds: list[str]


@dataclass(frozen=True)
class Member:
    """A model that the final needs: its kind, its view, the rows it is for, and its fits in ``models/<model>/``."""

    kind: str
    view: str | None
    """None for a layer that sees predictions alone."""
    rows: str | None
    fits: list[str]
    stack_on: list[str] = field(default_factory=list)
    """The models whose predictions it sees, behind the columns of its view."""


@dataclass(frozen=True)
class Entry:
    """An entry of the ensemble that the final needs, as declared; what it has learnt stands in ``ensemble.json``."""

    kind: str
    params: dict[str, Any]
    left_out: list[str] = field(default_factory=list)
    """Its members that weigh nothing and could not be made anew: they, or something below them, were made elsewhere."""

    @property
    def asked(self) -> list[str]:
        """The columns and expressions it asks for besides predictions."""
        forced = [params["where"] for name, params in self.params.get("rules", ()) if name == "force"]
        return [*forced, *(name for name in (self.params.get("by"), (self.params.get("params") or {}).get("per")) if name)]


@dataclass(frozen=True)
class Record:
    """How the final prediction of a run comes about."""

    competition: str
    task: str
    metric: tuple[str, dict[str, Any]]
    transform: str
    classes: list[Any]
    inputs: str
    """Key of the raw columns' types and the joined tables."""
    n_base: int
    """How many steps come before those of a view."""
    views: dict[str, View]
    models: dict[str, Member]
    entries: dict[str, Entry]
    final: str
    decision: Entry | None
    """The threshold that is declared beside a metric of probabilities."""
    has_own_steps: bool
    """Whether ``steps.py`` beside it holds the competition's own steps."""
    outside: list[str] = field(default_factory=list)
    """The predictions made elsewhere that the final needs: with any, new rows cannot be predicted."""

    @property
    def asked(self) -> list[str]:
        """The columns and expressions that models, entries and the decision ask for besides features."""
        rows = [member.rows for member in self.models.values() if member.rows is not None]
        entries = [*self.entries.values(), *([self.decision] if self.decision else [])]
        return list(dict.fromkeys([*rows, *(name for entry in entries for name in entry.asked)]))

    @classmethod
    def read(cls, folder: Path) -> Record:
        """The record in a run's folder.

        Raises
        ------
        InputError
            When it was written by another version.
        """
        plain = read_json(folder / NAME)
        if plain.pop("format") != _FORMAT:
            raise InputError(f"{folder / NAME} was written by another version of Foldwise; this one reads format {_FORMAT}. Run it again.")
        parts = {
            "metric": (plain["metric"][0], plain["metric"][1]),
            "views": {name: View(**view) for name, view in plain["views"].items()},
            "models": {name: Member(**member) for name, member in plain["models"].items()},
            "entries": {name: Entry(**entry) for name, entry in plain["entries"].items()},
            "decision": None if plain["decision"] is None else Entry(**plain["decision"]),
        }
        return cls(**{**plain, **parts})

    def check_whole(self) -> None:
        """Whether the run itself holds all that predicts new rows.

        Raises
        ------
        InputError
            When the final needs predictions that were made elsewhere.
        """
        if self.outside:
            raise InputError(
                f"{listed(self.outside)}, made elsewhere, belong(s) to the final prediction {self.final!r} of {self.competition!r}: only their "
                "predictions are here, no model that could predict new rows. Take them out of 'members', or out of the final, and run again."
            )

    def files(self, store: Path) -> Iterator[Path]:
        """Every file that is read to predict, as paths below the run's folder; ``store`` is the folder of the artifacts."""
        yield from (Path(NAME), Path("ensemble.json"), *([Path(OWN_STEPS)] if self.has_own_steps else []))
        for path in sorted((store / self.inputs).iterdir()):
            yield Path(store.name) / self.inputs / path.name
        for view in self.views.values():
            yield from (Path(store.name) / view.key / name for name in ("steps.json", "types.json", "plan.json"))
            yield from (Path(store.name) / key / "steps.json" for key in view.folds)
        for name, member in self.models.items():
            for fit in member.fits:
                folder = Path("models") / name / fit
                found = sorted(path.relative_to(store.parent) for path in (store.parent / folder).rglob("*") if path.is_file())
                yield from (path for path in found if path.suffix != ".npy")


def write_record(session: Session, prepared: Prepared, final: str, decision: Part | None, out: Path) -> None:
    """Write ``serving.json`` of a run whose final prediction is ``final``."""
    spec, keys = session.spec, session.keys
    learnt = read_json(out / "ensemble.json")["entries"]
    stack_on = stack_on_of(spec.models)
    left_out = weightless(learnt, [*spec.members, *all_above(stack_on, spec.members)])
    needed = _needed({**{name: part.params["of"] for name, part in spec.ensemble.items()}, **stack_on}, left_out, final)
    folds = [REFIT] if spec.refit == "all" else [*range(prepared.folds.n_folds)]
    models = {name: model for name, model in spec.models.items() if name in needed}
    views = views_of(models.values())
    fits = ["refit" if fold == REFIT else f"fold-{fold}" for fold in folds]
    source = session.competition.folder / OWN_STEPS
    if source.is_file():
        shutil.copyfile(source, out / OWN_STEPS)
    record = Record(
        session.competition.name,
        spec.task,
        (spec.metric.name, spec.metric.params),
        spec.target.transform,
        prepared.classes,
        inputs_key(keys),
        len(spec.clean) + len(spec.features),
        {view: View(keys.view(view), [keys.fold(view, fold) for fold in folds]) for view in views},
        {name: Member(model.kind, model.view, model.keys.rows, fits, model.stack_on) for name, model in models.items()},
        {name: Entry(part.name, part.params, left_out[name]) for name, part in spec.ensemble.items() if name in needed},
        final,
        None if decision is None or decision is spec.ensemble.get(final) else Entry(decision.name, decision.params),
        source.is_file(),
        [name for name in spec.members if name in needed],
    )
    if record.outside:
        session.console.say(f"note: {listed(record.outside)}, made elsewhere, belong(s) to the final: this run cannot predict new rows")
    write_json(out / NAME, {"format": _FORMAT, **asdict(record)})


def weightless(learnt: Mapping[str, Mapping[str, Any]], outside: Collection[str]) -> dict[str, list[str]]:
    """By entry, in the order of entries, those of its members that weigh nothing and cannot be made without outside predictions.

    >>> learnt = {"a": {"kind": "stack", "of": ["x", "friend"]}, "b": {"kind": "blend", "of": ["a", "x"], "weights": [0.0, 1.0]}}
    >>> weightless(learnt, {"friend"})
    {'a': [], 'b': ['a']}
    """
    bound, found = set(outside), dict[str, list[str]]()
    for name, entry in learnt.items():
        weights = (entry.get("weights") if entry["kind"] in ("blend", "log_pool") else None) or [1.0] * len(entry["of"])
        found[name] = [member for member, weight in zip(entry["of"], weights, strict=True) if member in bound and weight < _NOTHING]
        if bound.intersection(entry["of"]).difference(found[name]):
            bound.add(name)
    return found


def _needed(members: Mapping[str, list[str]], left_out: Mapping[str, list[str]], final: str) -> set[str]:
    """The final, its members, their members, and so on, but for those that are left out; ``members`` are by entry and model."""
    needed: set[str] = set()
    waiting: Sequence[str] = [final]
    while waiting:
        needed.update(waiting)
        waiting = [member for name in waiting for member in members.get(name, []) if member not in left_out.get(name, [])]
    return needed
