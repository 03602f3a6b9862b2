"""``foldwise dvc``."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("dvc")
@click.argument("competitions", nargs=-1, metavar="[NAME]...")
@click.option("--check", is_flag=True, help="Only say whether the file is up to date (exit code 2 when it is not).")
def command(competitions: tuple[str, ...], check: bool) -> None:
    """Write dvc.yaml for competitions (all below competitions/ by default)."""
    from pipelines.dvc import write_dvc

    click.echo(write_dvc(Path(), competitions, check=check))
