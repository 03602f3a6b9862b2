"""How numbers are written in a column of text: words for missing, units, thousands separators, decimal commas."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipelines.draft.vocabulary import MISSING_WORDS

FIRST_NUMBER = r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)"
"""A pattern that cuts the first number out of a text."""
_PLAIN = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_UNIT = rf"[$€£¥]?\s?{_PLAIN}\s?[^\d\s.,:/+-][^\d,:/-]{{0,11}}|[$€£¥]\s?{_PLAIN}|{_PLAIN}\s?[%+]"
_THOUSANDS = r"[-+]?[$€£¥]?\s?[-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?\s?[^\d,.]{0,4}"
_DECIMAL_COMMA = r"[-+]?[$€£¥]?\s?[-+]?(?:\d{1,3}(?:\.\d{3})+|\d*),\d+\s?[^\d,.]{0,4}"
_MOST_UNITS = 5
_MOSTLY, _NEARLY_ALL = 0.9, 0.98
_LOOKED_AT = 5_000
"""Levels that are looked at before all of them are."""


@dataclass(frozen=True)
class NumberText:
    """What is to be done so that a column of text becomes numbers."""

    missing: tuple[str, ...] = ()
    """Texts as they stand in the file that mean missing."""
    units: tuple[str, ...] = ()
    """What stands around the numbers; empty where the numbers are plain."""
    separators: str = ""
    """``,`` where commas part thousands, ``.`` where points do and a comma is the decimal point."""
    unread: tuple[str, ...] = ()
    """Texts without a number that mean nothing we know; they become missing."""


def number_text(counts: pd.Series) -> NumberText | None:
    """How the numbers of a text column are written; None where it holds no numbers.

    Parameters
    ----------
    counts
        Rows of each text, indexed by the texts.
    """
    if not len(counts) or (len(counts) > _LOOKED_AT and _read(counts.iloc[:_LOOKED_AT]) is None):
        return None
    return _read(counts)


def _read(counts: pd.Series) -> NumberText | None:
    texts = pd.Series(counts.index.astype("str"), dtype="str")
    stripped = texts.str.strip()
    is_word = stripped.str.lower().isin(MISSING_WORDS | {""})
    values, rows = stripped[~is_word], counts.to_numpy()[~is_word.to_numpy()]
    missing = tuple(texts[is_word])
    if not len(values):
        return None
    is_plain = pd.to_numeric(values, errors="coerce").notna() & values.str.fullmatch(_PLAIN)
    if is_plain.all():
        return NumberText(missing)
    for separator, pattern in ((",", _THOUSANDS), (".", _DECIMAL_COMMA)):
        is_separated = values.str.fullmatch(pattern)
        if is_separated.any() and _share(is_plain | is_separated, rows) >= _NEARLY_ALL and not _is_decimal(values, is_separated, separator):
            return NumberText(missing, separators=separator, unread=tuple(values[~(is_plain | is_separated)]))
    has_unit = values.str.fullmatch(_UNIT)
    is_number = is_plain | has_unit
    found = values[has_unit].str.replace(_PLAIN, "#", n=1, regex=True).str.replace(" ", "").value_counts()
    is_mostly_plain = _share(is_plain, rows) >= _MOSTLY and is_plain.sum() >= _FEWEST
    if (_share(is_number, rows) >= _NEARLY_ALL and 0 < len(found) <= _MOST_UNITS and is_number.sum() >= _FEWEST) or is_mostly_plain:
        return NumberText(missing, tuple(found.index[:_MOST_UNITS].astype(str)) or ("#",), unread=tuple(values[~is_number]))
    return None


_FEWEST = 5
"""So many different numbers tell a measure from a few codes."""


def _share(which: pd.Series, rows: np.ndarray) -> float:
    return float(rows[which.to_numpy()].sum() / max(rows.sum(), 1))


def _is_decimal(values: pd.Series, is_separated: pd.Series, separator: str) -> bool:
    """Whether commas that look like thousands separators are decimal ones: ``0,125`` would be a strange thousand."""
    return separator == "," and bool(values[is_separated].str.match(r"[-+]?0,").any())


def plain_numbers(column: pd.Series, separators: str) -> pd.Series:
    """The numbers of a text column with separators, currency signs and units taken out; what is none is missing.

    >>> plain_numbers(pd.Series(["$1,234.50", "17"]), ",").tolist()
    [1234.5, 17.0]
    >>> plain_numbers(pd.Series(["1.234,5", "?"]), ".").tolist()
    [1234.5, nan]
    """
    texts = column.astype("str").str.replace(r"[^\d.,eE+-]", "", regex=True)
    texts = texts.str.replace(separators, "", regex=False)
    if separators == ".":
        texts = texts.str.replace(",", ".", regex=False)
    return pd.Series(pd.to_numeric(texts, errors="coerce"), index=column.index, name=column.name).astype("float64")


def has_number(text: str) -> bool:
    """Whether there is a number in a text."""
    return re.search(_PLAIN, text) is not None
