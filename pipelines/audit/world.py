"""A competition's plan and fold blocks made with some target, by steps that remember nothing of what ran before."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.audit.case import Case
from pipelines.metrics import Array
from pipelines.prepare import FoldBlock, Planned


@dataclass(frozen=True)
class World:
    """What comes out of the plan when the training rows have some target."""

    y: Array
    planned: Planned
    blocks: dict[tuple[str, int], FoldBlock]
    """By view and fold."""

    @classmethod
    def of(cls, case: Case, y: Array, which: list[int]) -> World:
        """Plan and run some folds, one after the other, as a run would: own steps are loaded anew first.

        Two worlds share nothing but their code. A step that keeps something from fold to fold keeps it within its world.
        """
        case.forget()
        planned = case.plan_with(y)
        return cls(y, planned, case.blocks(y, which, planned))
