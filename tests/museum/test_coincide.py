"""Equal fits may round otherwise; only what never comes out the same is a leak."""

from __future__ import annotations

import itertools

from pipelines.audit.coincide import never_same


def test_equal_things_are_made_once() -> None:
    made: list[int] = []
    assert never_same(lambda number: made.append(number) or {"a": 1}, lambda number: {"a": 1}) == ([], [])
    assert made == [0]


def test_one_rounding_of_two_is_not_a_difference() -> None:
    assert never_same(lambda number: {"a": number % 2}, lambda number: {"a": 1}) == ([], [])


def test_what_always_differs_is_found() -> None:
    assert never_same(lambda number: {"a": 0, "b": 5}, lambda number: {"a": 1, "b": 5}) == (["a"], [])


def test_a_file_of_one_side_only_is_found() -> None:
    assert never_same(lambda number: {"a": 0}, lambda number: {}) == (["a"], [])


def test_what_no_side_repeats_is_named_as_chance() -> None:
    fresh = itertools.count()
    assert never_same(lambda number: {"a": next(fresh)}, lambda number: {"a": next(fresh)}) == (["a"], ["a"])
