"""The column that names the rows."""

from __future__ import annotations

import numpy as np
import pandas as pd

from features.errors import InputError, closest, listed
from pipelines.draft.vocabulary import is_id_name, is_time_name


def find_id(train: pd.DataFrame, test: pd.DataFrame | None, *, asked: str | None, not_these: tuple[str | None, ...]) -> str | None:
    """The column asked for, or one that is different in every row and looks like a name of rows.

    Raises
    ------
    InputError
        When the column asked for is absent, has gaps or repeats itself.
    """
    if asked is not None:
        _check(train, test, asked)
        return asked
    candidates = [name for name in train.columns if name not in not_these and (test is None or name in test.columns)]
    named = sorted((name for name in candidates if is_id_name(name)), key=lambda name: name.lower() not in ("id", "row_id", "index"))
    fitting = [name for name in named if _is_unique(train, name) and (test is None or _is_unique(test, name))]
    return fitting[0] if fitting else next((name for name in candidates if test is not None and _numbers_all(train, test, name)), None)


def _is_unique(table: pd.DataFrame, name: str) -> bool:
    column = table[name]
    is_name = not pd.api.types.is_float_dtype(column.dtype) and not pd.api.types.is_datetime64_any_dtype(column.dtype)
    return is_name and not column.isna().any() and column.is_unique


def _numbers_all(train: pd.DataFrame, test: pd.DataFrame, name: str) -> bool:
    """Whether a column numbers the rows of both files without a gap."""
    if is_time_name(name) or not all(pd.api.types.is_integer_dtype(table[name].dtype) for table in (train, test)):
        return False
    numbers = np.concatenate([train[name].to_numpy(), test[name].to_numpy()])
    return len(numbers) >= 50 and int(numbers.max()) - int(numbers.min()) == len(numbers) - 1 and len(np.unique(numbers)) == len(numbers)


def _check(train: pd.DataFrame, test: pd.DataFrame | None, name: str) -> None:
    tables = {"the test file": test, "the training file": train} if test is not None else {"the training file": train}
    for file, table in tables.items():
        assert table is not None
        if name not in table.columns:
            if file == "the training file" and test is not None:
                continue  # rows of train are then named by their position
            raise InputError(
                f"--id {name!r}: {file} has no such column; it has {listed(table.columns, most=20)}.{closest(name, table.columns)}"
            )
        if table[name].isna().any() or not table[name].is_unique:
            again = table[name][table[name].duplicated()].dropna()
            found = f"repeats {listed(again.head())}" if len(again) else f"has {int(table[name].isna().sum())} gaps"
            raise InputError(
                f"--id {name!r}: in {file} it {found}. An id is different in every row; leave --id out, or use --group for a key."
            )
