"""A whole run: from a competition's name to a submission, a report, a history entry and a tracked run."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.competition import find_competition, find_data
from pipelines.options import Options
from pipelines.store import key_of, read_json, show, whole_folder, write_json
from pipelines.surroundings import Surroundings
from pipelines.tuning.tuned import tuned_line
from pipelines.unchanged import find_latest, hash_inputs, input_names, run_key

if TYPE_CHECKING:
    from pipelines.session import Session
    from pipelines.stages import Work

_VERSIONS = ("catboost", "foldwise", "lightgbm", "mlflow", "numpy", "pandas", "scikit-learn", "scipy", "xgboost", "xgboost-cpu")


@dataclass(frozen=True)
class Result:
    """What came out of a run: its id, its folder with all files, its metrics, and how many fold fits were made."""

    run_id: str
    folder: Path
    metrics: dict[str, Any]
    fits_made: int
    is_new: bool

    @property
    def report(self) -> Path:
        """The report's path."""
        return self.folder / "report.html"

    @property
    def submission(self) -> Path:
        """The submission's path; there is none without a test file."""
        return self.folder / "submission.csv"


def run(name_or_folder: str, *, options: Options | None = None, around: Surroundings | None = None, **given: Any) -> Result:
    """Run a declared competition.

    Parameters
    ----------
    name_or_folder
        A competition by name or folder.
    options
        What the command line adds; or give its fields by keyword (``runs=Path("runs")``, ``settings=("split.kfold.seed=1",)``).
    around
        The hour, the machine and the console; read now by default.

    Returns
    -------
    Result
        Of this run, or of the latest one when nothing has changed since.

    Raises
    ------
    InputError
        When the declaration, the data or an option is wrong.
    ModelFailedError
        When a declared model failed; the others are kept.
    """
    options = options or Options(**given)
    around = around or Surroundings.read()
    competition = find_competition(name_or_folder)
    declaration = competition.declaration(options.settings, options.history(competition.name))
    data, sample_line = find_data(competition, declaration, options.data, options.runs)
    if sample_line:
        around.console.say(sample_line)
    tuned = tuned_line(declaration)
    if tuned:
        around.console.say(tuned)
    key = run_key(declaration, hash_inputs(data, input_names(declaration.data)), options.for_key())
    latest = find_latest(options.runs / competition.name, key) if options.is_full and options.budget is None and not options.past else None
    if latest is not None:
        return Result(latest.facts["run_id"], latest.folder, read_json(latest.folder / "metrics.json"), 0, is_new=False)
    from pipelines.session import open_session

    session = open_session(competition, data, options, around)
    if options.budget is not None:
        from pipelines.budget import run_within

        return run_within(session, key)
    result = record(session, key)
    tell_tracker(session)
    return result


def record(session: Session, key: str) -> Result:
    """Run all stages into a new history entry, and show it as the latest when it is a full run."""
    run_id = _run_id(session, key)
    folder = session.latest / "history" / run_id
    with whole_folder(folder) as out:
        work = _stages(session, out, run_id, key)
    if session.options.is_full:
        publish(session, folder)
    shown = session.latest if session.options.is_full else folder
    return Result(run_id, shown, read_json(folder / "metrics.json"), work.fits_made, is_new=True)


def show_so_far(session: Session, key: str) -> None:
    """Run all stages and show them as the latest run, without a history entry: a better answer is on its way."""
    with tempfile.TemporaryDirectory(prefix=".so-far-", dir=session.latest) as place:
        _stages(session, Path(place), _run_id(session, key), key)
        publish(session, Path(place))


def tell_tracker(session: Session) -> None:
    """Send the tracker what it has missed of this competition, within a bounded time that ends with a budget."""
    from pipelines.track import PATIENCE, send_unsent

    options, around = session.options, session.around
    if not options.track:
        return
    left = PATIENCE if options.budget is None else around.began + options.budget - time.monotonic() - 1
    send_unsent(session.latest, options.runs, around, max(1.0, min(PATIENCE, left)))


def _run_id(session: Session, key: str) -> str:
    moment = session.around.now
    return f"{moment:%Y%m%d-%H%M%S}-{key_of(key, moment.isoformat(), os.getpid())[:6]}"


