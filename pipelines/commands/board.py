"""``foldwise board``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from pipelines.command_options import runs_option


@click.command("board")
@runs_option
@click.option(
    "--output", type=click.Path(path_type=Path), metavar="FILE", help="Where the page goes; board.html in the runs folder without it."
)
def command(runs: Path, output: Path | None) -> None:
    """Write one page of all recorded runs: scores over time, what changed, models, weights, submissions."""
    from pipelines.board.dashboard import tracker_links
    from pipelines.board.page import board_path, write_board

    path = write_board(runs, board_path(runs, output), tracker_links(os.environ.get("MLFLOW_TRACKING_URI")))
    click.echo(f"board: {path}")
