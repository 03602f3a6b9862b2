"""What raw rows look like: the columns that rows to come must have, their types, and the tables that are joined to them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from features.errors import InputError, closest, listed
from pipelines.files import read_file
from pipelines.keys import Keys
from pipelines.serve.types import as_type, type_of
from pipelines.spec import Spec
from pipelines.store import key_of, read_json, source_hash, write_json
from pipelines.tables import Tables

_EXAMPLES = 3
"""Rows kept to show what a request looks like."""


@dataclass(frozen=True)
class Joined:
    """A table joined to the rows: its file, the key, and its rows."""

    file: str
    on: list[str]
    table: pd.DataFrame


@dataclass(frozen=True)
class Inputs:
    """The raw columns of a run."""

    types: dict[str, Any]
    """Every feature as the steps meet it, joined ones too, in order: its type, or the levels of a categorical one."""
    given: list[str]
    """The columns that rows must have."""
    id: str | None
    target: str
    train: str
    fractions: list[str]
    """Columns that hold numbers which are not whole."""
    only_train: list[str]
    """Columns that training rows alone had."""
    missing: list[str]
    """Spellings of a missing value."""
    joins: list[Joined]
    example: pd.DataFrame
    """A few rows as they may be given, with the id where there is one."""

    @classmethod
    def read(cls, folder: Path) -> Inputs:
        """What ``write_inputs`` wrote."""
        facts = read_json(folder / "inputs.json")
        tables = [pd.read_feather(folder / f"join-{number}.feather") for number in range(len(facts["joins"]))]
        joins = [Joined(join["file"], join["on"], table) for join, table in zip(facts.pop("joins"), tables, strict=True)]
        return cls(**facts, joins=joins, example=pd.read_feather(folder / "example.feather"))

    def check(self, rows: pd.DataFrame, source: str = "the table") -> list[str]:
        """Check the header of some rows, and give notes of what is left out.

        Raises
        ------
        InputError
            When a column is missing or there twice, or there are no rows.
        """
        twice = rows.columns[rows.columns.duplicated()]
        if len(twice):
            raise InputError(f"{source} has column(s) {listed(twice)} more than once. Rename or remove one of each pair.")
        missing = [name for name in self.given if name not in rows.columns]
        if missing:
            raise InputError(
                f"{source} lacks column(s) {listed(missing, most=10)}, which the features are made from; it has {listed(rows.columns)}."
                f"{closest(missing[0], rows.columns)} Rows to predict need the columns of {self.train} without the target."
            )
        if not len(rows):
            raise InputError(f"{source} has a header but no rows; there is nothing to predict.")
        return list(self._notes(rows))

    def _notes(self, rows: pd.DataFrame) -> list[str]:
        extra = [name for name in rows.columns if name not in (*self.given, self.id, self.target)]
        notes = [f"ignored, because the features are not made from them: {listed(extra, most=20)}"] if extra else []
        if self.id is not None and self.id not in rows.columns:
            notes.append(f"there is no id column {self.id!r}: predictions are in the order of the rows")
        return notes

    def features(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The features that checked rows bring, joined tables included, typed as the run had them; indexed 0, 1, ...

        Raises
        ------
        InputError
            When a value does not fit its column's type.
        """
        table = self._typed(rows[self.given].reset_index(drop=True))
        for join in self.joins:
            table = _merged(table, join)
        return self._typed(table[list(self.types)]) if self.joins else table

    def _typed(self, table: pd.DataFrame) -> pd.DataFrame:
        found = zip(table.columns.tolist(), map(str, table.dtypes.tolist()), strict=True)
        other = [name for name, dtype in found if self.types.get(name, dtype) != dtype]
        return table.assign(**{name: as_type(table[name], self.types[name]) for name in other})


def _merged(table: pd.DataFrame, join: Joined) -> pd.DataFrame:
    try:
        return table.merge(join.table, on=join.on, how="left", validate="many_to_one")
    except ValueError as error:
        types = ", ".join(f"{column!r} is {table[column].dtype} and {join.table[column].dtype}" for column in join.on)
        raise InputError(f"{join.file} cannot be joined to these rows: {types}. Give the key the type it has in that file.") from error


def inputs_key(keys: Keys) -> str:
    """Key of what is known of the raw columns."""
    return key_of("inputs", keys.table, source_hash(__name__))


def write_inputs(path: Path, spec: Spec, folder: Path, tables: Tables) -> None:
    """Write the types of the raw columns, the joined tables and a few rows into an artifact's folder."""
    data = spec.data
    joins = [
        Joined(join.file, [join.on] if isinstance(join.on, str) else join.on, read_file(folder / join.file, data)) for join in data.joins
    ]
    brought = {name for join in joins for name in join.table.columns if name not in join.on}
    asked = [name for join in joins for name in join.on if name not in brought]
    given = list(dict.fromkeys([*(name for name in tables.features.columns if name not in brought), *asked]))
    inputs = Inputs(
        {name: type_of(tables.features[name]) for name in tables.features.columns},
        given,
        data.id,
        data.target,
        data.train,
        [str(name) for name in tables.features.columns if _has_fractions(tables.features[name])],
        list(tables.only_train.columns),
        data.missing,
        joins,
        _example(tables, data.id, given),
    )
    for number, join in enumerate(joins):
        join.table.to_feather(path / f"join-{number}.feather")
    inputs.example.to_feather(path / "example.feather")
    facts = {name: getattr(inputs, name) for name in ("types", "given", "id", "target", "train", "fractions", "only_train", "missing")}
    write_json(path / "inputs.json", {**facts, "joins": [{"file": join.file, "on": join.on} for join in joins]})


def _has_fractions(column: pd.Series) -> bool:
    values = column.to_numpy(dtype=np.float64, na_value=np.nan) if pd.api.types.is_float_dtype(column.dtype) else np.empty(0)
    return bool((np.floor(values) != values)[np.isfinite(values)].any())


def _example(tables: Tables, id_name: str | None, given: list[str]) -> pd.DataFrame:
    """Test rows where there are some: their target is in no file."""
    first = tables.n_train if tables.n_test else 0
    rows = np.arange(first, min(first + _EXAMPLES, len(tables.features)))
    known = tables.features if id_name is None else tables.features.assign(**{id_name: tables.ids.to_numpy()})
    order = [*([id_name] if id_name else []), *(name for name in given if name != id_name)]
    return known[order].iloc[rows].reset_index(drop=True)
