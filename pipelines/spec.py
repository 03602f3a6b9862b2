"""The declaration as frozen objects: every section checked, all faults reported at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, Field

from features.errors import InputError, closest, listed
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
    weight: str | None = Field(default=None, description="A column with the weight of each row in fits and in the metric.")
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
    duplicates: Literal["keep", "once"] = Field(
        default="keep", description="once: of rows that are equal in all columns but the id, only the first is fitted on and scored."
    )


ROLES = ("fit_only", "not_in_fit", "not_scored")


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
    resample: Part | None = None
    """How the training part of each fold is resampled; None for rows as they are."""


class ModelKeys(Section):
    """Framework keys of a model."""

    view: str = Field(default="", description="The view whose columns it sees; without one it sees the features as they are.")
    seeds: int = Field(default=1, ge=1, description="Fits per fold with different seeds, averaged.")
    seed: int = Field(default=0, ge=0, description="The first of these seeds.")
    rounds_cut: float = Field(
        default=0.15, gt=0, lt=0.9, description="Share of the training part held out to find a booster's rounds when they are not given."
    )
    max_rounds: int = Field(default=5000, ge=1)
    weights: Literal["none", "balanced", "inverse_square"] = Field(
        default="none", description="balanced: every class counts the same; inverse_square: 1 / target^2, for rmspe without a log."
    )
    rows: str | None = Field(
        default=None, description="An expression on columns: the model is fitted on these rows only and predicts them only; see 'route'."
    )
    resample: str | dict[str, Any] | None = Field(
        default=None, description="How the training part is resampled, or none; the declaration's own 'resample' where it is not given."
    )
    correct_prior: bool = Field(
        default=True, description="Correct probabilities back to the true rate after resampling or class weights (binary tasks)."
    )


@dataclass(frozen=True)
class Spec:
    """A whole checked declaration."""

    title: str
    data: Data
    task: Task
    metric: Part
    split: Part
    rows: Rows
    target: Target
    clean: tuple[Part, ...]
    features: tuple[Part, ...]
    views: dict[str, tuple[Part, ...]]
    models: dict[str, ModelSpec]
    ensemble: dict[str, Part]
    """The declared entries, then those that 'calibrate' and 'postprocess' add for the final."""
    decision: Part | None
    """The threshold that turns the final's probabilities into classes."""
    report: Report
    refit: Literal["none", "all"]

    @property
    def final(self) -> str:
        """The name of the final prediction: the last ensemble entry, or the last model where there is none."""
        return [*self.models, *self.ensemble][-1]


SECTIONS: dict[str, type[BaseModel]] = {"data": Data, "rows": Rows, "target": Target, "report": Report}
KEYS = (
    "title",
    "data",
    "task",
    "metric",
    "split",
    "rows",
    "target",
    "resample",
    "clean",
    "features",
    "views",
    "models",
    "ensemble",
    "calibrate",
    "postprocess",
    "threshold",
    "refit",
    "report",
)
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
    faults.extend(Fault((key,), f"unknown key; allowed: {', '.join(KEYS)}.{closest(key, KEYS)}") for key in raw if key not in KEYS)
    faults.extend(Fault((), f"needs the key {key!r}.") for key in _NEEDED if key not in raw)
    sections = {key: check(table, raw.get(key, {}), (key,), faults) for key, table in SECTIONS.items() if key in raw or key not in _NEEDED}
    task = _choice(raw, "task", ("regression", "binary", "multiclass"), faults)
    metric = (
        _part(raw["metric"], ("metric",), {**dict.fromkeys(METRICS, _bare), **METRIC_FACTORIES}, "metric", faults)
        if "metric" in raw
        else None
    )
    split = _part(raw.get("split", {}), ("split",), SPLITTERS, "splitter", faults) if "split" in raw else None
    resample = _resampler(raw.get("resample"), ("resample",), task, faults)
    clean, features = (_steps(raw.get(key, []), (key,), faults) for key in ("clean", "features"))
    views = {
        str(name): _steps(steps, ("views", str(name)), faults) for name, steps in _mapping(raw.get("views", {}), ("views",), faults).items()
    }
    transform = getattr(sections["target"], "transform", "none")
    models = _models(_mapping(raw.get("models", {}), ("models",), faults), views, task, transform, resample, faults)
    ensemble = _ensemble(_mapping(raw.get("ensemble", {}), ("ensemble",), faults), models, faults)
    final = next(reversed([*models, *ensemble]), "")
    added = finishing_entries(raw, final, {*models, *ensemble}, faults)
    decision = _decision(raw.get("threshold"), next(reversed([final, *added]), ""), faults)
    refit = _choice({"refit": "none", **raw}, "refit", ("none", "all"), faults)
    _check_expressions(sections["rows"], faults)
    _check_columns(sections.get("data"), faults)
    if "models" in raw and not raw["models"]:
        faults.append(Fault(("models",), "declare at least one model."))
    if metric and task:
        _check_metric(metric, task, sections["target"], [*ensemble.values(), *added.values(), *([decision] if decision else [])], faults)
    _check_subsets(models, ensemble, faults)
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
        ensemble={**ensemble, **added, **_as_entry(metric, decision)},
        decision=decision,
        refit=refit,  # type: ignore[arg-type]
        **sections,  # type: ignore[arg-type]
    )


