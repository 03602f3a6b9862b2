"""How scores went from run to run: the best so far, which runs a picture needs, and how cross-validation fared in public."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from pipelines.board.records import Record
from pipelines.metrics import Array

NEWEST = 60
"""The newest runs, which are always drawn."""


def bests(losses: Sequence[float]) -> list[int]:
    """The positions of runs that were better than all before them.

    >>> bests([3.0, float("nan"), 3.0, 1.0, 2.0])
    [0, 3]
    """
    best, found = math.inf, []
    for at, loss in enumerate(losses):
        if loss < best:
            best = loss
            found.append(at)
    return found


def best_of(records: Sequence[Record]) -> Record | None:
    """The first of the runs that no other is better than; None where none has a score."""
    found = bests([record.loss for record in records])
    return records[found[-1]] if found else None


def spread(positions: Sequence[int], most: int) -> list[int]:
    """At most ``most`` of the positions, evenly spread, the first and the last among them.

    >>> spread([0, 1, 2, 3, 4, 5, 6], 3)
    [0, 3, 6]
    """
    if len(positions) <= most:
        return [*positions]
    return [positions[at] for at in np.linspace(0, len(positions) - 1, most).round().astype(int)]


def drawn(losses: Sequence[float], most: int = 300) -> list[int]:
    """The positions of the runs that a picture shows: the bests, the newest, and of the others what there is room for."""
    n = len(losses)
    kept = {*spread(bests(losses), most // 3), *range(max(0, n - NEWEST), n)}
    return sorted(kept | {*spread([at for at in range(n) if at not in kept], max(0, most - len(kept)))})


def sight(scores: Iterable[float]) -> tuple[float, float] | None:
    """The range of scores that a picture shows: all but what lies far outside (beyond 3 quartile ranges); None without scores.

    One run that went wrong would press all others into a line.
    """
    known = np.asarray([score for score in scores if math.isfinite(score)], dtype=np.float64)
    if not len(known):
        return None
    first, third = np.quantile(known, [0.25, 0.75])
    reach = 3 * max(float(third - first), 1e-9 * max(1.0, abs(float(third))))
    inside: Array = known[(known >= first - reach) & (known <= third + reach)]
    low, high = float(inside.min()), float(inside.max())
    room = 0.08 * (high - low) or 0.01 * max(abs(high), 1e-9)
    return low - room, high + room


def agreement(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Spearman's rank correlation of (cross-validated, public) scores; None where ranks mean nothing: under 3 pairs, or all equal."""
    if len(pairs) < 3 or any(len({*side}) < 2 for side in zip(*pairs, strict=True)):
        return None
    from scipy.stats import spearmanr

    return float(spearmanr(*zip(*pairs, strict=True)).statistic)
