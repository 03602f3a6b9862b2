"""Reading a table as people hand it over: any usual encoding, separator or compression."""

from __future__ import annotations

import csv
import io
import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from features.errors import InputError, closest, listed
from pipelines.draft.packed import unpacked
from pipelines.spec import Data

MISSING: tuple[str, ...] = tuple(Data.model_fields["missing"].default)
"""What a declaration takes for missing where it does not say otherwise."""
_HEAD = 1 << 16
"""Characters looked at for the separator; the csv module refuses cells of twice that."""
_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_OFFICE = (".xlsx", ".xls", ".ods", ".json", ".jsonl", ".sas7bdat", ".dta", ".rds")


@dataclass(frozen=True)
class Source:
    """A table as it was read, and whether a run could read its file just so."""

    path: Path
    table: pd.DataFrame
    notes: tuple[str, ...] = ()
    """How the file differs from plain comma-separated UTF-8 or parquet; empty where it does not."""
    is_columnar: bool = False
    """Parquet or feather: types are the file's own."""


def read_source(path: Path) -> Source:
    """Read a comma-, semicolon-, tab- or bar-separated file of any usual encoding, zipped or not, or parquet or feather.

    Raises
    ------
    InputError
        When it is missing, empty or no such table.
    """
    if not path.is_file():
        there = [file.name for file in path.parent.glob("*") if file.is_file()] if path.parent.is_dir() else []
        raise InputError(f"File {path} is missing; {path.parent} has {listed(there) or 'no files'}.{closest(path.name, there)}")
    if path.stat().st_size == 0:
        raise InputError(f"File {path} is empty. A table with a header and rows is needed.")
    if path.suffix.lower() in _OFFICE:
        raise InputError(f"File {path} is a {path.suffix[1:]} file. Save it as CSV (UTF-8, separated by commas) or parquet first.")
    try:
        source = _columnar(path) if path.suffix.lower() in (".parquet", ".feather", ".arrow") else _delimited(path)
    except InputError:
        raise
    except (ValueError, OSError, EOFError, csv.Error) as error:
        reason = str(error).strip().rstrip(".").replace("\n", " ")
        raise InputError(f"File {path} cannot be read as a table: {reason}. Check these lines, or save it as CSV (UTF-8) again.") from error
    if source.table.empty:
        raise InputError(f"File {path} has a header but no rows.")
    return source


def _columnar(path: Path) -> Source:
    is_parquet = path.suffix.lower() == ".parquet"
    table = (pd.read_parquet if is_parquet else pd.read_feather)(path).rename(columns=str)
    plain = _plain_types(table)
    odd = [name for name in table if table[name].dtype != plain[name].dtype]
    notes = [f"the types of column(s) {listed(odd)}"] if odd else []
    if not is_parquet:
        notes.append("its format, feather")
    return Source(path, plain, tuple(notes), is_columnar=True)


def _plain_types(table: pd.DataFrame) -> pd.DataFrame:
    """Numbers, booleans, dates without a zone, and text; nullable, decimal and categorical columns become one of these."""
    return pd.DataFrame({name: _plain_type(table[name]) for name in table}, index=table.index).reset_index(drop=True)


def _plain_type(column: pd.Series) -> pd.Series:
    dtype: Any = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return _plain_type(column.astype(dtype.categories.dtype))
    if isinstance(dtype, pd.DatetimeTZDtype):
        column = column.dt.tz_convert("UTC").dt.tz_localize(None)
    elif pd.api.types.is_timedelta64_dtype(dtype):
        column = column.dt.total_seconds()
    elif pd.api.types.is_object_dtype(dtype):
        column = _from_objects(column)
    elif pd.api.types.is_extension_array_dtype(dtype) and pd.api.types.is_numeric_dtype(dtype):
        column = column.astype("float64") if column.isna().any() else column.astype(dtype.numpy_dtype)
    return column


def _from_objects(column: pd.Series) -> pd.Series:
    kind = pd.api.types.infer_dtype(column, skipna=True)
    if kind == "decimal":
        return column.astype("float64")
    if kind in ("date", "datetime"):
        return pd.to_datetime(column, errors="coerce")
    return column if kind == "empty" else column.astype("str")


def _delimited(path: Path) -> Source:
    data, packing = unpacked(path)
    encoding, notes = _encoding(data), [packing] if packing else []
    if encoding != "utf-8":
        data = data.decode(encoding).encode("utf-8")
        notes.append(f"its encoding {encoding}")
    if data.startswith(b"sep="):
        data = data.partition(b"\n")[2]
        notes.append("a first line that only names the separator")
    head = data[:_HEAD].decode("utf-8", errors="ignore")
    separator = _separator(head)
    if separator != ",":
        notes.append(f"its {_SEPARATORS[separator]} as separators")
    header = next(csv.reader(io.StringIO(head), delimiter=separator), [])
    if not any(name.strip() for name in header):
        raise InputError(f"File {path} has no header in its first line. Put the names of the columns there.")
    twice = sorted(name for name, count in Counter(filter(None, header)).items() if count > 1)
    if twice:
        notes.append(f"the repeated column name(s) {listed(twice)}, numbered from the second on")
    return Source(path, _named_once(_parse(data, separator, path), header), tuple(notes))


def _parse(data: bytes, separator: str, path: Path) -> pd.DataFrame:
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        try:
            # as tables.read_file does
            return pd.read_csv(
                io.BytesIO(data), sep=separator, keep_default_na=False, na_values=list(MISSING), low_memory=False, index_col=False
            )
        except pd.errors.ParserWarning as error:
            raise InputError(
                f"File {path} has more cells in its rows than names in its header. Name every column, or remove the cells."
            ) from error


def _named_once(table: pd.DataFrame, header: list[str]) -> pd.DataFrame:
    """The columns under their own names; a name that comes again is numbered: ``area``, ``area_2``."""
    names: list[str] = []
    for position, name in enumerate(table.columns):
        own = header[position] if position < len(header) and header[position] else str(name)
        unique, number = own, 1
        while unique in names:
            number += 1
            unique = f"{own}_{number}"
        names.append(unique)
    return table.set_axis(names, axis=1)


def _encoding(data: bytes) -> str:
    for mark, encoding in (
        (b"\xef\xbb\xbf", "utf-8-sig"),
        (b"\xff\xfe\x00\x00", "utf-32"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ):
        if data.startswith(mark):
            return encoding
    head = data[:_HEAD]  # no mark: every second byte of Western text is zero
    if head.count(0) > len(head) // 4:
        return "utf-16-le" if head[1::2].count(0) > head[::2].count(0) else "utf-16-be"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return _western(data)
    return "utf-8"


def _western(data: bytes) -> str:
    """Windows' Western encoding where it can read every byte, Latin-1 otherwise."""
    try:
        data.decode("cp1252")
    except UnicodeDecodeError:
        return "latin-1"
    return "cp1252"


def _separator(head: str) -> str:
    """The separator under which most of the first lines have the same number of cells, at least two."""
    whole = head.rpartition("\n")[0] or head

    def regularity(separator: str) -> tuple[float, int]:
        sizes = Counter(len(row) for row in csv.reader(io.StringIO(whole), delimiter=separator) if row)
        (size, lines), *_ = sizes.most_common(1) or [(1, 0)]
        return (0.0, 0) if size < 2 else (lines / sum(sizes.values()), size)

    best = max(_SEPARATORS, key=regularity)
    # a comma is not given up for a separator that stands in texts
    return "," if regularity(best) == (0.0, 0) or regularity(",")[0] >= regularity(best)[0] else best