def _bare() -> None:
    """The parameters of what has none."""


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


def _models(
    raw: dict[str, Any], views: Mapping[str, Any], task: str, transform: str, resample: Part | None, faults: list[Fault]
) -> dict[str, ModelSpec]:
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
        faults.extend(_objective_faults(params, transform, (*where, kind)))
        if keys is None:
            continue
        if keys.view and keys.view not in views:
            known = ", ".join(views) or "none"
            faults.append(Fault((*where, "view"), f"no view {keys.view!r}; views are {known}.{closest(keys.view, views)}"))
        if keys.weights != "none" and (keys.weights == "balanced") == (task == "regression"):
            fitting = "inverse_square" if task == "regression" else "balanced"
            faults.append(Fault((*where, "weights"), f"{keys.weights!r} does not fit task {task!r}; allowed: none, {fitting}."))
        if keys.rows is not None:
            _check_expression(keys.rows, (*where, "rows"), faults)
        own = resample if keys.resample is None else _resampler(keys.resample, (*where, "resample"), task, faults)
        if not _is_file_name(name):
            faults.append(Fault(where, "a model's name is made of letters, digits, '_' and '-': it names a folder."))
        models[name] = ModelSpec(name, kind, params, keys, where, own)
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


def _resampler(raw: object, where: Path_, task: str, faults: list[Fault]) -> Part | None:
    """A declared way to resample; none where it says so."""
    from pipelines.resample import RESAMPLERS

    if raw is None or raw == "none":
        return None
    part = _part(raw, where, RESAMPLERS, "way to resample", faults)
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


def _ensemble(raw: dict[str, Any], models: Mapping[str, Any], faults: list[Fault]) -> dict[str, Part]:
    from pipelines.combiners import DECLARED

    entries: dict[str, Part] = {}
    for name, entry in raw.items():
        where: Path_ = ("ensemble", name)
        if name in models or not _is_file_name(name):
            faults.append(Fault(where, "needs a name of its own, made of letters, digits, '_' and '-'."))
        part = _part(entry, where, DECLARED, "ensemble method", faults)
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


def finishing_entries(raw: Mapping[str, Any], final: str, taken: set[str], faults: list[Fault]) -> dict[str, Part]:
    """The entries that ``calibrate`` and ``postprocess`` add behind the final."""
    from pipelines.calibration import CALIBRATORS
    from pipelines.finishing import RULES

    entries: dict[str, Part] = {}
    if raw.get("calibrate") not in (None, "none"):
        part = _part(raw["calibrate"], ("calibrate",), CALIBRATORS, "calibration", faults)
        if part is not None:
            entries["calibrated"] = Part("calibrate", {"of": [final], "method": part.name, "params": part.params}, ("calibrate",))
    declared = raw.get("postprocess") or []
    if not isinstance(declared, list):
        faults.append(Fault(("postprocess",), f"takes a list of rules, found {declared!r}. Put '- ' before each rule."))
    elif declared:
        parts = [_part(rule, ("postprocess", at), RULES, "rule", faults) for at, rule in enumerate(declared)]
        rules = [(part.name, part.params) for part in parts if part is not None]
        for at, (name, params) in enumerate(rules):
            if name == "force":
                _check_expression(params["where"], ("postprocess", at), faults)
        entries["postprocessed"] = Part("postprocess", {"of": [[final, *entries][-1]], "rules": rules}, ("postprocess",))
    faults.extend(Fault(entries[name].where, f"makes an entry {name!r}: give your own another name.") for name in entries if name in taken)
    return entries


