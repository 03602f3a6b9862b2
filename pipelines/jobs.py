"""The fits of a run as paths and plain parameters, and what layers need to be in the store before theirs can begin."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipelines.combiners import asked_columns
from pipelines.ensembles import Problem
from pipelines.frames import REFIT
from pipelines.layer_columns import write_columns
from pipelines.layers import usable_rows
from pipelines.models import kinds
from pipelines.models.rounds import FindsRounds
from pipelines.oof import Predictions
from pipelines.outside.member import ensure_members
from pipelines.prepare import Prepared
from pipelines.session import Session
from pipelines.store import read_json
from pipelines.targets import TRANSFORMS
from pipelines.training import FoldFit


def job(session: Session, prepared: Prepared, model: str, fold: int, rounds: int | None = None) -> FoldFit:
    """The fit of one model in one fold, as paths and plain parameters; ``rounds`` stand in for those it would look for."""
    spec, keys, store = session.spec.models[model], session.keys, session.store
    kind = kinds()[spec.kind]
    given = {kind.rounds_names[0]: rounds} if rounds is not None and isinstance(kind, FindsRounds) else {}
    asked = [name for name in (spec.keys.rows, session.spec.data.weight) if name is not None]
    return FoldFit(
        model=model,
        fold=fold,
        kind=spec.kind,
        params={**spec.params, **given},
        keys=spec.keys,
        task=session.spec.task,
        n_classes=len(prepared.classes),
        transform=spec.transform,
        device=keys.device(model),
        table=store.path(keys.table),
        view=None if spec.view is None else store.path(keys.view(spec.view)),
        fold_block=None if spec.view is None else store.path(keys.fold(spec.view, fold)),
        columns=store.path(keys.columns(asked_columns(session.spec))) if asked else store.path(keys.table),
        out=store.path(keys.fit(model, fold, rounds)),
        resample=None if spec.resample is None else (spec.resample.name, spec.resample.params),
        weight=session.spec.data.weight,
        layer=store.path(keys.layer(model, fold)) if spec.stack_on else None,
    )


def refit_job(session: Session, prepared: Prepared, model: str) -> FoldFit:
    """The fit of one model on all rows, with the rounds that the folds found: a booster takes more in proportion to its more rows, a
    network whose rounds are passes through them (``are_passes``) as many."""
    facts = [read_json(session.store.path(session.keys.fit(model, fold)) / "facts.json") for fold in range(prepared.folds.n_folds)]
    kind, params = kinds()[session.spec.models[model].kind], session.spec.models[model].params
    rounds = None
    if isinstance(kind, FindsRounds) and all(params.get(name) is None for name in kind.rounds_names):
        used = prepared.may_fit & usable_rows(prepared.folds) if session.spec.models[model].stack_on else prepared.may_fit
        rows = int(used.sum())
        more = [1.0 if getattr(kind, "are_passes", False) else rows / fact["fit_rows"] for fact in facts]
        rounds = round(float(np.mean([fact["rounds"] * share for fact, share in zip(facts, more, strict=True)])))
    return job(session, prepared, model, REFIT, rounds)


def fitted_predictions(session: Session, prepared: Prepared, model: str, *, is_refitted: bool = False) -> Predictions:
    """The predictions of a model whose fits are in the store; test rows by the mean of the folds' fits, or by the one on all rows."""
    folders = [session.store.path(session.keys.fit(model, fold)) for fold in range(prepared.folds.n_folds)]
    by_fold = [np.load(folder / "oof.npy") for folder in folders]
    if is_refitted:
        return Predictions(by_fold, np.load(refit_job(session, prepared, model).out / "test.npy"))
    return Predictions(by_fold, np.mean([np.load(folder / "test.npy") for folder in folders], axis=0))


def ensure_layer(session: Session, prepared: Prepared, model: str, fold: int) -> None:
    """Make sure of the columns that the predictions below a layer make; the fits of models are in the store by then.

    Parameters
    ----------
    fold
        Any fold: all share their columns; or ``REFIT``, for which test rows are predicted by the fits on all rows.
    """
    spec, folds = session.spec.models[model], prepared.folds

    def make(folder: Path) -> None:
        problem = Problem(session.spec.task, session.metric, TRANSFORMS[spec.transform])
        elsewhere = [name for name in spec.stack_on if name in session.spec.members]
        outside = ensure_members(session, prepared) if elsewhere else {}
        below = {
            name: outside[name].predictions(folds)
            if name in outside
            else fitted_predictions(session, prepared, name, is_refitted=fold == REFIT)
            for name in spec.stack_on
        }
        write_columns(folder, below, folds, problem, prepared.classes)

    session.store.ensure(session.keys.layer(model, fold), make)
