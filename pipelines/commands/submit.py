"""``foldwise submit``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pipelines.command_options import Duration, of_competition


@click.command("submit")
@of_competition
@click.option("--from", "--run", "run", metavar="RUN", help="Take an earlier run's submission (an id below history/).")
@click.option("--file", type=click.Path(path_type=Path, dir_okay=False), metavar="CSV", help="Submit this file.")
@click.option("--message", metavar="TEXT", help="What the submission is; the run and its out-of-fold score by default.")
@click.option("--dry-run", "is_dry", is_flag=True, help="Check the file; send and log nothing.")
@click.option("--again", is_flag=True, help="Send it although the same file was sent before.")
@click.option("--wait", type=Duration(), default="2m", show_default=True, metavar="TIME", help="How long to wait for the public score.")
@click.option("--score", type=float, metavar="NUMBER", help="Note the public score of a file that was uploaded by hand; send nothing.")
@click.option("--list", "lists", is_flag=True, help="Print all submissions: out-of-fold score beside public score.")
def command(competition: str, runs: Path, wait: float, score: float | None, lists: bool, **given: Any) -> None:
    """Check a run's submission, send it to Kaggle, and log it with its public score."""
    from pipelines.submit.sending import Patience
    from pipelines.submit.submitting import Wish, score_by_hand, submit
    from pipelines.surroundings import Surroundings

    wish = Wish(competition, runs, patience=Patience(seconds=wait), **given)
    if lists:
        _list(competition, runs)
        return
    around = Surroundings.read()
    if score is not None:
        logged = score_by_hand(wish, score, around)
        click.echo(f"noted: public score {logged.public_score:g} of {logged.run_id or 'a file that no run has made'}")
        return
    outcome = submit(wish, around)
    click.echo(f"checked: {outcome.chosen.path} ({outcome.verdict.n_rows} rows), no problem found")
    if outcome.logged is None:
        click.echo("dry run: nothing was sent, nothing was logged")
    elif outcome.logged.public_score is not None:
        click.echo(f"public score: {outcome.logged.public_score:g}")
    if outcome.next:
        click.echo(outcome.next)


def _list(competition: str, runs: Path) -> None:
    from pipelines.competition import find_competition
    from pipelines.submit.log import read_log
    from pipelines.submit.scores import table

    latest = runs / find_competition(competition).name
    for line in table(latest, read_log(latest)):
        click.echo(line)
