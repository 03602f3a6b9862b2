"""``foldwise model``."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.command_options import runs_option


@click.command("model")
@click.argument("competition", metavar="NAME|FOLDER")
@runs_option
@click.option("--output", "folder", type=click.Path(path_type=Path), required=True, help="A new folder for the model.")
@click.option("--register", "name", metavar="NAME", help="Register it in the tracker under this name.")
def command(competition: str, runs: Path, folder: Path, name: str | None) -> None:
    """Write a competition's latest run as an MLflow model, which scores raw rows."""
    from pipelines.serve.files import find_run
    from pipelines.serve.pyfunc import register_model, save_model
    from pipelines.surroundings import Surroundings
    from pipelines.track import default_uri

    save_model(find_run(competition, runs), folder)
    click.echo(f"model: {folder}")
    click.echo(f"serve it with: mlflow models serve --model-uri {folder} --env-manager local --host 127.0.0.1")
    if name is not None:
        uri = Surroundings.read().tracking_uri or default_uri(runs)
        click.echo(f"registered: {name} version {register_model(folder, name, uri)} at {uri}")
