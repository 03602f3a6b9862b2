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
    """Send the tracker all runs, tunings and public scores it has missed."""
    from pipelines.submit.tracked import send_scores
    from pipelines.surroundings import Surroundings
    from pipelines.track import send_unsent

    around, left = Surroundings.read(), 0
    for folder in sorted({path.parent for place in ("history", "studies") for path in runs.glob(f"*/{place}")}):
        left += send_unsent(folder, runs, around)
        send_scores(folder, around)
    click.echo("the tracker knows all runs" if not left else f"{left} run(s) are still to be sent")
    if left:
        sys.exit(PART_FAILED)
