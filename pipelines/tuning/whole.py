"""A whole tuning: from a competition's name to a file of parameters beside its declaration."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from optuna.study import Study
from optuna.trial import FrozenTrial

from features.errors import InputError, closest, listed
from pipelines.competition import find_competition, find_data
from pipelines.failures import ModelFailedError
from pipelines.options import Options
from pipelines.session import Session
from pipelines.store import read_json, write_json
from pipelines.surroundings import Surroundings
from pipelines.tuning.declared import TRIALS, TuneSpec
from pipelines.tuning.defaults import default_value, same_names
from pipelines.tuning.ground import Base, Ground, chosen_models, open_base
from pipelines.tuning.outcome import Outcome, check_failures, outcome_of, table_of, values_of
from pipelines.tuning.processes import run_workers
from pipelines.tuning.recorded import Recorder
from pipelines.tuning.space import Space
from pipelines.tuning.study import Heartbeat, Progress, enqueue_first, has_ended, open_storage, past_starts
from pipelines.tuning.tuned import write_tuned
from pipelines.tuning.worker import SCORE, TIME, Search, open_search, work

TRIALS_TABLE = "tuning.json"
"""The trials of a competition's tunings, below ``runs/<competition>``."""


class Start(Protocol):
    """A configuration to begin with."""

    @property
    def kind(self) -> str:
        """The kind of model it is of."""

    @property
    def params(self) -> dict[str, Any]:
        """Its library parameters."""


@dataclass(frozen=True)
class Wanted:
    """What is asked of a tuning."""

    trials: int | None = None
    """Trials for every model; those of its ``tune`` entry, or 50, when not given."""
    workers: int = 1
    seconds: float | None = None
    """For all models together."""
    storage: str | None = None
    """Any Optuna RDB URL; SQLite below the runs when not given."""
    seed: int = 0
    objectives: tuple[str, ...] = (SCORE,)
    prunes: bool = True
    starts: Sequence[Start] | None = None
    """Configurations to begin with; those of the portfolio when not given."""
    heartbeat: Heartbeat = field(default_factory=Heartbeat)

    @property
    def facts(self) -> dict[str, Any]:
        """What was asked for, as plain data."""
        return {name: getattr(self, name) for name in ("trials", "workers", "seconds", "seed", "objectives", "prunes")}

    def check(self) -> None:
        """InputError when something is asked for that cannot be done."""
        if self.trials is not None and self.trials < 1:
            raise InputError(f"--trials needs at least 1 trial, found {self.trials}.")
        if self.workers < 1:
            raise InputError(f"--workers needs at least 1 process, found {self.workers}.")
        if self.seed < 0:
            raise InputError(f"--seed is 0 or more, found {self.seed}.")
        if self.objectives not in ((SCORE,), (SCORE, TIME)):
            raise InputError(f"--objectives takes {SCORE!r} or '{SCORE},{TIME}', found {','.join(self.objectives)!r}.")


@dataclass(frozen=True)
class Tuned:
    """What a tuning found: outcomes by model, and the file they were written to (None where no trial was finished)."""

    outcomes: dict[str, Outcome]
    path: Path | None
    url: str
    metric: str
    session: Session


def tune(name_or_folder: str, *, options: Options, wanted: Wanted | None = None, around: Surroundings | None = None) -> Tuned:
    """Search the parameters of a competition's models on folds of their own, and write the best beside its declaration.

    Nothing else is changed: the next run reads the file, fits on its own folds and scores there.

    Parameters
    ----------
    name_or_folder
        A competition by name or folder.
    options
        As for a run; ``options.models`` are those to tune: all that have a ``tune`` entry, or all with a space, when empty.

    Raises
    ------
    InputError
        When the declaration, an option or the storage is wrong.
    ModelFailedError
        When the declared parameters cannot be fitted, or too many trials fail.
    """
    wanted, around = wanted or Wanted(), around or Surroundings.read()
    wanted.check()
    began = time.time()
    competition = find_competition(name_or_folder)
    declaration = competition.declaration(options.settings, with_tuned=False)
    data, sample_line = find_data(competition, declaration, options.data, options.runs)
    if sample_line:
        around.console.say(sample_line)
    base = open_base(competition, data, options, around)
    for name in options.models:
        if name not in base.spec.models:
            known = base.spec.models
            raise InputError(f"--models names {name!r}; the declaration has {listed(known)}.{closest(name, known)}")
    models, outcomes, path = chosen_models(base, options.models), dict[str, Outcome](), None
    url = wanted.storage or _default_url(base)
    open_storage(url, wanted.heartbeat)
    recorder = Recorder(base.session, wanted.facts, base.split.said)
    try:
        for at, model in enumerate(models):
            until = None if wanted.seconds is None else time.time() + (began + wanted.seconds - time.time()) / (len(models) - at)
            found = _tune_one(base, model, url, wanted, until, recorder)
            if found is not None:
                outcomes[model], path = found
    finally:
        # also of a search that was interrupted or failed: its trials were made
        recorder.write()
    return Tuned(outcomes, path, url, base.session.metric.name, base.session)


def _default_url(base: Base) -> str:
    folder = base.session.latest.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{folder / 'tuning.db'}"


