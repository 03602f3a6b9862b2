"""Tiny runs with their reports, for the tests that read a page and for those that open it in a browser."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines import stages
from pipelines.competition import Competition
from pipelines.console import Console
from pipelines.options import Options
from pipelines.report import write_report
from pipelines.report.evidence import Evidence
from pipelines.session import open_session
from pipelines.surroundings import Surroundings


@dataclass(frozen=True)
class Reported:
    """A finished run and its report."""

    evidence: Evidence
    path: Path

    @property
    def page(self) -> str:
        """The whole file."""
        return self.path.read_text(encoding="utf-8")

    @property
    def own(self) -> str:
        """The page without plotly's code, which names addresses that it never fetches."""
        return max(re.split(r"<script>/\*\*.*?</script>", self.page, flags=re.DOTALL), key=len)

    @property
    def figures(self) -> list[dict[str, Any]]:
        """The figures as the page holds them."""
        return [json.loads(text) for text in re.findall(r'<script type="application/json">(.*?)</script>', self.page, re.DOTALL)]


def finished(folder: Path, runs: Path, out: Path) -> Evidence:
    """All stages of a run but the report, on one core and without a word."""
    around = Surroundings(datetime.now(UTC), 1, "a machine", None, None, Console(is_quiet=True))
    session = open_session(Competition(folder.name, folder), folder, Options(runs=runs), around)
    prepared = stages.prepare(session, out)
    trained = stages.train(session, prepared, out, session.models, stages.Work())
    combined = stages.ensemble(session, prepared, trained, out)
    return Evidence(session, prepared, combined, {"prepare": 0.5, "train": 2.0, "ensemble": 0.25})


def reported(evidence: Evidence, path: Path) -> Reported:
    """A finished run with its report in a file."""
    write_report(evidence.session, evidence.prepared, evidence.combined, path, timings=evidence.timings)
    return Reported(evidence, path)
