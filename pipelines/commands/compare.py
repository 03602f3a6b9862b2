"""``foldwise compare``."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.command_options import runs_option


@click.command("compare")
@click.argument("first", metavar="RUN1")
@click.argument("second", metavar="RUN2")
@runs_option
@click.option(
    "--page",
    metavar="[FILE]",
    is_flag=False,
    flag_value="",
    help="Draw it, too: into FILE, or where '--page' comes last, into compare-RUN1-RUN2.html beside the competition's runs.",
)
def command(first: str, second: str, runs: Path, page: str | None) -> None:
    """Did it help? Compare two runs: what changed, and a paired test over their folds.

    RUN is a run's id, or NAME for a competition's latest run.
    """
    from pipelines.compare import compare, lines_of

    found = compare(first, second, runs)
    for line in lines_of(found):
        click.echo(line)
    if page is not None:
        from pipelines.board.comparison import comparison_path, write_comparison

        click.echo(f"page: {write_comparison(found, Path(page) if page else comparison_path(found))}")