def _tune_one(base: Base, model: str, url: str, wanted: Wanted, until: float | None, recorder: Recorder) -> tuple[Outcome, Path] | None:
    session, say = base.session, base.session.console.say
    space, ground = base.space_of(model), Ground(base, model, session.around.cores)
    ground.check_space(space)
    search = _search(base, ground, space, url, wanted, until)
    prepared = ground.prepare(ground.session({}))
    session.metric.check(prepared.y)
    study, is_new = open_search(search, session.metric)
    if is_new:
        columns = len(ground.fold(ground.session({}), 0).scored.columns)
        past = past_starts(open_storage(url, wanted.heartbeat), search.study, space)
        starts = [*past, *_starts(base, model, wanted, rows=prepared.n_train, columns=columns)]
        enqueue_first(study, space, _as_declared(base, model, space), starts[: max(1, search.trials // 4)])
    already = Progress.of(study).ended
    more = f"; {already} are there" if already else ""
    say(f"{model}: {search.trials} trials over {len(space)} parameters{more}; scored on {base.split.said}")
    seen = _Seen(base, model, search.trials)
    try:
        if wanted.workers == 1:
            work(search, session.around, seen.tell)
        else:
            run_workers(search, wanted.workers, session.around.cores, look=lambda: seen.look(study), say=say)
    finally:
        recorder.add(model, study)
    check_failures(study, model)
    found = outcome_of(study)
    if found is None:
        if until is None:
            raise ModelFailedError(f"{model}: none of {Progress.of(study).ended} trials was finished.")
        say(f"{model}: the time was up before a trial was finished; the same command goes on")
        return None
    _keep_table(base, model, study, space)
    return found, write_tuned(session.competition.folder, model, _entry(base, ground, search, found, space))


def _search(base: Base, ground: Ground, space: Space, url: str, wanted: Wanted, until: float | None) -> Search:
    session, model = base.session, ground.model
    return Search(
        competition=session.competition.name,
        folder=session.competition.folder.resolve(),
        data=session.data.resolve(),
        options=session.options,
        devices=session.keys.devices,
        model=model,
        url=url,
        study=ground.study_name(space, wanted.objectives),
        trials=wanted.trials or base.tune.get(model, TuneSpec(TRIALS)).trials,
        seed=wanted.seed,
        objectives=wanted.objectives,
        prunes=wanted.prunes,
        threads=session.around.cores,
        until=until,
        heartbeat=wanted.heartbeat,
    )


def _as_declared(base: Base, model: str, space: Space) -> dict[str, Any]:
    """The values of the declared configuration: as declared, or the library's own."""
    declared = base.spec.models[model]
    keys = declared.keys.model_dump()
    resample = "none" if declared.resample is None else declared.resample.name
    own = {name: default_value(declared.kind, name) for name in space}
    return {**own, **{name: keys[name] for name in space if name in keys}, "resample": resample, **declared.params}


def _starts(base: Base, model: str, wanted: Wanted, *, rows: int, columns: int) -> list[dict[str, Any]]:
    """Parameters to begin with, of the model's kind, in the declaration's spelling."""
    from pipelines.portfolio import configurations

    kind, space = base.spec.models[model].kind, base.space_of(model)
    known: Sequence[Start] = configurations(base.spec.task, rows, columns) if wanted.starts is None else wanted.starts
    spelled = {alias: name for name in space for alias in same_names(kind, name)}
    return [{spelled[name]: value for name, value in one.params.items() if name in spelled} for one in known if one.kind == kind]


def _entry(base: Base, ground: Ground, search: Search, found: Outcome, space: Space) -> dict[str, Any]:
    """A model's entry in ``tuned.json``."""
    changes = {} if found.is_declared else ground.changes(values_of(found.best, space)).plain
    timed = {"seconds_per_1000_rows": found.best.values[1]} if TIME in search.objectives else {}
    return {
        "kind": ground.declared.kind,
        **changes,
        "metric": base.session.metric.name,
        "score": found.best.values[0],
        "declared_score": None if found.declared is None else found.declared.values[0],
        **timed,
        "trials": found.trials,
        "study": search.study,
        "folds": base.split.said,
    }


def _keep_table(base: Base, model: str, study: Study, space: Space) -> None:
    path = base.session.latest / TRIALS_TABLE
    kept = read_json(path) if path.is_file() else {}
    facts = {"metric": base.session.metric.name, "folds": base.split.said}
    write_json(path, {**kept, model: table_of(study, space, facts)})


@dataclass
class _Seen:
    """Tells of trials as they end."""

    base: Base
    model: str
    wanted: int
    told: set[int] = field(default_factory=set)
    best: int | None = None

    def tell(self, study: Study, trial: FrozenTrial | None = None) -> None:
        """Of the study after a trial has ended."""
        check_failures(study, self.model)
        console, found = self.base.session.console, outcome_of(study)
        console.progress(Progress.of(study).ended, self.wanted, f"trials ({self.model})")
        if found is not None and found.best.number != self.best:
            self.best = found.best.number
            values = ", ".join(f"{value:.5f}" for value in found.best.values)
            said = "the declared parameters" if found.is_declared else f"trial {self.best}"
            console.say(f"{self.model}: {self.base.session.metric.name} {values} with {said}, {found.trials} of {self.wanted} trials")

    def look(self, study: Study) -> None:
        """Whether trials have ended since the last look."""
        ended = {trial.number for trial in study.get_trials(deepcopy=False) if has_ended(trial)}
        if ended - self.told:
            self.told |= ended
            self.tell(study)
