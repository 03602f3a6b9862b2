"""What models stand on (``stack_on``), checked before any data is read."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from features.errors import closest
from pipelines.declaration import Fault
from pipelines.spec import ModelSpec


def layer_faults(
    models: Mapping[str, ModelSpec], declared: Sequence[str], members: Collection[str], entries: Collection[str]
) -> Iterator[Fault]:
    """What is wrong with the layers of a declaration.

    Parameters
    ----------
    models
        The checked models; one with faults of its own is not among them.
    declared
        The names of all models, in declared order.
    members, entries
        The names of members made elsewhere, and of ensemble entries.
    """
    for model in models.values():
        if "stack_on" not in model.keys.model_fields_set:
            if "passthrough" in model.keys.model_fields_set:
                yield Fault((*model.where, "passthrough"), "belongs to 'stack_on', which is not there. Remove the key.")
            continue
        yield from _own_faults(model)
        unfit, earlier = _unfit(model, models, declared, entries), [*declared[: declared.index(model.name)], *members]
        for position, name in enumerate(model.stack_on):
            said = unfit.get(name, "")
            if not said and name not in earlier:
                said = f"no earlier model or member {name!r}; there are {', '.join(earlier) or 'none'}.{closest(name, earlier)}"
            if not said and name in model.stack_on[:position]:
                said = f"{name!r} is there twice. Remove one."
            if said:
                yield Fault((*model.where, "stack_on", position), said)


def _own_faults(model: ModelSpec) -> Iterator[Fault]:
    """What is wrong with a layer whatever it stands on."""
    if not model.stack_on:
        yield Fault((*model.where, "stack_on"), "is empty. Name the models it stands on, or remove the key.")
    if model.keys.rows is not None:
        yield Fault((*model.where, "rows"), "a model of some rows cannot stand on others. Remove 'rows' or 'stack_on'.")
    if model.keys.pseudo_labels is not None:
        said = "the models below a layer predict test rows by fits that saw scored rows: it cannot name their classes. Remove the key."
        yield Fault((*model.where, "pseudo_labels"), said)
    if model.keys.passthrough and not model.keys.view:
        yield Fault(model.where, "needs the key 'view', whose columns it sees beside the predictions, or passthrough: false.")
    if not model.keys.passthrough and model.keys.view:
        yield Fault((*model.where, "view"), "with passthrough: false it sees predictions alone. Remove 'view' or 'passthrough'.")


def _unfit(model: ModelSpec, models: Mapping[str, ModelSpec], declared: Sequence[str], entries: Collection[str]) -> dict[str, str]:
    """Names of the declaration that a layer cannot stand on, each with the reason."""
    partial = [name for name, other in models.items() if other.keys.rows is not None]
    later = declared[declared.index(model.name) + 1 :]
    return {
        **{
            name: f"{name!r} is an ensemble entry; a layer stands on models, and members made elsewhere. Name its members."
            for name in entries
        },
        **{name: f"{name!r} predicts some rows only (rows), and a layer needs a prediction for each. Remove it." for name in partial},
        **{name: f"{name!r} is declared later; a layer stands on earlier models. Declare {model.name!r} behind it." for name in later},
        model.name: f"{model.name!r} cannot stand on itself. Remove it.",
    }
