"""The public score of a run, told to the tracker that knows the run."""

from __future__ import annotations

from pathlib import Path

from pipelines.quiet_mlflow import quiet_mlflow
from pipelines.store import read_json, write_json
from pipelines.surroundings import Surroundings

SCORE = "public_score.json"


def send_scores(latest: Path, around: Surroundings) -> None:
    """Log ``public_score`` of every run that has one to the MLflow run it was tracked as; what cannot be sent now is sent the next time."""
    for scored in sorted((latest / "history").glob(f"*/{SCORE}")):
        score, run_id = read_json(scored)["public_score"], scored.parent.name
        tracked, told = latest / "tracked" / run_id / "sent.json", latest / "tracked" / run_id / SCORE
        if told.is_file() and read_json(told)["public_score"] == score:
            continue
        if not tracked.is_file():
            around.console.say(
                f"note: the tracker does not know run {run_id} yet; its public score is kept until 'foldwise sync' has sent the run"
            )
            continue
        facts = read_json(tracked)
        try:
            _send(facts["uri"], facts["mlflow_run_id"], score)
        except Exception as error:
            # a tracker that is away must not lose a score, nor stop anybody
            said = f"{type(error).__name__}: {str(error)[:200].partition(chr(10))[0]}"
            around.console.say(
                f"note: the tracker at {facts['uri']} did not take the public score ({said}); it is kept and sent the next time"
            )
            continue
        write_json(told, {"public_score": score})


def _send(uri: str, run: str, score: float) -> None:
    with quiet_mlflow():
        from mlflow.tracking import MlflowClient

        MlflowClient(tracking_uri=uri).log_metric(run, "public_score", score)
