"""``foldwise export``."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.command_options import runs_option


@click.command("export")
@click.argument("competition", metavar="NAME|FOLDER")
@click.option("--output", type=click.Path(path_type=Path), required=True, metavar="FILE.zip", help="Where the archive goes.")
@runs_option
@click.option("--with-dependencies", is_flag=True, help="Pack the wheels of all that Foldwise needs too (downloads them).")
def command(competition: str, output: Path, runs: Path, with_dependencies: bool) -> None:
    """Pack a competition with Foldwise's wheel and pinned versions, for a Kaggle kernel without a network."""
    from pipelines.export.packing import export

    made = export(competition, output, runs=runs, with_dependencies=with_dependencies)
    for note in made.notes:
        click.echo(f"note: {note}", err=True)
    click.echo(
        f"exported: {made.archive} ({made.archive.stat().st_size:,} bytes, {len(made.names)} files); its README.md has the two commands"
    )
