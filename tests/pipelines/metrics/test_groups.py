"""Group AUC and card precision on rows one can work out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipelines.metrics import metric_of

GAUC = metric_of("gauc", {"group": "user"})


def test_groups_count_by_their_rows() -> None:
    """One group of four in the right order, one of two in the wrong one, one without a click."""
    users = ["a"] * 4 + ["b"] * 2 + ["c"] * 3
    y = np.array([1.0, 0, 0, 0, 1, 0, 0, 0, 0])
    p = np.array([0.9, 0.5, 0.1, 0.1, 0.2, 0.3, 0.9, 0.8, 0.7])
    assert GAUC.score(y, p, None, {"user": np.array(users)}) == pytest.approx(4 / 6)
    weights = np.array([1.0, 1, 1, 1, 5, 5, 9, 9, 9])
    assert GAUC.score(y, p, weights, {"user": np.array(users)}) == pytest.approx(4 / 14)


@pytest.mark.parametrize(
    "make",
    [
        lambda codes: np.array(list("abcd"))[codes].astype(object),
        lambda codes: pd.Series(np.array(list("abcd"))[codes]),
        lambda codes: pd.Series(pd.Categorical.from_codes(codes, list("abcd"))),
        lambda codes: pd.Series(pd.Timestamp("2020-01-01") + pd.to_timedelta(codes, unit="D"), index=codes + 7),
        lambda codes: codes * 10**12,
    ],
    ids=["objects", "texts", "levels", "dates", "numbers"],
)
def test_groups_of_any_kind(make: Any) -> None:
    rng = np.random.default_rng(0)
    codes, y, p = rng.integers(0, 4, 100), (rng.random(100) < 0.4).astype(float), rng.random(100)
    expected = GAUC.score(y, p, None, {"user": codes})
    assert GAUC.score(y, p, None, pd.DataFrame({"user": make(codes)})) == pytest.approx(expected, rel=1e-12)
    cards = metric_of("card_precision", {"day": "day", "card": "user", "k": 2})
    days = np.arange(100) // 25
    found, expected = (cards.score(y, p, None, {"day": days, "user": users}) for users in (make(codes), codes))
    assert found == pytest.approx(expected)


def cards(k: int, rows: list[tuple[int, str, float, int]], weights: list[float] | None = None) -> float:
    """Card precision of rows of (day, card, score, is fraud)."""
    day, card, score, fraud = (np.array(part) for part in zip(*rows, strict=True))
    metric = metric_of("card_precision", {"day": "day", "card": "card", "k": k})
    return metric.score(fraud.astype(float), score, None if weights is None else np.array(weights), {"day": day, "card": card})


@pytest.mark.parametrize(
    ("k", "rows", "expected"),
    [
        # a card is as suspicious as its highest row, and a hit by any of its rows
        (1, [(1, "a", 0.9, 0), (1, "a", 0.1, 1), (1, "b", 0.5, 0)], 1.0),
        # what is found on day 1 does not come up on day 2, what was wrongly suspected does
        (1, [(1, "a", 0.9, 1), (2, "a", 0.9, 1), (2, "b", 0.5, 1)], 1.0),
        (1, [(1, "a", 0.9, 0), (2, "a", 0.9, 1), (2, "b", 0.5, 1)], 0.5),
        # a fraud beyond the k cards is not found, and comes up again
        (1, [(1, "a", 0.9, 0), (1, "b", 0.5, 1), (2, "b", 0.5, 1)], 0.5),
        # over k, also on a day with fewer cards; a day on which all are known counts
        (4, [(1, "a", 0.9, 1), (1, "b", 0.5, 0)], 0.25),
        (1, [(1, "a", 0.9, 1), (2, "a", 0.9, 1)], 0.5),
        # equal scores go by card
        (1, [(1, "b", 0.9, 1), (1, "a", 0.9, 0)], 0.0),
    ],
)
def test_card_precision(k: int, rows: list[tuple[int, str, float, int]], expected: float) -> None:
    assert cards(k, rows) == expected


def test_a_card_of_weight_two_takes_two_places() -> None:
    rows = [(1, "a", 0.9, 1), (1, "b", 0.5, 0), (2, "a", 0.9, 1), (2, "c", 0.5, 1)]
    # of three such cards two are looked into, and one is left for the next day
    assert cards(2, rows, [3, 1, 3, 1]) == pytest.approx((2 / 2 + (1 + 1) / 2) / 2)
    assert cards(2, rows, [0, 1, 3, 1]) == pytest.approx((0 + 2 / 2) / 2)
