"""The ground a search stands on: a model's session with tuning folds, and the matrices of each configuration of steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from features.errors import InputError, listed
from pipelines.build_spec import build_spec
from pipelines.competition import Competition
from pipelines.declaration import DeclarationError, Fault
from pipelines.devices import Devices
from pipelines.keys import Keys
from pipelines.models import kinds
from pipelines.options import Options
from pipelines.prepare import Prepared, ensure_table, ensure_views
from pipelines.session import Session, on_devices
from pipelines.spec import ModelKeys, ModelSpec, Spec
from pipelines.store import key_of
from pipelines.surroundings import Surroundings
from pipelines.tuning.changes import Changes
from pipelines.tuning.declared import SEARCHABLE_KEYS, TuneSpec, check_tune
from pipelines.tuning.defaults import default_space, spelled_as
from pipelines.tuning.folds import TuningFold, read_fold
from pipelines.tuning.space import Space
from pipelines.tuning.split import TuningSplit, tuning_split
from pipelines.unchanged import hash_inputs, table_names

_STUDY_READS = ("data", "task", "metric", "rows", "target", "resample", "clean", "features", "views")
"""Parts of a declaration that decide what a trial's score is, besides the model and the folds."""


@dataclass(frozen=True)
class Base:
    """A checked competition before anything is changed: its session on tuning folds, and how each model is tuned."""

    session: Session
    split: TuningSplit
    tune: dict[str, TuneSpec]

    @property
    def spec(self) -> Spec:
        """The checked declaration."""
        return self.session.spec

    def space_of(self, model: str) -> Space:
        """What is searched for a model; names as the declaration spells them.

        Raises
        ------
        InputError
            When there is nothing to search.
        """
        declared, tune = self.spec.models[model], self.tune.get(model, TuneSpec())
        own = default_space(declared.kind, self.spec.task) if tune.space is None or tune.defaults else {}
        own = {spelled_as(declared.kind, name, {**declared.params, **(tune.space or {})}): one for name, one in own.items()}
        space = {**own, **{spelled_as(declared.kind, name, declared.params): one for name, one in (tune.space or {}).items()}}
        if not space:
            raise InputError(
                f"Model {model!r} has nothing to search: kind {declared.kind!r} has no space of its own. "
                f"Give one: tune: {{{model}: {{space: {{PARAMETER: {{float: [low, high]}}}}}}}}"
            )
        return space


def open_base(competition: Competition, data: Path, options: Options, around: Surroundings, *, devices: Devices | None = None) -> Base:
    """Check a declaration as it was written, without tuned parameters, and give it the tuning folds.

    ``devices`` are those that another process has chosen; without them the options choose.

    Raises
    ------
    DeclarationError
        When the declaration has faults, those of ``tune`` among them.
    """
    competition.load_own_steps()
    written = competition.declaration(options.settings, with_tuned=False)
    declaration = replace(written, data={key: value for key, value in written.data.items() if key != "tune"})
    spec, faults = build_spec(declaration), list[Fault]()
    tune = check_tune(written.data.get("tune"), spec.models, faults, written.data)
    if faults:
        raise DeclarationError(written, faults)
    split = tuning_split(spec.split.name, spec.split.params)
    declaration = replace(declaration, data={**declaration.data, "split": {split.splitter: split.params}})
    keys_of = hash_inputs(data, table_names(declaration.data))
    session = Session(competition, declaration, spec, Keys(spec, keys_of, options.sample, devices or Devices()), data, options, around)
    session = session.with_declaration(declaration)
    return Base(on_devices(session) if devices is None else session, split, tune)


