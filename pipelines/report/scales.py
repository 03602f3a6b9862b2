"""Where probabilities stand on an axis: as they are, or by their log odds where one class is rare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pipelines.metrics import Array
from pipelines.report.blocks import axis

RARE = 0.05
"""Share of rows below which a class's probabilities would crowd at one end of a plain axis."""
_TICKS = (1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999)
_MOST_TICKS = 7


@dataclass(frozen=True)
class Scale:
    """An axis of probabilities from ``low`` to ``high``; what lies beyond is drawn at its ends."""

    low: float = 0.0
    high: float = 1.0
    is_odds: bool = False

    @classmethod
    def of(cls, y: Array, p: Array) -> Scale:
        """The scale for outcomes and probabilities of shape (n_rows,), at least one row."""
        if not is_rare(y):
            return cls()
        # a calibrator may say 0 and 1: these have no log odds, and stand at the ends
        inside = p[(p > 0) & (p < 1)]
        least, most = (float(np.quantile(inside, 0.001)), float(inside.max())) if len(inside) else (0.01, 0.1)
        low = max((tick for tick in _TICKS if tick <= least), default=_TICKS[0])
        high = min((tick for tick in _TICKS if tick >= most), default=_TICKS[-1])
        return cls(min(low, 0.01), max(high, 0.1), True)

    def at(self, p: Array) -> Array:
        """Coordinates of probabilities."""
        inside = np.clip(p, self.low, self.high)
        return np.log(inside) - np.log1p(-inside) if self.is_odds else inside

    def grid(self, n: int) -> Array:
        """Probabilities in even steps from end to end."""
        low, high = self.at(np.array([self.low, self.high]))
        steps = np.linspace(low, high, n)
        return np.asarray(1 / (1 + np.exp(-steps)) if self.is_odds else steps, dtype=np.float64)

    def histogram(self, p: Array, bins: int) -> tuple[Array, Array]:
        """Counts in even bins of the axis, and the ends of these in coordinates."""
        low, high = (float(end) for end in self.at(np.array([self.low, self.high])))
        counts, edges = np.histogram(self.at(p), bins=bins, range=(low, high))
        return counts.astype(np.float64), edges

    def axis(self, title: str, **more: Any) -> dict[str, Any]:
        """The plotly axis, with a little room at both ends."""
        low, high = (float(end) for end in self.at(np.array([self.low, self.high])))
        room = 0.012 * (high - low)
        ends = {"range": [low - room, high + room]}
        if not self.is_odds:
            return axis(title, **ends, **more)
        ticks = [tick for tick in _TICKS if self.low <= tick <= self.high]
        ticks = ticks if len(ticks) <= _MOST_TICKS else [tick for tick in ticks if tick in _TICKS[::2]]
        texts = [f"{100 * tick:.6g}%" for tick in ticks]
        return axis(f"{title} (log odds)", **ends, tickvals=self.at(np.array(ticks)).tolist(), ticktext=texts, **more)


def is_rare(y: Array) -> bool:
    """Whether one of the two classes has less than a twentieth of the rows."""
    return bool(min(y.mean(), 1 - y.mean()) < RARE)
