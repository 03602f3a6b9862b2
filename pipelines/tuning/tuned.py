"""``tuned.json`` beside a declaration: the best parameters that ``foldwise tune`` found, which every later run uses.

The file holds, by model, ``kind``; what changes (``params`` of the library, ``keys`` of the model, ``steps`` by path); ``score``
and ``declared_score`` on the tuning folds; ``trials``, ``study`` and ``folds``. It is merged over the declaration when that is
read, so that the keys of all that depends on it change by themselves. Who wants the declared parameters back deletes the file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from features.errors import InputError, closest, listed
from pipelines.declaration import Declaration
from pipelines.store import write_json
from pipelines.tuning.changes import Changes

TUNED = "tuned.json"
_CHANGES = ("params", "keys", "steps")
_NEEDED: dict[str, type | tuple[type, ...]] = {"kind": str, "trials": int, "score": (int, float), "study": str, "folds": str}
_KNOWN = ("kind", *_CHANGES, "metric", "score", "declared_score", "trials", "study", "folds", "seconds_per_1000_rows")


def read_tuned(folder: Path) -> dict[str, dict[str, Any]]:
    """The entries of the file by model; none where there is no file.

    Raises
    ------
    InputError
        When the file is not what ``foldwise tune`` writes.
    """
    path = folder / TUNED
    if not path.is_file():
        return {}
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read: {error}. Delete it, or run foldwise tune again.") from error
    if not isinstance(entries, dict):
        raise InputError(f"{path} holds {type(entries).__name__}, not models with their parameters. Delete it, or run foldwise tune again.")
    for model, entry in entries.items():
        unknown = [name for name in entry if name not in _KNOWN] if isinstance(entry, dict) else ["no mapping"]
        shapes = isinstance(entry, dict) and all(isinstance(entry.get(name), kind) for name, kind in _NEEDED.items())
        if unknown or not shapes or not all(isinstance(entry.get(part, {}), dict) for part in _CHANGES):
            found = f"unknown {listed(unknown)}" if unknown else "not kind, trials, score, study, folds and params as it should"
            raise InputError(f"{path}: the entry of {model!r} has {found}. Delete the entry, or run foldwise tune again.")
    return entries


def write_tuned(folder: Path, model: str, entry: Mapping[str, Any]) -> Path:
    """Put a model's entry into the file; those of other models stay."""
    write_json(folder / TUNED, {**read_tuned(folder), model: dict(entry)})
    return folder / TUNED


def with_tuned(declaration: Declaration) -> Declaration:
    """A declaration with the tuned parameters beside it merged in; the same one where there are none.

    What was merged stands under ``tune: {MODEL: {found: ...}}``, so that a run's record says where its parameters come from.

    Raises
    ------
    InputError
        When the file names a model or a kind that is not declared, or two models want different values of one step.
    """
    path = declaration.path.parent / TUNED
    entries = read_tuned(declaration.path.parent)
    if not entries:
        return declaration
    data, models = dict(declaration.data), declaration.data.get("models")
    if not isinstance(models, dict):
        return declaration
    wanted: dict[str, tuple[str, Any]] = {}
    for model, entry in entries.items():
        kind = entry["kind"]
        if not isinstance(models.get(model), dict):
            message = f"{path} names model {model!r}, which the declaration does not have; it has {listed(models)}.{closest(model, models)}"
            raise InputError(f"{message} Delete the entry, or the file.")
        if kind not in models[model]:
            raise InputError(
                f"{path}: {model!r} was tuned as {kind!r}, and is declared as another kind. Delete the entry, or tune it again."
            )
        for step, value in entry.get("steps", {}).items():
            owner, other = wanted.setdefault(step, (model, value))
            if other != value:
                raise InputError(
                    f"{path}: {owner!r} and {model!r} want different values of {step!r}, which they share. Delete one of them."
                )
        try:
            data = Changes(*(entry.get(part, {}) for part in _CHANGES)).applied(data, model, kind)
        except InputError as error:
            raise InputError(f"{path}: the entry of {model!r} does not fit the declaration any more: {error} Tune it again.") from error
    return replace(declaration, data={**data, "tune": _found(declaration.data.get("tune"), entries)})


def _found(declared: Any, entries: Mapping[str, Any]) -> Any:
    if declared is not None and not isinstance(declared, dict):
        return declared  # the check of the declaration says what is wrong with it
    tune = dict(declared or {})
    for model, entry in entries.items():
        own = tune.get(model)
        if own is None or isinstance(own, dict):
            tune[model] = {**(own or {}), "found": entry}
    return tune


def tuned_line(declaration: Declaration) -> str | None:
    """What a run says when it uses tuned parameters; None where it uses none."""
    tune = declaration.data.get("tune")
    entries = {model: entry["found"] for model, entry in tune.items() if isinstance(entry, dict) and "found" in entry} if tune else {}
    if not entries:
        return None
    models = ", ".join(f"{model} ({entry['trials']} trials)" for model, entry in entries.items())
    return f"uses the tuned parameters of {models} from {TUNED}; delete the file to go back to the declared ones"
