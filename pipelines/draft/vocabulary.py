"""Words in the names and cells of tables that say what a column is."""

from __future__ import annotations

import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ID_WORDS = _words("id ids index idx uuid guid key pk rowid row rownum no nr serial identifier")
"""Names of columns that number the rows."""
NUMBERED_THINGS = _words("user row customer passenger order record object sample patient item client case person house loan trip")
"""What ``userid`` and its like number."""
KEY_WORDS = _words(
    "id ids code codes zip zipcode postcode postal key no nr sku user store shop item product device ip app os channel campaign merchant "
    "vendor site region branch carrier flight route station tail brand model publisher advertiser"
)
"""Names of whole numbers that name something which comes again."""
KIND_WORDS = _words("class subclass type code category zone kind status segment")
"""Names of whole numbers that name kinds."""
TIME_WORDS = _words("date day time timestamp week month year hour dt period")
"""Names of columns that count time."""
MISSING_WORDS = _words(
    "? ?? - -- --- . .. * \\n none unknown missing n/a na n.a. nan <na> null nil undefined #n/a #value! #div/0! blank empty nd tbd"
) | {"not available", "not applicable", "not known"}
"""Texts that mean missing among numbers, in lower case."""


def words_of(name: str) -> set[str]:
    """The words of a column's name, in lower case.

    >>> sorted(words_of("PassengerId")), sorted(words_of("user_ID2"))
    (['id', 'passenger', 'passengerid'], ['id', 'user', 'user_id2'])
    """
    parts = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", re.sub(r"\d+", " ", name))
    return {part.lower() for part in parts} | {name.lower()}


def is_id_name(name: str) -> bool:
    """Whether a name says that the column numbers the rows."""
    return bool(words_of(name) & ID_WORDS) or name.startswith("Unnamed: ") or name.lower().removesuffix("id") in NUMBERED_THINGS


def is_time_name(name: str) -> bool:
    """Whether a name says that the column counts time."""
    return bool(words_of(name) & TIME_WORDS)
