"""``foldwise plan``."""

from __future__ import annotations

from typing import Any

import click

from pipelines.command_options import choosing, of_competition, options_of


@click.command("plan")
@of_competition
@choosing
def command(competition: str, **given: Any) -> None:
    """Print what each step learns from, where it runs, and what it writes."""
    from pipelines.show_plan import plan_lines

    for line in plan_lines(competition, options_of(**given)):
        click.echo(line)
