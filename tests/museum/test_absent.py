"""Columns of the training file only: they reach no model, and those that give the target away are named."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from pipelines.audit import Case, Severity, absent

from .exhibit import Exhibit, opened


@pytest.mark.parametrize(("noise", "is_named"), [(0.1, True), (3.0, False)])
def test_a_column_of_train_only(noise: float, is_named: bool, tmp_path: Path) -> None:
    exhibit = Exhibit("late", change=lambda t, r: t.assign(late=t["y"] + noise * t["y"].std() * r.normal(size=len(t))))
    folder = exhibit.hang(tmp_path / "case")
    test = pd.read_csv(folder / "test.csv")
    test.drop(columns="late").to_csv(folder / "test.csv", index=False)
    (finding,) = absent.check(Case.of(opened(folder)))
    if is_named:
        assert finding.severity == Severity.WARNING and finding.where == "column 'late'"
        assert finding.seen.startswith("test lacks it, so it is left out; in train it explains 9")
    else:
        assert finding.severity == Severity.PASSED
