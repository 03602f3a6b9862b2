"""From a declaration to frozen objects: every section checked, all faults reported at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from features.errors import InputError, closest
from pipelines.declaration import Declaration, DeclarationError, Fault
from pipelines.declared_entries import as_entry, check_metric, check_subsets, decision_of, entries_of, finishing_entries, quantile_asked
from pipelines.declared_layers import layer_faults
from pipelines.declared_models import models_of, resampler_of
from pipelines.declared_parts import bare, check_expression, choice, mapping, part_of, steps_of
from pipelines.fetch.source import source_of
from pipelines.outside.declared import members_of
from pipelines.parameters import check
from pipelines.spec import KEYS, ROLES, SECTIONS, Data, ModelSpec, Part, Rows, Spec
from pipelines.tuning.declared import check_tune

_NEEDED = ("data", "task", "metric", "split", "models")


def build_spec(declaration: Declaration) -> Spec:
    """Check a declaration and build its frozen objects.

    Raises
    ------
    DeclarationError
        With every fault found: file, line, what was found, what is allowed and the closest match.
    """
    from pipelines.metrics import METRIC_FACTORIES, METRICS
    from pipelines.splits import SPLITTERS

    raw, faults = declaration.data, list[Fault]()
    _check_keys(raw, faults)
    sections = {key: check(table, raw.get(key, {}), (key,), faults) for key, table in SECTIONS.items() if key in raw or key not in _NEEDED}
    task = choice(raw, "task", ("regression", "binary", "multiclass"), faults)
    metric = (
        part_of(raw["metric"], ("metric",), {**dict.fromkeys(METRICS, bare), **METRIC_FACTORIES}, "metric", faults)
        if "metric" in raw
        else None
    )
    split = part_of(raw.get("split", {}), ("split",), SPLITTERS, "splitter", faults) if "split" in raw else None
    resample = resampler_of(raw.get("resample"), ("resample",), task, faults)
    clean, features = (steps_of(raw.get(key, []), (key,), faults) for key in ("clean", "features"))
    views = _views(raw.get("views", {}), faults)
    transform = getattr(sections["target"], "transform", "none")
    declared = mapping(raw.get("models", {}), ("models",), faults)
    models = models_of(declared, views, task, transform, resample, faults, quantile=quantile_asked(metric, task))
    members = members_of(raw.get("members", []), models, sections.get("data"), faults)
    predicted = [*models, *members]
    ensemble = entries_of(mapping(raw.get("ensemble", {}), ("ensemble",), faults), predicted, faults)
    faults.extend(layer_faults(models, [*declared], members, ensemble))
    final = next(reversed([*predicted, *ensemble]), "")
    added = finishing_entries(raw, final, {*predicted, *ensemble}, faults)
    decision = decision_of(raw.get("threshold"), next(reversed([final, *added]), ""), faults)
    refit = choice({"refit": "none", **raw}, "refit", ("none", "all"), faults)
    _check_sections(sections, models, faults)
    if metric and task:
        check_metric(metric, task, sections["target"], [*ensemble.values(), *added.values(), *([decision] if decision else [])], faults)
    check_subsets(models, ensemble, final, faults)
    tune = check_tune(raw.get("tune"), models, faults, raw)
    if faults:
        raise DeclarationError(declaration, sorted(faults, key=lambda fault: declaration.line(fault.where)))
    assert split is not None and metric is not None
    return Spec(
        title=str(raw.get("title", declaration.path.parent.name)),
        task=task,  # type: ignore[arg-type]
        metric=metric,
        split=split,
        clean=clean,
        features=features,
        views=views,
        models=models,
        members=members,
        ensemble={**ensemble, **added, **as_entry(metric, decision)},
        # cuts between more than two classes are an entry and nothing else: no counts of false alarms
        decision=decision if decision is None or decision.name == "threshold" else None,
        refit=refit,  # type: ignore[arg-type]
        tune=tune,
        **sections,  # type: ignore[arg-type]
    )


def _check_keys(raw: Mapping[str, Any], faults: list[Fault]) -> None:
    faults.extend(Fault((key,), f"unknown key; allowed: {', '.join(KEYS)}.{closest(key, KEYS)}") for key in raw if key not in KEYS)
    faults.extend(Fault((), f"needs the key {key!r}.") for key in _NEEDED if key not in raw)
    if "models" in raw and not raw["models"]:
        faults.append(Fault(("models",), "declare at least one model."))


def _views(raw: object, faults: list[Fault]) -> dict[str, tuple[Part, ...]]:
    return {str(name): steps_of(steps, ("views", str(name)), faults) for name, steps in mapping(raw, ("views",), faults).items()}


def _check_columns(data: object, faults: list[Fault]) -> None:
    if isinstance(data, Data) and data.id == data.target:
        faults.append(
            Fault(
                ("data", "id"),
                f"{data.id!r} is the target; it cannot be the id too. Name the column that tells rows apart, or leave 'id' out.",
            )
        )


def _check_sections(sections: Mapping[str, Any], models: Mapping[str, ModelSpec], faults: list[Fault]) -> None:
    """What sections say of each other, and of the models."""
    _check_expressions(sections["rows"], faults)
    _check_columns(sections.get("data"), faults)
    _check_source(sections.get("data"), faults)
    _check_pseudo_labels(models, sections.get("data"), faults)


def _check_pseudo_labels(models: Mapping[str, ModelSpec], data: object, faults: list[Fault]) -> None:
    for model in models.values():
        if model.keys.pseudo_labels is not None and isinstance(data, Data) and data.test is None:
            faults.append(
                Fault((*model.where, "pseudo_labels"), "needs test rows to name; 'data' has no 'test'. Add it, or remove the key.")
            )


def _check_source(data: object, faults: list[Fault]) -> None:
    if isinstance(data, Data) and data.source is not None:
        try:
            source_of(data.source)
        except InputError as error:
            faults.append(Fault(("data", "source"), str(error)))


def _check_expressions(rows: object, faults: list[Fault]) -> None:
    if not isinstance(rows, Rows):
        return
    for key in ROLES:
        for position, source in enumerate(getattr(rows, key)):
            check_expression(source, ("rows", key, position), faults)
