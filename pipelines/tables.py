"""Raw files to one checked table: read, join, compare train with test, take out target and id."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import InputError, closest, listed
from features.expressions import parse
from pipelines.files import read_file
from pipelines.metrics import Array
from pipelines.spec import ROLES, Data, HashSample, Spec


@dataclass(frozen=True)
class Tables:
    """A competition's rows, train first, then test; position in the table is the row's name everywhere."""

    features: pd.DataFrame
    """Shape (n_train + n_test, n_columns), without target and id, indexed 0, 1, ..."""
    y: Array
    """Target of the training rows, shape (n_train,): values, or class codes."""
    classes: list[Any]
    """The labels behind the codes; empty for regression."""
    ids: pd.Series
    """Id of every row, or its position in its file."""
    roles: dict[str, NDArray[np.bool_]] = field(default_factory=dict)
    """fit_only, not_in_fit and not_scored: masks of shape (n_train,)."""
    notes: list[str] = field(default_factory=list)
    """What was repaired or left out, in sentences."""
    only_train: pd.DataFrame = field(default_factory=pd.DataFrame)
    """Columns that the test file lacks, shape (n_train, n_left_out): no features, but folds may be made from them."""

    @property
    def n_train(self) -> int:
        """Rows with a target."""
        return len(self.y)

    @property
    def n_test(self) -> int:
        """Rows to predict."""
        return len(self.features) - len(self.y)


def input_files(data: Data) -> list[str]:
    """The names of the files a declaration reads before the end of a run."""
    return [data.train, *([data.test] if data.test else []), *(join.file for join in data.joins)]


def sampled(table: pd.DataFrame, n_rows: int) -> pd.DataFrame:
    """At most so many rows, drawn at random with a fixed seed, in their order and numbered from 0."""
    return table.sample(min(n_rows, len(table)), random_state=0).sort_index().reset_index(drop=True)


def read_tables(spec: Spec, folder: Path, *, sample: int | None = None) -> Tables:
    """Read, join and check a competition's files.

    Parameters
    ----------
    sample
        Use that many random rows of train and of test (fixed seed).

    Raises
    ------
    InputError
        When a file, a column or a value is not as declared.
    """
    data, notes = spec.data, list[str]()
    train = _joined(data.train, data, folder, sampled=data.sample)
    if data.sample:
        notes.append(f"{data.train}: {len(train)} rows kept by hash, about {data.sample.rate:.3g} of all{_by(data.sample)}.")
    _need(train, [data.target], data.train)
    test = _read_test(spec, folder, train, notes)
    if data.id and data.id not in train and data.test:
        train = train.assign(**{data.id: np.arange(len(train))})
        notes.append(f"{data.train} has no {data.id!r}: its rows are named by their position.")
    _need(train, [data.id] if data.id else [], data.train)
    if sample:
        train, test = sampled(train, sample), sampled(test, sample)
    y, classes = _target(train[data.target], spec)
    roles = {key: _mask(getattr(spec.rows, key), train) for key in ROLES}
    if spec.rows.duplicates == "once":
        again = train.drop(columns=[data.id] if data.id else []).duplicated().to_numpy()
        roles["not_in_fit"] |= again
        roles["not_scored"] |= again
        notes.append(f"{int(again.sum())} rows repeat another one in all columns: neither fitted on nor scored.")
    features = _stacked(train.drop(columns=[data.target]), test, data, notes)
    ids = features.pop(data.id) if data.id else pd.Series([*range(len(train)), *range(len(test))], name="row")
    if spec.split.name == "column":
        # ready-made folds say where a row is scored, not what it is like
        features = features.drop(columns=[spec.split.params["column"]], errors="ignore")
    if features.shape[1] == 0:
        raise InputError(f"{data.train} has no columns besides the target and the id; at least one feature is needed.")
    only_train = train.drop(columns=[data.target, *features.columns, *([data.id] if data.id else [])])
    return Tables(features, y, classes, ids, roles, notes, only_train)


def _by(sample: HashSample) -> str:
    return f", whole groups of equal {listed(sample.keys)}" if sample.keys else ""


def _joined(file: str, data: Data, folder: Path, sampled: HashSample | None = None) -> pd.DataFrame:
    """A file of rows with the columns of all joined tables."""
    table = read_file(folder / file, data, sampled)
    for join in data.joins:
        other, on = read_file(folder / join.file, data), [join.on] if isinstance(join.on, str) else join.on
        _need(other, on, join.file)
        _need(table, on, file)
        both = [column for column in other.columns if column in table.columns and column not in on]
        if both:
            raise InputError(
                f"{join.file} and {file} both have column(s) {listed(both)} besides the key. Rename or remove one of each pair."
            )
        if other.duplicated(on).any():
            raise InputError(
                f"{join.file} has {int(other.duplicated(on).sum())} rows that repeat a key {listed(on)}; a joined table needs unique keys."
            )
        try:
            table = table.merge(other, on=on, how="left", validate="many_to_one")
        except ValueError as error:
            types = ", ".join(f"{column!r} is {table[column].dtype} and {other[column].dtype}" for column in on)
            raise InputError(f"{join.file} cannot be joined to {file}: {types}. Make the key the same type in both files.") from error
    return table


def _need(table: pd.DataFrame, columns: list[str], file: str) -> None:
    for column in columns:
        if column not in table.columns:
            raise InputError(f"{file} lacks column {column!r}; it has {listed(table.columns)}.{closest(column, table.columns)}")


def _read_test(spec: Spec, folder: Path, train: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    data = spec.data
    if not data.test:
        return train.drop(columns=[data.target]).iloc[:0]
    test = _joined(data.test, data, folder).drop(columns=[data.target], errors="ignore")
    needed = [column for column in train.columns if column != data.target]
    _need(test, [data.id] if data.id else [], data.test)
    only_train = [column for column in needed if column not in test.columns]
    if len(only_train) == len(needed) - bool(data.id):
        raise InputError(f"{data.test} shares no feature with {data.train}: it has {listed(test.columns)}. Is it the right file?")
    if only_train:
        notes.append(f"Left out, because {data.test} lacks them: {listed(only_train, most=20)}.")
    only_test = [column for column in test.columns if column not in (*needed, data.id)]
    if only_test:
        notes.append(f"Left out, because {data.train} lacks them: {listed(only_test, most=20)}.")
    return test


def _stacked(train: pd.DataFrame, test: pd.DataFrame, data: Data, notes: list[str]) -> pd.DataFrame:
    """Train over test, with one type per column."""
    if data.id:
        for table, file in ((train, data.train), (test, data.test)):
            repeated = table[data.id][table[data.id].duplicated()]
            if len(repeated):
                raise InputError(
                    f"{file}: id column {data.id!r} repeats {listed(repeated)}. Ids must be unique; drop the key 'id' if it is none."
                )
            if table[data.id].isna().any():
                raise InputError(f"{file}: id column {data.id!r} has {int(table[data.id].isna().sum())} gaps.")
    shared = [column for column in train.columns if column in test.columns]
    columns = dict(_one_type(train[column], test[column], notes) for column in shared)
    return pd.DataFrame(columns)


def _one_type(first: pd.Series, second: pd.Series, notes: list[str]) -> tuple[str, pd.Series]:
    name = str(first.name)
    texts = [pd.api.types.is_string_dtype(part.dtype) or part.dtype == object for part in (first, second)]
    filled = [part.notna().any() for part in (first, second)]
    if texts[0] != texts[1] and all(filled):
        notes.append(f"Column {name!r} is text in one file and numbers in the other: taken as text.")
    if any(text and full for text, full in zip(texts, filled, strict=True)):
        first, second = (
            part.astype("str") if full else part.astype("object").astype("str") for part, full in zip((first, second), filled, strict=True)
        )
    elif not filled[0] and len(second):
        first = first.astype("float64")
    parts = [part for part, full in zip((first, second), filled, strict=True) if full or part is first]
    if len(parts) == 1 and len(second):
        parts.append(pd.Series(np.nan, index=second.index).astype("str" if pd.api.types.is_string_dtype(first.dtype) else "float64"))
    return name, pd.concat(parts, ignore_index=True)


def _target(column: pd.Series, spec: Spec) -> tuple[Array, list[Any]]:
    name, file = spec.data.target, spec.data.train
    gaps = int(column.isna().sum())
    if gaps:
        raise InputError(
            f"{file}: target {name!r} is missing in {gaps} of {len(column)} rows, first in row {int(column.isna().argmax())}. Fill or remove them."
        )
    if column.nunique() < 2:
        raise InputError(f"{file}: target {name!r} is {column.tolist()[0]!r} in every row; there is nothing to learn.")
    if spec.task == "regression":
        if not pd.api.types.is_numeric_dtype(column.dtype):
            bad = column[pd.to_numeric(column, errors="coerce").isna()]
            raise InputError(
                f"{file}: target {name!r} holds text such as {bad.iloc[0]!r}; regression needs numbers. Is the task 'binary' or 'multiclass'?"
            )
        y = column.to_numpy(dtype=np.float64)
        if not np.isfinite(y).all():
            raise InputError(f"{file}: target {name!r} holds infinite values.")
        return y, []
    codes, classes = pd.factorize(column, sort=True)
    if spec.task == "binary" and len(classes) != 2:
        raise InputError(
            f"{file}: a binary target has two values; {name!r} has {len(classes)}: {listed(classes)}. Is the task 'multiclass' or 'regression'?"
        )
    return codes.astype(np.float64), [value.item() if isinstance(value, np.generic) else value for value in classes]


def _mask(expressions: list[str], train: pd.DataFrame) -> NDArray[np.bool_]:
    masks = list(_masks(expressions, train))
    return np.logical_or.reduce(masks) if masks else np.zeros(len(train), dtype=bool)


def _masks(expressions: list[str], train: pd.DataFrame) -> Iterator[NDArray[np.bool_]]:
    for source in expressions:
        yield parse(source).mask(train).to_numpy(dtype=bool)
