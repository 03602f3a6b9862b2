"""The ``tune`` section of a declaration: how many trials a model gets, and what they search."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import Field

from features.errors import InputError, closest
from pipelines.declaration import Fault, Path_
from pipelines.parameters import Section, check
from pipelines.tuning.changes import is_path, set_at
from pipelines.tuning.space import Space, read_space

if TYPE_CHECKING:
    from pipelines.spec import ModelSpec

TRIALS = 50
SEARCHABLE_KEYS = frozenset({"view", "resample", "weights", "correct_prior", "rounds_cut"})
"""Framework keys of a model that a search may choose."""


class TuneSection(Section):
    """How one model is tuned."""

    trials: int = Field(default=TRIALS, ge=1, description="Finished trials that the study shall have.")
    space: dict[str, Any] | None = Field(
        default=None,
        description="What is searched: {name: {int: [low, high]}}, {float: [low, high], log: true} or {choice: [a, b]}; "
        "a library parameter, view, resample or weights, or a path such as features.2.target_encode.smooth.",
    )
    defaults: bool = Field(default=False, description="Search the kind's own space too; the ranges given here go before its own.")
    found: dict[str, Any] | None = Field(default=None, description="What tuned.json added for this run; not to be written by hand.")


@dataclass(frozen=True)
class TuneSpec:
    """How one model is tuned: the trials, the declared dimensions, and whether the kind's own are searched too."""

    trials: int = TRIALS
    space: Space | None = None
    defaults: bool = False
    found: dict[str, Any] | None = None
    """What the file of tuned parameters says of the search that found this run's parameters."""


def check_tune(
    raw: object, models: Mapping[str, ModelSpec], faults: list[Fault], declared: Mapping[str, Any] | None = None
) -> dict[str, TuneSpec]:
    """Check the ``tune`` section.

    Parameters
    ----------
    raw
        The section as plain data; None where there is none.
    models
        The checked models.
    faults
        What is wrong is appended here.
    declared
        The whole declaration as plain data; with it, paths into steps are followed.

    Returns
    -------
    dict of TuneSpec by model, for the models named in the section.
    """
    if raw is None:
        return {}
    if not isinstance(raw, Mapping):
        faults.append(Fault(("tune",), f"takes models with their trials and space, found {raw!r}."))
        return {}
    found, owners = dict[str, TuneSpec](), dict[str, str]()
    for name, entry in raw.items():
        where: Path_ = ("tune", str(name))
        if name not in models:
            faults.append(Fault(where, f"no model {name!r}; there are {', '.join(models)}.{closest(name, models)}"))
            continue
        if models[name].stack_on:
            faults.append(
                Fault(
                    where,
                    f"{name!r} stands on other models (stack_on), and a layer cannot be tuned yet. Remove its entry here and in tuned.json.",
                )
            )
        section = check(TuneSection, {} if entry is None else entry, where, faults)
        if section is None:
            continue
        space = None if section.space is None else read_space(section.space, (*where, "space"), faults)
        for searched in space or {}:
            _check_name(searched, models[name], (*where, "space", searched), faults, declared)
            if is_path(searched) and owners.setdefault(searched, str(name)) != name:
                message = f"a step is shared by the models, and {owners[searched]!r} searches it already. Search it with one model."
                faults.append(Fault((*where, "space", searched), message))
        _check_found(section.found or {}, models[name], where, faults)
        found[str(name)] = TuneSpec(section.trials, space, section.defaults, section.found)
    return found


def _check_name(name: str, model: ModelSpec, where: Path_, faults: list[Fault], declared: Mapping[str, Any] | None) -> None:
    """Whether a searched name is a parameter of the kind, a framework key, or a path that leads somewhere."""
    from pipelines.models import kinds

    if is_path(name):
        try:
            # the end of the path is checked with its value, when a search begins
            set_at(copy.deepcopy(dict(declared or {})) if declared is not None else _Anything(), name, None)
        except InputError as error:
            faults.append(Fault(where, str(error)))
        return
    kind = kinds()[model.kind]
    allowed = frozenset().union(*(kind.parameters(task) for task in kind.tasks)) | SEARCHABLE_KEYS
    if name not in allowed:
        keys = ", ".join(sorted(SEARCHABLE_KEYS))
        near = closest(name, allowed)
        faults.append(Fault(where, f"unknown parameter of {model.kind!r}; also allowed: {keys}, and paths into steps.{near}"))


def _check_found(found: Mapping[str, Any], model: ModelSpec, where: Path_, faults: list[Fault]) -> None:
    """Whether the parameters that were merged in from the file of tuned ones are such of the kind."""
    from pipelines.models import kinds

    kind = kinds()[model.kind]
    allowed = frozenset().union(*(kind.parameters(task) for task in kind.tasks))
    for name in found.get("params", {}):
        if name not in allowed:
            said = f"tuned.json gives {model.name!r} the parameter {name!r}, which {model.kind!r} does not have.{closest(name, allowed)}"
            faults.append(Fault(where, f"{said} Delete its entry in tuned.json, or run foldwise tune again."))


class _Anything(dict[str, Any]):
    """Plain data of which nothing is known: every path leads somewhere."""

    def __contains__(self, key: object) -> bool:
        return True

    def __missing__(self, key: str) -> Any:
        return _Anything()
