"""How fast boosters go: fewer and larger steps where the time for a model is too short for many small ones."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.declaration import Declaration
from pipelines.models.rounds import FindsRounds

NO_VIEW = "(features)"
"""What the plan calls the features as they are."""


@dataclass(frozen=True)
class Pace:
    """A kind of booster: its words for the step, the default one, and the seconds of a round on one core."""

    rates: tuple[str, ...]
    default_rate: float
    round: float
    """What each round takes at least."""
    cell: float
    """What it takes for each cell of the matrix."""

    def rounds_within(self, seconds: float, cells: int) -> int:
        """How many rounds fit into some seconds."""
        return int(seconds / (self.round + self.cell * cells))


# measured on one core of a shared machine, 100k to 400k rows x 20 columns, five of them categories; right within a factor of two
PACES = {
    "lightgbm": Pace(("learning_rate",), 0.1, 4e-4, 6e-9),
    "xgboost": Pace(("learning_rate", "eta"), 0.3, 6e-4, 6e-9),
    "catboost": Pace(("learning_rate", "eta"), 0.05, 4e-3, 2.5e-8),
}
_STEPS = 40.0
"""Rounds times learning rate after which most boosters have stopped."""
_FASTEST, _FEWEST = 0.3, 20


def at_pace(declaration: Declaration, cells: Mapping[str, int], seconds: float, *, trees: int = 1) -> Declaration:
    """The declaration with ``max_rounds`` and larger learning rates for boosters that would take too long.

    Parameters
    ----------
    cells
        Rows times columns of each view.
    seconds
        What one fold fit of one model may take, in seconds of one core. A fit that looks for its rounds fits twice.
    trees
        Trees of a round: one for each class where there are several.
    """
    data = copy.deepcopy(declaration.data)
    for entry in data["models"].values():
        for kind, pace in PACES.items():
            params = entry.get(kind)
            if isinstance(params, dict) and _looks_for_rounds(kind, params):
                most = pace.rounds_within(seconds / (2 * trees * entry.get("seeds", 1)), cells.get(entry.get("view") or NO_VIEW, 1))
                entry.update(_slowed(entry, params, pace, kind, max(_FEWEST, most)))
    return Declaration(declaration.path, data, declaration.lines)


def _looks_for_rounds(kind: str, params: Mapping[str, Any]) -> bool:
    """Whether a booster is to find its rounds itself."""
    from pipelines.models import kinds

    found = kinds()[kind]
    return isinstance(found, FindsRounds) and not any(name in params for name in found.rounds_names)


def _slowed(entry: Mapping[str, Any], params: Mapping[str, Any], pace: Pace, kind: str, most: int) -> dict[str, Any]:
    """The changed part of a model's entry; nothing where its rounds fit in."""
    name = next((name for name in pace.rates if name in params), pace.rates[0])
    rate = float(params.get(name, pace.default_rate))
    if most >= _STEPS / rate:
        return {}
    faster = round(min(max(_FASTEST, rate), _STEPS / most), 3)
    return {kind: {**params, name: max(rate, faster)}, "max_rounds": min(most, entry.get("max_rounds", most))}
