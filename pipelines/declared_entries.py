"""What stands behind the models in a declaration, checked: ensemble entries, calibration, rules, threshold, and the metric that judges them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from features.errors import InputError, closest, listed
from pipelines.declaration import Fault, Path_
from pipelines.declared_parts import bare, check_expression, is_file_name, part_of
from pipelines.parameters import table_of
from pipelines.spec import ModelSpec, Part, Target


def entries_of(raw: dict[str, Any], predicted: Sequence[str], faults: list[Fault]) -> dict[str, Part]:
    """The declared entries; ``predicted`` are the models, and the members made elsewhere."""
    from pipelines.combiners import DECLARED

    entries: dict[str, Part] = {}
    for name, entry in raw.items():
        where: Path_ = ("ensemble", name)
        if name in predicted or not is_file_name(name):
            faults.append(Fault(where, "needs a name of its own, made of letters, digits, '_' and '-'."))
        part = part_of(entry, where, DECLARED, "ensemble method", faults)
        if part is None:
            continue
        of = part.params["of"] or [*predicted]
        members = [*predicted, *entries]
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
        part = part_of(raw["calibrate"], ("calibrate",), CALIBRATORS, "calibration", faults)
        if part is not None:
            entries["calibrated"] = Part("calibrate", {"of": [final], "method": part.name, "params": part.params}, ("calibrate",))
    declared = raw.get("postprocess") or []
    if not isinstance(declared, list):
        faults.append(Fault(("postprocess",), f"takes a list of rules, found {declared!r}. Put '- ' before each rule."))
    elif declared:
        parts = [part_of(rule, ("postprocess", at), RULES, "rule", faults) for at, rule in enumerate(declared)]
        rules = [(part.name, part.params) for part in parts if part is not None]
        for at, (name, params) in enumerate(rules):
            if name == "force":
                check_expression(params["where"], ("postprocess", at), faults)
        entries["postprocessed"] = Part("postprocess", {"of": [[final, *entries][-1]], "rules": rules}, ("postprocess",))
    faults.extend(Fault(entries[name].where, f"makes an entry {name!r}: give your own another name.") for name in entries if name in taken)
    return entries


def decision_of(raw: object, of: str, faults: list[Fault]) -> Part | None:
    from pipelines.ordinal import ordinal_cuts
    from pipelines.thresholds import THRESHOLDS

    if raw in (None, "none"):
        return None
    part = part_of(raw, ("threshold",), {**THRESHOLDS, ordinal_cuts.__name__: bare}, "threshold", faults)
    if part is None:
        return None
    if part.name == ordinal_cuts.__name__:
        return Part(part.name, {"of": [of]}, ("threshold",))
    return Part("threshold", {"of": [of], "method": part.name, "params": part.params}, ("threshold",))


def as_entry(metric: Part, decision: Part | None) -> dict[str, Part]:
    """A threshold is an entry, the last one, where the metric judges classes."""
    from pipelines.decision import DECIDED
    from pipelines.metrics import metric_of

    is_judged = decision is not None and (decision.name != "threshold" or metric_of(metric.name, metric.params).needs == "labels")
    return {DECIDED: decision} if is_judged else {}  # type: ignore[dict-item]


def check_subsets(models: Mapping[str, ModelSpec], ensemble: Mapping[str, Part], final: str, faults: list[Fault]) -> None:
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
    if final in partial:
        faults.append(
            Fault(("ensemble",), f"the final prediction {final!r} covers some rows only; end with a 'route' to a model of all rows.")
        )


def check_metric(metric: Part, task: str, target: object, entries: list[Part], faults: list[Fault]) -> None:
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


def quantile_asked(metric: Part | None, task: str) -> float | None:
    """The quantile that the metric asks models for; None for another metric, and for one with faults, which ``check_metric`` tells."""
    from pipelines.metrics import metric_of

    try:
        return None if metric is None or task != "regression" else metric_of(metric.name, metric.params).quantile
    except InputError:
        return None


def _needed_parameters(factory: Any) -> list[str]:
    return [name for name, field in table_of(factory).model_fields.items() if field.is_required()]
