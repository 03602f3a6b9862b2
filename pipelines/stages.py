"""The stages of a run, each a function that makes sure of what it needs and writes what it shows into a folder.

``prepare`` -> ``train`` (per model) -> ``ensemble`` -> ``report``. ``foldwise run`` calls them in a row, ``foldwise stage``
one at a time; whatever is in the store is not computed again.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from features.errors import InputError, listed
from pipelines import submission
from pipelines.arms import arm_lines, compare_arms, families
from pipelines.combiners import asked_columns, entry_of, group_column
from pipelines.coverage import coverage_of
from pipelines.decision import DECIDED, decision_facts
from pipelines.engine import ThreadPlan, run_fits
from pipelines.ensembles import Problem
from pipelines.failures import ModelFailedError
from pipelines.jobs import ensure_layer, fitted_predictions, job, refit_job
from pipelines.layer_columns import check_names, column_names
from pipelines.layers import all_above, check_rows, in_turns, stack_on_of
from pipelines.limit import known_limit
from pipelines.memory import estimated_bytes, matrix_bytes
from pipelines.oof import Predictions, nested, pooled, write_predictions
from pipelines.outside.member import FACTS, ensure_members
from pipelines.prepare import Prepared, ensure_table, ensure_views
from pipelines.scores import score_table
from pipelines.serve.record import write_record
from pipelines.session import Session
from pipelines.spec import views_of
from pipelines.store import key_of, read_json, show, write_json
from pipelines.surroundings import free_memory
from pipelines.targets import TRANSFORMS
from pipelines.training import FoldFit
from pipelines.windows import Window

_OF_FINAL = ("score", "interval", "fold_sd", "folds", "coverage")

_TABLES: dict[str, dict[str, Any]] = {}
"""Scores of this process, by what they were made from."""
_MOST_TABLES = 1_000


@dataclass
class Work:
    """What was computed and what was found in the store."""

    fits_made: int = 0
    fits_found: int = 0
    refits: dict[str, str] = field(default_factory=dict)
    """The key of each model's fit on all rows."""
    layers: set[str] = field(default_factory=set)
    """The keys of the columns that layers stand on."""


@dataclass(frozen=True)
class Combined:
    """Predictions of all models and ensemble entries, and what the entries learnt."""

    predictions: dict[str, Predictions]
    learnt: dict[str, dict[str, Any]]
    metrics: dict[str, Any]


def prepare(session: Session, out: Path) -> Prepared:
    """Check the tables, draw the folds and make the matrices of the views that the models ask for."""
    prepared = ensure_table(session.spec, session.keys, session.data, session.store)
    session.metric.check(prepared.y)
    submission.check(session, prepared)
    check_rows(session.layers, prepared.folds, prepared.y, session.spec.task)
    views = views_of(session.spec.models[name] for name in session.models)
    prepared, made = ensure_views(session.declaration, session.spec, session.keys, session.data, session.store, prepared, views)
    for note in prepared.notes:
        session.console.say(f"note: {note}")
    session.console.say(
        f"prepared {prepared.n_train} train and {prepared.n_test} test rows, {prepared.folds.n_folds} folds"
        + ("" if made else " (matrices were in the store)")
    )
    for window in prepared.windows:
        session.console.say(f"  {Window(**window).line}")
    folds_file = session.store.path(session.keys.table) / "folds.parquet"
    show(folds_file, out / "folds.parquet")
    plans = {view or "(features)": read_json(session.store.path(session.keys.view(view)) / "plan.json") for view in views}
    _check_layers(session, prepared, plans)
    split = {session.spec.split.name: session.spec.split.params}
    write_json(
        out / "plan.json",
        {"split": split, "folds": prepared.folds.n_folds, "notes": prepared.notes, "windows": prepared.windows, "views": plans},
    )
    return prepared


def _check_layers(session: Session, prepared: Prepared, plans: Mapping[str, Any]) -> None:
    """Whether the columns of predictions have names of their own in each layer, before anything is fitted."""
    for name in session.layers:
        model = session.spec.models[name]
        seen = [] if model.view is None else plans[model.view or "(features)"]["columns"]
        check_names(column_names(model.stack_on, session.spec.task, prepared.classes), seen, name)


