"""The gate before second layers: whether they help on rows that nothing below them has seen.

A layer's out-of-fold predictions promise more than they hold, because the models below it are not fitted again without the scored fold; how
much more differs from table to table. So everything is made once more, on fewer folds and with a quarter of the rows held out from
all of it (AutoGluon's dynamic stacking asks the same question), and that quarter judges.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from features.errors import InputError
from pipelines.combiners import entry_of
from pipelines.engine import available_cores
from pipelines.ensembles import Problem
from pipelines.held_out import JUDGED
from pipelines.jobs import fitted_predictions
from pipelines.oof import Predictions, nested
from pipelines.portfolio import layers, view_among
from pipelines.portfolio_declaration import FINAL, LAYERED, only, with_layers, without
from pipelines.progress import Progress
from pipelines.race import Clock, Race
from pipelines.stages import prepare
from pipelines.targets import TRANSFORMS

if TYPE_CHECKING:
    from pipelines.prepare import Prepared
    from pipelines.session import Session

_FEWEST, _MOST = 3, 8
"""Models that layers stand on."""
_ROWS = (200, 60_000)
"""The fewest rows that tell, and the most for which there is time."""
_SHARE_OF_FITS = 0.35
"""What the fits with held-out rows cost, as a share of those that they repeat: four on half to three quarters of the rows."""
_SHARE, _CAREFUL = 0.2, 0.7
"""The share of the budget that the gate may take, and the part of it that is planned with."""


def add_layers(race: Race) -> None:
    """Fit second layers on the best models of a race, where the gate lets them pass; what it found is said."""
    session = race.session
    fitting = layers(session.spec.task, race.prepared.n_train, of_quantile=session.metric.quantile is not None)
    chosen = [one for one in fitting if not one.view or view_among(one.view, race.columns) in race.columns]
    seconds = min(_SHARE * race.clock.budget, race.until - time.monotonic())
    below = _affordable(race, _CAREFUL * seconds)
    if len(below) < _FEWEST or not _can_be_judged(session, race.prepared.n_train):
        return
    complete = only(session.declaration, race.losses)
    tried = with_layers(complete, chosen, below)
    if LAYERED not in tried.data["ensemble"]:
        return
    others = [name for name in race.losses if name not in below]
    try:
        losses = _held_out_losses(race, session.with_declaration(without(tried, others)), seconds)
    except InputError as error:
        # rows that can be split once need not be enough to be split again
        session.console.say(f"layers: left out, whether they help cannot be seen: {error}")
        return
    if losses is None:
        session.console.say("layers: left out, whether they help was not to be seen in the time")
        return
    final = next(reversed(complete.data["ensemble"]))
    best = min((final, FINAL, LAYERED), key=losses.__getitem__)
    told = ", ".join(
        f"{losses[name]:.5g} {what}" for name, what in ((final, "without them"), (FINAL, "with half of them"), (LAYERED, "with them"))
    )
    session.console.say(f"layers: {'left out' if best == final else 'used'}; the loss on rows held out from everything is {told}")
    if best != final:
        added = with_layers(session.declaration, chosen, below, halves=best == FINAL)
        race.run(session.with_declaration(added), [name for name in added.data["models"] if name not in session.spec.models])


def _affordable(race: Race, seconds: float) -> list[str]:
    """The best models that can be fitted again within the time, with rows held out; the slowest are left out first."""
    below = race.below(_MOST)
    while (
        below and _SHARE_OF_FITS * sum(sum(race.seconds[name]) for name in below) / available_cores() + race.showing(len(below)) > seconds
    ):
        below.remove(max(below, key=lambda name: sum(race.seconds[name])))
    return below


def _can_be_judged(session: Session, n_rows: int) -> bool:
    """Whether rows can be held out from everything: rows in no order, and no predictions that were made elsewhere."""
    return _ROWS[0] <= n_rows <= _ROWS[1] and session.spec.split.name in JUDGED and not session.members and session.spec.refit == "none"


def _held_out_losses(race: Race, session: Session, seconds: float) -> dict[str, float] | None:
    """The loss of each entry on rows that no model, layer or weight has seen; None where not all models were fitted in the time.

    Raises
    ------
    InputError
        When the rows cannot be split like this.
    """
    session = replace(session, keys=replace(session.keys, holds_out=True)).quietly()
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
    trained = {name: fitted_predictions(again.session, prepared, name) for name in session.models}
    return _losses(again.session, prepared, trained)


def _losses(session: Session, prepared: Prepared, trained: dict[str, Predictions]) -> dict[str, float]:
    """The loss of each entry in the last fold, by models and weights of its own."""
    problem = Problem(session.spec.task, session.metric, TRANSFORMS[session.spec.target.transform])
    entries = [entry_of(name, part, problem) for name, part in session.spec.ensemble.items()]
    fitted = nested(entries, trained, prepared.known, prepared.known_of_test, prepared.folds)
    held = prepared.known.take(prepared.folds.scored_rows(prepared.folds.n_folds - 1))
    return {name: float(session.metric.loss(held.y, one.predictions.folds[-1], held.weights, held.columns)) for name, one in fitted.items()}
