"""A member of a run: its files read, held against the run's rows and folds, and kept in the store."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import InputError
from pipelines.declaration import Declaration, DeclarationError, Fault
from pipelines.files import read_file
from pipelines.metrics import Array
from pipelines.oof import Predictions, scored_rows
from pipelines.outside import SAME
from pipelines.outside.agreement import agreement
from pipelines.outside.table import FOLD, Awaited, Predicted, positions, values
from pipelines.prepare import Prepared
from pipelines.session import Session
from pipelines.spec import MemberSpec, Spec
from pipelines.splits import Folds
from pipelines.store import read_json, write_json

FACTS = "facts.json"


@dataclass(frozen=True)
class RunRows:
    """The rows of a run, which outside predictions must fit."""

    ids: pd.Series
    """Ids of the training rows, then of the test rows; positions where there is no id."""
    classes: list[Any]
    folds: Folds


@dataclass(frozen=True)
class Outside:
    """Outside predictions that fit the run."""

    oof: Array
    """Shape (n_train,) or (n_train, n_classes), NaN where no fold scores the row; the mean over repeats."""
    test: Array
    """Shape (n_test,) or (n_test, n_classes)."""
    agreement: str
    """How it is known that the folds are those of the run."""

    def predictions(self, folds: Folds) -> Predictions:
        """By fold, as a model's are."""
        return Predictions([self.oof[folds.scored_rows(fold)] for fold in range(folds.n_folds)], self.test)


def read_member(member: MemberSpec, spec: Spec, folder: Path, rows: RunRows) -> Outside:
    """Read a member's files.

    Raises
    ------
    InputError
        When a file is missing or cannot be read, does not predict the rows it must, or comes from other folds.
    """
    data, n_train = spec.data, len(rows.folds.status)
    target = Predicted(spec.task, rows.classes)
    is_scored = np.zeros(n_train, dtype=bool)
    is_scored[scored_rows(rows.folds)] = True
    table = read_file(folder / member.oof, data)
    awaited = Awaited(data.train, rows.ids.iloc[:n_train], is_scored, data.id)
    at = positions(table, member.oof, awaited)
    oof = values(table, at, member.oof, awaited, target)
    theirs = None if member.folds in (None, SAME) else read_file(folder / str(member.folds), data)
    agreed = agreement(member, _labels(table, at, n_train), theirs, rows.folds)
    if member.test is None:
        return Outside(oof, np.empty((0, *oof.shape[1:])), agreed)
    table, ids = read_file(folder / member.test, data), rows.ids.iloc[n_train:]
    awaited = Awaited(str(data.test), ids, np.ones(len(ids), dtype=bool), data.id)
    return Outside(oof, values(table, positions(table, member.test, awaited), member.test, awaited, target), agreed)


def _labels(table: pd.DataFrame, at: NDArray[np.intp], n_rows: int) -> NDArray[np.intp] | None:
    """The fold that scored each row, numbered anew; -1 where it is not said, None where no column says it."""
    if FOLD not in table.columns:
        return None
    labels = np.full(n_rows, -1, dtype=np.intp)
    labels[at] = pd.factorize(table[FOLD])[0]
    return labels


def checked_members(declaration: Declaration, members: Iterable[MemberSpec], read: Callable[[MemberSpec], Outside]) -> dict[str, Outside]:
    """Members as ``read`` gives them, by name.

    Raises
    ------
    DeclarationError
        With what is wrong with each member that cannot join.
    """
    found, faults = dict[str, Outside](), list[Fault]()
    for member in members:
        try:
            found[member.name] = read(member)
        except InputError as error:
            faults.append(Fault(member.where, f"member {member.name!r} cannot join: {error}"))
    if faults:
        raise DeclarationError(declaration, faults)
    return found


def ensure_members(session: Session, prepared: Prepared) -> dict[str, Outside]:
    """The members that a run asks for, from the store or read now.

    Raises
    ------
    DeclarationError
        With what is wrong with each member that cannot join.
    """
    rows = RunRows(prepared.ids, prepared.classes, prepared.folds)

    def from_store(member: MemberSpec) -> Outside:
        path = session.store.ensure(
            session.keys.member(member.name), lambda folder: _write(folder, read_member(member, session.spec, session.data, rows))
        )
        return Outside(np.load(path / "oof.npy"), np.load(path / "test.npy"), read_json(path / FACTS)["agreement"])

    return checked_members(session.declaration, [session.spec.members[name] for name in session.members], from_store)


def _write(folder: Path, outside: Outside) -> None:
    np.save(folder / "oof.npy", outside.oof)
    np.save(folder / "test.npy", outside.test)
    write_json(folder / FACTS, {"agreement": outside.agreement})
