"""Columns of some rows in several tables, which are put together only where a step reads them.

A request of one row goes through dozens of steps that each replace a few columns. To put all columns together again after
each would take longer than the steps themselves.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Columns:
    """Named columns; their tables have one index."""

    index: pd.Index
    tables: tuple[pd.DataFrame, ...]
    places: dict[str, tuple[int, int]]
    """In which table, and where in it, each column stands; what a table has besides is gone."""

    @classmethod
    def of(cls, table: pd.DataFrame) -> Columns:
        """All columns of a table."""
        return cls(table.index, (), {}).with_(table)

    @property
    def names(self) -> list[str]:
        """The names of the columns."""
        return [*self.places]

    def without(self, gone: Collection[str]) -> Columns:
        """The same less some columns, which need not be there."""
        return Columns(self.index, self.tables, {name: place for name, place in self.places.items() if name not in gone})

    def with_(self, table: pd.DataFrame) -> Columns:
        """The same with the columns of one more table, in place of those of these names."""
        names = table.columns.tolist()
        # Python strings: to look one up takes half the time that Arrow's take
        table = table.set_axis(pd.Index(names, dtype=object), axis=1)
        if not table.index.equals(self.index):
            table = table.set_axis(self.index)
        return Columns(
            self.index, (*self.tables, table), {**self.places, **{name: (len(self.tables), at) for at, name in enumerate(names)}}
        )

    def read(self, names: Sequence[str]) -> pd.DataFrame:
        """Some columns, in this order."""
        by_table: dict[int, list[tuple[int, str]]] = {}
        for name in names:
            table, at = self.places[name]
            by_table.setdefault(table, []).append((at, name))
        parts = [_taken(self.tables[table], [at for at, _ in places]) for table, places in by_table.items()]
        if not parts:
            return pd.DataFrame(index=self.index)
        if len(parts) == 1:
            return parts[0]
        found = [name for places in by_table.values() for _, name in places]
        places = {name: at for at, name in enumerate(found)}
        return _taken(pd.concat(parts, axis=1), [places[name] for name in names])

    def together(self) -> Columns:
        """The same columns in one table."""
        return Columns.of(self.read(self.names))


def _taken(table: pd.DataFrame, positions: list[int]) -> pd.DataFrame:
    return table if positions == [*range(table.shape[1])] else table.take(positions, axis=1)
