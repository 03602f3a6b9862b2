"""``foldwise compare``."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.command_options import runs_option


@click.command("compare")
@click.argument("first", metavar="RUN1")
@click.argument("second", metavar="RUN2")
@runs_option
def command(first: str, second: str, runs: Path) -> None:
    """Did it help? Compare two runs: what changed, and a paired test over their folds.

    RUN is a run's id, or NAME for a competition's latest run.
    """
    from pipelines.compare import compare_lines

    for line in compare_lines(first, second, runs):
        click.echo(line)
