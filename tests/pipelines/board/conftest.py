"""A runs folder to make boards of."""

from __future__ import annotations

import pytest

from tests.conftest import Tiny
from tests.pipelines.board.recorded import Recorded


@pytest.fixture
def recorded(ran: Tiny) -> Recorded:
    """A runs folder with one real run of a tiny regression."""
    return Recorded.of(ran)
