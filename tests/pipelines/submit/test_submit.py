"""``foldwise submit``: checked, sent by the real client library to a server on loopback, logged, scored."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from features.errors import InputError
from pipelines.fetch.kaggle import Asked, State
from pipelines.submit.sending import Patience, wait_for_score

from ..stand_in import StandIn

Call = Callable[..., Any]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pauses."""
    monkeypatch.setattr("time.sleep", lambda _: None)


@pytest.fixture
def at_kaggle(ran: Any) -> Any:
    """A tiny regression that was run, with Kaggle as its source."""
    ran.edit(("target: price}", "target: price, source: {kaggle: the-houses}}"))
    return ran


def logged(ran: Any) -> list[dict[str, Any]]:
    path = ran.latest / "submissions.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.is_file() else []


def run_id(ran: Any) -> str:
    return str(json.loads((ran.latest / "run.json").read_text(encoding="utf-8"))["run_id"])


def test_a_submission(kaggle: StandIn, at_kaggle: Any, foldwise: Call) -> None:
    kaggle.states = [{"status": "PENDING"}, {"status": "COMPLETE", "publicScore": "0.12345"}]
    said = foldwise("submit", at_kaggle.folder, "--message", "ridge and tree")
    assert said.code == 0, said.err
    content = (at_kaggle.latest / "submission.csv").read_bytes()
    assert kaggle.uploads == {"submission.csv": content}
    assert kaggle.submissions[0]["submissionDescription"] == "ridge and tree"
    (entry,) = logged(at_kaggle)
    assert entry.pop("time").endswith("+00:00")
    assert entry == {
        "run_id": run_id(at_kaggle),
        "file_sha256": hashlib.sha256(content).hexdigest(),
        "message": "ridge and tree",
        "sent": True,
        "public_score": 0.12345,
        "ref": 100,
    }
    assert "public score: 0.12345" in said.out
    kept = json.loads((at_kaggle.latest / "history" / run_id(at_kaggle) / "public_score.json").read_text(encoding="utf-8"))
    assert kept["public_score"] == 0.12345
    again = foldwise("submit", at_kaggle.folder)
    assert again.code == 0 and "is not sent again (--again sends it)" in again.err and len(kaggle.submissions) == 1
    assert foldwise("submit", at_kaggle.folder, "--again").code == 0
    assert len(kaggle.submissions) == 2 and len(logged(at_kaggle)) == 2


def test_a_score_that_comes_late(kaggle: StandIn, at_kaggle: Any, foldwise: Call) -> None:
    kaggle.states = [{"status": "PENDING"}]
    said = foldwise("submit", at_kaggle.folder, "--wait", "1s")
    assert said.code == 0 and "No public score yet. The same command asks again" in said.out
    assert logged(at_kaggle)[0]["sent"] and logged(at_kaggle)[0]["public_score"] is None
    kaggle.states = [{"status": "COMPLETE", "publicScore": "7"}]
    said = foldwise("submit", at_kaggle.folder)
    assert said.code == 0 and "public score: 7" in said.out and len(kaggle.submissions) == 1
    assert logged(at_kaggle)[0]["public_score"] == 7.0


def test_a_file_that_kaggle_cannot_score(kaggle: StandIn, at_kaggle: Any, foldwise: Call) -> None:
    kaggle.states = [{"status": "ERROR", "errorDescription": "Evaluation metric raised"}]
    said = foldwise("submit", at_kaggle.folder)
    assert said.code == 2 and "could not score it: Evaluation metric raised" in said.err
    assert logged(at_kaggle)[0]["sent"]


@pytest.mark.parametrize(
    ("call", "answer", "message"),
    [
        ("StartSubmissionUpload", (401, "Unauthenticated"), "Kaggle does not accept the credentials"),
        ("StartSubmissionUpload", (403, "You must accept the rules"), "Are the rules accepted?"),
        ("StartSubmissionUpload", (404, "Not found"), "Kaggle knows no 'the-houses' (404)"),
        (
            "CreateSubmission",
            (400, "Submission limit reached"),
            "Kaggle refuses (400). See https://www.kaggle.com/competitions/the-houses. Kaggle says: ",
        ),
        ("CreateSubmission", (500, "Oops"), "error of its own (500)"),
        ("upload", (400, ""), "The upload of"),
    ],
)
def test_kaggle_s_refusals(kaggle: StandIn, at_kaggle: Any, foldwise: Call, call: str, answer: tuple[int, str], message: str) -> None:
    kaggle.refuses[call] = answer
    said = foldwise("submit", at_kaggle.folder)
    assert said.code == 2 and message in said.err and "Traceback" not in said.err
    assert answer[0] != 400 or answer[1] in said.err
    assert [entry["sent"] for entry in logged(at_kaggle)] == [False]


