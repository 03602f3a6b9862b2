"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from pipelines.options import Options

runs_option = click.option(
    "--runs", type=click.Path(path_type=Path, file_okay=False), default=Path("runs"), show_default=True, help="Where runs are kept."
)
data_option = click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="Folder that holds <competition>/<files>.")
device_option = click.option(
    "--device", type=click.Choice(["auto", "cpu", "cuda"]), default="cpu", show_default=True, help="Where boosters train."
)


def of_competition(command: Callable[..., Any]) -> Callable[..., Any]:
    """NAME|FOLDER, ``--data`` and ``--runs``."""
    return click.argument("competition", metavar="NAME|FOLDER")(data_option(runs_option(command)))


def choosing(command: Callable[..., Any]) -> Callable[..., Any]:
    """What changes a run: ``--models``, ``--device``, ``--set`` and ``--sample``."""
    for option in (
        click.option("--sample", type=int, metavar="N", help="Use N random rows of train and of test."),
        click.option(
            "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Change the declaration for this run: split.kfold.seed=1"
        ),
        device_option,
        click.option("--models", default="", metavar="A,B", help="Use only these models."),
    ):
        command = option(command)
    return command


def options_of(
    *, runs: Path, data: Path | None, models: str, device: str, settings: tuple[str, ...], sample: int | None, from_run: str | None = None
) -> Options:
    """The options of a run, from what the command line gave."""
    chosen = tuple(name.strip() for name in models.split(",") if name.strip())
    return Options(runs=runs, data=data, models=chosen, settings=settings, sample=sample, device=device, from_run=from_run)


check_option = click.option("--check", type=click.Path(path_type=Path, dir_okay=False), help="Compare with a file instead of printing.")


def print_or_compare(text: str, check: Path | None, command: str) -> None:
    """Print what is generated, or say that a file of it is out of date."""
    if check is None:
        click.echo(text, nl=False)
    elif not check.is_file() or check.read_text(encoding="utf-8") != text:
        raise click.ClickException(f"{check} is not what the code gives. Run: {command} > {check}")
