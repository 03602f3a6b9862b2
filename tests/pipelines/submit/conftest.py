"""A server that stands in for Kaggle and for other places."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ..stand_in import StandIn, serving, with_kaggle, without_credentials


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
