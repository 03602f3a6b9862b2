"""A case of the museum: a tiny competition, told in a few words, with a leak planted in it or without one."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipelines.audit import Case, Finding, Severity
from pipelines.competition import Competition
from pipelines.console import Console
from pipelines.options import Options
from pipelines.session import Session, open_session
from pipelines.surroundings import Surroundings

Check = Callable[[Case], Any]
Change = Callable[[pd.DataFrame, np.random.Generator], pd.DataFrame]
PRELUDE = """
from pathlib import Path
import numpy as np
import pandas as pd
from features.crossfit import inner_folds
from features.registry import register
from features.step import Learns, Step
"""
STEP = """
@register
class My{name}(Step):
    '''A step of the museum.'''
    learns = Learns.{learns}
    accepts = {accepts!r}
    {state}
    def __init__(self, columns={columns!r}):
        self.columns = columns
"""


@dataclass(frozen=True)
class Exhibit:
    """What is told of a case; everything else is the same tiny house prices."""

    name: str
    check: Check | None = None
    """The check that must find the planted leak; None for a clean case."""
    task: str = "regression"
    change: Change | None = None
    """Changes the table, train (``is_test`` false) over test, before it is cut in two."""
    steps: str = ""
    """Source of ``steps.py``, after the prelude."""
    patch: Callable[[pytest.MonkeyPatch], None] | None = None
    """Breaks the framework itself."""
    n_train: int = 300
    n_test: int = 120
    declared: Mapping[str, Any] = field(default_factory=dict)
    """Sections of the declaration that differ from ``declaration``."""

    def hang(self, folder: Path) -> Path:
        """Write files, steps and declaration."""
        folder.mkdir(parents=True)
        table = houses(self.n_train, self.n_test, self.task)
        table = self.change(table, np.random.default_rng(5)) if self.change else table
        is_test = table.pop("is_test").astype(bool)
        table[~is_test].to_csv(folder / "train.csv", index=False)
        if is_test.any():
            table[is_test].drop(columns="y").to_csv(folder / "test.csv", index=False)
        if self.steps:
            (folder / "steps.py").write_text(PRELUDE + self.steps, encoding="utf-8")
        declared = declaration(self.task, has_test=bool(is_test.any()))
        for name, section in self.declared.items():
            declared[name] = {**declared[name], **section} if name == "data" else section
        (folder / "pipeline.yaml").write_text(json.dumps(declared), encoding="utf-8")
        return folder


def own(
    name: str, learns: str, body: str, *, columns: object = "area", accepts: tuple[str, ...] = ("numeric", "text"), state: str = ""
) -> str:
    """Source of an own step ``My<name>``; the body holds its methods."""
    lines = "".join(f"    {line}\n" for line in body.strip("\n").splitlines())
    return STEP.format(name=name, learns=learns, columns=columns, accepts=accepts, state=state) + lines


def houses(n_train: int, n_test: int, task: str) -> pd.DataFrame:
    """Rows of train and test whose target hangs on size, rooms and street, and for a quarter on chance."""
    n = n_train + n_test
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "Id": 1000 + rng.permutation(n),
            "area": rng.normal(100.0, 20.0, n),
            "rooms": rng.integers(1, 8, n),
            "age": rng.gamma(2.0, 15.0, n),
            "street": rng.choice(["Ash", "Elm", "Fir", "Oak", "Pine", "Yew"], n),
            "is_test": np.arange(n) >= n_train,
        }
    )
    y = 300 + 2 * table["area"] + 15 * table["rooms"] - table["age"] + 40 * table["street"].isin(["Elm", "Oak"]) + rng.normal(0.0, 30.0, n)
    table["y"] = {"regression": y, "binary": (y > y.median()).astype(int), "multiclass": pd.qcut(y, 3, labels=["b", "c", "a"]).astype(str)}[
        task
    ]
    return table


def declaration(task: str, *, has_test: bool) -> dict[str, Any]:
    """The declaration of a case without a word said."""
    kind = "ridge" if task == "regression" else "logistic_regression"
    return {
        "title": "A case",
        "data": {"train": "train.csv", "id": "Id", "target": "y", **({"test": "test.csv"} if has_test else {})},
        "task": task,
        "metric": {"regression": "rmse", "binary": "roc_auc", "multiclass": "log_loss"}[task],
        "split": {"kfold" if task == "regression" else "stratified": {"folds": 3, "seed": 0}},
        "clean": [],
        "features": [],
        "views": {"plain": ["one_hot", {"scale": "standard"}]},
        "models": {"linear": {kind: {}, "view": "plain"}},
        "ensemble": {"final": {"blend": {"method": "mean"}}},
    }


def surroundings() -> Surroundings:
    """One core and nothing said."""
    return Surroundings(datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC), 1, "museum", None, None, Console(is_quiet=True))


def opened(folder: Path) -> Session:
    """A session on a written case."""
    return open_session(Competition(folder.name, folder), folder, Options(runs=folder.parent / "runs"), surroundings())


def leaks(findings: list[Finding]) -> list[Finding]:
    """The findings that are leaks."""
    return [finding for finding in findings if finding.severity == Severity.LEAK]
