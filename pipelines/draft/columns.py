"""What each column is: its role, told from its values in train and test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd

from features.casting import FALSE, TRUE
from features.expressions import as_text
from pipelines.draft.date_texts import date_format, is_day_number, read_dates
from pipelines.draft.number_texts import NumberText, has_number, number_text
from pipelines.draft.repairs import is_text
from pipelines.draft.scales import order_of
from pipelines.draft.vocabulary import KEY_WORDS, KIND_WORDS, is_id_name, words_of


class Role(StrEnum):
    """What is done with a column."""

    ID = "id"
    ABSENT = "absent from test"
    EMPTY = "empty"
    CONSTANT = "constant"
    COPY = "copy"
    SERIAL = "serial number"
    NUMBER = "number"
    COUNT = "number of few values"
    KEY_NUMBER = "key (number)"
    FLAG = "flag"
    FEW = "category"
    MANY = "category of many levels"
    KEY = "key (text)"
    CODE = "code"
    ORDERED = "ordered category"
    DATE = "date"
    TEXT = "text"


LEFT_OUT = (Role.EMPTY, Role.CONSTANT, Role.COPY, Role.SERIAL)
"""Roles of columns that tell nothing."""
NOT_IN_TEST, EMPTY_IN_TEST = "not in the test file", "empty in the test file"
FEW_LEVELS, MANY_LEVELS = 12, 100
_FEW_NUMBERS = 10
_FEW_ROWS_FOR_LEVELS = 300
_SENTINELS = (-999.0, -9999.0, -99999.0, 9999.0, 99999.0, 999999.0)


@dataclass(frozen=True)
class Column:
    """A column, what it is and what is known of its values."""

    name: str
    role: Role
    n_levels: int
    """Different values in train, missing not counted."""
    missing: float
    """Share of missing values among all rows."""
    number_text: NumberText | None = None
    order: tuple[str, ...] = ()
    date_format: str = ""
    parts: tuple[str, ...] = ()
    """Parts of a date that vary."""
    why: str = ""
    odd: tuple[float, ...] = ()
    """Values of a number that stand for missing, infinite ones among them."""
    low: float = 0.0
    """The smallest number."""
    is_numbered: bool = False
    """Whether the levels of a category are numbers in the file."""
    letters: int = 0
    """Different first letters of a code."""
    terms: str = ""
    """What a text is cut into: ``words``, or ``characters`` where no word comes again (scripts without blanks, say)."""


def study(train: pd.DataFrame, test: pd.DataFrame | None, *, id: str | None) -> Iterator[Column]:
    """Each column of train but the target, in order.

    Parameters
    ----------
    train
        Without the target.
    test
        The rows to predict, where there are any.
    id
        The column that names the rows.
    """
    earlier: dict[tuple[str, int], str] = {}
    for name in train.columns:
        if name == id:
            yield Column(name, Role.ID, train[name].nunique(), 0.0)
        elif test is not None and (name not in test or (test[name].isna().all() and len(test) > 20 and train[name].isna().mean() < 0.5)):
            why = NOT_IN_TEST if name not in test else EMPTY_IN_TEST
            yield Column(name, Role.ABSENT, 0, 0.0, why=why)
        else:
            yield _studied(train[name], None if test is None else test[name], earlier)


def _studied(train: pd.Series, test: pd.Series | None, earlier: dict[tuple[str, int], str]) -> Column:
    name, n_levels, n_rows = str(train.name), int(train.nunique()), len(train)
    both = train if test is None or not len(test) else _together(train, test)
    missing = float(both.isna().mean())
    if n_levels == 0:
        return Column(name, Role.EMPTY, 0, missing, why="no value in train")
    if n_levels == 1 and train.notna().all():
        return Column(name, Role.CONSTANT, 1, missing, why="one value in train")
    looks = (str(both.dtype), int(pd.util.hash_pandas_object(both, index=False).sum()))
    if looks in earlier:
        return Column(name, Role.COPY, n_levels, missing, why=f"the same as {earlier[looks]!r}")
    earlier[looks] = name
    if pd.api.types.is_bool_dtype(both.dtype):
        return Column(name, Role.FLAG, n_levels, missing)
    if pd.api.types.is_datetime64_any_dtype(both.dtype):
        return Column(name, Role.DATE, n_levels, missing, parts=_varying_parts(both))
    return _text(both, n_levels, missing, n_rows) if is_text(both) else _number(both, n_levels, missing, n_rows)


def _together(train: pd.Series, test: pd.Series) -> pd.Series:
    """Train over test, as text where one of them is text, as ``tables.read_tables`` does it."""
    if is_text(train) != is_text(test) and train.notna().any() and test.notna().any():
        train, test = as_text(train), as_text(test)
    parts = [part for part in (train, test) if part.notna().any()]
    return pd.concat(parts, ignore_index=True) if parts else train


def _number(values: pd.Series, n_levels: int, missing: float, n_rows: int) -> Column:
    name, known = str(values.name), values.dropna().to_numpy(dtype=np.float64)
    odd = _odd(known)
    is_whole = bool(np.isfinite(known).all() and (known == np.floor(known)).all())
    if is_whole and is_day_number(pd.unique(known)):
        dates = read_dates(as_text(values), "%Y%m%d")
        return Column(name, Role.DATE, n_levels, missing, date_format="%Y%m%d", parts=_varying_parts(dates))
    if is_whole and values.is_unique and values.notna().all() and is_id_name(name) and n_rows >= 20:
        return Column(name, Role.SERIAL, n_levels, missing, why="a different number in every row")
    role = Role.NUMBER
    if is_whole and 3 <= n_levels <= 50 and words_of(name) & KIND_WORDS and n_levels < known.max() - known.min() + 1:
        return Column(name, Role.MANY if n_levels > FEW_LEVELS else Role.FEW, n_levels, missing, is_numbered=True)
    if is_whole and 3 <= n_levels <= _FEW_NUMBERS and n_rows >= _FEW_ROWS_FOR_LEVELS and _is_spread(known):
        role = Role.COUNT
    elif is_whole and n_levels > FEW_LEVELS and words_of(name) & KEY_WORDS and n_rows >= 2 * n_levels:
        role = Role.KEY_NUMBER
    finite = known[np.isfinite(known)]
    return Column(name, role, n_levels, missing, odd=odd, low=float(finite.min()) if len(finite) else 0.0)


def _is_spread(known: np.ndarray) -> bool:
    """Whether the most frequent value leaves something to the others."""
    return float(np.unique(known, return_counts=True)[1].max()) <= 0.98 * len(known)


def _odd(known: np.ndarray) -> tuple[float, ...]:
    """Infinite values, and a sentinel such as -999 that comes again and lies far beyond all others."""
    odd = [value for value in (np.inf, -np.inf) if (known == value).any()]
    finite = known[np.isfinite(known)]
    for sentinel in _SENTINELS:
        others = finite[finite != sentinel]
        if (
            len(others)
            and len(finite) - len(others) >= 3
            and (sentinel > 0 or others.min() >= 0)
            and 5 * np.abs(others).max() < abs(sentinel)
        ):
            odd.append(sentinel)
    return tuple(odd)


def _text(values: pd.Series, n_levels: int, missing: float, n_rows: int) -> Column:
    name, counts = str(values.name), as_text(values).value_counts()
    levels = pd.Series(counts.index.astype("str"), dtype="str")
    lowered = set(levels.iloc[:20].str.strip().str.lower())
    if len(levels) <= 4 and len(lowered) == 2 and lowered <= TRUE | FALSE and lowered & TRUE and lowered & FALSE:
        return Column(name, Role.FLAG, n_levels, missing, number_text=NumberText())
    numbers = number_text(counts)
    if numbers is not None:
        return Column(name, Role.NUMBER, n_levels, missing, number_text=numbers)
    format = date_format(levels)
    if format is not None:
        return Column(name, Role.DATE, n_levels, missing, date_format=format, parts=_varying_parts(read_dates(levels, format)))
    order = order_of(levels.tolist()) if len(levels) <= MANY_LEVELS else None
    if order is not None:
        return Column(name, Role.ORDERED, n_levels, missing, order=tuple(order))
    return _levels(name, levels, n_levels, missing, n_rows, known_rows=int(counts.sum()))


def _levels(name: str, levels: pd.Series, n_levels: int, missing: float, n_rows: int, *, known_rows: int) -> Column:
    """Free text, codes, and categories of few or many levels."""
    head = levels.iloc[:2_000]
    is_prose = float((head.str.count(r"\S+")).mean()) >= 3.5 or float(head.str.len().mean()) > 40
    is_varied = n_levels > max(50, 0.2 * known_rows) or (n_levels > 0.5 * known_rows and n_levels >= 8)
    if is_prose and is_varied and (_has_words(head) or not head.map(str.isascii).all()):
        return Column(name, Role.TEXT, n_levels, missing, terms="words" if _has_words(head) else "characters")
    if is_varied and n_levels == n_rows and not head.str.contains(" ").any() and (is_id_name(name) or _is_random(head)):
        return Column(name, Role.SERIAL, n_levels, missing, why="a different text in every row")
    if n_levels > max(30, 0.5 * known_rows):
        letters = int(head.str.extract(r"^([A-Za-z]+)", expand=False).nunique()) if head.map(has_number).mean() > 0.5 else 0
        return Column(name, Role.CODE, n_levels, missing, letters=letters)
    if n_levels > min(MANY_LEVELS, max(FEW_LEVELS, n_rows // 10)):
        return Column(name, Role.KEY, n_levels, missing)
    return Column(name, Role.MANY if n_levels > FEW_LEVELS else Role.FEW, n_levels, missing)


def _has_words(head: pd.Series) -> bool:
    """Whether some word stands in several texts: TF-IDF has nothing to work on otherwise."""
    words = head.str.lower().str.findall(r"\b\w+\b").map(set).explode()
    return bool((words.value_counts() >= 2).sum() >= 5)


def _is_random(head: pd.Series) -> bool:
    """Hashes and universally unique identifiers: of one length, of hexadecimal signs."""
    return bool(head.str.len().nunique() == 1 and head.str.fullmatch(r"[0-9a-fA-F-]{8,}").all())


_CYCLES = {"hour": 2, "weekday": 14, "day": 60, "month": 500, "day_of_year": 500, "year": 730}
"""Days a column must span for a part of the calendar to come again: what comes only once is time itself."""


def _varying_parts(dates: pd.Series) -> tuple[str, ...]:
    known = dates.dropna()
    if not len(known):
        return ()
    span = int((known.max() - known.min()).days)
    dt = known.dt
    parts = {"year": dt.year, "month": dt.month, "day": dt.day, "day_of_year": dt.day_of_year, "weekday": dt.day_of_week, "hour": dt.hour}
    found = [name for name, values in parts.items() if span >= _CYCLES[name] and values.nunique() > 1]
    if span < _CYCLES["hour"] and parts["hour"].nunique() > 1:
        found = ["hour", "minute"]
    return (*found, "day_number") if span else tuple(found)
