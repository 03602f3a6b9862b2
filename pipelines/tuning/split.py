"""On which folds a search is scored: not on those that its result is reported on.

| splitter | tuning folds |
|---|---|
| kfold, stratified, group, shuffled blocks | the same with another seed, one repeat |
| unshuffled kfold and blocks | the same with one fold more, so that no fold is a reported one |
| rolling, group_time, forward, last_days | the same windows less the last, which a search never looks at; one window: the one before it |
| column | the ready-made folds themselves: there are no others, and tuned scores are a little too good |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

OTHER_SEED = 7919
"""Added to the declared seed; far from it, because repeats count on from there."""


@dataclass(frozen=True)
class TuningSplit:
    """The folds of a search."""

    splitter: str
    params: dict[str, Any]
    skips_last: bool
    """Whether the last fold is left out."""
    said: str
    """What is done, for people."""

    def used(self, n_folds: int) -> range:
        """The folds that are scored."""
        return range(n_folds - 1 if self.skips_last else n_folds)


def tuning_split(splitter: str, params: Mapping[str, Any]) -> TuningSplit:
    """The folds of a search, from the declared splitter and its parameters."""
    given = dict(params)
    if splitter == "column":
        return TuningSplit(splitter, given, False, "the ready-made folds, which the report uses too: tuned scores are a little too good")
    if splitter == "last_days":
        return TuningSplit("rolling", {**given, "windows": 2}, True, "the window before the reported one")
    if splitter in ("rolling", "group_time", "forward"):
        return _windows(splitter, given)
    if not given.get("shuffle", True):
        return TuningSplit(splitter, {**given, "folds": given["folds"] + 1}, False, f"{given['folds'] + 1} folds, one more than reported")
    given["seed"] = given["seed"] + OTHER_SEED
    if "repeats" in given:
        given["repeats"] = 1
    return TuningSplit(splitter, given, False, f"{given['folds']} folds of another seed ({given['seed']}) than the reported ones")


def _windows(splitter: str, given: dict[str, Any]) -> TuningSplit:
    windows = given["windows"] if given.get("windows") is not None else given["blocks"] - 1
    if windows > 1:
        return TuningSplit(splitter, given, True, "the reported windows less the last, which the search does not look at")
    if splitter == "forward":
        given["blocks"] = max(given["blocks"], 3)
    return TuningSplit(splitter, {**given, "windows": 2}, True, "the window before the reported one")
