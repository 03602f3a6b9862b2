"""What the command line adds to a declaration."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Options:
    """What the command line adds to a declaration."""

    runs: Path = Path("runs")
    data: Path | None = None
    models: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    sample: int | None = None
    device: str = "cpu"
    from_run: str | None = None
    budget: float | None = None
    """Seconds that the run may take, all counted."""
    memory: int | None = None
    """Bytes that fits may use; what is free where it is not given."""
    past: bool = False
    """Whether what earlier runs have fitted on the same folds joins the ensemble."""
    track: bool = True
    """Whether the tracker is told of it, now or later."""

    @property
    def is_full(self) -> bool:
        """Whether a run with these options is shown as the competition's latest."""
        return not (self.models or self.settings or self.sample or self.from_run)

    def history(self, competition: str) -> Path | None:
        """The folder of the earlier run whose declaration is asked for."""
        return None if self.from_run is None else self.runs / competition / "history" / self.from_run

    def for_key(self) -> dict[str, Any]:
        """The options that change what comes out."""
        limit = {} if self.budget is None else {"budget": self.budget}
        past = {"past": True} if self.past else {}
        return {"models": self.models, "sample": self.sample, "device": self.device, **limit, **past}
