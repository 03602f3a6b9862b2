"""A server that stands in for Kaggle and for other places, and a real browser."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .stand_in import StandIn, serving, with_kaggle, without_credentials

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CHROMIUM = next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)
PATIENCE = 60_000
"""Milliseconds; a busy machine draws slowly, and nothing waits longer than it has to."""
_ALONE = ("no-sandbox", "disable-gpu", "disable-background-networking", "disable-component-update", "disable-sync", "no-first-run")


@pytest.fixture
def server() -> Iterator[StandIn]:
    """A server on loopback."""
    with serving() as stand_in:
        yield stand_in


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No credentials."""
    without_credentials(monkeypatch, tmp_path)


@pytest.fixture
def kaggle(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, server: StandIn) -> StandIn:
    """The server as Kaggle, with credentials."""
    with_kaggle(monkeypatch, tmp_path, server)
    return server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests of a module."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=[f"--{flag}" for flag in _ALONE], timeout=PATIENCE)
        yield started
        started.close()
