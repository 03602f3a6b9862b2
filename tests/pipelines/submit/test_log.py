"""The log of submissions: whole at every moment, one JSON object a line, also for two processes at once."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import InputError
from pipelines.submit.log import NAME, Logged, amend, append, read_log

TEXT = st.text(st.characters(codec="utf-8"), max_size=30)
ENTRIES = st.builds(
    Logged,
    TEXT,
    TEXT,
    TEXT,
    TEXT,
    st.booleans(),
    st.none() | st.floats(allow_nan=False, allow_infinity=False),
    st.none() | st.integers(0, 9),
)


def entry(number: int) -> Logged:
    return Logged(f"run-{number}", "2026-01-01T00:00:00+00:00", "0" * 64, "a message", sent=False)


@given(entries=st.lists(ENTRIES, max_size=5))
def test_what_was_appended_is_read(tmp_path_factory: pytest.TempPathFactory, entries: list[Logged]) -> None:
    latest = tmp_path_factory.mktemp("latest")
    for one in entries:
        append(latest, one)
    assert read_log(latest) == entries


def test_the_format(tmp_path: Path) -> None:
    append(tmp_path, entry(1))
    amend(tmp_path, entry(1), public_score=0.5, sent=True)
    append(tmp_path, entry(2))
    texts = (tmp_path / NAME).read_text(encoding="utf-8").splitlines()
    assert [json.loads(text) for text in texts] == [{**asdict(entry(1)), "public_score": 0.5, "sent": True}, asdict(entry(2))]


def test_many_at_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: append(tmp_path, entry(number)), range(40)))
    assert sorted(one.run_id for one in read_log(tmp_path)) == sorted(f"run-{number}" for number in range(40))


@pytest.mark.parametrize(
    "line", ["{", "[]", '{"run_id": "a"}', '{"run_id": "a", "unknown": 1, "sent": true}', '{"sent": true, "public_score": NaN}']
)
def test_a_damaged_line(tmp_path: Path, line: str) -> None:
    append(tmp_path, entry(1))
    with (tmp_path / NAME).open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    with pytest.raises(InputError, match=r"submissions\.jsonl:2 is no submission .*Mend or delete the line"):
        append(tmp_path, entry(2))
