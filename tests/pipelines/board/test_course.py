"""The best so far, the choice of runs that are drawn, and the range that is seen."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.board.course import NEWEST, agreement, bests, drawn, sight, spread

_NAN = math.nan
_LOSSES = st.lists(st.floats(-1e6, 1e6) | st.just(_NAN), max_size=400)


@pytest.mark.parametrize(
    ("losses", "expected"),
    [([], []), ([_NAN], []), ([1.0], [0]), ([1.0, 1.0], [0]), ([3.0, _NAN, 2.0, 4.0, 1.0], [0, 2, 4]), ([math.inf, 1.0], [1])],
)
def test_bests(losses: list[float], expected: list[int]) -> None:
    assert bests(losses) == expected


@given(_LOSSES, st.integers(1, 300))
def test_drawn_runs_are_few_and_hold_the_newest_and_the_best(losses: list[float], most: int) -> None:
    chosen, best = drawn(losses, most), bests(losses)
    assert chosen == sorted(set(chosen)) and all(0 <= at < len(losses) for at in chosen)
    assert len(chosen) <= max(most, NEWEST + most // 3 + 1)
    assert {*range(max(0, len(losses) - NEWEST), len(losses))} <= {*chosen}
    if len(losses) <= most:
        assert len(chosen) == len(losses)
    if best and most >= 3:
        assert best[-1] in chosen


@pytest.mark.parametrize(("n", "most", "expected"), [(0, 3, []), (2, 3, [0, 1]), (5, 1, [0]), (5, 2, [0, 4]), (5, 0, [])])
def test_spread(n: int, most: int, expected: list[int]) -> None:
    assert spread(range(n), most) == expected


@pytest.mark.parametrize(
    ("scores", "low", "high"),
    [
        ([1.0, 2.0], 0.92, 2.08),
        ([1.0, 1.1, 1.2, 1.3, 1e6], 0.976, 1.324),
        ([_NAN, 1.0, 2.0], 0.92, 2.08),
        ([5.0], 4.95, 5.05),
        ([0.0], -1e-11, 1e-11),
    ],
)
def test_a_run_that_went_wrong_is_out_of_sight(scores: list[float], low: float, high: float) -> None:
    assert sight(scores) == pytest.approx((low, high))


def test_nothing_to_see() -> None:
    assert sight([]) is None and sight([_NAN, math.inf]) is None


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([], None),
        ([(1.0, 1.0), (2.0, 2.0)], None),
        ([(1.0, 5.0), (2.0, 5.0), (3.0, 5.0)], None),
        ([(1.0, 1.0), (2.0, 5.0), (3.0, 6.0)], 1.0),
        ([(1.0, 3.0), (2.0, 2.0), (3.0, 1.0)], -1.0),
    ],
)
def test_agreement(pairs: list[tuple[float, float]], expected: float | None) -> None:
    assert agreement(pairs) == (None if expected is None else pytest.approx(expected))
