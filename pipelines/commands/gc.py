"""``foldwise gc``."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.command_options import runs_option


@click.command("gc")
@click.argument("competitions", nargs=-1, metavar="[NAME]...")
@runs_option
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
def command(competitions: tuple[str, ...], runs: Path, dry_run: bool) -> None:
    """Free what no recorded run is made from; what was made within the last hour stays."""
    from features.errors import InputError, closest, listed
    from pipelines.gc import remove, unneeded

    there = {path.parent.name: path.parent for path in runs.glob("*/.store")}
    for name in competitions:
        if name not in there:
            raise InputError(f"{runs} has no runs of {name!r}; it has those of {listed(sorted(there)) or 'none'}.{closest(name, there)}")
    for name in competitions or sorted(there):
        found = unneeded(there[name])
        if not dry_run:
            remove(found)
        said = "would free" if dry_run else "freed"
        click.echo(f"{name}: {said} {found.size / 1e6:.1f} MB in {len(found.paths)} artifacts that no recorded run is made from")
