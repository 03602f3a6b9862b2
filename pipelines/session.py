"""All that one run works with: the checked declaration, where things are, and the options."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from features.errors import InputError, closest, listed
from pipelines.build_spec import build_spec
from pipelines.competition import Competition
from pipelines.console import Console
from pipelines.declaration import Declaration
from pipelines.devices import ADDED_BY_BUDGETS, Devices, Size, boosters, choose
from pipelines.keys import Keys, inner_kinds
from pipelines.layers import all_above, all_below, stack_on_of
from pipelines.metrics import Metric, metric_of
from pipelines.options import Options
from pipelines.spec import Spec
from pipelines.store import Store
from pipelines.surroundings import Surroundings
from pipelines.unchanged import hash_inputs, member_files, table_names

_PROBING_SHARE = 0.25
"""The share of a budget after which no device is tried any more."""


@dataclass(frozen=True)
class Session:
    """A competition, its checked declaration and its data, ready to run."""

    competition: Competition
    declaration: Declaration
    spec: Spec
    keys: Keys
    data: Path
    options: Options
    around: Surroundings

    def with_declaration(self, declaration: Declaration) -> Session:
        """The same data and options under another declaration."""
        spec = build_spec(declaration)
        return replace(self, declaration=declaration, spec=spec, keys=replace(self.keys, spec=spec))

    def quietly(self) -> Session:
        """The same, saying nothing."""
        return replace(self, around=replace(self.around, console=Console(is_quiet=True)))

    @property
    def console(self) -> Console:
        """Where the run says things."""
        return self.around.console

    @property
    def latest(self) -> Path:
        """``runs/<competition>``."""
        return self.options.runs / self.competition.name

    @property
    def store(self) -> Store:
        """The competition's artifacts."""
        return Store(self.latest / ".store")

    @property
    def metric(self) -> Metric:
        """The declared metric."""
        return metric_of(self.spec.metric.name, self.spec.metric.params)

    @property
    def models(self) -> list[str]:
        """The models to train: all, or the chosen ones in declared order; on a sample without layers on what was made elsewhere."""
        left_out = () if self.options.sample is None else all_above(stack_on_of(self.spec.models), self.spec.members)
        return [name for name in self.spec.models if name not in left_out and (not self.options.models or name in self.options.models)]

    @property
    def layers(self) -> list[str]:
        """Those of the models that stand on predictions of others."""
        return [name for name in self.models if self.spec.models[name].stack_on]

    @property
    def members(self) -> list[str]:
        """The predictions made elsewhere that join: all, or the chosen ones; none on a sample, whose folds are others."""
        chosen = [name for name in self.spec.members if not self.options.models or name in self.options.models]
        return chosen if self.options.sample is None else []


def open_session(competition: Competition, data: Path, options: Options, around: Surroundings) -> Session:
    """Check the declaration and the options.

    Raises
    ------
    InputError
        When the declaration has faults, or an option names what is not there.
    """
    competition.load_own_steps()
    declaration = competition.declaration(options.settings, options.history(competition.name))
    spec = build_spec(declaration)
    known = [*spec.models, *spec.members]
    for name in options.models:
        if name not in known:
            raise InputError(f"--models names {name!r}; the declaration has {listed(known)}.{closest(name, known)}")
    if options.models and not set(options.models) & set(spec.models):
        raise InputError(
            f"--models names only members made elsewhere ({listed(options.models)}); at least one model to fit is needed: {listed(spec.models)}."
        )
    _check_chosen(spec, options)
    if options.past and (options.models or options.sample is not None):
        raise InputError("--past joins what was fitted on all rows to all models. Leave out --models and --sample, or --past.")
    if options.sample is not None and options.sample < 1:
        raise InputError(f"--sample needs at least 1 row, found {options.sample}.")
    tables, outside = (hash_inputs(data, names(declaration.data)) for names in (table_names, member_files))
    keys = Keys(spec, tables, options.sample, Devices(), outside)
    session = Session(competition, declaration, spec, keys, data, options, around)
    if not session.models:
        raise InputError(
            f"--sample leaves no model: {listed(spec.models)} stand(s) on predictions made elsewhere, which know only all rows."
        )
    return on_devices(_with_past(session) if options.past else session)


def _with_past(session: Session) -> Session:
    """The session with models of earlier runs as members; what joined is said."""
    from pipelines.history import entries_of
    from pipelines.outside.past import past_members
    from pipelines.portfolio_declaration import with_members

    runs = entries_of(session.latest)
    members = past_members(runs, session.keys, session.models)
    session.console.say(f"past: {len(members)} model(s) of {len(runs)} earlier run(s) join: the same rows and folds, and not fitted here")
    if not members:
        return session
    declaration = with_members(session.declaration, members)
    keys = replace(session.keys, outside=hash_inputs(session.data, member_files(declaration.data)))
    return replace(session, keys=keys).with_declaration(declaration)


def _check_chosen(spec: Spec, options: Options) -> None:
    """Whether all that the chosen models stand on is chosen too.

    Raises
    ------
    InputError
        With the options that would do.
    """
    for name in options.models:
        below = spec.models[name].stack_on if name in spec.models else []
        missing = [member for member in below if member not in options.models]
        if missing:
            stack_on = stack_on_of(spec.models)
            needed = {name, *below, *(member for one in all_below(stack_on, name) for member in (one, *stack_on[one]))}
            enough = [one for one in (*spec.models, *spec.members) if one in needed or one in options.models]
            raise InputError(f"--models names {name!r}, which stands on {listed(missing)}. Name these too: --models {','.join(enough)}")


def on_devices(session: Session) -> Session:
    """The session with the device of each kind of booster, as its options ask for; what the choice rests on is said.

    Raises
    ------
    InputError
        When ``cuda`` is asked for and a declared booster cannot train on a GPU.
    """
    options, machine, declared = session.options, session.around.accelerators, dict[str, list[str]]()
    for name in session.models:
        model = session.spec.models[name]
        for kind in boosters((model.kind, *inner_kinds(model.params))):
            declared.setdefault(kind, []).append(name)
    if options.budget is not None:
        machine = replace(machine, until=session.around.began + _PROBING_SHARE * options.budget)
    added = ADDED_BY_BUDGETS if options.budget is not None else ()
    threads = session.around.cores
    devices = choose(options.device, declared, size=lambda: _size(session), threads=threads, machine=machine, added=added)
    for line in devices.said:
        session.console.say(line)
    return replace(session, keys=replace(session.keys, devices=devices))


def _size(session: Session) -> Size:
    """Rows and columns of the table, which is made where it is not in the store."""
    from pipelines.prepare import ensure_table

    table = ensure_table(session.spec, session.keys, session.data, session.store)
    return Size(table.n_train, max(1, table.n_features))
