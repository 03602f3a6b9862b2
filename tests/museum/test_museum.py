"""The leak museum: every planted leak is found by its check, and the look-alikes that do it rightly pass all checks."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from features.errors import InputError
from pipelines.audit import CHECKS, Case

from . import columns, dated, own_steps, rows, target_steps, training
from .exhibit import Exhibit, leaks, opened

ROOMS = (own_steps, target_steps, columns, rows, dated, training)
PLANTED = list(itertools.chain.from_iterable(room.PLANTED for room in ROOMS))
CLEAN = list(itertools.chain.from_iterable(room.CLEAN for room in ROOMS))


def named(exhibits: list[Exhibit]) -> list[object]:
    """The exhibits as cases of a test."""
    return [pytest.param(exhibit, id=exhibit.name) for exhibit in exhibits]


@pytest.fixture(autouse=True)
def own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Own steps of one case are not there in the next."""
    monkeypatch.setattr("features.registry._own", {})


@pytest.mark.parametrize("exhibit", named(PLANTED))
def test_planted_leak_is_found(exhibit: Exhibit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if exhibit.patch:
        exhibit.patch(monkeypatch)
    assert exhibit.check is not None
    found = list(exhibit.check(Case.of(opened(exhibit.hang(tmp_path / "case")))))
    assert leaks(found), found


@pytest.mark.parametrize("exhibit", named(CLEAN))
def test_clean_twin_passes(exhibit: Exhibit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if exhibit.patch:
        exhibit.patch(monkeypatch)
    case = Case.of(opened(exhibit.hang(tmp_path / "case")))
    assert not leaks([finding for check in CHECKS for finding in check(case)])


def test_a_choice_of_the_first_fold_for_all_is_refused(tmp_path: Path) -> None:
    case = Case.of(opened(target_steps.REFUSED.hang(tmp_path / "case")))
    with pytest.raises(InputError, match=r"Step 'my_chosen' replaces or removes .* in some folds only"):
        list(CHECKS[0](case))


def test_the_museum_is_large_enough() -> None:
    """Issue 3: at least 40 cases, half of them planted, none told twice."""
    assert len(PLANTED) >= 22
    assert len(CLEAN) >= 22
    for exhibits in (PLANTED, CLEAN):
        assert len({exhibit.name for exhibit in exhibits}) == len(exhibits)
    assert {check.__module__ for check in CHECKS} - {exhibit.check.__module__ for exhibit in PLANTED if exhibit.check} <= {
        "pipelines.audit.drift",  # warns only
    }
