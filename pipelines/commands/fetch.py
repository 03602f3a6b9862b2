"""``foldwise fetch``."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.command_options import data_option


@click.command("fetch")
@click.argument("competition", metavar="NAME|FOLDER")
@data_option
@click.option("--force", is_flag=True, help="Download again, and replace files of another content.")
def command(competition: str, data: Path | None, force: bool) -> None:
    """Download a competition's files from where its declaration says (data.source) into data/<competition>/."""
    from pipelines.fetch.fetching import fetch

    fetched = fetch(competition, data=data, replaces=force)
    for name, entry in fetched.files.items():
        click.echo(f"{'new ' if name in fetched.new else 'kept'} {entry['bytes']:>14,} bytes  {fetched.folder / name}")
    for table in fetched.lacking:
        click.echo(f"note: the declaration names {table!r}, which was not among what was downloaded", err=True)
    if not fetched.new:
        click.echo(f"nothing to do: all {len(fetched.files)} files are there as checksums.json says; --force downloads them again")
