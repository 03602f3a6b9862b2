"""``foldwise tune``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pipelines.command_options import Duration, choosing, of_competition, options_of, track_option


@click.command("tune")
@of_competition
@choosing
@click.option("--trials", type=int, metavar="N", help="Trials that each study shall have; those under 'tune', or 50, without it.")
@click.option("--workers", type=int, default=1, show_default=True, metavar="K", help="Processes that share the study.")
@click.option("--timeout", type=Duration(), metavar="TIME", help="Stop after this time, all models together: 90s, 10m, 1h30m.")
@click.option("--storage", metavar="URL", help="Optuna storage that machines share (sqlite:///..., postgresql://...); SQLite below --runs.")
@click.option("--seed", type=int, default=0, show_default=True, metavar="S", help="Seed of the draws.")
@click.option("--objectives", default="score", show_default=True, metavar="A,B", help="score, or score,time: also how fast it predicts.")
@click.option("--prune/--no-prune", "prunes", default=True, show_default=True, help="End trials that fall behind early.")
@track_option
def command(
    competition: str,
    *,
    trials: int | None,
    workers: int,
    timeout: float | None,
    storage: str | None,
    seed: int,
    objectives: str,
    prunes: bool,
    **given: Any,
) -> None:
    """Search the models' parameters on folds of their own; the next run uses what was found."""
    from pipelines.tuning.whole import Wanted, tune
    from pipelines.whole_run import tell_tracker

    asked = tuple(name.strip() for name in objectives.split(",") if name.strip())
    wanted = Wanted(trials=trials, workers=workers, seconds=timeout, storage=storage, seed=seed, objectives=asked, prunes=prunes)
    found = tune(competition, options=options_of(**given), wanted=wanted)
    for model, one in found.outcomes.items():
        score = one.best.values[0]
        beside = "the declared parameters were the best" if one.is_declared else ""
        if not beside and one.declared is not None:
            beside = f"declared: {one.declared.values[0]:.5f}"
        counted = f"{one.trials} trials, {one.pruned} of them pruned" + (f", {one.failed} failed" if one.failed else "")
        click.echo(f"{model}: {found.metric} {score:.5f} on tuning folds ({beside or 'declared: not finished'}; {counted})")
        changed = ", ".join(f"{name} {_short(value)}" for name, value in one.best.params.items())
        if not one.is_declared:
            click.echo(f"  {changed}")
    if found.path is not None:
        click.echo(f"written: {found.path}. The next run uses it; delete it to go back to the declared parameters.")
        if Path("dvc.yaml").is_file():
            click.echo("dvc.yaml: 'foldwise dvc' writes it again, so that training depends on that file")
        click.echo(f"to look at the trials: optuna-dashboard {found.url}")
    tell_tracker(found.session)


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
