"""What an audit finds: values, made into text and pages later."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """How bad a finding is."""

    LEAK = "leak"
    """Out-of-fold scores are not to be trusted: exit code 3."""
    WARNING = "warning"
    """Worth a look; it may be how the data are."""
    PASSED = "passed"
    """The check was made and found nothing."""


@dataclass(frozen=True)
class Finding:
    """One result of one check: where, what was seen, and what to do."""

    check: str
    severity: Severity
    where: str
    seen: str
    advice: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def passed(check: str, seen: str) -> Finding:
    """A check that found nothing."""
    return Finding(check, Severity.PASSED, "", seen)
