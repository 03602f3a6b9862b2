"""A submission file compared with what is expected: every problem in a sentence, with line numbers."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import InputError, listed
from pipelines.submit.expected import Expected, read_texts

_MOST = 5
_SUM = 1e-3
"""How far the probabilities of a row may be from 1 in all before a warning."""


@dataclass(frozen=True)
class Verdict:
    """What was found in a submission file: problems forbid to send it, warnings do not."""

    n_rows: int
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def check(path: Path, wanted: Expected) -> Verdict:
    """Compare a submission file with what is expected.

    Raises
    ------
    InputError
        When there is no such file.
    """
    if not path.is_file():
        raise InputError(f"There is no submission file {path}. Make one with foldwise run, or name one with --file.")
    try:
        table = read_texts(path)
    except (pd.errors.ParserError, pd.errors.ParserWarning):
        return Verdict(0, [_ragged(path)])
    except pd.errors.EmptyDataError:
        return Verdict(0, [f"{path.name} is empty; line 1 must be {','.join(wanted.columns)}."])
    except UnicodeDecodeError as error:
        return Verdict(0, [f"{path.name} is not UTF-8 text (byte {error.start}). Save it as CSV in UTF-8."])
    problems, warnings = [*_header(table, wanted)], _mark(path)
    if wanted.id in table:
        problems += _ids(table[wanted.id], wanted)
    for name in wanted.predictions:
        if name in table:
            found, said = _values(table[name], wanted)
            problems += found
            warnings += said
    several = [name for name in wanted.predictions if name in table]
    if not problems and wanted.needs == "probabilities" and len(several) > 1:
        warnings += _sums(table[several])
    return Verdict(len(table), problems, warnings)


def lines(wrong: NDArray[np.bool_]) -> str:
    """The lines of a file where rows are wrong; line 1 is the header.

    >>> lines(np.array([False, True, True]))
    'lines 3, 4'
    """
    at = (np.flatnonzero(wrong) + 2).tolist()
    shown = ", ".join(str(number) for number in at[:_MOST])
    return f"line{'s' if len(at) > 1 else ''} {shown}{f' ... ({len(at)} in all)' if len(at) > _MOST else ''}"


def _ragged(path: Path) -> str:
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        reader = csv.reader(file, strict=False)
        width = len(next(reader, []))
        wrong = [(reader.line_num, len(row)) for row in reader if row and len(row) != width]
    shown = ", ".join(f"line {number} has {cells}" for number, cells in wrong[:_MOST])
    return f"the header has {width} cells, but {shown or 'a quoted cell does not end'}{f' ... ({len(wrong)} in all)' if len(wrong) > _MOST else ''}."


def _header(table: pd.DataFrame, wanted: Expected) -> Iterator[str]:
    found = [str(name) for name in table.columns]
    if found == [*wanted.columns]:
        return
    if sorted(found) == sorted(wanted.columns):
        yield f"line 1: the columns stand in another order: found {_row(found)}, needed {_row(wanted.columns)}."
        return
    lacking = [name for name in wanted.columns if name not in found]
    extra = [name for name in found if name not in wanted.columns]
    parts = [f"lacks {listed(lacking)}" if lacking else "", f"has {listed(extra)} besides" if extra else ""]
    yield f"line 1: the header {' and '.join(part for part in parts if part)}; needed: {_row(wanted.columns)}."


def _mark(path: Path) -> list[str]:
    """A warning for the mark that some editors put before UTF-8 text, and that readers take for a part of the first name."""
    with path.open("rb") as file:
        is_marked = file.read(3) == b"\xef\xbb\xbf"
    return ["line 1 begins with a byte-order mark; not every reader skips it. Save the file as UTF-8 without one."] if is_marked else []


def _row(names: object) -> str:
    joined = ",".join(str(name) for name in names)  # type: ignore[attr-defined]
    return joined if len(joined) <= 200 else f"{joined[:200]}..."


def _ids(ids: pd.Series, wanted: Expected) -> Iterator[str]:
    file = wanted.file
    if ids.array.equals(wanted.ids.array):
        return
    if len(ids) != len(wanted.ids):
        yield f"there are {len(ids)} rows, {file} has {len(wanted.ids)}."
    twice = ids.duplicated(keep=False).to_numpy()
    if twice.any():
        yield f"{lines(twice)}: id(s) {_some(ids[twice])} more than once."
    extra = ~_is_among(ids, wanted.ids)
    if extra.any():
        yield f"{lines(extra)}: id(s) {_some(ids[extra])} are not in {file}.{_as_numbers(ids, wanted.ids)}"
    absent = ~_is_among(wanted.ids, ids)
    if absent.any():
        yield f"{int(absent.sum())} id(s) of {file} are missing: {_some(wanted.ids[absent])} ({file}, {lines(absent)})."
    if not twice.any() and not extra.any() and not absent.any():
        moved = ids.to_numpy() != wanted.ids.to_numpy()
        if moved.any():
            at = int(np.argmax(moved))
            yield (
                f"{lines(moved)}: the ids stand in another order than in {file}; the first that differs is {ids.iloc[at]!r} in line {at + 2}, "
                f"where {file} has {wanted.ids.iloc[at]!r}."
            )


def _is_among(values: pd.Series, known: pd.Series) -> NDArray[np.bool_]:
    """Which values are known; ``isin`` takes 25 times as long on text."""
    return np.asarray(pd.Index(known.unique()).get_indexer(pd.Index(values)) >= 0)


def _as_numbers(ids: pd.Series, wanted: pd.Series) -> str:
    """A hint where ids differ in their spelling only."""
    ours, theirs = (pd.to_numeric(part, errors="coerce").dropna() for part in (ids, wanted))
    same = len(ours) == len(ids) and len(theirs) == len(wanted) and set(ours) == set(theirs)
    return f" As numbers they are the same: write {wanted.iloc[0]}, not {ids.iloc[0]}." if same else ""


def _some(values: pd.Series) -> str:
    unique = values.drop_duplicates()
    return f"{', '.join(repr(value) for value in unique[:_MOST])}{f' ... ({len(unique)} in all)' if len(unique) > _MOST else ''}"


def _values(column: pd.Series, wanted: Expected) -> tuple[list[str], list[str]]:
    """Problems and warnings of one column of predictions."""
    name = str(column.name)
    if wanted.needs == "labels":
        unknown = ~column.isin(wanted.labels).to_numpy()
        problem = f"{lines(unknown)}: {name} is {_some(column[unknown])}; the training rows know {listed(wanted.labels)}."
        return ([problem] if unknown.any() else []), []
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64)
    wrong = ~np.isfinite(numbers)
    problems = [f"{lines(wrong)}: {name} is {_some(column[wrong])}; a finite number is needed."] if wrong.any() else []
    if wanted.needs == "probabilities":
        outside = ~wrong & ((numbers < 0) | (numbers > 1))
        if outside.any():
            problems.append(f"{lines(outside)}: {name} is {_some(column[outside])}; a probability from 0 to 1 is needed.")
    below = ~wrong & (numbers < 0)
    warns = wanted.smallest is not None and wanted.smallest >= 0 and bool(below.any())
    said = (
        f"{lines(below)}: {name} is {_some(column[below])}, below 0; the smallest target of the training rows is {wanted.smallest or 0:g}."
    )
    return problems, [said] if warns else []


def _sums(table: pd.DataFrame) -> list[str]:
    off = np.abs(table.astype("float64").sum(axis=1).to_numpy() - 1) > _SUM
    return [f"{lines(off)}: the probabilities of a row do not add up to 1."] if off.any() else []
