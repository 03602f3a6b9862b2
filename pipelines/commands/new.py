"""``foldwise new``."""

from __future__ import annotations

from pathlib import Path

import click

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("new")
@click.argument("competition", metavar="NAME|FOLDER")
@click.option("--train", type=_FILE, required=True, help="The table to learn from: CSV of any kind, zipped or not, or parquet.")
@click.option("--test", type=_FILE, help="The table to predict.")
@click.option("--target", required=True, metavar="COLUMN", help="The column to predict.")
@click.option(
    "--metric",
    metavar="METRIC",
    help="What predictions are judged by, with its parameters where it has some (mean_pinball_loss:alpha=0.9); by default one that suits the task.",
)
@click.option("--id", metavar="COLUMN", help="The column that names the rows; found by itself where there is one.")
@click.option("--time", metavar="COLUMN", help="When a row happened: folds then score later rows than they fit on.")
@click.option("--group", metavar="COLUMN", help="What belongs together: folds never part a group.")
def command(
    competition: str, train: Path, test: Path | None, target: str, metric: str | None, id: str | None, time: str | None, group: str | None
) -> None:
    """Draft a complete, commented declaration from your own files.

    NAME makes competitions/NAME/pipeline.yaml with the data in data/NAME/; FOLDER takes both.
    """
    from pipelines.draft import Asked, draft
    from pipelines.metrics import metric_of

    drafted = draft(competition, Asked(train, target, test, metric=metric, id=id, time=time, group=group))
    goal, partition = drafted.goal, drafted.partition
    for note in drafted.notes:
        click.echo(f"note: {note}")
    for warning in drafted.warnings:
        click.echo(f"warning: {warning}")
    click.echo(
        f"{drafted.n_rows} rows, {len(drafted.columns)} columns; {goal.task} ({goal.why_task}), {metric_of(goal.metric, goal.metric_params)}, {partition.splitter} folds"
    )
    click.echo(f"declaration: {drafted.path}")
    click.echo(f"next: foldwise run {competition}")
