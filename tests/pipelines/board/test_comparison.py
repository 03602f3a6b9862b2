"""The page of two runs side by side."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.board.comparison import comparison_path, write_comparison
from pipelines.compare import ViewChange, compare, lines_of, view_changes
from tests.conftest import Said
from tests.pipelines.board.recorded import Recorded

_ID = "20990101-120000-aaaaaa"


@pytest.fixture
def pair(recorded: Recorded) -> Recorded:
    """Two runs, the second better by 100 and a little more in each fold."""
    recorded.declare(recorded.add(_ID, shift=-100.0), "alpha: 1.0", "alpha: 2.0")
    return recorded


def test_the_page_draws_what_the_lines_say(pair: Recorded) -> None:
    found = compare(pair.template.name, _ID, pair.runs)
    path = write_comparison(found, comparison_path(found))
    page = path.read_text(encoding="utf-8")
    assert path == pair.runs / "tiny" / f"compare-{pair.template.name}-{_ID}.html"
    assert "~ models.ridge.ridge.alpha: 1.0 -&gt; 2.0" in page and "The columns are the same in every view." in page
    assert re.findall(r'<option value="\d">(\w+)', page) == ["final", "ridge", "tree"]
    assert re.findall(r'<a href="([^"]+report.html)"', page) == [f"history/{run}/report.html" for run in (pair.template.name, _ID)]
    gains, *folds = (json.loads(text)["data"] for text in re.findall(r'<script type="application/json">(.*?)</script>', page, re.DOTALL))
    assert gains[0]["x"] == pytest.approx([100, 110, 120] * 3, rel=1e-4) and gains[1]["x"] == pytest.approx([110] * 3, rel=1e-4)
    assert len(folds) == 6 and folds[1][0]["y"] == pytest.approx([100, 110, 120], rel=1e-4)
    row = found.rows[0]
    assert [one - two for one, two in row.folds] == pytest.approx(row.fold_gains)
    assert next(lines_of(found)) == f"first:  {pair.template.name}"


def test_a_fold_without_a_score_is_a_gap(pair: Recorded) -> None:
    def unscored(found: dict[str, Any]) -> None:
        for table in (found["final"], *found["models"].values(), *found["ensemble"].values()):
            table["folds"][1] = None

    pair.add("20990102-120000-bbbbbb", shift=-5.0, metrics=unscored)
    found = compare(_ID, "20990102-120000-bbbbbb", pair.runs)
    page = write_comparison(found, comparison_path(found)).read_text(encoding="utf-8")
    assert (
        str(found.rows[0].fold_gains[1]) == "nan"
        and "null" in page
        and "NaN" not in re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    )


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ({}, {}, []),
        ({"a": ["x"]}, {"a": ["x"]}, []),
        ({"a": ["x", "y"]}, {"a": ["y", "x"]}, []),
        ({"a": ["x", "y"]}, {"a": ["y", "z"]}, [ViewChange("a", ["z"], ["x"])]),
        ({"a": ["x"]}, {"b": ["x"]}, [ViewChange("a", [], ["x"]), ViewChange("b", ["x"], [])]),
    ],
)
def test_view_changes(first: dict[str, list[str]], second: dict[str, list[str]], expected: list[ViewChange]) -> None:
    assert view_changes(first, second) == expected


@pytest.mark.parametrize(("given", "written"), [(["--page"], None), (["--page", "new/c.html"], "new/c.html"), ([], "")])
def test_the_command(given: list[str], written: str | None, pair: Recorded, foldwise: Callable[..., Said], tmp_path: Path) -> None:
    said = foldwise("compare", pair.template.name, _ID, "--runs", pair.runs, *given)
    assert said.code == 0, said.err
    found = compare(pair.template.name, _ID, pair.runs)
    lines = said.out.splitlines()
    if written == "":
        assert lines == list(lines_of(found)) and not comparison_path(found).exists()
        return
    path = comparison_path(found) if written is None else Path(written)
    assert lines == [*lines_of(found), f"page: {path}"] and (tmp_path / path).is_file()


def test_a_folder_is_no_page(pair: Recorded, foldwise: Callable[..., Said], tmp_path: Path) -> None:
    said = foldwise("compare", pair.template.name, _ID, "--runs", pair.runs, "--page", tmp_path)
    assert said.code == 2 and f"--page {tmp_path} is a folder; name a file, such as {tmp_path}/" in said.err
