"""Did it help? Two runs side by side: what changed, and the paired test over their folds."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from features.errors import InputError
from pipelines.compare import Comparison, Row, changes, compare, compare_lines, verdict
from pipelines.history import entries, find_entry
from pipelines.metrics import METRICS


@pytest.fixture
def run(tiny: Any, foldwise: Callable[..., Any]) -> Callable[..., str]:
    """Runs the tiny competition and gives the run's id."""

    def made(*arguments: str) -> str:
        before = set(tiny.history())
        said = foldwise("run", tiny.folder, *arguments)
        assert said.code == 0, said.err
        (new,) = set(tiny.history()) - before
        return str(new.parent.name)

    return made


def test_a_change_that_does_harm(run: Callable[..., str], tiny: Any, foldwise: Callable[..., Any]) -> None:
    first, second = run(), run("--set", "models.ridge.ridge.alpha=5000.0")
    found = compare(first, second, tiny.runs)
    assert found.changes == ["~ models.ridge.ridge.alpha: 1.0 -> 5000.0"]
    assert [row.name for row in found.rows] == ["final", "ridge", "tree"]
    rows = {row.name: row for row in found.rows}
    assert rows["ridge"].gain < 0 and rows["ridge"].folds_won == 0 and rows["ridge"].second > rows["ridge"].first
    assert rows["tree"].gain == 0 and rows["tree"].first == rows["tree"].second and rows["tree"].p_value == 1.0
    opposite = {row.name: row for row in compare(second, first, tiny.runs).rows}
    assert opposite["ridge"].gain == pytest.approx(-rows["ridge"].gain) and opposite["ridge"].folds_won == 3
    said = foldwise("compare", first, second)
    assert said.code == 0
    assert said.out.splitlines() == list(compare_lines(first, second, tiny.runs))
    assert "rmse (lower is better), 3 paired folds" in said.out and "0 of 3" in said.out


def test_a_run_with_itself_and_by_name(run: Callable[..., str], tiny: Any) -> None:
    first = run()
    found = compare("tiny", first[:-1], tiny.runs)
    assert found.first == found.second == find_entry(first, tiny.runs)
    assert found.changes == [] and verdict(found) == "The final prediction is the same."
    run("--set", "title=Other")
    assert find_entry("tiny", tiny.runs).run_id == first, "a run with settings is not the latest full one"


def test_runs_that_fit_on_other_rows_can_be_paired(run: Callable[..., str], tiny: Any) -> None:
    """Which rows are left out of the fits may be just the question; which rows are scored may not differ."""
    first, second = run(), run("--set", "rows={not_in_fit: [rooms > 4]}")
    assert compare(first, second, tiny.runs).changes == ["+ rows.not_in_fit: ['rooms > 4']"]
    other = run("--set", "split.kfold.seed=1")
    with pytest.raises(
        InputError, match=r"score other rows in their folds, so their folds cannot be paired\. Run both with the same split"
    ):
        compare(first, other, tiny.runs)


def test_runs_of_another_metric(run: Callable[..., str], tiny: Any) -> None:
    first, second = run(), run("--set", "metric=mae")
    with pytest.raises(InputError, match=r"differ in metric: 'rmse' and 'mae'\. Compare runs of one kind"):
        compare(first, second, tiny.runs)


def test_runs_that_are_not_found(run: Callable[..., str], tiny: Any) -> None:
    first, second = sorted((run(), run("--set", "title=Other")))
    assert [entry.run_id for entry in entries(tiny.runs)] == [first, second]
    with pytest.raises(InputError, match=rf"2 runs begin with '20': '{first}', '{second}'\. Give more of the id"):
        find_entry("20", tiny.runs)
    with pytest.raises(InputError, match=rf"No run '{first}x' below .*there are '{first}', '{second}'\. Closest: '{re.escape(first)}'"):
        find_entry(f"{first}x", tiny.runs)


def test_half_written_entries_are_no_runs(run: Callable[..., str], tiny: Any) -> None:
    first = run()
    left_over = tiny.latest / "history" / f".{first}-x1"
    left_over.mkdir()
    (left_over / "run.json").write_text("{}")
    assert [entry.run_id for entry in entries(tiny.runs)] == [first]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, ["~ a.b: 1 -> 2"]),
        ({"a": 1, "b": 2}, {"b": 2, "c": [3]}, ["- a: 1", "+ c: [3]"]),
        ({"features": [{"x": 1}, {"y": 2}]}, {"features": [{"y": 2}]}, ["- features: {'x': 1}: True"]),
        ({"features": [{"x": 1}]}, {"features": [{"y": 2}, {"x": 1}]}, ["+ features: {'y': 2}: True"]),
    ],
)
def test_changes(first: dict[str, Any], second: dict[str, Any], expected: list[str]) -> None:
    assert changes(first, second) == expected


@pytest.mark.parametrize(
    ("gain", "p_value", "expected"),
    [
        (0.01, 0.001, r"The second run is better than chance would explain \(corrected paired t-test, p = 0\.001\)"),
        (-0.01, 0.001, r"The second run is worse than chance would explain"),
        (0.01, 0.4, r"No difference that these folds can tell from chance \(corrected paired t-test, p = 0\.400\)"),
        (0.01, float("nan"), r"No difference that these folds can tell from chance"),
    ],
)
def test_verdicts(gain: float, p_value: float, expected: str) -> None:
    row = Row("final", 0.5, 0.5 + gain, gain, gain - 0.1, gain + 0.1, p_value, 3)
    found = Comparison(None, None, METRICS["accuracy"], [], [row], 5)  # type: ignore[arg-type]
    assert re.match(expected, verdict(found))
    assert verdict(replace(found, rows=[replace(row, second=0.5, gain=0.0)])) == "The final prediction is the same."
