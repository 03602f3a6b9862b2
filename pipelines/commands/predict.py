"""``foldwise predict``."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.command_options import runs_option


@click.command("predict")
@click.argument("competition", metavar="NAME|FOLDER")
@runs_option
@click.option("--input", "source", type=click.Path(path_type=Path), required=True, help="Rows to predict, CSV or parquet.")
@click.option("--output", "target", type=click.Path(path_type=Path), required=True, help="Where the predictions go, CSV or parquet.")
def command(competition: str, runs: Path, source: Path, target: Path) -> None:
    """Predict new rows with a competition's latest run: the id where there is one, then what the submission shows."""
    from pipelines.serve.files import find_run, predict_file

    n_rows, notes = predict_file(find_run(competition, runs), source, target)
    for note in notes:
        click.echo(f"note: {source}: {note}", err=True)
    click.echo(f"predictions: {target} ({n_rows} rows)")
