"""Options that several commands share."""

from __future__ import annotations

import re
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
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    default="cpu",
    show_default=True,
    help="Where boosters train; auto: on the GPU where there is one and a timed fit is faster there.",
)
track_option = click.option("--track/--no-track", default=True, show_default=True, help="Tell MLflow of it; --no-track: not later either.")


class Duration(click.ParamType[float]):
    """Seconds, from ``90``, ``90s``, ``10m``, ``1h30m``."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds as a number above 0."""
        if isinstance(value, int | float):
            return float(value)
        found = re.fullmatch(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s?)?", value.strip())
        hours, minutes, seconds = (float(part or 0) for part in found.groups()) if found else (0.0, 0.0, 0.0)
        total = 3600 * hours + 60 * minutes + seconds
        if total <= 0:
            self.fail(f"{value!r} is no duration above 0. Write 90s, 10m or 1h30m.", param, ctx)
        return total


class Memory(click.ParamType[int]):
    """Bytes, from ``8g``, ``8GB``, ``500m``."""

    name = "memory"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Bytes as a number above 0."""
        found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt])i?b?", str(value).strip().lower())
        if found is None or float(found[1]) <= 0:
            self.fail(f"{value!r} is no amount of memory. Write 8g or 500m.", param, ctx)
        return int(float(found[1]) * 1024 ** ("kmgt".index(found[2]) + 1))


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
    *,
    runs: Path,
    data: Path | None,
    models: str,
    device: str,
    settings: tuple[str, ...],
    sample: int | None,
    from_run: str | None = None,
    budget: float | None = None,
    memory: int | None = None,
    past: bool = False,
    track: bool = True,
) -> Options:
    """The options of a run, from what the command line gave."""
    chosen = tuple(name.strip() for name in models.split(",") if name.strip())
    return Options(
        runs=runs,
        data=data,
        models=chosen,
        settings=settings,
        sample=sample,
        device=device,
        from_run=from_run,
        budget=budget,
        memory=memory,
        past=past,
        track=track,
    )


check_option = click.option("--check", type=click.Path(path_type=Path, dir_okay=False), help="Compare with a file instead of printing.")


def print_or_compare(text: str, check: Path | None, command: str) -> None:
    """Print what is generated, or say that a file of it is out of date."""
    if check is None:
        click.echo(text, nl=False)
    elif not check.is_file() or check.read_text(encoding="utf-8") != text:
        raise click.ClickException(f"{check} is not what the code gives. Run: {command} > {check}")
