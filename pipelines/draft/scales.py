"""Levels that look as if they had an order: ranges of numbers, and words for more and less."""

from __future__ import annotations

import re

_WORDS: tuple[tuple[str, ...], ...] = (
    (
        "none|no|absent",
        "very low|lowest|minimal",
        "low|lower|minor|light|mild",
        "medium|moderate|mid|middle|average|normal",
        "high|higher|major|heavy",
        "very high|highest|severe|extreme",
    ),
    (
        "very poor",
        "poor|po|bad",
        "fair|fa|below average",
        "average|typical|ta|ok|acceptable|satisfactory",
        "good|gd|above average",
        "very good",
        "excellent|ex|outstanding|superb",
    ),
    ("never", "rarely|seldom", "sometimes|occasionally", "often|frequently|usually", "always"),
    ("xxs", "xs|extra small", "s|small|little", "m|medium|mid", "l|large|big", "xl|extra large|very large", "xxl", "xxxl"),
    (
        "strongly disagree|very dissatisfied",
        "disagree|dissatisfied",
        "neutral|undecided|neither",
        "agree|satisfied",
        "strongly agree|very satisfied",
    ),
    ("first|1st", "second|2nd", "third|3rd", "fourth|4th", "fifth|5th", "sixth|6th"),
    (
        "january|jan",
        "february|feb",
        "march|mar",
        "april|apr",
        "may",
        "june|jun",
        "july|jul",
        "august|aug",
        "september|sep|sept",
        "october|oct",
        "november|nov",
        "december|dec",
    ),
    ("monday|mon", "tuesday|tue|tues", "wednesday|wed", "thursday|thu|thurs", "friday|fri", "saturday|sat", "sunday|sun"),
    (
        "no formal education|preschool",
        "primary|primary school|basic|1st 4th",
        "secondary|secondary school|high school|hs grad",
        "some college",
        "bachelor|bachelors|bachelor's|university|graduation",
        "master|masters|master's",
        "doctorate|phd",
    ),
    ("fair", "good", "very good", "premium", "ideal"),
    ("child|infant", "teen|teenager", "young|young adult", "adult", "middle aged", "senior|old|elderly"),
)
"""Words in order, lowest first; ``|`` parts those that mean the same."""
_SCALES = tuple({word: place for place, words in enumerate(scale) for word in words.split("|")} for scale in _WORDS)
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_RANGE = re.compile(
    r"(?:[<>]=?\s?|under |over |below |above |less than |more than |up to )?#\s?[a-z%$€]{0,6}(?:\s?(?:-|to|_)\s?#\s?[a-z%$€]{0,6})?\+?(?: and (?:over|more|above))?"
)
_COUNTED = re.compile(
    r"(?:level|lvl|grade|stage|tier|rank|class|step|phase|year|size|q|quarter|cat|category)[\s_-]?#|#\s?(?:years?|yrs?|months?|days?|rooms?|doors?)"
)
_FEWEST, _MOST = 3, 60


def order_of(levels: list[str]) -> list[str] | None:
    """The levels from the lowest to the highest; None where they have no order that can be told from their names.

    >>> order_of(["65+", "18-24", "25-64"])
    ['18-24', '25-64', '65+']
    >>> order_of(["High", "low", "medium"])
    ['low', 'medium', 'High']
    >>> order_of(["red", "blue", "green"]) is None
    True
    """
    if not _FEWEST <= len(levels) <= _MOST:
        return None
    plain = [" ".join(re.sub(r"[_-]+", " ", level.lower()).split()) for level in levels]
    for scale in _SCALES:
        places = [scale.get(word) for word in plain]
        if None not in places and len(set(places)) == len(places):
            return [level for _, level in sorted(zip(places, levels, strict=True), key=lambda pair: pair[0] or 0)]
    return _by_number(levels)


def _by_number(levels: list[str]) -> list[str] | None:
    lowered = [level.lower().strip().replace(",", "") for level in levels]
    shapes = [_NUMBER.sub("#", level) for level in lowered]
    are_ranges = all(_RANGE.fullmatch(shape) for shape in shapes) and any(shape != "#" for shape in shapes)
    if not (are_ranges or all(_COUNTED.fullmatch(shape) for shape in shapes)):
        return None
    keys = [_key(level) for level in lowered]
    return None if len(set(keys)) < len(keys) else [level for _, level in sorted(zip(keys, levels, strict=True))]


def _key(level: str) -> tuple[float, int]:
    is_below = level.startswith(("<", "under", "below", "less", "up to"))
    is_above = level.startswith((">", "over", "above", "more")) or level.endswith(("+", "over", "more", "above"))
    return float(_NUMBER.findall(level)[0]), is_above - is_below
