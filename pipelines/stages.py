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
from pipelines.engine import Outcome, ThreadPlan, run_fits
from pipelines.ensembles import Problem
from pipelines.failures import ModelFailedError
from pipelines.frames import REFIT
from pipelines.limit import known_limit
from pipelines.memory import estimated_bytes, matrix_bytes
from pipelines.models import kinds
from pipelines.models.rounds import FindsRounds
from pipelines.oof import Predictions, nested, pooled, write_predictions
from pipelines.outside.member import FACTS, ensure_members
from pipelines.prepare import Prepared, ensure_table, ensure_views
from pipelines.scores import score_table
from pipelines.serve.record import write_record
from pipelines.session import Session
from pipelines.store import key_of, read_json, show, write_json
from pipelines.surroundings import free_memory
from pipelines.targets import TRANSFORMS
from pipelines.training import FoldFit
from pipelines.windows import Window

_OF_FINAL = ("score", "interval", "fold_sd", "folds", "coverage")


@dataclass
class Work:
    """What was computed and what was found in the store."""

    fits_made: int = 0
    fits_found: int = 0
    refits: dict[str, str] = field(default_factory=dict)
    """The key of each model's fit on all rows."""


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
    views = list(dict.fromkeys(session.spec.models[name].keys.view for name in session.models))
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
    split = {session.spec.split.name: session.spec.split.params}
    write_json(
        out / "plan.json",
        {"split": split, "folds": prepared.folds.n_folds, "notes": prepared.notes, "windows": prepared.windows, "views": plans},
    )
    return prepared


def train(session: Session, prepared: Prepared, out: Path, models: list[str], work: Work) -> dict[str, Predictions]:
    """Fit models in all folds, several fits at a time, and write their out-of-fold and test predictions.

    Raises
    ------
    ModelFailedError
        After all other fits are done, when one failed.
    """
    jobs = [job(session, prepared, model, fold) for model in models for fold in range(prepared.folds.n_folds)]
    trained = {
        model: gather(session, prepared, model, out, was_there=was_there)
        for model, was_there in _fit(session, jobs, prepared.n_train, work)
    }
    if session.spec.refit == "all":
        refits = {model: refit_job(session, prepared, model) for model in models}
        for model, _ in _fit(session, [*refits.values()], prepared.n_train, work):
            work.refits[model] = refits[model].out.name
            trained[model] = replace(trained[model], test=np.load(refits[model].out / "test.npy"))
            write_both(session, prepared, model, trained[model], out)
    return {model: trained[model] for model in models}


def join_members(session: Session, prepared: Prepared, out: Path) -> dict[str, Predictions]:
    """Take in the predictions made elsewhere, write them as those of models are, and say their scores.

    Raises
    ------
    DeclarationError
        With what is wrong with each member that cannot join.
    """
    if session.spec.members and session.options.sample is not None:
        session.console.say(f"note: {listed(session.spec.members)} left out: a sample has folds of its own")
    joined = {}
    for name, outside in ensure_members(session, prepared).items():
        joined[name] = outside.predictions(prepared.folds)
        write_both(session, prepared, name, joined[name], out)
        table = table_of_scores(session, prepared, joined[name])
        session.console.say(
            f"{name}: {session.metric.name} {table['score']:.5f} (folds sd {table['fold_sd']:.5f}), made elsewhere; {outside.agreement}"
        )
    return joined


def _fit(session: Session, jobs: list[FoldFit], n_rows: int, work: Work) -> Iterator[tuple[str, bool]]:
    """Make sure of some fits, and give each model when all of its fits are there, with whether they were there before."""
    todo = [one for one in jobs if not one.out.is_dir()]
    work.fits_made += len(todo)
    work.fits_found += len(jobs) - len(todo)
    waiting = {one.model: sum(other.model == one.model for other in todo) for one in jobs}
    yield from ((model, True) for model, count in list(waiting.items()) if not count)
    failed: list[Outcome] = []
    for done, outcome in enumerate(run_fits(todo, threads_for(session, todo, n_rows)), start=1):
        model = outcome.job.model
        session.console.progress(done, len(todo), f"fold fits ({model})")
        waiting[model] -= 1
        if outcome.error is not None:
            failed.append(outcome)
        elif not waiting[model] and not any(bad.job.model == model for bad in failed):
            yield model, False
    if failed:
        errors = {outcome.job.model: outcome.error for outcome in reversed(failed) if outcome.error is not None}
        raise failure_of(session, dict(reversed(errors.items())))


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
        view=store.path(keys.view(spec.keys.view)),
        fold_block=store.path(keys.fold(spec.keys.view, fold)),
        columns=store.path(keys.columns(asked_columns(session.spec))) if asked else store.path(keys.table),
        out=store.path(keys.fit(model, fold, rounds)),
        resample=None if spec.resample is None else (spec.resample.name, spec.resample.params),
        weight=session.spec.data.weight,
    )


def refit_job(session: Session, prepared: Prepared, model: str) -> FoldFit:
    """The fit of one model on all rows, with the rounds that the folds found, scaled by how many more rows there are."""
    facts = [read_json(session.store.path(session.keys.fit(model, fold)) / "facts.json") for fold in range(prepared.folds.n_folds)]
    kind, params = kinds()[session.spec.models[model].kind], session.spec.models[model].params
    rounds = None
    if isinstance(kind, FindsRounds) and all(params.get(name) is None for name in kind.rounds_names):
        rows = int(prepared.may_fit.sum())
        rounds = round(float(np.mean([fact["rounds"] * rows / fact["fit_rows"] for fact in facts])))
    return job(session, prepared, model, REFIT, rounds)


def gather(session: Session, prepared: Prepared, model: str, out: Path, *, was_there: bool) -> Predictions:
    """Gather a model's folds, write its predictions, show its files and say its score."""
    folders = [session.store.path(session.keys.fit(model, fold)) for fold in range(prepared.folds.n_folds)]
    test = np.mean([np.load(folder / "test.npy") for folder in folders], axis=0)
    predictions = Predictions([np.load(folder / "oof.npy") for folder in folders], test)
    write_both(session, prepared, model, predictions, out)
    facts = [read_json(folder / "facts.json") for folder in folders]
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
    others = [name for name in (*session.models, *session.members) if name not in errors]
    lines = [
        f"  {session.declaration.place(session.spec.models[model].where)}: {model}: {type(error).__name__}: {error}"
        for model, error in errors.items()
    ]
    advice = f" To go on without: --models {','.join(others)}" if others else ""
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
    content = hashlib.blake2b(b"".join(np.ascontiguousarray(fold).tobytes() for fold in predictions.folds)).hexdigest()
    key = key_of(
        "scores", session.keys.columns(asked_columns(session.spec)), [session.spec.metric.name, session.spec.metric.params], content
    )
    if key not in _TABLES:
        if len(_TABLES) >= _MOST_TABLES:
            _TABLES.clear()
        _TABLES[key] = _table_of_scores(session, prepared, predictions)
    return copy.deepcopy(_TABLES[key])


_TABLES: dict[str, dict[str, Any]] = {}
_MOST_TABLES = 1_000


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
        **({"rounds": rounds} if rounds else {}),
        **({"trials": found["trials"]} if found else {}),
    }
