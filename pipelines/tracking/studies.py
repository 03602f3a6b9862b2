"""A recorded tuning, ``studies/<session_id>/study.json``, as the tracker is told of it: a parent, and a nested run for every trial."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipelines.store import read_json
from pipelines.tracking.runs import run_tags
from pipelines.tracking.told import Told, flatten, milliseconds, named, points

STUDY = "study.json"
_STATUS = {"complete": "FINISHED", "pruned": "KILLED", "fail": "FAILED"}


def told_of_study(entry: Path) -> Told:
    """What the tracker is told of a tuning session."""
    facts = read_json(entry / STUDY)
    metric, started = facts["metric"], milliseconds(facts["started"])
    best: dict[str, float | None] = {}
    for model, study in facts["models"].items():
        best |= {f"best_{metric}_{model}": study["best"], f"declared_{metric}_{model}": study["declared"]}
    return Told(
        name=entry.name,
        tags=run_tags(entry.name, facts, facts["declaration"]) | {"foldwise.part": "tuning"},
        params=named([*flatten(facts["wanted"]), *((f"study.{model}", study["study"]) for model, study in facts["models"].items())]),
        points=points(best),
        started=started,
        ended=milliseconds(facts["ended"]),
        files=((entry / STUDY, None),),
        nested=tuple(_trial(model, metric, trial) for model, study in facts["models"].items() for trial in study["trials"]),
    )


def _trial(model: str, metric: str, trial: Mapping[str, Any]) -> Told:
    """A trial; what it reported on its way, by which it may have been pruned, stands under the steps it was reported at."""
    values = trial["values"] or [None]
    started, seconds = milliseconds(trial["started"]), trial["seconds"] or 0.0
    tags = {"foldwise.part": "trial", "foldwise.model": model, "foldwise.state": trial["state"], "foldwise.error": trial.get("error")}
    found = {metric: values[0], "seconds_per_1000_rows": values[1] if len(values) > 1 else None, "seconds": trial["seconds"]}
    return Told(
        name=f"{model}-{trial['number']}",
        tags={key: str(value)[:5000] for key, value in tags.items() if value}
        | ({"foldwise.declared": "true"} if trial["is_declared"] else {}),
        params=named([("model", model), *trial["params"].items()]),
        points=points(found, {f"{metric}_fold": trial["folds"], f"{metric}_reported": trial["steps"].values()}),
        started=started,
        ended=started + round(1000 * seconds),
        status=_STATUS.get(trial["state"], "FAILED"),
    )
