"""``foldwise stage``."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.command_options import of_competition
from pipelines.options import Options


@click.command("stage")
@click.argument("stage", metavar="STAGE")
@of_competition
def command(stage: str, competition: str, data: Path | None, runs: Path) -> None:
    """Run one stage: prepare, train@MODEL, ensemble or report. This is what dvc.yaml calls."""
    from pipelines.single_stage import run_stage

    run_stage(stage, competition, Options(runs=runs, data=data))
