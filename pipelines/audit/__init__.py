"""``foldwise audit``: does anything see what it must not? Findings are values; each says what was seen and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pipelines.audit import absent, canary, drift, exact, future, independence, memory, order, probe, reading, rows, too_good
from pipelines.audit.case import Case
from pipelines.audit.finding import Finding, Severity, passed
from pipelines.audit.whole import Audited, audit

CHECKS: tuple[Callable[[Case], Iterator[Finding]], ...] = (
    memory.check,
    exact.check,
    reading.check,
    canary.check,
    future.check,
    independence.check,
    probe.check,
    rows.check_duplicates,
    rows.check_groups,
    too_good.check,
    order.check,
    absent.check,
    drift.check,
)

__all__ = ["CHECKS", "Audited", "Case", "Finding", "Severity", "audit", "passed"]
