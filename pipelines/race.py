"""Models that are fitted in order until a time is over, each at a pace that the time allows."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from features.errors import listed
from pipelines.engine import Outcome, ThreadPlan, run_fits
from pipelines.jobs import ensure_layer, job
from pipelines.layer_columns import column_names
from pipelines.layers import in_turns, stack_on_of
from pipelines.memory import estimated_bytes
from pipelines.pace import NO_VIEW, PACES, Tempo, at_pace, can_be_paced, rounds_made, seconds_of_fit
from pipelines.portfolio_declaration import CONSTANT, LAYERED, only, with_entry
from pipelines.progress import Progress
from pipelines.stages import gather, join_members, prepare, threads_for
from pipelines.store import read_json
from pipelines.surroundings import free_memory
from pipelines.whole_run import show_so_far

if TYPE_CHECKING:
    from pipelines.prepare import Prepared
    from pipelines.session import Session
    from pipelines.spec import ModelSpec
    from pipelines.training import FoldFit

_SHARE_OF_A_MODEL = 0.15
"""The share of the time that one model may take."""
# on two cores, from runs of 200 to 1,000,000 rows: blending, intervals and the report; rather too much than too little
_SHOWING = (0.9, 4e-6)
"""What an answer costs: seconds, and seconds for each row."""
_SHOWING_MODEL = (0.1, 3e-6)
"""What each model in it adds."""
_WEIGHING = (2e-5, 100_000)
"""What finding its weight adds for each row, and the most rows that are looked at."""
_FASTEST, _TELLING = 0.5, 3
"""Showing may turn out to be cheaper, to this share of what was expected, once so many models tell."""
_OUT_OF_PACE = 3.0
"""A model is begun again when it would take so many times its share."""
_CAREFUL = 0.8
"""The share of the time left that is given out: folds take more or less than the last ones."""
_TOO_LATE = "its folds would take longer than the time left"
_TOO_SLOW = "its folds would take more than its share of the time"


@dataclass(frozen=True)
class Clock:
    """When a run began and when it must be over, by ``time.monotonic``."""

    began: float
    budget: float

    @property
    def end(self) -> float:
        """The moment at which the run must be over."""
        return self.began + self.budget

    @property
    def left(self) -> float:
        """Seconds until then."""
        return self.end - time.monotonic()


@dataclass
class Race:
    """Models that are fitted in order until the time is over or more of them do not help."""

    session: Session
    """With the declaration of all models that have been begun."""
    prepared: Prepared
    key: str
    scratch: Path
    clock: Clock
    progress: Progress
    losses: dict[str, float] = field(default_factory=dict)
    """The loss of each complete model."""
    failed: dict[str, Exception] = field(default_factory=dict)
    given_up: set[str] = field(default_factory=set)
    seconds: dict[str, list[float]] = field(default_factory=dict)
    """How long the folds of each model took."""
    columns: dict[str, int] = field(default_factory=dict)
    """How many columns each view has."""
    preparing: float = 0.0
    """How long making the matrices took."""
    tempo: Tempo = field(default_factory=Tempo)
    underway: dict[str, set[Path]] = field(default_factory=dict)
    """The fits of each model as it is declared now; those of an earlier pace are not waited for."""
    shown: Shown = field(default_factory=lambda: Shown())
    is_trial: bool = False
    """Whether no answer is shown and models are not slowed: somebody only wants to know what comes out."""

    @classmethod
    def begin(cls, session: Session, key: str, scratch: Path) -> Race:
        """Make the matrices and take in what was made elsewhere; nothing is fitted yet."""
        began = time.monotonic()
        prepared = prepare(session, scratch)
        preparing = time.monotonic() - began
        clock = Clock(session.around.began, float(session.options.budget or 0))
        columns = {view: len(facts["columns"]) for view, facts in read_json(scratch / "plan.json")["views"].items()}
        progress = Progress(session, prepared)
        for predictions in join_members(session, prepared, scratch).values():
            progress.add(predictions)
        return cls(session, prepared, key, scratch, clock, progress, columns=columns, preparing=preparing)

    @property
    def until(self) -> float:
        """When fits under way are ended: what comes after them takes longer than the last time, with more models.

        Nothing is kept back before the constant is done: an answer that comes a little late is better than none.
        """
        if self.is_trial or (not self.losses and CONSTANT in self.session.models):
            return self.clock.end - 1.0
        return self.clock.end - 1.0 - 1.3 * self.shown.slowness * self.showing(len(self.losses) + 1)

    def showing(self, models: int) -> float:
        """The seconds that an answer of so many models is expected to cost."""
        once, each = (least + for_a_row * self.prepared.n_train for least, for_a_row in (_SHOWING, _SHOWING_MODEL))
        times = 2 if LAYERED in self.session.spec.ensemble else 1
        return once + (each + times * _WEIGHING[0] * min(self.prepared.n_train, _WEIGHING[1])) * models

    @property
    def has_time(self) -> bool:
        """Whether a fit that is begun now can be of use."""
        return time.monotonic() < self.until

    @property
    def so_far(self) -> Session:
        """The declaration of the models that are complete; what is said of them has been said."""
        return self.session.with_declaration(only(self.session.declaration, self.losses)).quietly()

    def best(self, kinds: Collection[str], count: int = 6) -> list[str]:
        """The best complete models of some kinds, best first; layers, whose losses promise too much, are not among them."""
        return [name for name in self.below() if self.session.spec.models[name].kind in kinds][:count]

    def below(self, count: int | None = None) -> list[str]:
        """The best complete models that a layer can stand on, best first: no constant, no layer, no model of some rows."""
        models = self.session.spec.models
        fitting = [name for name in self.losses if name != CONSTANT and not models[name].stack_on and models[name].keys.rows is None]
        return sorted(fitting, key=self.losses.__getitem__)[:count]

    @property
    def not_begun(self) -> list[str]:
        """The declared models whose turn has not come."""
        return [name for name in self.session.models if name not in self.underway and name not in self.given_up]

    def run(self, session: Session, models: list[str], *, pause: float = np.inf) -> None:
        """Fit models in order; show what there is now and then. From the moment ``pause`` on no other model is begun."""
        self.session = session
        every = [job(session, self.prepared, model, fold) for model in models for fold in range(self.prepared.folds.n_folds)]
        plan = threads_for(session, every, self.prepared.n_train)
        # a layer is begun when all fits of the models before it are done: some of them stand below it
        for turn in in_turns(stack_on_of(self.session.spec.models, models)):
            for outcome in run_fits(self._in_turn(turn, plan, pause), plan, until=lambda: self.until):
                model = outcome.job.model
                if outcome.job.out not in self.underway[model]:
                    continue
                self._note(outcome, plan)
                if len(self.seconds.get(model, ())) == self.prepared.folds.n_folds:
                    self._complete(model)

    def _in_turn(self, models: list[str], plan: ThreadPlan, pause: float) -> Iterator[FoldFit]:
        """The fits of one model after the other, each decided on when a worker is about to be free."""
        for model in models:
            if time.monotonic() > pause:
                return
            if self._is_over(model) or not self._can_stand(model):
                continue
            if self._takes_too_long(model, plan):
                self._give_up(model, _TOO_LATE)
                continue
            self._begin(model, self._paced(model, plan))
            fold, has_hurried = 0, False
            while fold < self.prepared.folds.n_folds and not self._is_over(model):
                one = job(self.session, self.prepared, model, fold)
                if not self._fits_memory(one):
                    break
                late = self._how_late(one, plan)
                if late and not has_hurried and self._hurries(model, plan, late):
                    fold, has_hurried = 0, True
                elif late == _TOO_LATE:
                    self._give_up(model, late)
                else:
                    self.underway[model].add(one.out)
                    yield one
                    fold += 1

    def _takes_too_long(self, model: str, plan: ThreadPlan) -> bool:
        """Whether a model that cannot be paced is known to take longer than the time left, before any of its fits."""
        spec, n_folds = self.session.spec.models[model], self.prepared.folds.n_folds
        seconds = seconds_of_fit(spec.kind, spec.params, self.prepared.n_train)
        return time.monotonic() + seconds * n_folds / plan.workers > self.until

    def _hurries(self, model: str, plan: ThreadPlan, why: str) -> bool:
        """Begin a model again at a faster pace, where it has one."""
        faster = self._paced(model, plan)
        if faster == self.session.declaration.data["models"][model]:
            return False
        self.session.console.say(f"{model}: begun again at a faster pace, {why}")
        self._begin(model, faster)
        return True

    def _is_over(self, model: str) -> bool:
        return model in self.failed or model in self.given_up or not self.has_time or self.progress.is_over

    def _can_stand(self, model: str) -> bool:
        """Whether all that a layer stands on is complete; it is left out where it is not."""
        missing = [name for name in self.session.spec.models[model].stack_on if name not in (*self.losses, *self.session.members)]
        if missing:
            self._give_up(model, f"because it stands on {listed(missing)}, not complete")
        return not missing

    def _give_up(self, model: str, why: str) -> None:
        self.given_up.add(model)
        self.session.console.say(f"{model}: left out, {why}")

    def _begin(self, model: str, entry: dict[str, Any]) -> None:
        """Declare a model by this entry; none of its folds is done then."""
        if entry != self.session.declaration.data["models"][model]:
            self.session = self.session.with_declaration(with_entry(self.session.declaration, model, entry))
        if self.session.spec.models[model].stack_on:
            ensure_layer(self.session, self.prepared, model, 0)
        self.underway[model], self.seconds[model] = set(), []

    def _paced(self, model: str, plan: ThreadPlan) -> dict[str, Any]:
        """The entry of a model that takes at most its share of the time, and what is left of it, in all its folds."""
        spec, entry = self.session.spec.models[model], self.session.declaration.data["models"][model]
        if self.is_trial or not can_be_paced(spec.kind, spec.params):
            return dict(entry)
        left = min(_SHARE_OF_A_MODEL * self.clock.budget, _CAREFUL * (self.until - time.monotonic()))
        expected = self._expected(model) / plan.threads * self.tempo.slowness(spec.kind)
        return at_pace(entry, spec.kind, expected, left * plan.workers / self.prepared.folds.n_folds)

    def _expected(self, model: str) -> float:
        """The seconds that a round of a model should take on one core."""
        spec = self.session.spec.models[model]
        n_classes = len(self.prepared.classes) if self.session.spec.task == "multiclass" else 0
        return PACES[spec.kind].seconds_of_round(self.prepared.n_train, self._columns(spec), spec.params, n_classes=n_classes)

    def _columns(self, spec: ModelSpec) -> int:
        """How many columns a model sees."""
        below = column_names(spec.stack_on, self.session.spec.task, self.prepared.classes)
        return len(below) + (0 if spec.view is None else self.columns[spec.view or NO_VIEW])

    def _fits_memory(self, one: FoldFit) -> bool:
        """Whether the memory holds a fit; its model is left out where it does not."""
        memory = self.session.options.memory or free_memory()
        if estimated_bytes(one, self.prepared.n_train) <= memory:
            return True
        self._give_up(one.model, f"a fold would need more than the {memory / 2**30:.1f} GB of memory there are")
        return False

    def _how_late(self, one: FoldFit, plan: ThreadPlan) -> str:
        """What is wrong with the time that the other folds of a model would take, at the pace of those that are done; empty where nothing is."""
        done = self.seconds.get(one.model)
        if not done or one.out.is_dir():
            return ""
        rest = (self.prepared.folds.n_folds - len(done)) * float(np.mean(done)) / plan.workers
        if time.monotonic() + rest > self.until:
            return _TOO_LATE
        return _TOO_SLOW if rest > _OUT_OF_PACE * _SHARE_OF_A_MODEL * self.clock.budget and not self.is_trial else ""

    def _note(self, outcome: Outcome, plan: ThreadPlan) -> None:
        model, spec = outcome.job.model, self.session.spec.models[outcome.job.model]
        if outcome.error is None:
            facts = read_json(outcome.job.out / "facts.json")
            self.seconds[model].append(float(facts["seconds"]))
            if can_be_paced(spec.kind, spec.params):
                rounds = rounds_made(spec.kind, spec.params, facts.get("rounds"), spec.keys.max_rounds)
                self.tempo.note(spec.kind, facts["fit_seconds"] * plan.threads, spec.keys.seeds * rounds * self._expected(model))
        elif model not in self.failed:
            self.failed[model] = outcome.error
            self.session.console.say(f"{model}: failed in fold {outcome.job.fold} ({type(outcome.error).__name__}: {outcome.error})")

    def _complete(self, model: str) -> None:
        predictions = gather(self.session, self.prepared, model, self.scratch, was_there=False)
        self.losses[model] = self.progress.add(predictions)
        models = len(self.losses)
        if not self.is_trial and self.shown.is_due(self.clock, models, self.showing(models)):
            began = time.monotonic()
            show_so_far(self.so_far, self.key)
            seconds = time.monotonic() - began
            ratio = seconds / self.showing(models)
            # a constant is shown faster than it will be with others beside
            self.shown = Shown(began, seconds, models, max(_FASTEST if models >= _TELLING else 1.0, ratio))


@dataclass(frozen=True)
class Shown:
    """When the answer so far was shown last, what that cost in seconds, and how many models were in it."""

    at: float = -np.inf
    seconds: float = 0.0
    models: int = 0
    slowness: float = 1.0
    """How many times longer than expected it took."""

    def is_due(self, clock: Clock, models: int, expected: float) -> bool:
        """Whether to show it again: at once the first time, then so that it costs a twentieth of the time, or with three times the models."""
        has_grown = models >= 3 * self.models and clock.left > 10 * expected * self.slowness
        return has_grown or (time.monotonic() - self.at > 20 * self.seconds and clock.left > 4 * expected * self.slowness)
