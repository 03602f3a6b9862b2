"""Tracking: MLflow is told of runs from their history entries, so that nothing is lost while it is away.

A run is first recorded in ``history/<run_id>/``; this module reads such an entry and writes it to the tracker, in one
batch, outside the training path. What could not be sent is sent with the next run or by ``foldwise sync``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipelines.quiet_mlflow import quiet_mlflow
from pipelines.store import read_json, write_json
from pipelines.surroundings import Surroundings

_SENT = "sent.json"
_MAX_PARAM = 6000


def default_uri(runs: Path) -> str:
    """The tracker used without ``MLFLOW_TRACKING_URI``: SQLite below the runs folder."""
    return f"sqlite:///{(runs / 'mlflow.db').resolve()}"


def unsent(latest: Path) -> list[Path]:
    """History entries that no tracker knows yet, oldest first."""
    entries = sorted(path for path in (latest / "history").glob("[!.]*") if (path / "run.json").is_file())
    return [path for path in entries if not (latest / "tracked" / path.name / _SENT).is_file()]


def send_unsent(latest: Path, runs: Path, around: Surroundings) -> int:
    """Tell the tracker of all runs it does not know; says so when it is away.

    Returns
    -------
    int
        How many runs are still unsent.
    """
    uri = around.tracking_uri or default_uri(runs)
    waiting = unsent(latest)
    for position, entry in enumerate(waiting):
        try:
            run = send(entry, uri, runs)
        except Exception as error:
            left = len(waiting) - position
            around.console.say(
                f"note: the tracker at {uri} did not take run {entry.name} ({type(error).__name__}: {str(error)[:200].partition(chr(10))[0]}); "
                f"{left} run(s) are kept and sent by the next run or by 'foldwise sync'"
            )
            return left
        write_json(latest / "tracked" / entry.name / _SENT, {"uri": uri, "mlflow_run_id": run})
    return 0


def send(entry: Path, uri: str, runs: Path) -> str:
    """Write one history entry to a tracker: a parent run and a nested run per model; gives the parent's id."""
    facts, metrics = read_json(entry / "run.json"), read_json(entry / "metrics.json")
    with quiet_mlflow():
        from mlflow.tracking import MlflowClient

        client = MlflowClient(tracking_uri=uri)
        experiment = _experiment(client, facts["competition"], uri, runs)
        known = _sent_before(client, experiment, entry)
        if known is not None:
            return known
        parent = _parent(client, experiment, entry, facts, metrics)
        for name, table in {**metrics["models"], **metrics["ensemble"]}.items():
            _child(client, experiment, parent, name, table, metrics["metric"], _model_params(entry, name))
        for name in ("report.html", "submission.csv", "metrics.json", "declaration.yaml", "plan.json", "ensemble.json", "run.json"):
            if (entry / name).is_file():
                client.log_artifact(parent, str(entry / name))
        client.set_terminated(parent, "FINISHED")
    return parent


def _experiment(client: Any, name: str, uri: str, runs: Path) -> str:
    found = client.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    place = (runs / "mlartifacts" / name).resolve().as_uri() if uri.startswith("sqlite:") else None
    return str(client.create_experiment(name, artifact_location=place))


def _sent_before(client: Any, experiment: str, entry: Path) -> str | None:
    """The run of an entry that was sent whole but never noted; what was sent in part is deleted."""
    for run in client.search_runs([experiment], f"tags.`foldwise.run_id` = '{entry.name}'"):
        if run.info.status == "FINISHED":
            return str(run.info.run_id)
        for child in client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{run.info.run_id}'"):
            client.delete_run(child.info.run_id)
        client.delete_run(run.info.run_id)
    return None


