"""The ``members`` of a declaration, checked before any file is opened."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import PurePath
from typing import Any

from pipelines.declaration import Fault, Path_
from pipelines.declared_parts import is_file_name
from pipelines.parameters import check
from pipelines.spec import Data, MemberFiles, MemberSpec


def members_of(raw: object, models: Collection[str], data: object, faults: list[Fault]) -> dict[str, MemberSpec]:
    """The declared members by name; what is wrong is appended to ``faults``.

    Parameters
    ----------
    models
        The names that are taken.
    data
        The section ``data``; whatever else stands for one that is wrong itself.
    """
    if not isinstance(raw, list):
        faults.append(Fault(("members",), f"takes a list of files, found {raw!r}. Write '- {{oof: FILE, test: FILE}}' for each member."))
        return {}
    members: dict[str, MemberSpec] = {}
    for position, entry in enumerate(raw):
        where: Path_ = ("members", position)
        files = check(MemberFiles, entry, where, faults)
        if files is None:
            continue
        name = _name_of(files.oof, files.name)
        if name in members or name in models or not is_file_name(name):
            message = f"{name!r} is no name for a member: give it one of its own with 'name', made of letters, digits, '_' and '-'."
            faults.append(Fault(where, message))
        faults.extend(_test_faults(files, data, where))
        members[name] = MemberSpec(name, files.oof, files.test, files.folds, where)
    return members


def member_names(declared: Mapping[str, Any]) -> list[str]:
    """The names of the members in a checked declaration's plain data."""
    return [_name_of(entry["oof"], entry.get("name")) for entry in declared.get("members") or []]


def _name_of(oof: str, name: str | None) -> str:
    return PurePath(oof).stem if name is None else name


def _test_faults(files: MemberFiles, data: object, where: Path_) -> Iterator[Fault]:
    if not isinstance(data, Data) or (data.test is None) == (files.test is None):
        return
    if files.test is None:
        yield Fault(where, f"needs the key 'test': a file with predictions for the rows of {data.test}.")
    else:
        yield Fault((*where, "test"), f"'data' has no test file whose rows {files.test!r} could predict. Remove the key.")