@dataclass
class Ground:
    """The tuning folds of one model in this process; matrices of a few configurations of steps are kept in memory."""

    base: Base
    model: str
    threads: int
    _prepared: dict[str, Prepared] = field(default_factory=dict)
    _folds: dict[tuple[str, int], TuningFold] = field(default_factory=dict)

    @property
    def declared(self) -> ModelSpec:
        """The model as it is declared."""
        return self.base.spec.models[self.model]

    def changes(self, values: Mapping[str, Any]) -> Changes:
        """Searched values, sorted by what they change."""
        library = kinds()[self.declared.kind].parameters(self.base.spec.task)
        return Changes.of(values, library, SEARCHABLE_KEYS & frozenset(ModelKeys.model_fields))

    def session(self, values: Mapping[str, Any]) -> Session:
        """The session of a configuration, with this model only.

        Raises
        ------
        InputError
            When the changed declaration has faults.
        """
        changes, session = self.changes(values), self.base.session
        if changes.is_of_model_only:
            model = replace(self.declared, params={**self.declared.params, **changes.params})
        else:
            data = changes.applied(session.declaration.data, self.model, self.declared.kind)
            session = session.with_declaration(replace(session.declaration, data=data))
            model = session.spec.models[self.model]
        spec = replace(session.spec, models={self.model: model}, ensemble={}, decision=None)
        return replace(session, spec=spec, keys=replace(session.keys, spec=spec))

    def fold(self, session: Session, fold: int) -> TuningFold:
        """One tuning fold of a configuration, from memory, from the store, or made now."""
        spec = session.spec.models[self.model]
        of_rows = key_of(spec.resample and (spec.resample.name, spec.resample.params), spec.keys.model_dump(), spec.transform)
        key = session.keys.fold(spec.keys.view, fold) + of_rows
        if (key, fold) not in self._folds:
            kept = 3 * self.prepare(session).folds.n_folds
            while len(self._folds) >= kept:
                del self._folds[next(iter(self._folds))]
            self._folds[key, fold] = read_fold(session, self.prepare(session), self.model, fold, self.threads)
        return self._folds[key, fold]

    def prepare(self, session: Session) -> Prepared:
        """The checked table, and the matrices of the model's view in the store."""
        view = session.spec.models[self.model].keys.view
        key = session.keys.view(view)
        if key not in self._prepared:
            table = ensure_table(session.spec, session.keys, session.data, session.store)
            made = (session.declaration, session.spec, session.keys, session.data, session.store, table, [view])
            self._prepared[key], _ = ensure_views(*made)
        return self._prepared[key]

    def used_folds(self, session: Session) -> range:
        """The folds that are scored."""
        return self.base.split.used(self.prepare(session).folds.n_folds)

    def study_name(self, space: Space, objectives: tuple[str, ...]) -> str:
        """The name of the study: equal for searches whose trials may stand side by side, on any machine."""
        session, declared = self.base.session, self.declared
        read = {name: session.declaration.data.get(name) for name in _STUDY_READS}
        model = session.declaration.data["models"][self.model]
        searched = {name: dimension.declared for name, dimension in space.items()}
        split = (session.spec.split.name, session.spec.split.params, self.base.split.skips_last)
        key = key_of("study", read, model, declared.kind, split, session.keys.inputs, session.options.sample, searched, objectives)
        return f"{session.competition.name}/{self.model}/{key[:10]}"

    def check_space(self, space: Space) -> None:
        """Try both ends of every range, each alone, on the declaration.

        Raises
        ------
        InputError
            When a path leads nowhere, a step refuses a value, or the library does.
        """
        kind, faults = kinds()[self.declared.kind], list[str]()
        for name, dimension in space.items():
            for value in dimension.ends:
                if self.changes({name: value}).is_of_model_only:
                    found = kind.value_faults(self.base.spec.task, {**self.declared.params, name: value})
                    faults += [f"{name} = {value!r}: {message}" for message in found]
                    continue
                try:
                    self.session({name: value})
                except InputError as error:
                    faults.append(f"{name} = {value!r}: {_without_place(error)}")
        if faults:
            where = self.base.session.declaration.place(("tune", self.model, "space"))
            rest = f" ... ({len(faults)} in all)" if len(faults) > 3 else ""
            raise InputError(f"{where}: the space of {self.model!r} holds what cannot be run: {' '.join(faults[:3])}{rest}")


def _without_place(error: InputError) -> str:
    return "; ".join(fault.message for fault in error.faults) if isinstance(error, DeclarationError) else str(error)


def chosen_models(base: Base, asked: tuple[str, ...]) -> list[str]:
    """The models to tune: those asked for, else those with a ``tune`` entry, else all whose kind has a space of its own.

    Raises
    ------
    InputError
        When none of them has anything to search, or a layer is asked for.
    """
    models = base.spec.models
    layers = [name for name in asked if models[name].stack_on]
    if layers:
        raise InputError(
            f"{listed(layers)} stand(s) on other models (stack_on), and a layer cannot be tuned yet. Leave it out of --models."
        )
    with_space = [name for name, model in models.items() if default_space(model.kind, base.spec.task) and not model.stack_on]
    found = [name for name in models if name in asked] or [name for name in models if name in base.tune] or with_space
    if not found:
        of_kinds = listed({model.kind for model in models.values()})
        raise InputError(f"No model has anything to search: the kinds {of_kinds} have no space of their own. Give one under 'tune'.")
    return found
