"""The ``models`` of a declaration, checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from features.errors import InputError, closest
from pipelines.declaration import Fault, Path_
from pipelines.declared_parts import check_expression, is_file_name, part_of
from pipelines.parameters import check
from pipelines.quantiles import learning_quantile
from pipelines.spec import ModelKeys, ModelSpec, Part


def models_of(
    raw: dict[str, Any],
    views: Mapping[str, Any],
    task: str,
    transform: str,
    resample: Part | None,
    faults: list[Fault],
    *,
    quantile: float | None = None,
) -> dict[str, ModelSpec]:
    """The declared models; each that can learn a quantile learns the ``quantile`` that the metric asks for, unless it says otherwise."""
    from pipelines.models import check_parameters, kinds

    models: dict[str, ModelSpec] = {}
    for name, entry in raw.items():
        where: Path_ = ("models", name)
        kind = _kind_of_model(entry, where, tuple(kinds()), faults)
        if kind is None:
            continue
        keys = check(ModelKeys, {key: value for key, value in entry.items() if key != kind}, where, faults)
        params = {} if entry[kind] is None else entry[kind]
        if quantile is not None and isinstance(params, Mapping):
            params = learning_quantile(kind, params, quantile)
        faults.extend(Fault((*where, kind, *key), message) for key, message in check_parameters(kind, task, params))
        if keys is None:
            continue
        own_transform = transform if keys.transform is None else keys.transform
        faults.extend(_objective_faults(params, own_transform, (*where, kind)))
        if own_transform != "none" and keys.transform is not None and task != "regression":
            faults.append(Fault((*where, "transform"), f"only numbers can be transformed; the task is {task!r}. Remove the key."))
        if keys.view and keys.view not in views:
            known = ", ".join(views) or "none"
            faults.append(Fault((*where, "view"), f"no view {keys.view!r}; views are {known}.{closest(keys.view, views)}"))
        if keys.scale_target and task != "regression":
            faults.append(Fault((*where, "scale_target"), f"only numbers can be scaled; the task is {task!r}. Remove the key."))
        if keys.pseudo_labels is not None and task == "regression":
            faults.append(
                Fault((*where, "pseudo_labels"), "a model is sure of classes, not of numbers; the task is 'regression'. Remove the key.")
            )
        if keys.weights != "none" and (keys.weights == "balanced") == (task == "regression"):
            fitting = "inverse_square" if task == "regression" else "balanced"
            faults.append(Fault((*where, "weights"), f"{keys.weights!r} does not fit task {task!r}; allowed: none, {fitting}."))
        if keys.rows is not None:
            check_expression(keys.rows, (*where, "rows"), faults)
        own = resample if keys.resample is None else resampler_of(keys.resample, (*where, "resample"), task, faults)
        if not is_file_name(name):
            faults.append(Fault(where, "a model's name is made of letters, digits, '_' and '-': it names a folder."))
        models[name] = ModelSpec(name, kind, params, keys, where, own, own_transform)
    return models


def _objective_faults(params: Mapping[str, Any], transform: str, where: Path_) -> Iterator[Fault]:
    from pipelines.objectives import OBJECTIVES

    own = OBJECTIVES.get(str(params.get("objective"))) if isinstance(params, Mapping) else None
    if own is not None and transform not in own.transforms:
        wanted = " or ".join(own.transforms)
        yield Fault((*where, "objective"), f"{own.name!r} works on a log scale; the target's transform is {transform!r}. Use {wanted}.")


def _kind_of_model(entry: object, where: Path_, kinds: tuple[str, ...], faults: list[Fault]) -> str | None:
    if not isinstance(entry, Mapping):
        faults.append(Fault(where, f"takes '{{kind: {{parameters}}, view: ...}}', found {entry!r}. Kinds: {', '.join(kinds)}."))
        return None
    found = [str(key) for key in entry if key in kinds]
    if len(found) == 1:
        return found[0]
    unknown = [key for key in entry if key not in ModelKeys.model_fields and key not in kinds]
    near = closest(unknown[0], kinds) if unknown else ""
    faults.append(Fault(where, f"needs one kind of model, found {found or unknown or 'none'}; kinds: {', '.join(kinds)}.{near}"))
    return None


def resampler_of(raw: object, where: Path_, task: str, faults: list[Fault]) -> Part | None:
    """A declared way to resample; none where it says so."""
    from pipelines.resample import RESAMPLERS

    if raw is None or raw == "none":
        return None
    part = part_of(raw, where, RESAMPLERS, "way to resample", faults)
    if part is None:
        return None
    try:
        tasks = RESAMPLERS[part.name](**part.params).tasks
    except InputError as error:
        faults.append(Fault((*where, part.name), str(error)))
        return None
    if task == "regression":
        faults.append(Fault(where, "resampling needs classes; the task is 'regression'. Remove the key."))
    elif task and task not in tasks:
        faults.append(Fault((*where, part.name), f"{part.name!r} does not fit task {task!r}; it is for {' and '.join(tasks)} targets."))
    return part
