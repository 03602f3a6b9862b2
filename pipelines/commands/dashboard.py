"""``foldwise dashboard``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from pipelines.command_options import runs_option
from pipelines.exit_codes import PART_FAILED


@click.command("dashboard")
@runs_option
@click.option("--port", type=click.IntRange(1, 65535), metavar="N", help="First port to use; any free ones without it.")
@click.option("--storage", metavar="URL", help="Optuna storage, where tune was given one; those below --runs are found.")
def command(runs: Path, port: int | None, storage: str | None) -> None:
    """Write the board and serve MLflow and Optuna beside it, on this machine only, until Ctrl-C."""
    from pipelines.board.dashboard import dashboard
    from pipelines.board.servers import ServerDiedError

    try:
        dashboard(runs, port=port, storage=storage, tracking_uri=os.environ.get("MLFLOW_TRACKING_URI") or None, say=click.echo)
    except ServerDiedError as error:
        click.echo(f"foldwise: {error}", err=True)
        sys.exit(PART_FAILED)
