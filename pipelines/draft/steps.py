"""Steps for what the columns are: cleaning, features, and one view for each family of models."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pipelines.draft.columns import EMPTY_IN_TEST, LEFT_OUT, Column, Role
from pipelines.draft.number_texts import FIRST_NUMBER
from pipelines.draft.partition import Partition

_PER_FOLD_ROWS = 100_000
"""Above so many rows a mean or a count hardly differs from fold to fold, and a matrix for each fold costs a lot."""
_MOST_TARGET_COLUMNS = 60
_FEWEST_LEVEL_ROWS = 5
_MOST_ROWS_FOR_FLAGS = 50_000
_BELOW_ALL = -999.0
_BY_TARGET = "*__target*"
"""Columns that target_encode makes."""
_MISSING_WORTH_A_MARK = 0.01


@dataclass(frozen=True)
class Choice:
    """A step as a declaration writes it, and why it is there."""

    step: str | dict[str, Any]
    why: str


@dataclass(frozen=True)
class Steps:
    """All steps of a declaration."""

    clean: list[Choice] = field(default_factory=list)
    features: list[Choice] = field(default_factory=list)
    views: dict[str, list[Choice]] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """What the steps depend on besides the columns."""

    n_rows: int
    n_classes: int
    """0 for regression, 2 for binary."""
    partition: Partition

    @property
    def once(self) -> dict[str, str]:
        """``fit_on: all`` for target-free statistics of large tables."""
        return {"fit_on": "all"} if self.n_rows > _PER_FOLD_ROWS else {}

    @property
    def target_columns(self) -> int:
        """Columns that a target encoding makes of one column."""
        return self.n_classes if self.n_classes > 2 else 1

    @property
    def rare(self) -> int:
        """Rows a level needs to stand for itself in linear models."""
        return max(2, min(_FEWEST_LEVEL_ROWS, self.n_rows // 20), self.n_rows // 500)


def steps_of(columns: list[Column], table: Table) -> Steps:
    """Clean, features and views for studied columns."""
    gone = {table.partition.key, table.partition.time if _is_running(columns, table) else None}
    used = [one for one in columns if one.role not in (Role.ID, Role.ABSENT, *LEFT_OUT) and one.name not in gone]
    by_target = _encoded_by_target(used, table)
    keys = [name for name in by_target if name in _named(used, Role.KEY, Role.KEY_NUMBER)]
    views = {
        "linear": [*_linear(used, keys, table)],
        # counts as flags lose their order, which networks and distances need; large tables have neither
        **({"scaled": [*_linear(used, keys, table, counts_as_flags=False)]} if _named(used, Role.COUNT) and not table.once else {}),
        "trees": [*_trees(used, by_target)],
        "native": [*_native(used, table)],
    }
    return Steps([*_clean(columns, used, table)], [*_features(used, by_target, table)], views)


def _is_running(columns: list[Column], table: Table) -> bool:
    """Whether the folds follow a column of running numbers, which are no dates with parts that come again."""
    return any(one.name == table.partition.time and one.role not in (Role.DATE, Role.ID) for one in columns)


def _named(columns: list[Column], *roles: Role) -> list[str]:
    return [one.name for one in columns if one.role in roles]


def _encoded_by_target(used: list[Column], table: Table) -> list[str]:
    """Columns whose levels are encoded by the target: all that the number of classes leaves room for, the keys first."""
    ranked = [*_named(used, Role.KEY, Role.KEY_NUMBER), *_named(used, Role.MANY)]
    return ranked[: _MOST_TARGET_COLUMNS // table.target_columns]


def _clean(columns: list[Column], used: list[Column], table: Table) -> Iterator[Choice]:
    kept = (table.partition.time, table.partition.key)
    gone = [one for one in columns if (one.role in LEFT_OUT or one.why == EMPTY_IN_TEST) and one.name not in kept]
    for why in dict.fromkeys(one.why for one in gone if one.role != Role.COPY):
        yield Choice({"drop": [one.name for one in gone if one.why == why and one.role != Role.COPY]}, why)
    copies = [one for one in gone if one.role == Role.COPY]
    if copies:
        yield Choice({"drop": [one.name for one in copies]}, "; ".join(f"{one.name!r} is {one.why}" for one in copies[:3]))
    if table.partition.key:
        yield Choice({"drop": [table.partition.key]}, "folds keep its values apart: it tells nothing of rows to predict")
    if _is_running(columns, table):
        yield Choice({"drop": [table.partition.time]}, "it only grows: rows to predict lie beyond its range")
    for format in dict.fromkeys(one.date_format for one in used if one.date_format):
        names = [one.name for one in used if one.date_format == format]
        spelt = {} if format == "ISO8601" else {"format": format}
        yield Choice({"cast": {"columns": names, "to": "date", **spelt, "errors": "missing"}}, f"dates, written as {format}")
    yield from _numbers_from_text(used)
    numbered = [one.name for one in used if one.is_numbered]
    if numbered:
        yield Choice({"cast": {"columns": numbered, "to": "category"}}, "numbers with gaps between them that name kinds")
    flags = [one.name for one in used if one.role == Role.FLAG and one.number_text is not None]
    if flags:
        yield Choice({"cast": {"columns": flags, "to": "flag", "errors": "missing"}}, "yes or no")
    for odd in dict.fromkeys(one.odd for one in used if one.odd):
        names = [one.name for one in used if one.odd == odd]
        yield Choice(
            {"to_missing": {"columns": names, "values": [*odd]}}, "infinite, or far beyond all other values: they stand for missing"
        )
    for order in dict.fromkeys(one.order for one in used if one.order):
        names = [one.name for one in used if one.order == order]
        yield Choice({"ordinal_map": {"columns": names, "order": [*order], "unknown": "missing"}}, "these levels have an order")


def _numbers_from_text(used: list[Column]) -> Iterator[Choice]:
    texts = [one for one in used if one.role == Role.NUMBER and one.number_text is not None]
    with_units = [one for one in texts if one.number_text and one.number_text.units]
    for one in with_units:
        assert one.number_text is not None
        shown = ", ".join(one.number_text.units)
        yield Choice(
            {"regex_extract": {"columns": [one.name], "pattern": FIRST_NUMBER, "into": one.name}}, f"numbers in text, such as {shown}"
        )
    if texts:
        names = [one.name for one in texts]
        yield Choice(
            {"cast": {"columns": names, "to": "number", "errors": "missing"}}, "numbers that some cells keep from being read as such"
        )


def _features(used: list[Column], by_target: list[str], table: Table) -> Iterator[Choice]:
    yield from _dates(used, table)
    yield from _texts(used, table)
    yield from _codes(used)
    counted = _named(used, Role.KEY, Role.KEY_NUMBER, Role.MANY)
    if counted:
        why = "how common a level is; counted over train and test, so that new rows are counted as the training rows are"
        yield Choice({"count_encode": {"columns": counted, "fit_on": "all"}}, why)
    keys = [name for name in by_target if name in _named(used, Role.KEY, Role.KEY_NUMBER)]
    if keys:
        yield Choice(
            {"target_encode": {"columns": keys}},
            "what a level says about the target, cross-fitted inside each fold; too many levels for flags",
        )


def _dates(used: list[Column], table: Table) -> Iterator[Choice]:
    dates = [one for one in used if one.role == Role.DATE]
    left_out = {"day_number"} if table.partition.follows_time else set()
    for parts in dict.fromkeys(one.parts for one in dates):
        chosen = [part for part in parts if part not in left_out]
        if chosen:
            names = [one.name for one in dates if one.parts == parts]
            why = "the calendar parts that vary" + (
                ", without a running number: later rows lie beyond its range" if left_out & {*parts} else ""
            )
            yield Choice({"date_parts": {"columns": names, "parts": chosen}}, why)
    if 2 <= len(dates) <= 4:
        for at, one in enumerate(dates):
            later = [other.name for other in dates[at + 1 :]]
            if later:
                yield Choice({"date_difference": {"columns": later, "since": one.name, "unit": "days"}}, "the time between two dates")
    if dates:
        yield Choice({"drop": [one.name for one in dates]}, "models take numbers, not dates")


def _texts(used: list[Column], table: Table) -> Iterator[Choice]:
    texts = [one for one in used if one.role == Role.TEXT]
    if not texts:
        return
    names = [one.name for one in texts]
    statistics = ["length", "words", "digits", "punctuation", "upper_share"]
    yield Choice({"text_statistics": {"columns": names, "statistics": statistics}}, "how long texts are and what they are made of")
    components = max(4, min(16, 48 // len(texts), table.n_rows // 20))
    terms = 20_000 if table.n_rows <= _PER_FOLD_ROWS else 5_000
    for kind in dict.fromkeys(one.terms for one in texts):
        chosen = [one.name for one in texts if one.terms == kind]
        params = {"columns": chosen, "components": components, "terms": kind, "max_terms": terms, "fit_on": "all"}
        yield Choice(
            {"tfidf_svd": params}, "what texts are about, in a few numbers; learnt from the words of train and test, no target in it"
        )
    yield Choice({"drop": names}, "the texts themselves are done with")


def _codes(used: list[Column]) -> Iterator[Choice]:
    codes = [one for one in used if one.role == Role.CODE]
    if not codes:
        return
    lettered = [one.name for one in codes if 2 <= one.letters <= 60]
    if lettered:
        params = {"columns": lettered, "pattern": "^([A-Za-z]+)", "into": "letters"}
        name = f"{lettered[0]}__letters"
        yield Choice({"regex_extract": {**params, "into": name if len(lettered) == 1 else "letters"}}, "the letters that codes begin with")
    names = [one.name for one in codes]
    yield Choice({"count_encode": {"columns": names, "fit_on": "all"}}, "rows that share a code")
    if lettered:
        yield Choice({"text_statistics": {"columns": lettered, "statistics": ["length", "words"]}}, "how codes are written")
    yield Choice({"drop": names}, "nearly a different value in every row: a model could only learn them by heart")


def _linear(used: list[Column], by_target: list[str], table: Table, *, counts_as_flags: bool = True) -> Iterator[Choice]:
    keys = _named(used, Role.KEY)
    if keys and table.n_rows > _MOST_ROWS_FOR_FLAGS:
        yield Choice({"drop": keys}, "keys stand here by their encodings")
    elif keys:
        least = max(table.rare, table.n_rows // 50)
        yield Choice(
            {"rare_group": {"columns": keys, "min_count": least, "fit_on": "all"}},
            "keys stand here by their encodings, and by the most frequent levels",
        )
    numbers = _named(used, Role.KEY_NUMBER)
    if numbers:
        yield Choice({"drop": numbers}, "the size of a key's number means nothing")
    gone = {*keys, *numbers, *_named(used, Role.TEXT, Role.DATE, Role.CODE)}
    marked = [one.name for one in used if one.missing >= _MISSING_WORTH_A_MARK and one.name not in gone]
    if marked:
        yield Choice({"missing_indicator": {"columns": marked}}, "that a value is missing may tell something")
    counts = _named(used, Role.COUNT)
    if counts and counts_as_flags:
        yield Choice({"one_hot": {"columns": counts}}, "whole numbers of few values: each may have an effect of its own")
    if _has_levels(used):
        yield Choice({"rare_group": {"min_count": table.rare, "fit_on": "all"}}, "levels with few rows as one")
    if _has_levels(used) or (keys and table.n_rows <= _MOST_ROWS_FOR_FLAGS):
        yield Choice("one_hot", "one flag for each level")
    yield from _on_one_scale(by_target, table)


def _on_one_scale(by_target: list[str], table: Table) -> Iterator[Choice]:
    """Tails, scale and gaps of numbers; columns that differ from fold to fold are scaled by themselves where the others are once."""
    others = {"columns": "numeric", **({"except": _BY_TARGET} if table.once and by_target else {})}
    how = "log1p" if table.once else "yeo_johnson"
    said = "; learnt once from all rows: so many hardly differ from fold to fold" if table.once else ""
    yield Choice({"skew": {**others, "threshold": 1.0, "how": how, **table.once}}, "long tails made short" + said)
    yield Choice({"scale": {**others, "how": "standard", **table.once}}, "one scale for penalties and distances")
    yield Choice({"clip": {**others, "low": -6, "high": 6}}, "no single cell may decide a prediction")
    yield Choice({"fill": {**others, "value": 0}}, "missing as the mean, which is 0 here")
    if "except" in others:
        yield Choice({"scale": {"columns": _BY_TARGET}}, "encodings by the target differ from fold to fold")


def _has_levels(used: list[Column]) -> bool:
    return bool(_named(used, Role.FEW, Role.MANY)) or any(one.role == Role.CODE and one.letters >= 2 for one in used)


def _trees(used: list[Column], by_target: list[str]) -> Iterator[Choice]:
    keys = _named(used, Role.KEY)
    if keys:
        yield Choice({"drop": keys}, "keys stand here by their encodings")
    if _has_levels(used):
        yield Choice("ordinal", "levels by their numbers")
    # encodings have no gaps and differ from fold to fold: a fill that looked at them would make a matrix of all columns for each fold
    encoded = {"except": _BY_TARGET} if set(by_target) & {*_named(used, Role.KEY, Role.KEY_NUMBER)} else {}
    why = "missing as a value far below all others, which trees cut off by themselves"
    yield Choice({"fill": {"columns": "numeric", **encoded, "value": _below(used)}}, why)
    many = [name for name in by_target if name in _named(used, Role.MANY)]
    if many:
        yield Choice({"target_encode": {"columns": many}}, "what a level says about the target: one cut parts many levels")


def _below(used: list[Column]) -> float:
    """A number below all that there are."""
    low = min((one.low for one in used), default=0.0)
    return _BELOW_ALL if low > _BELOW_ALL else -float(10 ** (math.ceil(math.log10(-low)) + 1))


def _native(used: list[Column], table: Table) -> Iterator[Choice]:
    keys = _named(used, Role.KEY)
    if keys:
        least = max(_FEWEST_LEVEL_ROWS, table.n_rows // 2_000)
        yield Choice({"rare_group": {"columns": keys, "min_count": least, "fit_on": "all"}}, "levels with few rows as one")
    if keys or _has_levels(used):
        yield Choice("as_category", "levels as they are, for boosters that split on sets of levels; missing values are left to them")
