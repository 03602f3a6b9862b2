"""The command line: ``foldwise``. Heavy libraries are imported by the commands that need them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import click

_DONE, _DEFECT, _INPUT, _LEAK, _PART_FAILED, _INTERRUPTED = 0, 1, 2, 3, 4, 130


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="foldwise", prog_name="foldwise")
def foldwise() -> None:
    """One declaration to a submission: every number out-of-fold, whatever learns learns inside the fold."""


def _shared(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option(
            "--runs", type=click.Path(path_type=Path, file_okay=False), default=Path("runs"), show_default=True, help="Where runs are kept."
        ),
        click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="Folder that holds <competition>/<files>."),
        click.argument("competition", metavar="NAME|FOLDER"),
    ):
        command = option(command)
    return command


def _choosing(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--sample", type=int, metavar="N", help="Use N random rows of train and of test."),
        click.option(
            "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Change the declaration for this run: split.kfold.seed=1"
        ),
        click.option(
            "--device", type=click.Choice(["auto", "cpu", "cuda"]), default="cpu", show_default=True, help="Where boosters train."
        ),
        click.option("--models", default="", metavar="A,B", help="Train only these models."),
    ):
        command = option(command)
    return command


@foldwise.command()
@_shared
@_choosing
@click.option("--from", "from_run", metavar="RUN", help="Run the declaration of an earlier run (an id below history/).")
def run(
    competition: str,
    data: Path | None,
    runs: Path,
    models: str,
    device: str,
    settings: tuple[str, ...],
    sample: int | None,
    from_run: str | None,
) -> None:
    """Run a competition to a submission and a report."""
    from pipelines.whole_run import run as run_competition

    result = run_competition(competition, options=_options(data, runs, models, device, settings, sample, from_run))
    final = result.metrics["final"]
    if not result.is_new:
        click.echo(f"nothing to do: nothing has changed since run {result.run_id}, and all its files are there; nothing was recomputed")
    low, high = final["interval"]
    click.echo(f"{final['name']}: {result.metrics['metric']} {final['score']:.5f} (95 % interval {low:.5f} to {high:.5f}, out-of-fold)")
    for name, score in (result.metrics.get("holdout") or {}).items():
        if name == final["name"]:
            click.echo(f"holdout: {result.metrics['metric']} {score:.5f}")
    if result.is_new and not result.fits_made:
        click.echo("no model was fitted again: all fold fits were in the store")
    if result.submission.is_file():
        click.echo(f"submission: {result.submission}")
    click.echo(f"report:     {result.report}")


@foldwise.command()
@_shared
@_choosing
def plan(competition: str, data: Path | None, runs: Path, models: str, device: str, settings: tuple[str, ...], sample: int | None) -> None:
    """Print what each step learns from, where it runs, and what it writes."""
    from pipelines.show_plan import plan_lines

    for line in plan_lines(competition, _options(data, runs, models, device, settings, sample, None)):
        click.echo(line)


@foldwise.command()
@_shared
@_choosing
@click.argument("step", metavar="STEP")
def preview(
    competition: str, step: str, data: Path | None, runs: Path, models: str, device: str, settings: tuple[str, ...], sample: int | None
) -> None:
    """Show a step's columns before and after: STEP is a step's name, or its position (features.0, views.linear.1)."""
    from pipelines.show_plan import preview_lines

    for line in preview_lines(competition, step, _options(data, runs, models, device, settings, sample, None)):
        click.echo(line)


@foldwise.command()
@_shared
@_choosing
def audit(competition: str, data: Path | None, runs: Path, models: str, device: str, settings: tuple[str, ...], sample: int | None) -> None:
    """Look for leaks: does anything see what it must not? Exit code 3 when one is found."""
    from pipelines.audit import audit as audit_competition

    found = audit_competition(competition, options=_options(data, runs, models, device, settings, sample, None))
    click.echo(f"page: {found.page}")
    if found.has_leak:
        sys.exit(_LEAK)


@foldwise.command()
@click.argument("first", metavar="RUN1")
@click.argument("second", metavar="RUN2")
@click.option(
    "--runs", type=click.Path(path_type=Path, file_okay=False), default=Path("runs"), show_default=True, help="Where runs are kept."
)
def compare(first: str, second: str, runs: Path) -> None:
    """Did it help? Compare two runs: what changed, and a paired test over their folds.

    RUN is a run's id, or NAME for a competition's latest run.
    """
    from pipelines.compare import compare_lines

    for line in compare_lines(first, second, runs):
        click.echo(line)


@foldwise.command()
@click.argument("stage", metavar="STAGE")
@_shared
def stage(stage: str, competition: str, data: Path | None, runs: Path) -> None:
    """Run one stage: prepare, train@MODEL, ensemble or report. This is what dvc.yaml calls."""
    from pipelines.single_stage import run_stage

    run_stage(stage, competition, _options(data, runs, "", "cpu", (), None, None))


@foldwise.command()
@click.argument("competitions", nargs=-1, metavar="[NAME]...")
@click.option("--check", is_flag=True, help="Only say whether the file is up to date (exit code 2 when it is not).")
def dvc(competitions: tuple[str, ...], check: bool) -> None:
    """Write dvc.yaml for competitions (all below competitions/ by default)."""
    from pipelines.dvc import write_dvc

    click.echo(write_dvc(Path(), competitions, check=check))


@foldwise.command()
@click.option(
    "--runs", type=click.Path(path_type=Path, file_okay=False), default=Path("runs"), show_default=True, help="Where runs are kept."
)
def sync(runs: Path) -> None:
    """Send the tracker all runs it has missed."""
    from pipelines.surroundings import Surroundings
    from pipelines.track import send_unsent

    around = Surroundings.read()
    left = sum(send_unsent(folder, runs, around) for folder in sorted(runs.glob("*")) if (folder / "history").is_dir())
    click.echo("the tracker knows all runs" if not left else f"{left} run(s) are still to be sent")
    if left:
        sys.exit(_PART_FAILED)


@foldwise.command()
@click.option("--check", type=click.Path(path_type=Path, dir_okay=False), help="Compare with a file instead of printing.")
def schema(check: Path | None) -> None:
    """Print the JSON Schema of pipeline.yaml, for editors."""
    from pipelines.schema import schema_text

    _print_or_compare(schema_text(), check, "foldwise schema")


@foldwise.command()
@click.option("--check", type=click.Path(path_type=Path, dir_okay=False), help="Compare with a file instead of printing.")
def catalogue(check: Path | None) -> None:
    """Print the catalogue of all steps, as Markdown."""
    from pipelines.catalogue import catalogue_text

    _print_or_compare(catalogue_text(), check, "foldwise catalogue")


def _print_or_compare(text: str, check: Path | None, command: str) -> None:
    """Print what is generated, or say that a file of it is out of date."""
    if check is None:
        click.echo(text, nl=False)
    elif not check.is_file() or check.read_text(encoding="utf-8") != text:
        raise click.ClickException(f"{check} is not what the code gives. Run: {command} > {check}")


def _options(
    data: Path | None, runs: Path, models: str, device: str, settings: tuple[str, ...], sample: int | None, from_run: str | None
) -> Any:
    from pipelines.options import Options

    chosen = tuple(name.strip() for name in models.split(",") if name.strip())
    return Options(runs=runs, data=data, models=chosen, settings=settings, sample=sample, device=device, from_run=from_run)


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and exit with its code."""
    sys.exit(_code_of(arguments))


def _code_of(arguments: list[str] | None) -> int:
    from features.errors import InputError
    from pipelines.failures import ModelFailedError

    try:
        foldwise.main(args=arguments, prog_name="foldwise", standalone_mode=False)
    except click.exceptions.Abort:
        return _interrupted(arguments)
    except KeyboardInterrupt:
        return _interrupted(arguments)
    except click.ClickException as error:
        error.show()
        return _INPUT
    except InputError as error:
        click.echo(f"foldwise: {error}", err=True)
        return _INPUT
    except ModelFailedError as error:
        click.echo(f"foldwise: {error}", err=True)
        return _PART_FAILED
    return _DONE


def _interrupted(arguments: list[str] | None) -> int:
    import shlex

    command = shlex.join(["foldwise", *(sys.argv[1:] if arguments is None else arguments)])
    click.echo(f"\ninterrupted; all finished fold fits are kept. To continue: {command}", err=True)
    return _INTERRUPTED


if __name__ == "__main__":
    main()
