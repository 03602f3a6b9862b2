"""What a search may try: ranges of numbers and lists of choices, as a declaration writes them and as Optuna draws from them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from features.errors import closest
from pipelines.declaration import Fault, Path_

if TYPE_CHECKING:
    from optuna.trial import Trial

_FORMS = "{int: [low, high]}, {float: [low, high], log: true} or {choice: [a, b]}"


@dataclass(frozen=True)
class Numbers:
    """A range of whole or real numbers, both ends included; ``log`` draws evenly over orders of magnitude."""

    low: float
    high: float
    log: bool = False
    is_whole: bool = False

    def suggest(self, trial: Trial, name: str) -> int | float:
        """A value that Optuna proposes."""
        if self.is_whole:
            return trial.suggest_int(name, int(self.low), int(self.high), log=self.log)
        return trial.suggest_float(name, self.low, self.high, log=self.log)

    def nearest(self, value: object) -> int | float | None:
        """The value of the range that is nearest to a given one, as Optuna stores it; None for what is no number."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            return None
        inside = min(max(value, self.low), self.high)
        return round(inside) if self.is_whole else float(inside)

    @property
    def ends(self) -> tuple[Any, ...]:
        """The lowest and the highest value."""
        return (int(self.low), int(self.high)) if self.is_whole else (self.low, self.high)

    @property
    def declared(self) -> dict[str, Any]:
        """As a declaration writes it."""
        return {"int" if self.is_whole else "float": [*self.ends], **({"log": True} if self.log else {})}


@dataclass(frozen=True)
class Choice:
    """Some values to choose from; numbers, texts, or whole mappings such as a step with its parameters."""

    options: tuple[Any, ...]

    @property
    def labels(self) -> list[str]:
        """What the options are called in a study, which holds texts only."""
        return [option if isinstance(option, str) else json.dumps(option) for option in self.options]

    def suggest(self, trial: Trial, name: str) -> Any:
        """A value that Optuna proposes."""
        labels = self.labels
        return self.options[labels.index(str(trial.suggest_categorical(name, labels)))]

    def nearest(self, value: object) -> str | None:
        """The label of a value; None where it is not among the options."""
        label = value if isinstance(value, str) else json.dumps(value, default=str)
        return label if label in self.labels else None

    @property
    def ends(self) -> tuple[Any, ...]:
        """All options."""
        return self.options

    @property
    def declared(self) -> dict[str, Any]:
        """As a declaration writes it."""
        return {"choice": [*self.options]}


Dimension: TypeAlias = "Numbers | Choice"
Space: TypeAlias = "dict[str, Dimension]"


def read_space(raw: object, where: Path_, faults: list[Fault]) -> Space:
    """The dimensions of a declared ``space``; what is wrong is appended to ``faults``."""
    if not isinstance(raw, Mapping) or not raw:
        faults.append(Fault(where, f"takes at least one parameter with its range, found {raw!r}. Write name: {_FORMS}."))
        return {}
    found = {str(name): _dimension(entry, (*where, str(name)), faults) for name, entry in raw.items()}
    return {name: dimension for name, dimension in found.items() if dimension is not None}


def _dimension(raw: object, where: Path_, faults: list[Fault]) -> Dimension | None:
    kind = next((key for key in ("int", "float", "choice") if isinstance(raw, Mapping) and key in raw), None)
    if not isinstance(raw, Mapping) or kind is None:
        near = closest(next(iter(raw), ""), ("int", "float", "choice")) if isinstance(raw, Mapping) else ""
        faults.append(Fault(where, f"found {raw!r}; needed: {_FORMS}.{near}"))
        return None
    unknown = [key for key in raw if key != kind and (key != "log" or kind == "choice")]
    if unknown:
        faults.append(Fault((*where, str(unknown[0])), f"unknown key beside {kind!r}; needed: {_FORMS}."))
        return None
    message = _choice_fault(raw[kind]) if kind == "choice" else _range_fault(raw[kind], raw.get("log", False), is_whole=kind == "int")
    if message:
        faults.append(Fault((*where, kind), message))
        return None
    if kind == "choice":
        return Choice(tuple(raw[kind]))
    low, high = raw[kind]
    return Numbers(low, high, bool(raw.get("log", False)), kind == "int")


def _choice_fault(raw: object) -> str:
    if not isinstance(raw, list) or not raw:
        return f"found {raw!r}; a choice takes a list of at least one value."
    return "" if len(set(Choice(tuple(raw)).labels)) == len(raw) else f"found {raw!r}; the same value stands there twice."


def _range_fault(raw: object, log: object, *, is_whole: bool) -> str:
    number = int if is_whole else (int, float)
    what = "whole numbers" if is_whole else "numbers"
    if not isinstance(raw, list) or len(raw) != 2 or not all(isinstance(end, number) and not isinstance(end, bool) for end in raw):
        return f"found {raw!r}; a range takes two {what}, [low, high]."
    low, high = raw
    if not (math.isfinite(low) and math.isfinite(high)) or low > high:
        return f"found {raw!r}; the low end comes first: [{min(raw)}, {max(raw)}]."
    if not isinstance(log, bool):
        return f"log is true or false, found {log!r}."
    return f"found {raw!r}; a range with log: true lies above 0." if log and low <= 0 else ""
