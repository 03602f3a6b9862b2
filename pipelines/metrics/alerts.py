"""What a team finds that looks into the most suspicious cards of each day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pipelines.metrics.metric import BINARY, Array, Judge, Metric

Codes: TypeAlias = NDArray[np.intp]
Places = Annotated[int, Field(ge=1, examples=[5])]
Day = Annotated[str, Field(description="A raw column that tells days apart and in order.", examples=["day"])]
Card = Annotated[str, Field(description="A raw column that tells cards apart.", examples=["card"])]


def card_precision(*, day: Day, card: Card, k: Places = 100) -> Metric:
    """Card precision top-k of the fraud detection handbook (Le Borgne et al., 2022): hits among each day's k cards, over k.

    A card is as suspicious as its highest scored row of the day, and a hit when any of its rows of that day is a fraud; a
    hit is known from then on and does not come up again. The mean is over the days that have rows, also those with fewer than
    k cards. Equal scores go by card. NaN where no row is a fraud.

    A card's weight is that of its highest scored row, and a card of weight 2 stands for two such cards: it takes two of the
    k places. (Repeated rows, in contrast, are rows of the same card.)
    """
    return Metric(
        "card_precision",
        lambda y, prediction, days, cards: _precision(y, prediction, days, cards, k),
        True,
        "probabilities",
        BINARY,
        columns=(day, card),
        drawn_by=card,
    )


def _precision(y: Array, prediction: Array, days: NDArray[Any], cards: NDArray[Any], k: int) -> Judge:
    import pandas as pd

    day, card = (pd.factorize(values, sort=True)[0] for values in (days, cards))
    order = np.lexsort((-prediction, card, day))
    day, card, score, is_fraud = day[order], card[order], prediction[order], (y == 1)[order]

    def judge(weights: Array | None) -> float:
        rows = slice(None) if weights is None else np.flatnonzero(weights[order] > 0)
        weight = np.ones(len(order)) if weights is None else weights[order]
        if not is_fraud[rows].any():
            return float("nan")
        first = _firsts(day[rows], card[rows])
        hit = np.maximum.reduceat(is_fraud[rows], first)
        alerts = _Alerts(day[rows][first], card[rows][first], score[rows][first], weight[rows][first], hit)
        return float(np.mean(alerts.precisions(k)))

    return judge


def _firsts(*keys: NDArray[Any]) -> NDArray[np.intp]:
    """Where a run of equal keys begins."""
    changes = np.any([key[1:] != key[:-1] for key in keys], axis=0)
    return np.flatnonzero(np.append(True, changes))


@dataclass(frozen=True)
class _Alerts:
    """One row for each card and day, days in order; each array has shape (n_alerts,)."""

    day: Codes
    card: Codes
    score: Array
    weight: Array
    is_hit: NDArray[np.bool_]

    def precisions(self, k: int) -> list[float]:
        """Of each day, the hits among its k most suspicious cards, over k."""
        unknown = np.ones(int(self.card.max()) + 1)
        found = []
        for rows in np.split(np.arange(len(self.day)), _firsts(self.day)[1:]):
            ranked = rows[np.lexsort((self.card[rows], -self.score[rows]))]
            card, is_hit = self.card[ranked], self.is_hit[ranked]
            asked = self.weight[ranked] * unknown[card]
            looked_into = np.clip(k - (np.cumsum(asked) - asked), 0, asked)
            found.append(float(np.sum(looked_into[is_hit])) / k)
            # of a card that stands for several, some may have been looked into and others not
            share = np.divide(looked_into, asked, out=np.zeros(len(ranked)), where=asked > 0)
            unknown[card[is_hit]] *= 1 - share[is_hit]
        return found
