"""One file as a table: CSV or parquet, read whole or in parts of which some rows are kept."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from features.errors import InputError, listed
from pipelines.hash_sample import kept
from pipelines.spec import Data, HashSample

ROWS_AT_ONCE = 250_000
"""Rows in memory while a larger file is looked through."""


def read_file(path: Path, data: Data, sample: HashSample | None = None) -> pd.DataFrame:
    """One file as a table.

    Parameters
    ----------
    sample
        Keep the rows that it chooses. The file is read in parts, so that only these need fit into memory; types and gaps are
        those of the kept rows, as if the file held no others.

    Raises
    ------
    InputError
        When it is missing, cannot be read, has a column twice or no rows, or a sample keeps none.
    """
    if not path.is_file():
        there = listed(file.name for file in path.parent.glob("*")) if path.parent.is_dir() else "no such folder"
        raise InputError(f"File {path} is missing ({path.parent}: {there or 'empty'}). Put it there, or name another folder with --data.")
    try:
        if sample is None:
            table = _read_whole(path, data)
        else:
            with smaller_file(path, sample) as smaller:
                table = _read_whole(smaller, data)
    except InputError:
        raise
    except (ValueError, OSError, EOFError) as error:
        raise InputError(
            f"File {path} cannot be read as a table: {str(error).strip().rstrip('.')}. A comma-separated file in UTF-8 with a header, or a parquet file, is needed."
        ) from error
    if table.empty:
        raise InputError(f"File {path} has a header but no rows.")
    return table.rename(columns=str)


@contextmanager
def smaller_file(path: Path, sample: HashSample, rows_at_once: int = ROWS_AT_ONCE) -> Iterator[Path]:
    """A file of the same kind that holds the kept rows of a file, and is gone afterwards.

    Raises
    ------
    InputError
        When a column to sample by is not there, or no row is kept.
    """
    is_parquet = path.suffix == ".parquet"
    with tempfile.TemporaryDirectory() as folder:
        smaller = Path(folder) / ("kept.parquet" if is_parquet else "kept.csv")
        parts = list((_keep_parquet if is_parquet else _keep_csv)(path, smaller, sample, rows_at_once))
        if not any(parts):
            raise InputError(f"data.sample keeps no row of {path} at rate {sample.rate:g}. Raise 'rate', or sample 'by' other columns.")
        yield smaller


def _keep_csv(path: Path, smaller: Path, sample: HashSample, rows_at_once: int) -> Iterator[int]:
    """Write the kept rows as they stand; gives how many there are in each part."""
    _check_header(path)
    first = 0
    with (
        _as_wide_as_the_header(path),
        pd.read_csv(path, chunksize=rows_at_once, dtype="str", na_filter=False, index_col=False) as parts,
        smaller.open("w", encoding="utf-8", newline="") as file,
    ):
        for part in parts:
            chosen = part[kept(part, sample, first, path.name)]
            chosen.to_csv(file, index=False, header=first == 0)
            first += len(part)
            yield len(chosen)


def _keep_parquet(path: Path, smaller: Path, sample: HashSample, rows_at_once: int) -> Iterator[int]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    first, whole = 0, pq.ParquetFile(path)
    known = [name for name in whole.schema_arrow.names if name in sample.keys] or whole.schema_arrow.names[:1]
    with pq.ParquetWriter(smaller, whole.schema_arrow) as file:
        for part in whole.iter_batches(rows_at_once):
            chosen = kept(part.select(known).to_pandas(), sample, first, path.name)
            file.write_table(pa.Table.from_batches([part]).filter(pa.array(chosen)))
            first += part.num_rows
            yield int(chosen.sum())


def _read_whole(path: Path, data: Data) -> pd.DataFrame:
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    _check_header(path)
    with _as_wide_as_the_header(path):
        # index_col: without it, a cell more in each row would make the first column a row's name and move all others
        return pd.read_csv(path, keep_default_na=False, na_values=data.missing, low_memory=False, index_col=False)


@contextmanager
def _as_wide_as_the_header(path: Path) -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        try:
            yield
        except pd.errors.ParserWarning as error:
            raise InputError(
                f"File {path} has more cells in its rows than names in its header. Name every column, or remove the cells."
            ) from error


def _check_header(path: Path) -> None:
    names = pd.read_csv(path, nrows=1, header=None, dtype=str).iloc[0].dropna()
    twice = names[names.duplicated()]
    if len(twice):
        raise InputError(f"File {path} has column(s) {listed(twice)} more than once. Rename one of each pair.")
