"""``foldwise audit``."""

from __future__ import annotations

import sys
from typing import Any

import click

from pipelines.command_options import choosing, of_competition, options_of
from pipelines.exit_codes import LEAK


@click.command("audit")
@of_competition
@choosing
def command(competition: str, **given: Any) -> None:
    """Look for leaks: does anything see what it must not? Exit code 3 when one is found."""
    from pipelines.audit import audit

    found = audit(competition, options=options_of(**given))
    click.echo(f"page: {found.page}")
    if found.has_leak:
        sys.exit(LEAK)