def test_without_credentials(nobody: None, at_kaggle: Any, foldwise: Call) -> None:
    for _ in range(2):
        said = foldwise("submit", at_kaggle.folder)
        assert said.code == 2
        assert "Nothing was sent: there are no Kaggle credentials. Set KAGGLE_API_TOKEN" in said.err
        assert "by hand at https://www.kaggle.com/competitions/the-houses/submissions" in said.err
    (entry,) = logged(at_kaggle)
    assert not entry["sent"] and entry["public_score"] is None and entry["message"].startswith(f"foldwise {run_id(at_kaggle)}: rmse ")


def test_a_dry_run_sends_and_logs_nothing(nobody: None, at_kaggle: Any, foldwise: Call) -> None:
    said = foldwise("submit", at_kaggle.folder, "--dry-run")
    assert said.code == 0 and "(20 rows), no problem found" in said.out and "dry run" in said.out
    assert logged(at_kaggle) == []


def test_a_competition_of_nobody_s_is_logged(nobody: None, ran: Any, foldwise: Call) -> None:
    said = foldwise("submit", ran.folder)
    assert said.code == 0 and "data.source names no Kaggle competition" in said.out
    assert [entry["sent"] for entry in logged(ran)] == [False]


def test_a_bad_file_is_not_sent(kaggle: StandIn, at_kaggle: Any, foldwise: Call, tmp_path: Path) -> None:
    text = (at_kaggle.latest / "submission.csv").read_text(encoding="utf-8").splitlines()
    (tmp_path / "mine.csv").write_text("\n".join([text[0], text[1], text[1], *text[4:]]), encoding="utf-8")
    said = foldwise("submit", at_kaggle.folder, "--file", tmp_path / "mine.csv")
    assert said.code == 2 and "mine.csv has 3 problem(s); nothing was sent:" in said.err
    assert "there are 19 rows, sample.csv has 20" in said.err and "lines 2, 3: id(s) '1020' more than once" in said.err
    assert kaggle.asked == [] and logged(at_kaggle) == []


def test_a_file_below_zero_is_sent_with_a_warning(kaggle: StandIn, at_kaggle: Any, foldwise: Call, tmp_path: Path) -> None:
    kaggle.states = [{"status": "COMPLETE"}]
    lines = (at_kaggle.latest / "submission.csv").read_text(encoding="utf-8").splitlines()
    lines[3] = f"{lines[3].partition(',')[0]},-5"
    (tmp_path / "mine.csv").write_text("\n".join(lines), encoding="utf-8")
    said = foldwise("submit", at_kaggle.folder, "--file", tmp_path / "mine.csv")
    assert said.code == 0 and "mine.csv: line 4: price is '-5', below 0" in said.err
    assert [(entry["run_id"], entry["message"]) for entry in logged(at_kaggle)] == [("", "mine.csv")]


def test_a_run_of_other_data_is_not_sent(kaggle: StandIn, at_kaggle: Any, foldwise: Call) -> None:
    at_kaggle.change("test.csv", lambda table: table.assign(area=1.0))
    said = foldwise("submit", at_kaggle.folder)
    assert said.code == 2 and f"run {run_id(at_kaggle)} predicted another test.csv than the one in" in said.err
    assert kaggle.asked == []


def test_an_earlier_run(nobody: None, at_kaggle: Any, foldwise: Call) -> None:
    first = run_id(at_kaggle)
    assert foldwise("run", at_kaggle.folder, "--set", "models.ridge.ridge.alpha=5.0").code == 0
    said = foldwise("submit", at_kaggle.folder, "--from", first[:15], "--dry-run")
    assert said.code == 0 and f"history/{first}/submission.csv" in said.out
    said = foldwise("submit", at_kaggle.folder, "--from", "2001")
    assert said.code == 2 and "No run '2001' in" in said.err


