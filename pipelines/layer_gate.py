"""The gate before second layers: whether they help on rows that nothing below them has seen.

A layer's out-of-fold predictions promise more than they hold, because the models below it are not fitted again without the scored fold; how
much more differs from table to table. So everything is made once more, on fewer folds and with a quarter of the rows held out from
all of it (AutoGluon's dynamic stacking asks the same question), and that quarter judges.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from features.errors import InputError
from pipelines.combiners import entry_of, group_column
from pipelines.engine import available_cores
from pipelines.ensembles import Problem
from pipelines.held_out import JUDGED
from pipelines.jobs import fitted_predictions
from pipelines.known import Known
from pipelines.metrics import Array, Metric
from pipelines.oof import Predictions, nested
from pipelines.portfolio import layers, view_among
from pipelines.portfolio_declaration import FINAL, LAYERED, only, with_layers, without
from pipelines.progress import Progress
from pipelines.race import Clock, Race
from pipelines.scores import paired_interval
from pipelines.stages import prepare
from pipelines.targets import TRANSFORMS

if TYPE_CHECKING:
    from pipelines.prepare import Prepared
    from pipelines.session import Session

_FEWEST, _MOST = 3, 8
"""Models that layers stand on."""
_LEAST_ROWS, _MOST_ROWS = 200, 10_000
"""The fewest rows that tell; of more than the most, as many are drawn: layers promise the more than they hold, the fewer rows there are."""
_SHARE_OF_FITS = 0.35
"""What the fits with held-out rows cost, as a share of those that they repeat: four on half to three quarters of the rows."""
_LEVEL = 0.6
"""Of the interval of a difference of scores that must lie on one side: better in four of five resamples."""
_SHARE, _CAREFUL = 0.2, 0.7
"""The share of the budget that the gate may take, and the part of it that is planned with."""


def add_layers(race: Race) -> None:
    """Fit second layers on the best models of a race, where the gate lets them pass; what it found is said."""
    session = race.session
    fitting = layers(session.spec.task, race.prepared.n_train, of_quantile=session.metric.quantile is not None)
    chosen = [one for one in fitting if not one.view or view_among(one.view, race.columns) in race.columns]
    seconds = min(_SHARE * race.clock.budget, race.until - time.monotonic())
    below = _affordable(race, len(chosen), _CAREFUL * seconds) if _can_be_judged(session, race.prepared.n_train) else []
    if len(below) < _FEWEST:
        return
    complete = only(session.declaration, race.losses)
    tried = with_layers(complete, chosen, below)
    if LAYERED not in tried.data["ensemble"]:
        return
    others = [name for name in race.losses if name not in below]
    try:
        held_out = _fitted_again(race, session.with_declaration(without(tried, others)), seconds)
    except InputError as error:
        # rows that can be split once need not be enough to be split again
        session.console.say(f"layers: left out, whether they help cannot be seen: {error}")
        return
    if held_out is None:
        session.console.say("layers: left out, whether they help was not to be seen in the time")
        return
    final = next(reversed(complete.data["ensemble"]))
    best = held_out.best(final)
    told = ", ".join(
        f"{held_out.score(name):.5g} {what}"
        for name, what in ((final, "without them"), (FINAL, "with half of them"), (LAYERED, "with them"))
    )
    said = {final: "left out", FINAL: "half used", LAYERED: "used"}[best]
    session.console.say(f"layers: {said}; on rows held out from everything {session.metric.name} is {told}")
    if best != final:
        session.console.say("  out-of-fold scores with layers promise more than they hold: believe the difference above")
        added = with_layers(session.declaration, chosen, below, halves=best == FINAL)
        race.run(session.with_declaration(added), [name for name in added.data["models"] if name not in session.spec.models])


def _affordable(race: Race, n_layers: int, seconds: float) -> list[str]:
    """The best models that can be fitted again within the time, with rows held out and layers on them; the slowest are left out first."""
    below, share = race.below(_MOST), min(1.0, _MOST_ROWS / race.prepared.n_train)
    taken = {name: sum(race.seconds[name]) for name in below}

    def expected() -> float:
        # a layer takes what the models take on average
        fits = sum(taken[name] for name in below) * (1 + n_layers / len(below))
        return race.preparing + _SHARE_OF_FITS * fits / available_cores() + race.showing(len(below) + n_layers)

    while below and share * expected() > seconds:
        below.remove(max(below, key=taken.__getitem__))
    return below


def _can_be_judged(session: Session, n_rows: int) -> bool:
    """Whether rows can be held out from everything: rows in no order, and no predictions that were made elsewhere."""
    return n_rows >= _LEAST_ROWS and session.spec.split.name in JUDGED and not session.members and session.spec.refit == "none"


@dataclass(frozen=True)
class HeldOut:
    """Rows that no model, layer or weight has seen, and what each ensemble entry says of them."""

    metric: Metric
    known: Known
    values: dict[str, Array]
    groups: Any = None
    """What tells the groups of the rows apart, shape (n_rows,), where the folds keep groups together."""

    def score(self, name: str) -> float:
        """The metric of an entry."""
        return self.metric.score(self.known.y, self.values[name], self.known.weights, self.known.columns)

    def best(self, final: str) -> str:
        """The final without layers, unless it is better with half of them; all of them where that is surely better still."""
        without, half = (self.metric.loss_of(self.score(name)) for name in (final, FINAL))
        if half >= without:
            return final
        # half of what turns out to be noise costs little; whole layers must show more
        return LAYERED if self._is_surely_better(LAYERED, FINAL) else FINAL

    def _is_surely_better(self, name: str, other: str) -> bool:
        """Whether an entry scores better in most resamples of the rows, or of whole groups of them."""
        if self.metric.target is not None:
            # scores on both sides of the best one: their difference says nothing
            return False
        known, drawn = self.known, {"groups": self.groups, "weights": self.known.weights, "level": _LEVEL}
        low, high = paired_interval(self.metric, known.y, self.values[name], self.values[other], columns=known.columns, **drawn)
        return low > 0 if self.metric.greater_is_better else high < 0


def _fitted_again(race: Race, session: Session, seconds: float) -> HeldOut | None:
    """All models and entries, made again with rows held out; None where not all models were fitted in the time.

    Raises
    ------
    InputError
        When the rows cannot be split like this.
    """
    sample = _MOST_ROWS if race.prepared.n_train > _MOST_ROWS else session.options.sample
    keys, options = replace(session.keys, holds_out=True, sample=sample), replace(session.options, sample=sample)
    session = replace(session, keys=keys, options=options).quietly()
    scratch = race.scratch / "held_out"
    scratch.mkdir()
    clock = Clock(time.monotonic(), seconds)
    prepared = prepare(session, scratch)
    again = Race(
        session, prepared, race.key, scratch, clock, Progress(session, prepared), columns=race.columns, tempo=race.tempo, is_trial=True
    )
    again.run(session, session.models)
    if not set(again.losses).issuperset(session.models):
        return None
    return _held_out(again.session, prepared, {name: fitted_predictions(again.session, prepared, name) for name in session.models})


def _held_out(session: Session, prepared: Prepared, trained: dict[str, Predictions]) -> HeldOut:
    """What each entry says of the rows of the last fold, by models and weights of its own."""
    problem = Problem(session.spec.task, session.metric, TRANSFORMS[session.spec.target.transform])
    entries = [entry_of(name, part, problem) for name, part in session.spec.ensemble.items()]
    fitted = nested(entries, trained, prepared.known, prepared.known_of_test, prepared.folds)
    known = prepared.known.take(prepared.folds.scored_rows(prepared.folds.n_folds - 1))
    column = group_column(session.spec)
    groups = None if column is None else np.asarray(known.columns[column])
    return HeldOut(session.metric, known, {name: one.predictions.folds[-1] for name, one in fitted.items()}, groups)
