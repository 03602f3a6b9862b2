"""A recorded run, ``history/<run_id>/``, as the tracker is told of it: a parent, and a nested run for every model and entry."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipelines.store import key_of, read_json
from pipelines.tracking.told import DataSet, Told, flatten, milliseconds, named, points, steps_of

_DECLARED = (
    "task",
    "metric",
    "split",
    "target",
    "rows",
    "resample",
    "members",
    "ensemble",
    "calibrate",
    "postprocess",
    "threshold",
    "refit",
)
_FILES = ("report.html", "submission.csv", "metrics.json", "declaration.yaml", "plan.json", "ensemble.json", "run.json")
_TYPES = {"float": "double", "int": "long", "uint": "long", "bool": "boolean", "datetime": "datetime"}
"""MLflow's types of columns, by the beginning of pandas' names; all others are strings."""


def told_of_run(entry: Path) -> Told:
    """What the tracker is told of a history entry."""
    facts, metrics = read_json(entry / "run.json"), read_json(entry / "metrics.json")
    declared, metric, started = _declared(entry), metrics["metric"], milliseconds(facts["started"])
    final = metrics["final"]
    tables = {**metrics["models"], **metrics["ensemble"]}
    holdout = (metrics.get("holdout") or {}).get(final["name"])
    values = {
        **_scores(metric, final),
        **{f"seconds_{stage}": seconds for stage, seconds in facts["seconds"].items()},
        f"holdout_{metric}_{final['name']}": holdout,
    }
    plots = sorted((entry / "plots").glob("*.csv"))
    return Told(
        name=entry.name,
        tags=run_tags(entry.name, facts, declared),
        params=_params(declared),
        points=points(values, {f"{metric}_fold": final["folds"]}),
        started=started,
        ended=started + round(1000 * sum(facts["seconds"].values())),
        files=(*((entry / name, None) for name in _FILES if (entry / name).is_file()), *((path, "plots") for path in plots)),
        data_sets=_data_sets(entry, facts, metrics, declared["data"]),
        nested=tuple(_model(declared, metric, name, table, started) for name, table in tables.items()),
    )


def run_tags(name: str, facts: Mapping[str, Any], declared: Mapping[str, Any]) -> dict[str, str]:
    """What tells runs apart besides parameters: commit, version, device, budget, and hashes of declaration and data."""
    hashes, options = facts["data"]["hashes"], facts.get("options", {})
    found = {
        "foldwise.run_id": name,
        "foldwise.key": facts.get("key"),
        "foldwise.version": facts["versions"]["foldwise"],
        "foldwise.declaration": key_of(declared),
        "foldwise.data": key_of(hashes),
        "foldwise.device": facts["device"],
        "foldwise.budget": options.get("budget") and f"{options['budget']:g} s",
        "foldwise.sample": options.get("sample"),
        "foldwise.settings": " ".join(options.get("settings", ())),
        "mlflow.source.git.commit": facts["git_commit"],
        **{f"foldwise.data.{file}": value for file, value in hashes.items()},
    }
    return {key: str(value) for key, value in named(found.items()).items() if value}


def _declared(entry: Path) -> dict[str, Any]:
    from pipelines.declaration import read_declaration

    return read_declaration(entry / "declaration.yaml").data


def _params(declared: Mapping[str, Any]) -> dict[str, Any]:
    plain = flatten({key: declared[key] for key in _DECLARED if key in declared})
    lists = {key: declared.get(key) or [] for key in ("clean", "features")}
    lists |= {f"views.{view}": steps for view, steps in (declared.get("views") or {}).items()}
    return named([*plain, *(found for section, steps in lists.items() for found in steps_of(section, steps or []))])


def _scores(metric: str, table: Mapping[str, Any]) -> dict[str, Any]:
    low, high = table["interval"]
    return {metric: table["score"], f"{metric}_low": low, f"{metric}_high": high, f"{metric}_fold_sd": table["fold_sd"]}


def _model(declared: Mapping[str, Any], metric: str, name: str, table: Mapping[str, Any], started: int) -> Told:
    seconds = {key: table[key] for key in ("seconds", "fit_seconds") if key in table}
    params = (declared.get("models") or {}).get(name) or (declared.get("ensemble") or {}).get(name) or {}
    return Told(
        name=name,
        tags={"foldwise.part": "model" if "kind" in table else "ensemble"},
        params=named(flatten(params)),
        points=points({**_scores(metric, table), **seconds}, {f"{metric}_fold": table["folds"], "rounds": table.get("rounds", ())}),
        started=started,
        ended=started + round(1000 * table.get("seconds", 0)),
    )


def _data_sets(entry: Path, facts: Mapping[str, Any], metrics: Mapping[str, Any], data: Mapping[str, Any]) -> tuple[DataSet, ...]:
    """The training file, the test file and those joined to both."""
    contexts = {join["file"]: "joined" for join in data.get("joins") or []}
    contexts |= {data[key]: context for key, context in (("train", "training"), ("test", "testing")) if data.get(key)}
    rows = {data["train"]: metrics["rows"]["train"], data.get("test"): metrics["rows"]["test"]}
    columns = _columns(entry)
    return tuple(
        DataSet(
            file,
            digest,
            str(Path(facts["data"]["folder"]) / file),
            contexts[file],
            columns if file == data["train"] else {},
            rows.get(file),
        )
        for file, digest in facts["data"]["hashes"].items()
        if file in contexts
    )


def _columns(entry: Path) -> dict[str, str]:
    """The raw columns with MLflow's types, as the run noted them for predicting; none where the store no longer has them."""
    serving = entry / "serving.json"
    noted = entry.parent.parent / ".store" / read_json(serving)["inputs"] / "inputs.json" if serving.is_file() else serving
    types = read_json(noted)["types"] if noted.is_file() else {}
    return {name: _type(dtype) for name, dtype in types.items()}


def _type(dtype: Any) -> str:
    return next((known for start, known in _TYPES.items() if str(dtype).lower().startswith(start)), "string")
