"""How fast models go: larger steps, or fewer trees, where the time for a model is too short for what is declared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from pipelines.models.rounds import FindsRounds, patience

NO_VIEW = "(features)"
"""What the plan calls the features as they are."""


@dataclass(frozen=True)
class Pace:
    """A kind of booster or forest: the seconds of a round on one core, and its words for steps and sizes."""

    round: float
    """What each round takes at least."""
    column: float
    """What it takes for each column: for the bins of its histograms, say."""
    cell: float
    """What it takes for each row of each column."""
    rates: tuple[str, ...] = ()
    """Names of the step; none for a forest."""
    default_rate: float = 0.1
    size: str = ""
    """The parameter that gives the size of a tree."""
    usual_size: int = 1

    class_: float = 0.0
    """What a second class, and each further one, adds to a round as a share of it, where there are more than two."""

    def seconds_of_round(self, n_rows: int, n_columns: int, params: Mapping[str, Any], *, n_classes: int = 0) -> float:
        """What a round is expected to take; ``n_classes`` where there are more than two."""
        one = self.round + (self.column + self.cell * n_rows) * n_columns * self._weight(params)
        return one * (1 + self.class_ * max(0, n_classes - 1))

    def _weight(self, params: Mapping[str, Any]) -> float:
        """The cost of a tree as a multiple of that of the usual size."""
        size = float(params.get(self.size, self.usual_size))
        return float((size / self.usual_size) ** 0.5 if self.size == "num_leaves" else 2 ** ((size - self.usual_size) / 2))


# measured on one core of a shared machine, 133 to 250k rows x 9 to 80 columns; right within a factor of three. Columns of numbers that
# are all different take two to three times what is said here, columns of few values less: who starts too slow is begun again
PACES = {
    "lightgbm": Pace(1e-4, 2e-5, 4e-9, ("learning_rate",), 0.1, "num_leaves", 31, class_=1.0),
    "xgboost": Pace(5e-4, 2.5e-5, 4e-9, ("learning_rate", "eta"), 0.3, "max_depth", 6, class_=1.0),
    "catboost": Pace(8e-4, 6e-5, 7e-9, ("learning_rate", "eta"), 0.05, "depth", 6, class_=0.5),
    "extra_trees": Pace(1.5e-3, 0.0, 6e-8),
    "random_forest": Pace(3e-3, 0.0, 2.2e-7),
}
_FOREST_SIZE, _DEFAULT_FOREST = "n_estimators", 100
# a few values, so that the same command, continued on a busier machine, mostly finds the fits of the first time
_RATES = (0.05, 0.075, 0.1, 0.15, 0.2, 0.3)
_LIMITS = (5000, 3000, 2000, 1500, 1000, 700, 500, 350, 250, 150, 100, 70, 50, 35, 20)
"""Of the rounds; the first one is the default of ``max_rounds``."""
_FEW_TREES = (150, 100, 70, 50, 30)
_STEPS = 40.0
"""Rounds times learning rate after which most boosters have stopped."""


_OF_EPOCH = {"realmlp": 9e-5}
"""The seconds of an epoch for each row, on one core and with about 50 columns, of kinds that cannot be paced."""


def seconds_of_fit(kind: str, params: Mapping[str, Any], n_rows: int) -> float:
    """What a fit of a kind that cannot be paced is expected to take on one core; 0 where nothing is known of it."""
    return _OF_EPOCH.get(kind, 0.0) * float(params.get("n_epochs", 0)) * n_rows


def can_be_paced(kind: str, params: Mapping[str, Any]) -> bool:
    """Whether a model is a forest, or a booster that is to find its rounds itself."""
    from pipelines.models import kinds

    if kind not in PACES:
        return False
    found = kinds()[kind]
    return not isinstance(found, FindsRounds) or not any(name in params for name in found.rounds_names)


def at_pace(entry: Mapping[str, Any], kind: str, seconds_of_round: float, seconds: float) -> dict[str, Any]:
    """A model's entry with larger steps and ``max_rounds``, or fewer trees, where it would take too long.

    Parameters
    ----------
    entry
        As under ``models`` in a declaration, of a model that can be paced.
    seconds
        What one fold fit may take. A booster that looks for its rounds fits twice.
    """
    params, pace = entry[kind] or {}, PACES[kind]
    most = int(seconds / entry.get("seeds", 1) / seconds_of_round)
    if not pace.rates:
        declared = int(params.get(_FOREST_SIZE, _DEFAULT_FOREST))
        fewer = min(declared, next((trees for trees in _FEW_TREES if trees <= most), _FEW_TREES[-1]))
        return dict(entry) if most >= declared else {**entry, kind: {**params, _FOREST_SIZE: fewer}}
    name = next((name for name in pace.rates if name in params), pace.rates[0])
    rate, most = float(params.get(name, pace.default_rate)), most // 2
    rounds = next((limit for limit in _LIMITS if limit <= most), _LIMITS[-1])
    if rounds >= entry.get("max_rounds", _LIMITS[0]):
        return dict(entry)
    faster = rate if _STEPS / rate <= most else next((one for one in _RATES if one >= rate and _STEPS / one <= most), max(rate, _RATES[-1]))
    return {**entry, kind: {**params, **({name: faster} if faster != rate else {})}, "max_rounds": rounds}


def rounds_made(kind: str, params: Mapping[str, Any], found: int | None, max_rounds: int) -> int:
    """The rounds, or trees, that a fit has made in all; ``found`` are those it kept."""
    pace = PACES[kind]
    if found is None or not pace.rates:
        return int(params.get(_FOREST_SIZE, _DEFAULT_FOREST))
    rate = next((float(params[name]) for name in pace.rates if name in params), pace.default_rate)
    return found + min(found + patience(rate), max_rounds)


@dataclass
class Tempo:
    """How much slower rounds are here than ``PACES`` says, learnt from the fits that are done."""

    seen: dict[str, list[float]] = field(default_factory=dict)
    """Measured over expected seconds, by kind."""

    def note(self, kind: str, measured: float, expected: float) -> None:
        """Take in one fit: its seconds, and those that its rounds were expected to take."""
        self.seen.setdefault(kind, []).append(measured / expected)

    def slowness(self, kind: str) -> float:
        """The least that was seen of a kind (first fits load libraries); before that the median of others, if above 1.

        The machine may be slow or shared by others. That one kind is faster than expected says nothing of another.
        """
        if kind in self.seen:
            return min(self.seen[kind])
        return max(1.0, median(min(ratios) for ratios in self.seen.values())) if self.seen else 1.0
