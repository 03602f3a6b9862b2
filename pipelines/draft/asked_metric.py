"""The metric as a command line names it: ``rmse``, or ``mean_pinball_loss:alpha=0.9`` with parameters."""

from __future__ import annotations

import json
from typing import Any

from features.errors import InputError, closest
from pipelines.metrics import METRIC_FACTORIES, METRICS, Metric, metric_of
from pipelines.parameters import table_of


def asked_metric(text: str) -> Metric:
    """The metric of ``NAME`` or ``NAME:KEY=VALUE,KEY=VALUE``.

    >>> str(asked_metric("mean_pinball_loss:alpha=0.9"))
    'mean_pinball_loss (alpha 0.9)'

    Raises
    ------
    InputError
        When there is no such metric, or when its parameters are missing or wrong.
    """
    name, _, given = text.partition(":")
    known = {*METRICS, *METRIC_FACTORIES}
    if name not in known:
        raise InputError(f"--metric {text!r}: there is no such metric; there are {', '.join(sorted(known))}.{closest(name, known)}")
    if name not in METRICS and not given:
        raise InputError(f"--metric {name} has parameters. Give them: --metric {name}:{_example(name)}")
    try:
        return metric_of(name, dict(_parameter(one, name, text) for one in given.split(",")) if given else {})
    except InputError as error:
        raise InputError(f"--metric {text}: {error}") from error


def _parameter(text: str, name: str, whole: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals or not key.strip() or not value.strip():
        raise InputError(f"parameters are written KEY=VALUE with commas between them; found {text!r}. Write {name}:{_example(name)}")
    try:
        return key.strip(), json.loads(value)
    except json.JSONDecodeError:
        return key.strip(), value.strip()


def _example(name: str) -> str:
    """Parameters that the metric can be given; ``...`` where none stands beside its signature."""
    if name not in METRIC_FACTORIES:
        return "..."
    fields = table_of(METRIC_FACTORIES[name]).model_fields
    needed = {key: field for key, field in fields.items() if field.is_required()} or fields
    return ",".join(f"{key}={field.examples[0] if field.examples else '...'}" for key, field in needed.items())
