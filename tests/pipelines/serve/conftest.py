"""Runs of tiny competitions, without their reports."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest


@pytest.fixture
def without_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run without the pages that take most of a tiny run's time."""
    monkeypatch.setattr(
        "pipelines.report.write_report", lambda session, prepared, combined, path, **_: path.write_text("", encoding="utf-8")
    )


@pytest.fixture
def run_tiny(without_report: None, make_tiny: Callable[..., Any], foldwise: Callable[..., Any]) -> Callable[..., Any]:
    """Runs a tiny competition with an edited declaration and changed tables."""

    def run(task: str, *edits: tuple[str, str], change: Callable[[pd.DataFrame], pd.DataFrame] | None = None, **files: pd.DataFrame) -> Any:
        tiny = make_tiny(task)
        tiny.edit(*edits)
        for name, table in files.items():
            table.to_csv(tiny.folder / f"{name}.csv", index=False)
        if change is not None:
            for file in ("train.csv", "test.csv"):
                tiny.change(file, change)
        said = foldwise("run", tiny.folder)
        assert said.code == 0, said.err
        return tiny

    return run


@pytest.fixture
def served(first_run: Any, ran: Any) -> Path:
    """The folder of a tiny regression's run."""
    return Path(ran.latest)
