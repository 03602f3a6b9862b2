"""The log of submissions, as another command writes it and as accidents leave it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.board.submissions import Submission, parse, public_scores, read_submissions
from pipelines.submit.log import NAME

_LINE = '{"run_id": "a", "time": "2026-01-31T12:30:45+00:00", "file_sha256": "x", "message": "m\u2028n", "sent": true, "public_score": 0.5}'


def test_no_log_is_no_submission(tmp_path: Path) -> None:
    assert read_submissions(tmp_path) == ([], [])


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (_LINE, Submission("a", "2026-01-31 12:30", "m\u2028n", True, 0.5)),
        ('{"run_id": "", "time": "2026-01-31"}', Submission("", "2026-01-31", "", False, None)),
        (
            '{"run_id": "a", "time": "t", "message": null, "sent": false, "public_score": null, "ref": 3}',
            Submission("a", "t", "", False, None),
        ),
    ],
)
def test_a_line(line: str, expected: Submission) -> None:
    assert parse(line) == expected


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"run_id": "a", "ti', "Line 2 of tiny/submissions.jsonl is no submission (JSONDecodeError: "),
        ("[]", "AttributeError"),
        ("{}", "KeyError: 'run_id'"),
        ('{"run_id": "a", "time": "t", "public_score": "high"}', "could not convert string to float"),
        ('{"run_id": "a", "time": "t", "public_score": NaN}', "the public score is nan"),
    ],
)
def test_a_damaged_line_is_said_and_the_others_count(line: str, message: str, tmp_path: Path) -> None:
    latest = tmp_path / "tiny"
    latest.mkdir()
    (latest / NAME).write_text(f"{_LINE}\n{line}\n\n{_LINE}", encoding="utf-8")
    found, faults = read_submissions(latest)
    assert [one.run_id for one in found] == ["a", "a"]
    assert len(faults) == 1 and message in faults[0]


def test_the_latest_public_score_counts() -> None:
    scores = [("a", 0.5), ("b", None), ("a", 0.6)]
    assert public_scores([Submission(run, "", "", True, score) for run, score in scores]) == {"a": 0.6}
