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
    members = list[dict[str, Any]]()
    # a model is told by its first fit: the keys of the others differ by the fold alone
    known = {keys.fit(model, 0) for model in models}
    for entry in reversed([*history]):
        made = entry.read("keys.json")
        is_same = made["table"] == keys.table
        new = {fits[0]: name for name, fits in made["fits"].items() if is_same and fits[0] not in known}
        declared = entry.declared()["models"] if new else {}
        members += [_member(entry, name) for name in new.values() if _can_join(declared[name])]
        known.update(new)
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
