"""Sending: a told run becomes MLflow runs in few calls; what was sent in part is gone on with, so that every attempt brings it further."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipelines.quiet_mlflow import quiet_mlflow
from pipelines.tracking.told import DataSet, Told, written

RUN_ID = "foldwise.run_id"
"""The tag that tells a sent run."""
_PARENT = "mlflow.parentRunId"
_UNDER_WAY = "RUNNING"
"""The status of a run until all of it has been sent."""
_METRICS, _PARAMS = 800, 100
"""In one call, of the 1000 and 100 that MLflow takes."""
_PAGE = 1000


def send_told(told: Told, competition: str, uri: str, runs: Path) -> str:
    """Send a run with all that is nested below it; gives the id of its MLflow run, which was there before if it was sent before."""
    _make_store(uri)
    with quiet_mlflow():
        from mlflow.tracking import MlflowClient

        client = MlflowClient(tracking_uri=uri)
        experiment = _experiment(client, competition, uri, runs)
        begun = next(_search(client, experiment, RUN_ID, told.name), None)
        if begun is not None and begun.info.status != _UNDER_WAY:
            return str(begun.info.run_id)
        parent = _create(client, experiment, told, {}) if begun is None else str(begun.info.run_id)
        there = set() if begun is None else _whole_children(client, experiment, parent)
        for one in told.nested:
            if one.name not in there:
                child = _create(client, experiment, one, {_PARENT: parent})
                _log(client, child, one)
                client.set_terminated(child, one.status, one.ended)
        _log(client, parent, told)
        if told.data_sets:
            client.log_inputs(parent, [_input(data) for data in told.data_sets])
        for path, folder in told.files:
            client.log_artifact(parent, str(path), folder)
        # last, because it says that all the rest is there
        client.set_terminated(parent, told.status, told.ended)
    return parent


def _make_store(uri: str) -> None:
    """Begin a new SQLite store with a write-ahead log: MLflow commits six times a run, and each waits for the disk once instead of thrice."""
    place = uri.removeprefix("sqlite:///").partition("?")[0]
    if not uri.startswith("sqlite:///") or not place or Path(place).exists():
        return
    Path(place).parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(place)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()


def _experiment(client: Any, name: str, uri: str, runs: Path) -> str:
    found = client.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    place = (runs / "mlartifacts" / name).resolve().as_uri() if uri.startswith("sqlite:") else None
    return str(client.create_experiment(name, artifact_location=place))


def _whole_children(client: Any, experiment: str, parent: str) -> set[str]:
    """The names of the nested runs that were sent whole; those that were not are deleted."""
    whole = set()
    for child in list(_search(client, experiment, _PARENT, parent)):
        if child.info.status == _UNDER_WAY:
            client.delete_run(child.info.run_id)
        else:
            whole.add(child.info.run_name)
    return whole


def _search(client: Any, experiment: str, tag: str, value: str) -> Iterator[Any]:
    token = None
    while True:
        page = client.search_runs([experiment], f"tags.`{tag}` = '{value}'", max_results=_PAGE, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _create(client: Any, experiment: str, told: Told, tags: dict[str, str]) -> str:
    run = client.create_run(experiment, start_time=told.started, tags={**told.tags, **tags}, run_name=told.name)
    return str(run.info.run_id)


def _log(client: Any, run: str, told: Told) -> None:
    """Metrics and parameters, in as few calls as the tracker allows; the same ones again change nothing."""
    from mlflow.entities import Metric, Param

    metrics = [Metric(point.name, point.value, told.started, point.step) for point in told.points]
    params = [Param(name, written(value)) for name, value in told.params.items()]
    for at in range(max(-(-len(metrics) // _METRICS), -(-len(params) // _PARAMS))):
        part = metrics[at * _METRICS : (at + 1) * _METRICS], params[at * _PARAMS : (at + 1) * _PARAMS]
        client.log_batch(run, metrics=part[0], params=part[1])


def _input(data: DataSet) -> Any:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    columns = [{"type": kind, "name": name, "required": False} for name, kind in data.columns.items()]
    schema = json.dumps({"mlflow_colspec": columns}) if columns else None
    profile = json.dumps({"num_rows": data.rows}) if data.rows is not None else None
    found = Dataset(data.name, data.digest, "local", json.dumps({"uri": data.source}), schema, profile)
    return DatasetInput(found, [InputTag("mlflow.data.context", data.context)])