def _parent(client: Any, experiment: str, entry: Path, facts: dict[str, Any], metrics: dict[str, Any]) -> str:
    started = _milliseconds(facts["started"])
    tags = {
        "mlflow.runName": entry.name,
        "foldwise.run_id": entry.name,
        "foldwise.key": facts["key"],
        "foldwise.device": facts["device"],
        **({"mlflow.source.git.commit": facts["git_commit"]} if facts["git_commit"] else {}),
        **{f"foldwise.data.{name}": value for name, value in facts["data"]["hashes"].items()},
    }
    run = client.create_run(experiment, start_time=started, tags=tags)
    final, name = metrics["final"], metrics["metric"]
    values = {
        f"{name}": final["score"],
        f"{name}_low": final["interval"][0],
        f"{name}_high": final["interval"][1],
        f"{name}_fold_sd": final["fold_sd"],
    }
    values |= {f"seconds_{stage}": seconds for stage, seconds in facts["seconds"].items()}
    values |= {f"holdout_{name}_{part}": score for part, score in (metrics.get("holdout") or {}).items() if part == final["name"]}
    _log(client, run.info.run_id, _parent_params(entry), values, {f"{name}_fold": final["folds"]}, started)
    return str(run.info.run_id)


def _child(client: Any, experiment: str, parent: str, name: str, table: dict[str, Any], metric: str, params: dict[str, Any]) -> None:
    tags = {"mlflow.parentRunId": parent, "mlflow.runName": name}
    run = client.create_run(experiment, tags=tags)
    values = {
        metric: table["score"],
        f"{metric}_low": table["interval"][0],
        f"{metric}_high": table["interval"][1],
        f"{metric}_fold_sd": table["fold_sd"],
    }
    values |= {key: table[key] for key in ("seconds", "fit_seconds") if key in table}
    _log(client, run.info.run_id, params, values, {f"{metric}_fold": table["folds"]}, None)
    client.set_terminated(run.info.run_id, "FINISHED")


def _log(
    client: Any, run: str, params: Mapping[str, Any], values: Mapping[str, float], steps: Mapping[str, list[float | None]], when: int | None
) -> None:
    """Everything of a run in as few calls as the tracker allows."""
    from mlflow.entities import Metric, Param

    stamp = when or 0
    metrics = [Metric(key, float(value), stamp, 0) for key, value in values.items()]
    metrics += [
        Metric(key, float(value), stamp, step) for key, series in steps.items() for step, value in enumerate(series) if value is not None
    ]
    entities = [Param(key, str(value)[:_MAX_PARAM]) for key, value in params.items()]
    client.log_batch(run, metrics=metrics[:1000], params=entities[:100])
    for start in range(1000, len(metrics), 1000):
        client.log_batch(run, metrics=metrics[start : start + 1000])
    for start in range(100, len(entities), 100):
        client.log_batch(run, params=entities[start : start + 100])


def _declared(entry: Path) -> dict[str, Any]:
    from pipelines.declaration import read_declaration

    return read_declaration(entry / "declaration.yaml").data


def _parent_params(entry: Path) -> dict[str, Any]:
    declared = _declared(entry)
    return dict(flatten({key: declared[key] for key in PARENT_KEYS if key in declared}))


PARENT_KEYS = ("task", "metric", "split", "target", "rows", "resample", "ensemble", "calibrate", "postprocess", "threshold", "refit")


def _model_params(entry: Path, name: str) -> dict[str, Any]:
    declared = _declared(entry)
    return dict(flatten(declared.get("models", {}).get(name) or declared.get("ensemble", {}).get(name) or {}))


def flatten(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Nested parameters as dotted names.

    >>> dict(flatten({"lasso": {"alpha": 0.1}, "view": "linear"}))
    {'lasso.alpha': 0.1, 'view': 'linear'}
    """
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from flatten(inner, f"{prefix}.{key}" if prefix else str(key))
    elif prefix:
        yield prefix, value


def _milliseconds(moment: str) -> int:
    import datetime

    return int(datetime.datetime.fromisoformat(moment).timestamp() * 1000)
