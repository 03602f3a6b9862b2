"""The exact test of models: one fold of every model, fitted with two targets of its scored rows, file by file."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from pipelines import layer_columns
from pipelines.audit.case import Case, looks_back_once
from pipelines.audit.coincide import Digests, never_same
from pipelines.audit.finding import Severity
from pipelines.audit.stand_ins import stand_ins
from pipelines.audit.world import World
from pipelines.combiners import asked_columns
from pipelines.engine import ThreadPlan, run_fits
from pipelines.ensembles import Problem
from pipelines.models import kinds
from pipelines.models.rounds import FindsRounds
from pipelines.prepare import named_columns, row_times, write_block, write_columns, write_table, write_view
from pipelines.spec import ModelSpec
from pipelines.store import read_json
from pipelines.targets import TRANSFORMS
from pipelines.training import FoldFit

_TIMES = ("seconds", "fit_seconds")
_ROUNDS = 40
"""What a fit sees shows in its first rounds already; so many keep the test of a large table within minutes."""
_SEEDS = 2


def compare(case: Case, one: World, two: World, fold: int) -> Iterator[tuple[Severity, str, str, str]]:
    """Severity, place, what was seen and advice for each model with a file that never is the same with both targets."""
    with tempfile.TemporaryDirectory() as folder:
        arms = [_write_arm(case, world, fold, Path(folder) / name) for name, world in (("true", one), ("other", two))]
        _fit(case, [job for arm in arms for job in arm])
        for true, other in zip(*arms, strict=True):
            view = case.session.spec.models[true.model].view
            # test rows come after the scored ones: their past holds these labels
            besides = {"test.npy"} if view is not None and looks_back_once(case.planned.views[view]) else set()
            sides = (partial(_digests, case, job, besides=besides) for job in (true, other))
            files, by_chance = never_same(*sides)
            if set(files) - set(by_chance):
                advice = "A model may only see its training part: rounds, weights and calibration too."
                yield Severity.LEAK, f"model {true.model!r}", f"its files {files[:5]} come out otherwise", advice
            elif files:
                advice = "Give the library a seed, or fewer threads: what cannot be repeated cannot be checked."
                yield (
                    Severity.WARNING,
                    f"model {true.model!r}",
                    f"and with the same one too, its files {files[:5]} come out otherwise",
                    advice,
                )


def _fit(case: Case, jobs: list[FoldFit]) -> None:
    cells = len(case.tables.features) * max((len(frames.header.columns) for frames in case.planned.views.values()), default=0)
    for outcome in run_fits(jobs, ThreadPlan.of(case.session.around.cores, len(jobs), cells=cells)):
        if outcome.error is not None:
            raise outcome.error


def _digests(case: Case, job: FoldFit, number: int, besides: set[str]) -> Digests:
    """A digest of each file of a fit besides some; the first try was made with those of all models, later ones are made now."""
    if number:
        job = replace(job, out=job.out.with_name(f"{job.out.name}-{number}"))
        _fit(case, [job])
    return {
        str(path.relative_to(job.out)): _digest(path) for path in sorted(job.out.rglob("*")) if path.is_file() and path.name not in besides
    }


def _digest(path: Path) -> str:
    content = path.read_bytes()
    if path.name == "facts.json":
        content = json.dumps({key: value for key, value in read_json(path).items() if key not in _TIMES}).encode()
    return hashlib.sha256(content).hexdigest()


def _write_arm(case: Case, world: World, fold: int, folder: Path) -> list[FoldFit]:
    """Write the artifacts of one fold as a run does, made with some target; gives the fits of all models."""
    for place in ("table", "fits"):
        (folder / place).mkdir(parents=True)
    write_table(folder / "table", replace(case.tables, y=world.y), case.folds, row_times(case.session.spec, case.tables))
    write_columns(folder / "table", named_columns(world.planned.base, case.tables, asked_columns(case.session.spec)))
    for view in case.views:
        for place in ("view", "block"):
            (folder / f"{place}-{view}").mkdir()
        write_view(folder / f"view-{view}", world.planned.views[view])
        write_block(folder / f"block-{view}", world.blocks[view, fold])
    _write_layers(case, folder)
    return [_job(case, model, fold, folder) for model in case.session.models]


def _write_layers(case: Case, folder: Path) -> None:
    """Write what each layer stands on: the same stand-ins in every world, since the true predictions change with the target."""
    spec, classes = case.session.spec, case.tables.classes
    below = stand_ins(case, [*spec.models, *spec.members])
    for name in case.session.layers:
        model = spec.models[name]
        problem = Problem(spec.task, case.session.metric, TRANSFORMS[model.transform])
        (folder / f"layer-{name}").mkdir()
        layer_columns.write_columns(folder / f"layer-{name}", {one: below[one] for one in model.stack_on}, case.folds, problem, classes)


def _job(case: Case, model: str, fold: int, folder: Path) -> FoldFit:
    spec = case.session.spec.models[model]
    return FoldFit(
        model=model,
        fold=fold,
        kind=spec.kind,
        params=_few_rounds(spec),
        keys=spec.keys.model_copy(update={"max_rounds": min(spec.keys.max_rounds, _ROUNDS), "seeds": min(spec.keys.seeds, _SEEDS)}),
        task=case.session.spec.task,
        n_classes=len(case.tables.classes),
        transform=spec.transform,
        device="cpu",
        table=folder / "table",
        view=None if spec.view is None else folder / f"view-{spec.view}",
        fold_block=None if spec.view is None else folder / f"block-{spec.view}",
        columns=folder / "table",
        out=folder / "fits" / model,
        resample=None if spec.resample is None else (spec.resample.name, spec.resample.params),
        weight=case.session.spec.data.weight,
        layer=folder / f"layer-{model}" if spec.stack_on else None,
    )


def _few_rounds(spec: ModelSpec) -> dict[str, Any]:
    kind = kinds()[spec.kind]
    capped = kind.rounds_names if isinstance(kind, FindsRounds) else ()
    return {name: min(value, _ROUNDS) if name in capped and value is not None else value for name, value in spec.params.items()}
