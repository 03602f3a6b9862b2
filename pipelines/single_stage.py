"""One stage of a run on its own: what ``dvc.yaml`` calls. Whatever it needs from earlier stages it takes from the store."""

from __future__ import annotations

import shutil

from features.errors import InputError, closest, listed
from pipelines import stages
from pipelines.competition import find_competition, find_data
from pipelines.layers import all_below, stack_on_of
from pipelines.options import Options
from pipelines.plots import write_plots
from pipelines.session import Session, open_session
from pipelines.store import whole_folder
from pipelines.surroundings import Surroundings
from pipelines.unchanged import find_latest, hash_inputs, input_names, run_key
from pipelines.view_keys import write_view_keys
from pipelines.whole_run import record, show_models, tell_tracker

STAGES = ("prepare", "train", "ensemble", "report")


def run_stage(stage: str, name: str, options: Options) -> None:
    """Run ``prepare``, ``train@MODEL``, ``ensemble`` or ``report`` and show its files in ``runs/<competition>/``.

    Raises
    ------
    InputError
        When there is no such stage or model.
    """
    what, _, model = stage.partition("@")
    if what not in STAGES or (what == "train") != bool(model):
        raise InputError(f"No stage {stage!r}; stages are prepare, train@MODEL, ensemble and report.{closest(what, STAGES)}")
    around = Surroundings.read()
    competition = find_competition(name)
    declaration = competition.declaration(options.settings)
    data, line = find_data(competition, declaration, options.data, options.runs)
    if line:
        around.console.say(line)
    session = open_session(competition, data, options, around)
    if model and model not in session.spec.models:
        raise InputError(f"No model {model!r} to train; there are {listed(session.spec.models)}.{closest(model, session.spec.models)}")
    key = run_key(declaration, hash_inputs(data, input_names(declaration.data)), options.for_key())
    if what == "report":
        record(session, key)
        tell_tracker(session)
    else:
        if find_latest(session.latest, key) is None:
            # files of two runs side by side must not pass for the run that was there
            (session.latest / "run.json").unlink(missing_ok=True)
        _show(session, what, model)


def _show(session: Session, what: str, model: str) -> None:
    """Run a stage into a folder beside the latest run, then let the latest run show what it wrote."""
    with whole_folder(session.latest / ".stage" / f"{what}-{model}") as out:
        (out / "new").mkdir()
        prepared = stages.prepare(session, out / "needed")
        if what == "prepare":
            write_view_keys(session, out / "needed")
        if what == "train":
            work = stages.Work()
            stages.train(session, prepared, out / "needed", all_below(stack_on_of(session.spec.models), model), stages.Work())
            stages.train(session, prepared, out / "new", [model], work)
            fits = [session.keys.fit(model, fold) for fold in range(prepared.folds.n_folds)]
            show_models(session, {model: fits}, work.refits)
        elif what == "ensemble":
            trained = stages.train(session, prepared, out / "needed", session.models, stages.Work())
            members = stages.join_members(session, prepared, out / "new")
            combined = stages.ensemble(session, prepared, {**trained, **members}, out / "new")
            write_plots(session, prepared, combined, out / "new")
        source = out / ("needed" if what == "prepare" else "new")
        for path in sorted(source.rglob("*")):
            if path.is_file():
                target = session.latest / path.relative_to(source)
                target.parent.mkdir(parents=True, exist_ok=True)
                path.replace(target)
    shutil.rmtree(session.latest / ".stage", ignore_errors=True)
