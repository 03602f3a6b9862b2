"""The declaration as frozen objects: every section checked, all faults reported at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, Field

from features.errors import InputError, closest
from features.expressions import parse
from pipelines.declaration import Declaration, DeclarationError, Fault, Path_
from pipelines.parameters import Section, check, table_of

Task = Literal["regression", "binary", "multiclass"]


class Join(Section):
    """A table joined to train and test by a key that is unique in it."""

    file: str
    on: str | list[str]


class Data(Section):
    """Which files there are and what their columns mean."""

    train: str
    target: str
    test: str | None = None
    id: str | None = None
    time: str | None = Field(
        default=None, description="The column that says when a row happened; the audit looks whether features look ahead of it."
    )
    source: dict[str, str] | None = None
    joins: list[Join] = []
    sample_submission: str | None = None
    holdout: str | None = Field(default=None, description="Labels of the test rows, where a sample has them; scored once, at the end.")
    missing: list[str] = Field(
        default=["", "NA", "N/A", "#N/A", "NaN", "nan", "null", "NULL"],
        description="Spellings of a missing value. 'None' is not among them: House Prices has it as a level.",
    )


class Rows(Section):
    """Row roles, by expressions on raw values."""

    fit_only: list[str] = []
    not_in_fit: list[str] = []
    not_scored: list[str] = []


class Target(Section):
    """What is done to the target before a fit and undone after a prediction."""

    transform: Literal["none", "log1p", "log", "sqrt"] = "none"


class Report(Section):
    """What the report shows beyond the standard pages."""

    slices: list[str] = Field(default=[], description="Columns, or expressions that cut the scored rows in two.")


@dataclass(frozen=True)
class Part:
    """A named part with parameters (a step, a splitter, an ensemble entry) and its place in the declaration."""

    name: str
    params: dict[str, Any]
    where: Path_


@dataclass(frozen=True)
class ModelSpec:
    """One declared model: its kind, library parameters and framework keys."""

    name: str
    kind: str
    params: dict[str, Any]
    keys: ModelKeys
    where: Path_


class ModelKeys(Section):
    """Framework keys of a model."""

    view: str = Field(default="", description="The view whose columns it sees; without one it sees the features as they are.")
    seeds: int = Field(default=1, ge=1, description="Fits per fold with different seeds, averaged.")
    seed: int = Field(default=0, ge=0, description="The first of these seeds.")
    rounds_cut: float = Field(
        default=0.15, gt=0, lt=0.9, description="Share of the training part held out to find a booster's rounds when they are not given."
    )
    max_rounds: int = Field(default=5000, ge=1)
    weights: Literal["none", "balanced"] = "none"


@dataclass(frozen=True)
class Spec:
    """A whole checked declaration."""

    title: str
    data: Data
    task: Task
    metric: str
    split: Part
    rows: Rows
    target: Target
    clean: tuple[Part, ...]
    features: tuple[Part, ...]
    views: dict[str, tuple[Part, ...]]
    models: dict[str, ModelSpec]
    ensemble: dict[str, Part]
    report: Report

    @property
    def final(self) -> str:
        """The name of the final prediction: the last ensemble entry, or the last model where there is none."""
        return [*self.models, *self.ensemble][-1]


SECTIONS: dict[str, type[BaseModel]] = {"data": Data, "rows": Rows, "target": Target, "report": Report}
KEYS = ("title", "data", "task", "metric", "split", "rows", "target", "clean", "features", "views", "models", "ensemble", "report")
_NEEDED = ("data", "task", "metric", "split", "models")


def build_spec(declaration: Declaration) -> Spec:
    """Check a declaration and build its frozen objects.

    Raises
    ------
    DeclarationError
        With every fault found: file, line, what was found, what is allowed and the closest match.
    """
    from pipelines.ensembles import COMBINERS, Problem
    from pipelines.metrics import METRICS
    from pipelines.splits import SPLITTERS
    from pipelines.targets import TRANSFORMS

    raw, faults = declaration.data, list[Fault]()
    faults.extend(Fault((key,), f"unknown key; allowed: {', '.join(KEYS)}.{closest(key, KEYS)}") for key in raw if key not in KEYS)
    faults.extend(Fault((), f"needs the key {key!r}.") for key in _NEEDED if key not in raw)
    sections = {key: check(table, raw.get(key, {}), (key,), faults) for key, table in SECTIONS.items() if key in raw or key not in _NEEDED}
    task = _choice(raw, "task", ("regression", "binary", "multiclass"), faults)
    metric = _choice(raw, "metric", tuple(METRICS), faults)
    split = _part(raw.get("split", {}), ("split",), SPLITTERS, "splitter", faults) if "split" in raw else None
    clean, features = (_steps(raw.get(key, []), (key,), faults) for key in ("clean", "features"))
    views = {
        str(name): _steps(steps, ("views", str(name)), faults) for name, steps in _mapping(raw.get("views", {}), ("views",), faults).items()
    }
    models = _models(_mapping(raw.get("models", {}), ("models",), faults), views, task, faults)
    ensemble = _ensemble(_mapping(raw.get("ensemble", {}), ("ensemble",), faults), models, COMBINERS, faults)
    _check_expressions(sections["rows"], faults)
    _check_columns(sections.get("data"), faults)
    if "models" in raw and not raw["models"]:
        faults.append(Fault(("models",), "declare at least one model."))
    if task and metric and task not in METRICS[metric].tasks:
        fitting = ", ".join(name for name, known in METRICS.items() if task in known.tasks)
        faults.append(Fault(("metric",), f"{metric!r} does not fit task {task!r}; allowed: {fitting}."))
    elif task and metric and isinstance(sections["target"], Target):
        _check_combiners(ensemble, Problem(task, METRICS[metric], TRANSFORMS[sections["target"].transform]), faults)
    if faults:
        raise DeclarationError(declaration, sorted(faults, key=lambda fault: declaration.line(fault.where)))
    assert split is not None
    return Spec(
        title=str(raw.get("title", declaration.path.parent.name)),
        task=task,  # type: ignore[arg-type]
        metric=metric,
        split=split,
        clean=clean,
        features=features,
        views=views,
        models=models,
        ensemble=ensemble,
        **sections,  # type: ignore[arg-type]
    )


def _choice(raw: Mapping[str, Any], key: str, allowed: tuple[str, ...], faults: list[Fault]) -> str:
    value = raw.get(key)
    if key in raw and value not in allowed:
        faults.append(Fault((key,), f"found {value!r}; allowed: {', '.join(allowed)}.{closest(value, allowed)}"))
        return ""
    return str(value) if key in raw else ""


def _mapping(raw: object, where: Path_, faults: list[Fault]) -> dict[str, Any]:
    if isinstance(raw, Mapping):
        return {str(key): value for key, value in raw.items()}
    faults.append(Fault(where, f"takes names with their definitions, found {raw!r}."))
    return {}


def _named(raw: object, where: Path_, faults: list[Fault]) -> tuple[str, Any] | None:
    """``name`` or ``{name: parameters}``."""
    if isinstance(raw, str):
        return raw, {}
    if isinstance(raw, Mapping) and len(raw) == 1:
        ((name, params),) = raw.items()
        return str(name), {} if params is None else params
    faults.append(Fault(where, f"takes one 'name' or 'name: {{parameters}}', found {raw!r}."))
    return None


def _part(raw: object, where: Path_, known: Mapping[str, Any], what: str, faults: list[Fault]) -> Part | None:
    named = _named(raw, where, faults)
    if named is None:
        return None
    name, params = named
    if name not in known:
        faults.append(Fault((*where, name), f"no {what} {name!r}; there are {', '.join(known)}.{closest(name, known)}"))
        return None
    table = table_of(known[name], skip=("self", "table", "problem"))
    if not isinstance(params, Mapping) and table.model_fields:
        params = {next(iter(table.model_fields)): params}
    checked = check(table, params, (*where, name), faults)
    return None if checked is None else Part(name, checked.model_dump(), where)


def _steps(raw: object, where: Path_, faults: list[Fault]) -> tuple[Part, ...]:
    from pipelines.step_parameters import check_step

    if not isinstance(raw, list):
        faults.append(Fault(where, f"takes a list of steps, found {raw!r}. Put '- ' before each step."))
        return ()
    parts = []
    for position, entry in enumerate(raw):
        named = _named(entry, (*where, position), faults)
        if named is not None:
            parts.append(check_step(*named, (*where, position), faults))
    return tuple(part for part in parts if part is not None)


def _models(raw: dict[str, Any], views: Mapping[str, Any], task: str, faults: list[Fault]) -> dict[str, ModelSpec]:
    from pipelines.models import check_parameters, kinds

    models: dict[str, ModelSpec] = {}
    for name, entry in raw.items():
        where: Path_ = ("models", name)
        kind = _kind_of_model(entry, where, tuple(kinds()), faults)
        if kind is None:
            continue
        keys = check(ModelKeys, {key: value for key, value in entry.items() if key != kind}, where, faults)
        params = {} if entry[kind] is None else entry[kind]
        faults.extend(Fault((*where, kind, *key), message) for key, message in check_parameters(kind, task, params))
        if keys is None:
            continue
        if keys.view and keys.view not in views:
            known = ", ".join(views) or "none"
            faults.append(Fault((*where, "view"), f"no view {keys.view!r}; views are {known}.{closest(keys.view, views)}"))
        if keys.weights != "none" and task == "regression":
            faults.append(Fault((*where, "weights"), f"{keys.weights!r} weighs classes, and a regression has none. Remove the key."))
        if not _is_file_name(name):
            faults.append(Fault(where, "a model's name is made of letters, digits, '_' and '-': it names a folder."))
        models[name] = ModelSpec(name, kind, params, keys, where)
    return models


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


def _ensemble(raw: dict[str, Any], models: Mapping[str, Any], known: Mapping[str, Any], faults: list[Fault]) -> dict[str, Part]:
    entries: dict[str, Part] = {}
    for name, entry in raw.items():
        where: Path_ = ("ensemble", name)
        if name in models or not _is_file_name(name):
            faults.append(Fault(where, "needs a name of its own, made of letters, digits, '_' and '-'."))
        part = _part(entry, where, known, "ensemble method", faults)
        if part is None:
            continue
        of = part.params["of"] or [*models]
        members = [*models, *entries]
        for member in of:
            if member not in members:
                faults.append(
                    Fault(
                        (*where, part.name, "of"),
                        f"no model or earlier entry {member!r}; there are {', '.join(members)}.{closest(member, members)}",
                    )
                )
        entries[name] = Part(part.name, {**part.params, "of": list(of)}, where)
    return entries


def _is_file_name(name: str) -> bool:
    return bool(name) and all(character.isalnum() or character in "_-" for character in name)


def _check_combiners(ensemble: Mapping[str, Part], problem: Any, faults: list[Fault]) -> None:
    from pipelines.ensembles import COMBINERS

    for part in ensemble.values():
        try:
            COMBINERS[part.name](problem, **part.params)
        except InputError as error:
            faults.append(Fault((*part.where, part.name), str(error)))


def _check_columns(data: object, faults: list[Fault]) -> None:
    if isinstance(data, Data) and data.id == data.target:
        faults.append(
            Fault(
                ("data", "id"),
                f"{data.id!r} is the target; it cannot be the id too. Name the column that tells rows apart, or leave 'id' out.",
            )
        )


def _check_expressions(rows: object, faults: list[Fault]) -> None:
    if not isinstance(rows, Rows):
        return
    for key in Rows.model_fields:
        for position, source in enumerate(getattr(rows, key)):
            try:
                parse(source)
            except InputError as error:
                faults.append(Fault(("rows", key, position), str(error)))
