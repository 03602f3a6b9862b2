"""``foldwise schema``."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.command_options import check_option, print_or_compare


@click.command("schema")
@check_option
def command(check: Path | None) -> None:
    """Print the JSON Schema of pipeline.yaml, for editors."""
    from pipelines.schema import schema_text

    print_or_compare(schema_text(), check, "foldwise schema")
