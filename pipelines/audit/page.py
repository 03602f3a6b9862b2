"""The findings of an audit as lines, as JSON and as a page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipelines.audit.case import Case
from pipelines.audit.finding import Finding, Severity
from pipelines.report.blocks import Facts, Section, Table, Text
from pipelines.report.header import Header
from pipelines.report.page import render
from pipelines.store import whole_file, write_json


def finding_lines(finding: Finding) -> Iterator[str]:
    """One finding as text."""
    yield f"{finding.severity.upper():8} {finding.check}{f': {finding.where}' if finding.where else ''}: {finding.seen}"
    if finding.advice:
        yield f"         {finding.advice}"


def write_findings(case: Case, findings: list[Finding], seconds: float) -> Path:
    """Write ``audit.json`` and ``audit.html`` beside the latest run; gives the page's path."""
    folder = case.session.latest
    write_json(
        folder / "audit.json", {"competition": case.session.competition.name, "findings": [finding.as_dict() for finding in findings]}
    )
    with whole_file(folder / "audit.html") as file:
        file.write_text(render(_header(case, findings, seconds), _sections(findings)), encoding="utf-8")
    return folder / "audit.html"


def _header(case: Case, findings: list[Finding], seconds: float) -> Header:
    counts = {severity: sum(finding.severity == severity for finding in findings) for severity in Severity}
    verdict = f"{counts[Severity.LEAK]} leak{'s' if counts[Severity.LEAK] != 1 else ''}" if counts[Severity.LEAK] else "No leak"
    return Header(
        title=f"Audit of {case.session.spec.title}",
        subtitle=f"{case.session.competition.name} - does anything see what it must not?",
        warnings=[],
        score=verdict,
        score_note="found" if counts[Severity.LEAK] else "found by the checks below",
        tiles=[("warnings", str(counts[Severity.WARNING])), ("checks passed", str(counts[Severity.PASSED])), ("time", f"{seconds:.0f} s")],
        facts=Facts(
            [("train rows", f"{case.tables.n_train:,}"), ("test rows", f"{case.tables.n_test:,}"), ("folds", str(case.folds.n_folds))]
        ),
    )


def _sections(findings: list[Finding]) -> list[Section]:
    titles = {Severity.LEAK: "Leaks", Severity.WARNING: "Warnings", Severity.PASSED: "Passed"}
    sections = []
    for severity, title in titles.items():
        rows = [[finding.check, finding.where, finding.seen, finding.advice] for finding in findings if finding.severity == severity]
        if rows and severity == Severity.PASSED:
            sections.append(Section("passed", title, [Table(["check", "seen"], [[row[0], row[2]] for row in rows], n_text=2)]))
        elif rows:
            sections.append(Section(severity.value, title, [Table(["check", "where", "seen", "what to do"], rows, n_text=4)]))
    explained = "A leak makes out-of-fold scores untrustworthy; a warning is worth a look and may be how the data are."
    return [*sections, Section("reading", "How to read this", [Text(explained)])]