def _decision(raw: object, of: str, faults: list[Fault]) -> Part | None:
    from pipelines.thresholds import THRESHOLDS

    if raw in (None, "none"):
        return None
    part = _part(raw, ("threshold",), THRESHOLDS, "threshold", faults)
    return None if part is None else Part("threshold", {"of": [of], "method": part.name, "params": part.params}, ("threshold",))


def _as_entry(metric: Part, decision: Part | None) -> dict[str, Part]:
    """A threshold is an entry, the last one, where the metric judges classes."""
    from pipelines.decision import DECIDED
    from pipelines.metrics import metric_of

    return {DECIDED: decision} if decision is not None and metric_of(metric.name, metric.params).needs == "labels" else {}


def _check_subsets(models: Mapping[str, ModelSpec], ensemble: Mapping[str, Part], faults: list[Fault]) -> None:
    """A model of some rows has no prediction for the others: only a route, or an entry of its own, can use it."""
    partial = {name for name, model in models.items() if model.keys.rows is not None}
    for name, part in ensemble.items():
        of = part.params["of"]
        left = [member for member in of if member in partial]
        if not left:
            continue
        if part.name == "route":
            if of[-1] in partial:
                faults.append(
                    Fault((*part.where, "route"), f"its last member {of[-1]!r} predicts some rows only; end with one for all rows.")
                )
        elif len(of) == 1:
            partial.add(name)
        else:
            faults.append(Fault((*part.where, part.name), f"{listed(left)} predict(s) some rows only; put it in a 'route' first."))
    last = next(reversed([*models, *ensemble]), "")
    if last in partial:
        faults.append(
            Fault(("ensemble",), f"the final prediction {last!r} covers some rows only; end with a 'route' to a model of all rows.")
        )


def _is_file_name(name: str) -> bool:
    return bool(name) and all(character.isalnum() or character in "_-" for character in name)


def _check_metric(metric: Part, task: str, target: object, entries: list[Part], faults: list[Fault]) -> None:
    """Whether the metric fits the task, and the entries fit both."""
    from pipelines.combiners import COMBINERS
    from pipelines.ensembles import Problem
    from pipelines.metrics import METRIC_FACTORIES, METRICS, metric_of
    from pipelines.targets import TRANSFORMS

    try:
        made = metric_of(metric.name, metric.params)
    except InputError as error:
        faults.append(Fault(metric.where, str(error)))
        return
    if task not in made.tasks:
        known = [*METRICS.values(), *(factory() for factory in METRIC_FACTORIES.values() if not _needed_parameters(factory))]
        fitting = ", ".join(dict.fromkeys(other.name for other in known if task in other.tasks))
        faults.append(Fault(metric.where, f"{metric.name!r} does not fit task {task!r}; allowed: {fitting}."))
    elif isinstance(target, Target):
        for part in entries:
            try:
                COMBINERS[part.name](Problem(task, made, TRANSFORMS[target.transform]), **part.params)
            except InputError as error:
                faults.append(Fault((*part.where, part.name), str(error)))


def _needed_parameters(factory: Any) -> list[str]:
    return [name for name, field in table_of(factory).model_fields.items() if field.is_required()]


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
    for key in ROLES:
        for position, source in enumerate(getattr(rows, key)):
            _check_expression(source, ("rows", key, position), faults)


def _check_expression(source: str, where: Path_, faults: list[Fault]) -> None:
    try:
        parse(source)
    except InputError as error:
        faults.append(Fault(where, str(error)))
