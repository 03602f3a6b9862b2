"""A declaration with models or members added and blended in, or with only those of its models that are complete."""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterable
from typing import Any

from pipelines.declaration import Declaration
from pipelines.outside.declared import member_names
from pipelines.portfolio import Configuration, view_among

CONSTANT = "constant"
"""The model that a run within a budget begins with."""
FINAL = "portfolio"
"""The ensemble entry that is added where the declared final is no blend, or where there are layers."""
LAYERED = "layered"
"""The entry that weighs second layers beside the models they stand on."""


def with_configurations(declaration: Declaration, chosen: Iterable[Configuration]) -> Declaration:
    """Add configurations behind the declared models, and to the final blend.

    Only those whose view is declared; one that a declared model equals, or whose name is taken, is left out.
    """
    views = declaration.data.get("views") or {}
    declared, members = declaration.data["models"], member_names(declaration.data)
    added = {}
    for one in chosen:
        view = view_among(one.view, views)
        entry = {**one.declared, "view": view}
        if view in views and one.name not in (*declared, *members) and entry not in declared.values():
            added[one.name] = entry
    return _extended(declaration, added)


def with_constant(declaration: Declaration, quantile: float | None) -> Declaration:
    """Put a model before all others that predicts the mean, the class shares, or the quantile that the metric asks for.

    It is fitted in no time, so that there is an answer from the start; blends do without it.
    """
    models = declaration.data["models"]
    if CONSTANT in models or CONSTANT in member_names(declaration.data) or CONSTANT in (declaration.data.get("ensemble") or {}):
        return declaration
    view = next(iter(models.values())).get("view")
    params = {} if quantile is None else {"strategy": "quantile", "quantile": quantile}
    data = copy.deepcopy(declaration.data)
    data["models"] = {CONSTANT: {"dummy": params, **({"view": view} if view else {})}, **data["models"]}
    predicted = [*models, *member_names(declaration.data)]
    data["ensemble"] = {name: _of_these(entry, predicted) for name, entry in (data.get("ensemble") or {}).items()}
    return Declaration(declaration.path, data, declaration.lines)


def _of_these(entry: Any, predicted: list[str]) -> dict[str, Any]:
    """An ensemble entry that names its members, where it stood for all there were."""
    ((way, params),) = entry.items() if isinstance(entry, dict) else ((entry, None),)
    return {way: {**(params or {}), "of": (params or {}).get("of") or predicted}}


def with_layers(declaration: Declaration, chosen: Iterable[Configuration], below: list[str], *, halves: bool = True) -> Declaration:
    """Add second layers that stand on some models, and an entry that weighs them beside all that the final weighs.

    It is the new final, or, with ``halves``, the mean of it and of the final that there was. A declaration whose final finds no weights
    stays as it is.
    """
    views = declaration.data.get("views") or {}
    data, added = copy.deepcopy(declaration.data), dict[str, dict[str, Any]]()
    for one in chosen:
        view = view_among(one.view, views)
        if one.name not in (*data["models"], *member_names(data)) and (not one.view or view in views):
            added[one.name] = {**one.declared, **({"view": view} if one.view else {}), "stack_on": below}
    last = next(reversed(data.get("ensemble") or {}), None)
    weighing = None if last is None else _weighing(data["ensemble"][last])
    if not added or last is None or weighing is None or {LAYERED, FINAL}.intersection(data["ensemble"]):
        return declaration
    ((way, _),) = data["ensemble"][last].items()
    before = [*data["models"], *member_names(data)]
    weighing["of"] = weighing.get("of") or before
    data["models"].update(added)
    data["ensemble"][LAYERED] = {way: {**weighing, "of": [*weighing["of"], *added]}}
    if halves:
        data["ensemble"][FINAL] = {"blend": {"of": [last, LAYERED], "method": "mean"}}
    return Declaration(declaration.path, data, declaration.lines)


def new_seeds(declaration: Declaration, models: Collection[str], number: int) -> Declaration:
    """Add a copy of some models with other seeds; ``number`` tells the copies apart."""
    declared = declaration.data["models"]
    added = {f"{name}_seed{number}": {**declared[name], "seed": 100 * number} for name in models}
    return _extended(declaration, added)


