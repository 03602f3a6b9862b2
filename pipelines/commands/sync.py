"""``foldwise sync``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from pipelines.command_options import runs_option
from pipelines.exit_codes import PART_FAILED


@click.command("sync")
@runs_option
def command(runs: Path) -> None:
    """Send the tracker all runs it has missed."""
    from pipelines.surroundings import Surroundings
    from pipelines.track import send_unsent

    around = Surroundings.read()
    left = sum(send_unsent(folder, runs, around) for folder in sorted(runs.glob("*")) if (folder / "history").is_dir())
    click.echo("the tracker knows all runs" if not left else f"{left} run(s) are still to be sent")
    if left:
        sys.exit(PART_FAILED)
