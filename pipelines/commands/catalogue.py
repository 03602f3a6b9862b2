"""``foldwise catalogue``."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.command_options import check_option, print_or_compare


@click.command("catalogue")
@check_option
def command(check: Path | None) -> None:
    """Print the catalogue of all steps, as Markdown."""
    from pipelines.catalogue import catalogue_text

    print_or_compare(catalogue_text(), check, "foldwise catalogue")
