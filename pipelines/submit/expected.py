"""What a competition wants to be sent: the columns, the ids in their order, and the values that are allowed."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from features.errors import InputError, closest, listed
from pipelines.files import read_file
from pipelines.metrics import metric_of
from pipelines.metrics.metric import Needs
from pipelines.spec import Data, Spec


@dataclass(frozen=True)
class Expected:
    """What a submission is compared with."""

    file: str
    """The file that the ids come from: the sample submission, or else the test file."""
    columns: tuple[str, ...]
    id: str
    ids: pd.Series
    """As text, in the order asked for; shape (n_rows,)."""
    needs: Needs
    labels: frozenset[str] = frozenset()
    """The spellings of the known classes, where labels are asked for."""
    smallest: float | None = None
    """The smallest target of the training rows, where values are asked for."""

    @property
    def predictions(self) -> tuple[str, ...]:
        """The columns besides the id."""
        return tuple(name for name in self.columns if name != self.id)


def expected(spec: Spec, folder: Path) -> Expected:
    """Read what is expected from a competition's files.

    Raises
    ------
    InputError
        When a file is missing or lacks the id or the target, or no test file is declared.
    """
    data, needs = spec.data, metric_of(spec.metric.name, spec.metric.params).needs
    key = data.id or "row"
    if not data.test:
        raise InputError("The declaration names no test file (data.test), so there is nothing to submit.")
    if data.sample_submission and (folder / data.sample_submission).is_file():
        file = data.sample_submission
        columns = tuple(_columns(folder / file))
        if key not in columns:
            raise InputError(f"{file} lacks the id column {key!r}; it has {listed(columns)}.{closest(key, columns)}")
        ids = _texts(folder / file, key)
    else:
        file = data.test
        ids = _texts(folder / file, key) if data.id else pd.Series(range(len(read_file(folder / file, data)))).astype("str")
        columns = (key, *_prediction_names(spec, folder))
    labels = _labels(data, folder) if needs == "labels" else frozenset[str]()
    smallest = float(_target(data, folder).min()) if needs == "values" and spec.task == "regression" else None
    return Expected(file, columns, key, ids, needs, labels, smallest)


def _columns(path: Path) -> list[str]:
    if path.suffix == ".parquet":
        return [str(name) for name in read_file(path, Data(train="", target="")).columns]
    return [str(name) for name in read_texts(path, n_rows=0).columns]


def read_texts(path: Path, *, columns: list[str] | None = None, n_rows: int | None = None) -> pd.DataFrame:
    """A CSV file with every cell as the text that stands there; blank lines are rows, so that row k stands in line k + 2.

    Raises
    ------
    ValueError
        When it is no table: of pandas' own kinds, with its words.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        return pd.read_csv(path, dtype="str", na_filter=False, index_col=False, skip_blank_lines=False, usecols=columns, nrows=n_rows)


def _texts(path: Path, column: str) -> pd.Series:
    """One column as text; numbers in a parquet file as they would be written."""
    try:
        table = pd.read_parquet(path, columns=[column]) if path.suffix == ".parquet" else read_texts(path, columns=[column])
    except OSError as error:
        raise InputError(
            f"File {path} cannot be read: {error.strerror or error}. Put it there, or name another folder with --data."
        ) from error
    except (ValueError, pd.errors.ParserWarning) as error:
        raise InputError(
            f"File {path} cannot be read: {str(error).strip().rstrip('.')}. A table with a column {column!r} is needed."
        ) from error
    # blank lines at the end of a file are nobody's id
    ids = table[column].astype("str")
    return ids[ids != ""] if path.suffix != ".parquet" else ids


def _prediction_names(spec: Spec, folder: Path) -> list[str]:
    """As ``foldwise run`` names them where no sample submission does: one column a class for probabilities of several classes."""
    if spec.task != "multiclass" or metric_of(spec.metric.name, spec.metric.params).needs == "labels":
        return [spec.data.target]
    return [str(name) for name in sorted(_plain(_target(spec.data, folder)))]


def _target(data: Data, folder: Path) -> pd.Series:
    path = folder / data.train
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path, columns=[data.target])[data.target]
        return pd.read_csv(path, usecols=[data.target], keep_default_na=False, na_values=data.missing, low_memory=False)[data.target]
    except OSError as error:
        raise InputError(
            f"File {path} cannot be read: {error.strerror or error}. Put it there, or name another folder with --data."
        ) from error
    except ValueError as error:
        raise InputError(f"File {path} cannot be read: {str(error).strip().rstrip('.')}. The target {data.target!r} is needed.") from error


def _plain(values: pd.Series) -> set[Any]:
    return set(values.dropna().unique().tolist())


def _labels(data: Data, folder: Path) -> frozenset[str]:
    """Classes as the training file spells them and as a run writes them."""
    written = {str(value) for value in _plain(_target(data, folder))}
    spelled = set() if data.train.endswith(".parquet") else set(_texts(folder / data.train, data.target).unique().tolist())
    return frozenset(written | (spelled - set(data.missing)))