def train(session: Session, prepared: Prepared, out: Path, models: list[str], work: Work) -> dict[str, Predictions]:
    """Fit models in all folds, layer upon layer, several fits at a time, and write their out-of-fold and test predictions.

    Parameters
    ----------
    models
        In declared order; what layers among them stand on is among them too, or in the store.

    Raises
    ------
    ModelFailedError
        After all other fits are done, when one failed; layers that stand on it are not fitted.
    """
    trained, failed = dict[str, Predictions](), dict[str, Exception]()
    for turn in in_turns(stack_on_of(session.spec.models, models)):
        jobs = [job(session, prepared, model, fold) for model in turn for fold in range(prepared.folds.n_folds)]
        for model, was_there in _fit(session, prepared, jobs, work, failed):
            trained[model] = gather(session, prepared, model, out, was_there=was_there)
    if session.spec.refit == "all":
        for turn in in_turns(stack_on_of(session.spec.models, trained)):
            refits = {model: refit_job(session, prepared, model) for model in turn}
            for model, _ in _fit(session, prepared, [*refits.values()], work, failed):
                work.refits[model] = refits[model].out.name
                trained[model] = replace(trained[model], test=np.load(refits[model].out / "test.npy"))
                write_both(session, prepared, model, trained[model], out)
    if failed:
        raise failure_of(session, failed)
    return {model: trained[model] for model in models}


def join_members(session: Session, prepared: Prepared, out: Path) -> dict[str, Predictions]:
    """Take in the predictions made elsewhere, write them as those of models are, and say their scores.

    Raises
    ------
    DeclarationError
        With what is wrong with each member that cannot join.
    """
    if session.spec.members and session.options.sample is not None:
        above = all_above(stack_on_of(session.spec.models), session.spec.members)
        more = f", and with it {listed(above)}" if above else ""
        session.console.say(f"note: {listed(session.spec.members)} left out{more}: a sample has folds of its own")
    joined = {}
    for name, outside in ensure_members(session, prepared).items():
        joined[name] = outside.predictions(prepared.folds)
        write_both(session, prepared, name, joined[name], out)
        table = table_of_scores(session, prepared, joined[name])
        session.console.say(
            f"{name}: {session.metric.name} {table['score']:.5f} (folds sd {table['fold_sd']:.5f}), made elsewhere; {outside.agreement}"
        )
    return joined


def _fit(session: Session, prepared: Prepared, jobs: list[FoldFit], work: Work, failed: dict[str, Exception]) -> Iterator[tuple[str, bool]]:
    """Make sure of some fits, and give each model when all of its fits are there, with whether they were there before.

    A model that fails is put into ``failed`` with its first error; layers that stand on one of these are left out.
    """
    lost = all_above(stack_on_of(session.spec.models), failed)
    jobs = [one for one in jobs if one.model not in lost]
    for one in jobs:
        if one.layer is not None:
            ensure_layer(session, prepared, one.model, one.fold)
            work.layers.add(one.layer.name)
    todo = [one for one in jobs if not one.out.is_dir()]
    work.fits_made += len(todo)
    work.fits_found += len(jobs) - len(todo)
    waiting = {one.model: sum(other.model == one.model for other in todo) for one in jobs}
    yield from ((model, True) for model, count in list(waiting.items()) if not count)
    for done, outcome in enumerate(run_fits(todo, threads_for(session, todo, prepared.n_train)), start=1):
        model = outcome.job.model
        session.console.progress(done, len(todo), f"fold fits ({model})")
        waiting[model] -= 1
        if outcome.error is not None:
            failed.setdefault(model, outcome.error)
        elif not waiting[model] and model not in failed:
            yield model, False


