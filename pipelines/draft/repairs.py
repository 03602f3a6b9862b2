"""What must be put right in the files themselves, because no step of a declaration can do it."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from features.columns import KINDS
from features.errors import listed
from features.expressions import as_text
from pipelines.draft.date_texts import read_dates
from pipelines.draft.number_texts import NumberText, number_text, plain_numbers
from pipelines.draft.sources import Source


def is_text(column: pd.Series) -> bool:
    """Whether a column holds text (or a mixture, which a run takes for text)."""
    return bool(pd.api.types.is_string_dtype(column.dtype) or column.dtype == object)


def without_separators(source: Source) -> Source:
    """Columns of numbers with thousands separators or decimal commas as plain numbers."""
    table, notes = source.table, []
    for name in table.columns:
        found = _separated(table[name])
        if found is not None:
            how = "thousands separators" if found.separators == "," else "decimal commas"
            table = table.assign(**{name: plain_numbers(table[name], found.separators)})
            notes.append(f"the {how} of column {name!r}")
    return replace(source, table=table, notes=(*source.notes, *notes))


def _separated(column: pd.Series) -> NumberText | None:
    if not is_text(column) or not column.iloc[:2000].astype("str").str.contains(r"\d,\d", na=False).any():
        return None
    found = number_text(column.value_counts())
    return found if found is not None and found.separators else None


def with_plain_target(source: Source, target: str) -> Source:
    """A target that is numbers in text (units, words for missing) as numbers: steps never see a target."""
    column = source.table[target]
    found = number_text(column.value_counts()) if is_text(column) else None
    if found is None:
        return source
    numbers = plain_numbers(column, ",")
    return replace(
        source, table=source.table.assign(**{target: numbers}), notes=(*source.notes, f"the texts of target {target!r} as numbers")
    )


def without_missing_target(source: Source, target: str) -> Source:
    """The rows that have a target."""
    gaps = source.table[target].isna()
    if not gaps.any():
        return source
    note = f"{int(gaps.sum())} rows without a target, left out: there is nothing to learn from them"
    return replace(source, table=source.table[~gaps].reset_index(drop=True), notes=(*source.notes, note))


def with_iso_dates(source: Source, column: str, format: str) -> Source:
    """A column of dates in ISO spelling, which time splits read.

    Parameters
    ----------
    format
        How they are written, in ``strftime`` codes.
    """
    if column not in source.table.columns:
        return source
    dates = read_dates(as_text(source.table[column]), format)
    has_hours = bool((dates.dropna() != dates.dropna().dt.normalize()).any())
    texts = dates.dt.strftime("%Y-%m-%d %H:%M:%S" if has_hours else "%Y-%m-%d").astype("str")
    return replace(source, table=source.table.assign(**{column: texts}), notes=(*source.notes, f"the dates of {column!r} as ISO dates"))


def with_distinct_names(source: Source) -> Source:
    """Columns whose names are words of the declaration (``numeric``, ``dates``) get a ``_`` behind them."""
    clashing = [name for name in source.table.columns if name in KINDS]
    if not clashing:
        return source
    renamed = source.table.rename(columns={name: f"{name}_" for name in clashing})
    note = f"column(s) {listed(clashing)} renamed with a '_' behind: declarations use these words for kinds of columns"
    return replace(source, table=renamed, notes=(*source.notes, note))


def repaired(train: Source, test: Source | None, *, target: str) -> tuple[Source, Source | None, list[str]]:
    """Both tables with everything put right that steps cannot, and the texts that mean missing in them.

    A column is put right in both files where one of them needs it.
    """
    train = with_plain_target(without_separators(train), target)
    test = None if test is None else without_separators(test)
    words = [] if train.is_columnar else _missing_words(train.table, None if test is None else test.table, target)
    if words:
        train = replace(train, table=_reread(train.table, words))
        test = None if test is None else replace(test, table=_reread(test.table, words))
    train = with_distinct_names(without_missing_target(train, target))
    test = None if test is None else with_distinct_names(test)
    return train, test, words


def _missing_words(train: pd.DataFrame, test: pd.DataFrame | None, target: str) -> list[str]:
    """Texts that alone keep a column from being read as numbers."""
    words: dict[str, None] = {}
    for name in train.columns:
        parts = [table[name] for table in (train, test) if table is not None and name in table.columns]
        if name == target or not any(is_text(part) and _begins_with_numbers(part) for part in parts):
            continue
        found = number_text(pd.concat([part.dropna().astype("str") for part in parts]).value_counts())
        if found is not None and found.missing and not found.units and not found.unread:
            words |= dict.fromkeys(found.missing)
    return [*words]


def _begins_with_numbers(column: pd.Series) -> bool:
    head = column.dropna().iloc[:1_000]
    return bool(pd.to_numeric(head, errors="coerce").notna().any())


def _reread(table: pd.DataFrame, words: list[str]) -> pd.DataFrame:
    """The table as it is when the words are read as missing."""
    columns = {}
    for name in table.columns:
        column = table[name]
        if is_text(column):
            column = column.mask(column.isin(words))
            numbers = pd.to_numeric(column, errors="coerce")
            column = numbers if numbers.notna().sum() == column.notna().sum() and column.notna().any() else column
        columns[name] = column
    return pd.DataFrame(columns)