def with_entry(declaration: Declaration, model: str, entry: dict[str, Any]) -> Declaration:
    """The declaration with another entry for one of its models."""
    models = {**declaration.data["models"], model: entry}
    return Declaration(declaration.path, {**declaration.data, "models": models}, declaration.lines)


def with_members(declaration: Declaration, members: list[dict[str, Any]]) -> Declaration:
    """Add predictions made elsewhere, entries under ``members``, and take them into the final blend."""
    data = copy.deepcopy(declaration.data)
    before = [*data["models"], *member_names(data)]
    data["members"] = [*(data.get("members") or []), *members]
    _blend_in([name for name in member_names(data) if name not in before], data, before)
    return Declaration(declaration.path, data, declaration.lines)


def _extended(declaration: Declaration, added: dict[str, dict[str, Any]]) -> Declaration:
    data = copy.deepcopy(declaration.data)
    before = [*data["models"], *member_names(data)]
    data["models"].update(added)
    _blend_in(list(added), data, before)
    return Declaration(declaration.path, data, declaration.lines)


def _blend_in(added: list[str], data: dict[str, Any], before: list[str]) -> None:
    """Let the entry that weighs models for the final weigh these too, or a new one behind it; ``before`` are those that were there."""
    ensemble = data.setdefault("ensemble", {})
    weighing = [params for name in _growing(ensemble) if (params := _weighing(ensemble[name])) is not None]
    for params in weighing:
        params["of"] = [*(params.get("of") or before), *added]
    if not weighing and (added or not ensemble):
        members = [next(reversed(ensemble))] if ensemble else before
        ensemble[FINAL] = {"blend": {"of": [*members, *added], "method": "bagged_hill_climb"}}


def _growing(ensemble: dict[str, Any]) -> list[str]:
    """The entries that further models join: the one that the final works on; where there are layers, that with and that without them."""
    names = [*ensemble]
    if names[-1:] == [FINAL] and names[-2:-1] == [LAYERED]:
        names.pop()
    if names[-1:] == [LAYERED]:
        return names[-2:]
    return [_combining(ensemble, names[-1])] if names else []


def _weighing(entry: Any) -> dict[str, Any] | None:
    """The parameters of an entry that finds weights for its members; None of any other."""
    if not isinstance(entry, dict):
        return None
    ((way, params),) = entry.items()
    finds = way == "log_pool" or (way == "blend" and (params or {}).get("method", "hill_climb") != "mean")
    return params if finds and isinstance(params, dict) else None


def _combining(ensemble: dict[str, Any], name: str) -> str:
    """The entry itself, or the one below it that it alone works on: a stack of one goes on doing so when that one grows."""
    entry = ensemble[name]
    ((_, params),) = entry.items() if isinstance(entry, dict) else ((entry, None),)
    of = (params or {}).get("of") or []
    return _combining(ensemble, of[0]) if len(of) == 1 and of[0] in ensemble else name


def without(declaration: Declaration, models: Collection[str]) -> Declaration:
    """Leave some models out, as ``only`` does."""
    return only(declaration, [name for name in declaration.data["models"] if name not in models])


def only(declaration: Declaration, models: Collection[str]) -> Declaration:
    """Leave only some models, and of the ensemble what can be made from them and from what was made elsewhere; an entry of nothing goes.

    A layer goes too where something that it stands on goes.
    """
    data = copy.deepcopy(declaration.data)
    members = member_names(data)
    found: dict[str, Any] = {}
    for name, entry in data["models"].items():
        if name in models and {*found, *members}.issuperset(entry.get("stack_on") or ()):
            found[name] = entry
    data["models"] = found
    predicted = [*found, *members]
    there, kept = set(predicted), {}
    for name, entry in (data.get("ensemble") or {}).items():
        ((way, params),) = entry.items() if isinstance(entry, dict) else ((entry, None),)
        members = (params or {}).get("of") or predicted
        left = [member for member in members if member in there]
        is_whole = len(left) == len(members)
        if left and (is_whole or way in ("blend", "stack", "log_pool")):
            kept[name] = {way: {**(params or {}), "of": left}}
            there.add(name)
    data["ensemble"] = kept
    return Declaration(declaration.path, data, declaration.lines)