def threads_for(session: Session, todo: list[FoldFit], n_rows: int) -> ThreadPlan:
    """How many of some fits run side by side, and with how many threads each."""
    some = todo[:: max(1, len(todo) // 20)]
    return ThreadPlan.of(
        session.around.cores,
        len(todo),
        cells=max((matrix_bytes(one) // 8 for one in some), default=0),
        fit_bytes=max((estimated_bytes(one, n_rows) for one in some), default=0),
        memory=session.options.memory or free_memory(),
    )


def gather(session: Session, prepared: Prepared, model: str, out: Path, *, was_there: bool) -> Predictions:
    """Gather a model's folds, write its predictions, show its files and say its score."""
    predictions = fitted_predictions(session, prepared, model)
    write_both(session, prepared, model, predictions, out)
    facts = [read_json(session.store.path(session.keys.fit(model, fold)) / "facts.json") for fold in range(prepared.folds.n_folds)]
    table = table_of_scores(session, prepared, predictions)
    seconds = sum(fact["seconds"] for fact in facts)
    session.console.say(
        f"{model}: {session.metric.name} {table['score']:.5f} (folds sd {table['fold_sd']:.5f}), "
        + _coverage_said(table)
        + ("from the store" if was_there else f"{seconds:.1f} s of fitting")
    )
    for message in sorted({message for fact in facts for message in fact["warnings"]}):
        session.console.say(f"  {model} warns: {message.splitlines()[0][:200]}")
    return predictions


def _coverage_said(table: Mapping[str, Any]) -> str:
    return f"coverage {table['coverage']['score']:.3f}, " if "coverage" in table else ""


def write_both(session: Session, prepared: Prepared, name: str, predictions: Predictions, out: Path) -> None:
    """Write ``oof/<name>.parquet`` and ``test/<name>.parquet``."""
    id_name, n_train = session.spec.data.id, prepared.n_train
    for folder, values, ids in (
        ("oof", pooled(predictions, prepared.folds), prepared.ids.iloc[:n_train]),
        ("test", predictions.test, prepared.ids.iloc[n_train:]),
    ):
        (out / folder).mkdir(parents=True, exist_ok=True)
        write_predictions(out / folder / f"{name}.parquet", values, ids, id_name, prepared.classes)


def failure_of(session: Session, errors: Mapping[str, Exception]) -> InputError | ModelFailedError:
    """What to raise for models that failed, each with its first error: where they are declared, what is kept, how to go on."""
    above = [name for name in all_above(stack_on_of(session.spec.models, session.models), errors) if name not in errors]
    others = [name for name in (*session.models, *session.members) if name not in {*errors, *above}]
    lines = [
        f"  {session.declaration.place(session.spec.models[model].where)}: {model}: {type(error).__name__}: {error}"
        for model, error in errors.items()
    ]
    advice = f" To go on without: --models {','.join(others)}" if others else ""
    if above:
        lines.append(f"  not fitted, because they stand on these: {', '.join(above)}")
    kept = f"All other fits are kept in {session.store.root}; the same command continues from there.{advice}"
    text = "\n".join([f"{len(errors)} of {len(session.models)} models failed:", *lines, kept])
    if all(isinstance(error, InputError) for error in errors.values()):
        return InputError(text)
    failure = ModelFailedError(text)
    failure.__cause__ = next(iter(errors.values()))
    return failure


def ensemble(session: Session, prepared: Prepared, trained: dict[str, Predictions], out: Path) -> Combined:
    """Fit the declared ensemble on the out-of-fold table, nested; write predictions, metrics and the submission.

    Parameters
    ----------
    trained
        Predictions of the models, then of the members made elsewhere.
    """
    spec, known = session.spec, prepared.known
    problem = Problem(spec.task, session.metric, TRANSFORMS[spec.target.transform])
    parts = _possible_entries(session, trained)
    final = [*trained, *parts][-1]
    decision = spec.decision if final == spec.final else None
    asked = parts if decision is None else {**parts, DECIDED: decision}
    entries = [entry_of(name, part, problem) for name, part in asked.items()]
    fitted = nested(entries, trained, known, prepared.known_of_test, prepared.folds)
    predictions = {**trained, **{name: fitted[name].predictions for name in parts}}
    learnt = {name: {"kind": part.name, "of": part.params["of"], **fitted[name].deployed.describe()} for name, part in parts.items()}
    for name in learnt:
        write_both(session, prepared, name, predictions[name], out)
    metrics = _metrics(session, prepared, predictions, learnt)
    if spec.task == "binary":
        metrics["arms"] = compare_arms(
            families({name: spec.models[name] for name in trained if name in spec.models}), trained, known, prepared.folds, session.metric
        )
        for line in arm_lines(metrics["arms"]):
            session.console.say(line)
    if decision is not None:
        metrics["decision"] = decision_facts(fitted[DECIDED], decision, known, prepared.folds)
    for name in learnt:
        session.console.say(
            f"{name}: {session.metric.name} {metrics['ensemble'][name]['score']:.5f} ({_coverage_said(metrics['ensemble'][name])}nested)"
        )
    deployed = {} if decision is None else {"decision": fitted[DECIDED].deployed.describe()}
    write_json(out / "ensemble.json", {"final": final, "entries": learnt, **deployed})
    write_record(session, prepared, final, decision, out)
    submission.write(session, prepared, predictions[final], out)
    metrics["holdout"] = submission.score_holdout(session, prepared, predictions)
    if session.options.sample is None:
        metrics["limit"] = known_limit(session.data, spec.data.limit, session.metric.name)
    write_json(out / "metrics.json", metrics)
    return Combined(predictions, learnt, metrics)


def _possible_entries(session: Session, trained: dict[str, Predictions]) -> dict[str, Any]:
    """The ensemble entries whose members are all there (a run of chosen models, or on a sample, leaves some out)."""
    there, entries = set(trained), {}
    for name, entry in session.spec.ensemble.items():
        if there.issuperset(entry.params["of"]):
            entries[name] = entry
            there.add(name)
        else:
            session.console.say(f"note: {name!r} is left out, because not all of its members are there")
    return entries


def _metrics(session: Session, prepared: Prepared, predictions: dict[str, Predictions], learnt: dict[str, Any]) -> dict[str, Any]:
    spec, metric, folds = session.spec, session.metric, prepared.folds
    tables = {name: table_of_scores(session, prepared, part) for name, part in predictions.items()}
    models = {name: {**tables[name], **_facts_of(session, prepared, name)} for name in predictions if name not in learnt}
    final = [*predictions][-1]
    return {
        "competition": session.competition.name,
        "task": spec.task,
        "metric": metric.name,
        "metric_params": dict(metric.params),
        "greater_is_better": metric.greater_is_better,
        "final": {"name": final, **{key: tables[final][key] for key in _OF_FINAL if key in tables[final]}},
        "models": models,
        "ensemble": {name: tables[name] for name in learnt},
        "rows": {"train": prepared.n_train, "test": prepared.n_test},
        "folds": {"key": key_of(session.keys.table), "count": folds.n_folds, "repeats": len(folds.repeats)},
    }


def table_of_scores(session: Session, prepared: Prepared, predictions: Predictions) -> dict[str, Any]:
    """The score of some predictions with its uncertainty; whole groups are drawn where the folds keep groups together.

    Remembered in this process: a run looks at the same predictions when a model is done, for each answer so far, and at its end.
    """
    content = hashlib.blake2b()
    for fold in predictions.folds:
        content.update(np.ascontiguousarray(fold).data)
    metric = session.spec.metric
    key = key_of("scores", session.keys.columns(asked_columns(session.spec)), [metric.name, metric.params], content.hexdigest())
    if key not in _TABLES:
        if len(_TABLES) >= _MOST_TABLES:
            _TABLES.clear()
        _TABLES[key] = _table_of_scores(session, prepared, predictions)
    return copy.deepcopy(_TABLES[key])


def _table_of_scores(session: Session, prepared: Prepared, predictions: Predictions) -> dict[str, Any]:
    known, column, metric = prepared.known, group_column(session.spec), session.metric
    groups = None if column is None else known.columns[column].to_numpy()
    table = score_table(predictions, known.y, prepared.folds, metric, columns=known.columns, groups=groups, weights=known.weights)
    if metric.quantile is None:
        return table
    return {**table, "coverage": coverage_of(predictions, known, prepared.folds, metric.quantile, groups)}


def _facts_of(session: Session, prepared: Prepared, model: str) -> dict[str, Any]:
    """What is known of a model besides its scores: its fits, or for a member made elsewhere how its folds agree."""
    if model in session.spec.members:
        return {"kind": "outside", **read_json(session.store.path(session.keys.member(model)) / FACTS)}
    facts = [read_json(session.store.path(session.keys.fit(model, fold)) / "facts.json") for fold in range(prepared.folds.n_folds)]
    rounds = [fact["rounds"] for fact in facts if "rounds" in fact]
    found = session.spec.tune[model].found if model in session.spec.tune else None
    return {
        "seconds": sum(fact["seconds"] for fact in facts),
        "fit_seconds": sum(fact["fit_seconds"] for fact in facts),
        "kind": session.spec.models[model].kind,
        "columns": len(facts[0]["columns"]),
        **({"stack_on": session.spec.models[model].stack_on} if session.spec.models[model].stack_on else {}),
        **({"rounds": rounds} if rounds else {}),
        **({"trials": found["trials"]} if found else {}),
    }
