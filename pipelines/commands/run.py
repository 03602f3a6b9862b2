"""``foldwise run``."""

from __future__ import annotations

from typing import Any

import click

from pipelines.command_options import Duration, Memory, choosing, of_competition, options_of, track_option


@click.command("run")
@of_competition
@choosing
@click.option("--from", "from_run", metavar="RUN", help="Run the declaration of an earlier run (an id below history/).")
@click.option(
    "--budget",
    type=Duration(),
    metavar="TIME",
    help="Fit the declared models and more, as many as help, within this time: 90s, 10m, 1h30m.",
)
@click.option("--memory", type=Memory(), metavar="SIZE", help="What fits may use: 8g, 500m; what is free by default.")
@click.option("--past", is_flag=True, help="Let models of earlier runs join the ensemble, where rows and folds are the same.")
@track_option
def command(competition: str, **given: Any) -> None:
    """Run a competition to a submission and a report."""
    from pipelines.surroundings import Surroundings, process_began
    from pipelines.whole_run import run

    result = run(competition, options=options_of(**given), around=Surroundings.read(began=process_began()))
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
