"""A run within a time budget: the declared models, then the portfolio, for as long as there is time and the ensemble gains.

A first model is answered with at once; then more are fitted in a fixed order, and what is complete when the time is nearly
over is run as an ordinary declaration, whose fits are all in the store by then. So the run that is recorded holds
only whole models, and ``foldwise run --from`` makes it again without a clock.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from features.errors import InputError
from pipelines.layer_gate import add_layers
from pipelines.portfolio import Configuration, configurations
from pipelines.portfolio_declaration import CONSTANT, new_seeds, with_configurations, with_constant
from pipelines.prepare import ensure_table
from pipelines.progress import patience_for
from pipelines.race import Race
from pipelines.stages import failure_of
from pipelines.targets import is_heavy_tailed
from pipelines.whole_run import Result, record, tell_tracker

if TYPE_CHECKING:
    from pipelines.session import Session

_COLUMNS = 100
"""Columns that a view is taken to have before there is one, to tell which models are too slow for it."""
_SEEDED = ("lightgbm", "xgboost", "catboost", "extra_trees", "random_forest", "mlp", "realmlp", "tabm", "bagging", "gbdt", "hist_gbdt")
"""Kinds whose fits differ with the seed."""
_TRACKING_SECONDS = 15.0
"""What importing mlflow and writing a run can take; with less time left, the tracker is told later."""
_ROUNDS_OF_SEEDS = 8
_BEFORE_LAYERS, _FOR_LAYERS = 0.45, 0.35
"""The share of the budget after which layers come before further models, and the share that must be left for them."""
_FAMILIES_FIRST = 120.0
"""In fewer seconds all declared models come before layers."""


def run_within(session: Session, key: str) -> Result:
    """Run a declaration and the portfolio behind it within the budget that the options give.

    Parameters
    ----------
    session
        The declaration as it stands.
    key
        What the run is made from.

    Raises
    ------
    InputError
        When no model could be fitted in the time.
    ModelFailedError
        At the end, when a model failed; the others are in the result.
    """
    declaration = with_constant(with_configurations(session.declaration, _configurations(session)), session.metric.quantile)
    full = session.with_declaration(declaration)
    with tempfile.TemporaryDirectory(prefix=".budget-", dir=session.latest) as scratch:
        race = Race.begin(full, key, Path(scratch))
        if race.clock.budget < _FAMILIES_FIRST:
            race.run(race.session, [name for name in race.session.models if name == CONSTANT or name in session.models])
        race.run(race.session, race.not_begun, pause=race.clock.began + _BEFORE_LAYERS * race.clock.budget)
        if race.clock.left > _FOR_LAYERS * race.clock.budget:
            add_layers(race)
        race.run(race.session, race.not_begun)
        # every family has had its turn; from here on models are more of the same
        race.progress.patience = patience_for(race.prepared.n_train)
        best = race.best(_SEEDED)
        for number in range(1, _ROUNDS_OF_SEEDS + 1):
            if race.progress.is_over or not race.has_time or not best:
                break
            again = race.session.with_declaration(new_seeds(race.session.declaration, best, number))
            race.run(again, [name for name in again.models if name not in race.session.models])
    return _finish(race)


def _configurations(session: Session) -> list[Configuration]:
    """The portfolio for the rows at hand; some of it on the logarithm of a heavy-tailed target that is learnt as it is."""
    spec, prepared = session.spec, ensure_table(session.spec, session.keys, session.data, session.store)
    on_log = spec.task == "regression" and spec.target.transform == "none" and is_heavy_tailed(prepared.y)
    return configurations(spec.task, prepared.n_train, _COLUMNS, on_log=on_log, of_quantile=session.metric.quantile is not None)


def _finish(race: Race) -> Result:
    session = race.session
    if not race.losses and race.failed:
        raise failure_of(session, race.failed)
    if not race.losses:
        raise InputError(
            f"No model was fitted in all folds within the budget of {race.clock.budget:.0f} s. Give more time, or fewer folds or rows (--sample)."
        )
    if {*race.losses} == {CONSTANT}:
        session.console.say(
            "warning: no model was done within the budget, the answer is a constant. Give more time, or fewer folds or rows."
        )
    result = record(race.so_far, race.key)
    if race.clock.left > _TRACKING_SECONDS:
        tell_tracker(session)
    else:
        session.console.say("note: the tracker is told of this run by the next one, or by 'foldwise sync': the budget is used up")
    if race.failed:
        raise failure_of(session, race.failed)
    return result
