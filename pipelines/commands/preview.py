"""``foldwise preview``."""

from __future__ import annotations

from typing import Any

import click

from pipelines.command_options import choosing, of_competition, options_of


@click.command("preview")
@of_competition
@choosing
@click.argument("step", metavar="STEP")
def command(competition: str, step: str, **given: Any) -> None:
    """Show a step's columns before and after: STEP is a step's name, or its position (features.0, views.linear.1)."""
    from pipelines.show_plan import preview_lines

    for line in preview_lines(competition, step, options_of(**given)):
        click.echo(line)
