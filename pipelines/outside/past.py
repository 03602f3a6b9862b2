"""Models of a competition's earlier runs, as members: whatever was fitted on the same rows and folds can join an ensemble."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pipelines.history import Entry
from pipelines.keys import Keys


def past_members(history: Iterable[Entry], keys: Keys, models: Iterable[str]) -> list[dict[str, Any]]:
    """Entries under ``members`` for what earlier runs have fitted and this one does not, newest first.

    Parameters
    ----------
    history
        The earlier runs, oldest first. Those of other rows, another target or other folds are passed over.
    keys, models
        Of the run that they are to join.
    """
    members, own, known = list[dict[str, Any]](), list(models), set[tuple[str, ...]]()
    for entry in reversed([*history]):
        made = entry.read("keys.json")
        if made["table"] != keys.table:
            continue
        declared = entry.declared()["models"]
        for name, fits in made["fits"].items():
            known = known or {tuple(keys.fit(model, fold) for fold in range(len(fits))) for model in own}
            if tuple(fits) not in known and _can_join(declared[name]):
                known.add(tuple(fits))
                members.append(_member(entry, name))
    return members


def _can_join(declared: dict[str, Any]) -> bool:
    """Not a constant, which no blend needs, and not a model of some rows, which has nothing to say of the others."""
    return "dummy" not in declared and declared.get("rows") is None


def _member(entry: Entry, model: str) -> dict[str, Any]:
    folder = entry.folder.resolve()
    test = folder / "test" / f"{model}.parquet"
    return {
        "name": f"{model}_of_{entry.run_id[-6:]}",
        "oof": str(folder / "oof" / f"{model}.parquet"),
        **({"test": str(test)} if test.is_file() else {}),
        "folds": str(folder / "folds.parquet"),
    }
