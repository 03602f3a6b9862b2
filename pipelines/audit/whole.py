"""A whole audit of a competition."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from pipelines.audit.case import Case
from pipelines.audit.finding import Finding, Severity
from pipelines.audit.page import finding_lines, write_findings
from pipelines.competition import find_competition, find_data
from pipelines.options import Options
from pipelines.session import open_session
from pipelines.surroundings import Surroundings


@dataclass(frozen=True)
class Audited:
    """The findings of an audit and where its page is."""

    findings: list[Finding]
    page: Path

    @property
    def has_leak(self) -> bool:
        """Whether any finding is a leak."""
        return any(finding.severity == Severity.LEAK for finding in self.findings)


def audit(name_or_folder: str, *, options: Options | None = None, around: Surroundings | None = None) -> Audited:
    """Make every check on a competition, say each finding, and write ``audit.json`` and ``audit.html``.

    Raises
    ------
    InputError
        When the declaration or the data are wrong.
    """
    from pipelines.audit import CHECKS

    options, around = options or Options(), around or Surroundings.read()
    started = time.perf_counter()
    competition = find_competition(name_or_folder)
    data, line = find_data(competition, competition.declaration(options.settings), options.data, options.runs)
    if line:
        around.console.say(line)
    case = Case.of(open_session(competition, data, options, around))
    findings = []
    for check in CHECKS:
        for finding in check(case):
            findings.append(finding)
            for text in finding_lines(finding):
                around.console.say(text)
    return Audited(findings, write_findings(case, findings, time.perf_counter() - started))