def test_scores_by_hand_and_the_list(nobody: None, ran: Any, foldwise: Call) -> None:
    assert "No submission is logged in" in foldwise("submit", ran.folder, "--list").err
    assert foldwise("submit", ran.folder, "--score", "nan").code == 2
    assert foldwise("submit", ran.folder).code == 0
    said = foldwise("submit", ran.folder, "--score", "0.25")
    assert said.code == 0 and f"noted: public score 0.25 of {run_id(ran)}" in said.out
    assert [(entry["sent"], entry["public_score"]) for entry in logged(ran)] == [(True, 0.25)]
    assert foldwise("submit", ran.folder, "--score", "0.5", "--run", run_id(ran)).code == 0
    own = json.loads((ran.latest / "metrics.json").read_text(encoding="utf-8"))["final"]["score"]
    header, row, below = foldwise("submit", ran.folder, "--list").out.splitlines()
    assert header.split() == ["submitted", "(UTC)", "run", "CV", "public", "sent", "message"]
    assert row.split()[2:6] == [run_id(ran), f"{own:.5f}", "0.50000", "yes"] and "'rmse'" in below


def test_a_score_without_an_earlier_submission(nobody: None, ran: Any, foldwise: Call) -> None:
    assert foldwise("submit", ran.folder, "--score", "3").code == 0
    assert [(entry["sent"], entry["public_score"]) for entry in logged(ran)] == [(True, 3.0)]


def test_the_tracker_is_told(nobody: None, ran: Any, foldwise: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, str, float]] = []
    monkeypatch.setattr("pipelines.submit.tracked._send", lambda *facts: told.append(facts))
    assert "the tracker does not know run" in foldwise("submit", ran.folder, "--score", "3").err
    place = ran.latest / "tracked" / run_id(ran)
    place.mkdir(parents=True)
    (place / "sent.json").write_text('{"uri": "sqlite:///x", "mlflow_run_id": "abc"}', encoding="utf-8")
    for score in ("3", "3", "4"):
        assert foldwise("submit", ran.folder, "--score", score).err == ""
    assert told == [("sqlite:///x", "abc", 3.0), ("sqlite:///x", "abc", 4.0)]

    def away(*_: Any) -> None:
        raise ConnectionError("nobody there\nmore")

    monkeypatch.setattr("pipelines.submit.tracked._send", away)
    said = foldwise("submit", ran.folder, "--score", "5")
    assert said.code == 0 and "did not take the public score (ConnectionError: nobody there); it is kept" in said.err
    assert logged(ran)[0]["public_score"] == 5.0


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_mlflow_knows_the_score(nobody: None, ran: Any, foldwise: Call, tmp_path: Path) -> None:
    from mlflow.tracking import MlflowClient

    from pipelines.store import write_json
    from pipelines.track import send

    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    run = send(ran.latest / "history" / run_id(ran), uri, ran.runs)
    write_json(ran.latest / "tracked" / run_id(ran) / "sent.json", {"uri": uri, "mlflow_run_id": run})
    assert foldwise("submit", ran.folder, "--score", "0.125").code == 0
    assert MlflowClient(tracking_uri=uri).get_run(run).data.metrics["public_score"] == 0.125


@pytest.mark.parametrize(
    ("before", "arguments", "message"),
    [
        ("run.json", (), "has no finished full run in"),
        (None, ("--file", "absent.csv"), "There is no submission file absent.csv"),
        ("submission.csv", (), "There is no submission file"),
    ],
)
def test_nothing_to_submit(nobody: None, ran: Any, foldwise: Call, before: str | None, arguments: tuple[str, ...], message: str) -> None:
    if before:
        (ran.latest / before).unlink()
    said = foldwise("submit", ran.folder, *arguments)
    assert said.code == 2 and message in said.err


class Slow:
    """A Kaggle that is done at its n-th answer, and the hour of that."""

    def __init__(self, n: int) -> None:
        self.left, self.now, self.pauses = n, 0.0, list[float]()

    def state(self, asked: Asked, number: int) -> State:
        self.left -= 1
        return State("complete", 0.5) if self.left < 1 else State("pending")

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@pytest.mark.parametrize(("n", "expected"), [(1, 0.5), (6, 0.5), (100, None)])
def test_waiting_ends(n: int, expected: float | None) -> None:
    slow, patience = Slow(n), Patience(seconds=120)
    found = wait_for_score(slow, Asked("a", "p"), 1, patience, sleep=slow.sleep, clock=lambda: slow.now)  # type: ignore[arg-type]
    assert found == expected and slow.now <= 120
    assert slow.pauses == sorted(slow.pauses) and max(slow.pauses, default=0) <= patience.longest


def test_a_network_that_goes_away_while_waiting() -> None:
    class Gone:
        def state(self, asked: Asked, number: int) -> State:
            raise InputError("Kaggle cannot be reached.")

    with pytest.raises(
        InputError, match=r"is sent and logged, but its score is not known: Kaggle cannot be reached\. Run the same command"
    ):
        wait_for_score(Gone(), Asked("a", "p"), 1, Patience())  # type: ignore[arg-type]