def _stages(session: Session, out: Path, run_id: str, key: str) -> Work:
    from pipelines import stages
    from pipelines.plots import write_plots
    from pipelines.report import write_report
    from pipelines.view_keys import write_view_keys

    timings: dict[str, float] = {}
    work = stages.Work()
    with timed(timings, "prepare"):
        prepared = stages.prepare(session, out)
        write_view_keys(session, out)
        # before the fits: a file that does not fit is told at once
        members = stages.join_members(session, prepared, out)
    with timed(timings, "train"):
        trained = {**stages.train(session, prepared, out, session.models, work), **members}
    with timed(timings, "ensemble"):
        combined = stages.ensemble(session, prepared, trained, out)
        write_plots(session, prepared, combined, out)
    with timed(timings, "report"):
        write_report(session, prepared, combined, out / "report.html", timings=timings)
    write_record(session, out, run_id, key, timings=timings, work=work)
    return work


def write_record(session: Session, out: Path, run_id: str, key: str, *, timings: dict[str, float], work: Work) -> None:
    """Write what a run was made from: its declaration, the keys of its artifacts, and ``run.json``."""
    _write_declaration(session, out)
    fits = {model: [session.keys.fit(model, fold) for fold in range(_n_folds(out))] for model in session.models}
    members = {name: session.keys.member(name) for name in session.members}
    made = {"fits": fits, "refits": work.refits, "members": members, "layers": sorted(work.layers)}
    write_json(out / "keys.json", {"table": session.keys.table, **made})
    files = sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())
    facts = {
        "run_id": run_id,
        "key": key,
        "competition": session.competition.name,
        "started": session.around.now.isoformat(),
        "seconds": timings,
        "fits": {"made": work.fits_made, "from_store": work.fits_found},
        "machine": session.around.machine,
        "cores": session.around.cores,
        "device": str(session.keys.devices),
        "device_probes": [*session.keys.devices.probes],
        "git_commit": session.around.git_commit,
        "tracked": session.options.track,
        "versions": {name: _version(name) for name in _VERSIONS},
        "data": {"folder": str(session.data), "hashes": session.keys.inputs, "members": session.keys.outside},
        "options": {
            **session.options.for_key(),
            "settings": session.options.settings,
        },
        "files": [*files, "run.json"],
    }
    write_json(out / "run.json", facts)


def publish(session: Session, folder: Path) -> None:
    """Let ``runs/<competition>/`` show a run: links to its files, and to its models in the store."""
    latest = session.latest
    # first, because files of two runs side by side must not pass for the run that was there
    (latest / "run.json").unlink(missing_ok=True)
    shutil.rmtree(latest / "models", ignore_errors=True)
    for sub in ("oof", "test", "plots", "views"):
        shutil.rmtree(latest / sub, ignore_errors=True)
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != "run.json":
            show(path, latest / path.relative_to(folder))
    keys = read_json(folder / "keys.json")
    show_models(session, keys["fits"], keys["refits"])
    # last, because it says that all the rest is there
    show(folder / "run.json", latest / "run.json")


def show_models(session: Session, fits: dict[str, list[str]], refits: dict[str, str]) -> None:
    """Link the fits of models into ``models/<model>/fold-<k>/``, and those on all rows into ``models/<model>/refit/``."""
    named = [(model, f"fold-{fold}", key) for model, keys in fits.items() for fold, key in enumerate(keys)]
    for model, name, key in [*named, *((model, "refit", key) for model, key in refits.items())]:
        artifact = session.store.path(key)
        for path in artifact.rglob("*"):
            if path.is_file():
                show(path, session.latest / "models" / model / name / path.relative_to(artifact))


def _write_declaration(session: Session, out: Path) -> None:
    from ruamel.yaml import YAML

    with (out / "declaration.yaml").open("w", encoding="utf-8") as file:
        yaml = YAML(typ="safe", pure=True)
        # the order of steps and expressions has a meaning
        yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
        yaml.dump(session.declaration.data, file)


def _n_folds(out: Path) -> int:
    return int(read_json(out / "plan.json")["folds"])


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


@contextmanager
def timed(timings: dict[str, float], name: str) -> Iterator[None]:
    """Note the seconds a block takes."""
    started = time.perf_counter()
    yield
    timings[name] = time.perf_counter() - started
