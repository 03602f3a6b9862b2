"""Freeing the store leaves what recorded runs are made from, and what may be in use."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest


def age(ran: Any) -> None:
    """Make everything in the store look a day old."""
    for path in (ran.latest / ".store").iterdir():
        os.utime(path, (path.stat().st_atime - 86_400, path.stat().st_mtime - 86_400))


@pytest.fixture
def strayed(ran: Any) -> Any:
    """A run's store with an artifact that no run names, and one that a killed run left half-written."""
    for name in ("0" * 32, ".1111-half"):
        (ran.latest / ".store" / name).mkdir()
        (ran.latest / ".store" / name / "data").write_bytes(b"x" * 2_000_000)
    age(ran)
    return ran


def test_what_no_run_is_made_from_goes(strayed: Any, foldwise: Callable[..., Any]) -> None:
    before = strayed.artifacts() - {"0" * 32}
    said = foldwise("gc", "--runs", strayed.runs, "--dry-run")
    assert said.code == 0 and said.out == "tiny: would free 4.0 MB in 2 artifacts that no recorded run is made from\n"
    assert "0" * 32 in strayed.artifacts()
    said = foldwise("gc", "tiny", "--runs", strayed.runs)
    assert said.out == "tiny: freed 4.0 MB in 2 artifacts that no recorded run is made from\n"
    assert strayed.artifacts() == before and not list((strayed.latest / ".store").glob(".*"))


def test_a_run_after_it_recomputes_nothing(strayed: Any, foldwise: Callable[..., Any]) -> None:
    foldwise("gc", "--runs", strayed.runs)
    said = foldwise("run", strayed.folder, "--runs", strayed.runs, "--set", "title=Another")
    assert said.code == 0 and "no model was fitted again" in said.out and "matrices were in the store" in said.err


def test_what_is_young_stays(ran: Any, foldwise: Callable[..., Any]) -> None:
    (ran.latest / ".store" / ("0" * 32)).mkdir()
    foldwise("gc", "--runs", ran.runs)
    assert "0" * 32 in ran.artifacts()


def test_a_competition_without_runs(ran: Any, foldwise: Callable[..., Any]) -> None:
    said = foldwise("gc", "tinny", "--runs", ran.runs)
    assert said.code == 2 and "has no runs of 'tinny'; it has those of 'tiny'. Closest: 'tiny'." in said.err
