"""What `foldwise new` says where it cannot draft: one message, exit code 2, nothing written."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

ROWS = pd.DataFrame({"a": np.arange(40) % 7 / 2, "b": np.resize(list("xyz"), 40), "y": [0, 1] * 20})


def text(**changes: Any) -> str:
    """A table as CSV, with other columns."""
    return ROWS.assign(**changes).to_csv(index=False)


PROSE = [f"a text that says what {number} is" for number in range(40)]


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (text(), ["--target", "yy"], "--target 'yy': train.csv has no such column; it has 'a', 'b', 'y'. Closest: 'y'."),
        (text(y=1), [], "target 'y' is '1' in every row"),
        (text(y=np.nan), [], "has 0 row(s) with a target 'y'"),
        (text(y=range(40), id=range(40)), ["--target", "id"], "numbers the rows (0 to 39, each once): an identifier"),
        (text(y=[f"k{number}" for number in range(40)]), [], "looks like an identifier"),
        (text(y=PROSE), [], "looks like free text"),
        (text(y=[f"2020-{number % 12 + 1:02}-{number % 28 + 1:02}" for number in range(40)]), [], "holds dates such as"),
        (text(y=[np.inf, *range(39)]), [], "holds infinite values in 1 rows"),
        (text(y=["rare", *["often"] * 39]), [], "has a single row ('rare')"),
        (ROWS.head(1).to_csv(index=False), [], "has 1 row(s) with a target 'y'; at least 10"),
        (ROWS[["y"]].to_csv(index=False), [], "no column to learn from besides the target: no other column"),
        (text(a=1, b=2), [], "no column to learn from besides the target: 'a' (constant), 'b' (constant)"),
        ("", [], "train.csv is empty"),
        ("a,y\n", [], "has a header but no rows"),
        ("\n1,2\n", [], "has no header in its first line"),
        ("a,y\n1,2\n1,2,3\n4,5\n", [], "Expected 2 fields in line 3, saw 3"),
        ("a,y\n" + "1,2,3\n" * 9, [], "more cells in its rows than names in its header"),
        (text(), ["--metric", "roc"], "there is no such metric"),
        (text(), ["--metric", "lift_at"], "there is no such metric"),
        (text(), ["--metric", "pinball"], "has parameters"),
        (text(y=np.resize(list("pqr"), 40)), ["--metric", "average_precision"], "makes this a multiclass task"),
        (text(y=np.arange(40) / 3), ["--metric", "roc_auc"], "makes this a regression task"),
        (text(y=-np.arange(40) / 3), ["--metric", "rmsle"], "metric 'rmsle' needs targets of at least 0"),
        (text(), ["--id", "b"], "in the training file it repeats"),
        (text(), ["--id", "k"], "--id 'k': the training file has no such column"),
        (text(), ["--time", "b"], "40 rows have no time that can be read"),
        (text(t=[None, *range(39)]), ["--time", "t"], "1 rows have no time that can be read"),
        (text(t=1), ["--time", "t"], "1 different values, too few to split by"),
        (text(t=1), ["--group", "t"], "it has one value"),
        (text(t=[None, *range(39)]), ["--group", "t"], "1 rows have no group"),
        (text(), ["--group", "g"], "--group 'g': train.csv has no such column"),
        (text(), ["--test", "other.csv"], "other.csv shares no feature with train.csv"),
        (text(), ["--test", "tets.csv"], "File tets.csv is missing"),
        (text(), ["--train", "book.xlsx"], "is a xlsx file. Save it as CSV"),
        (text(), ["--train", "two.zip"], "holds 'a.csv', 'b.csv'; one table is needed"),
        (text(), ["--train", "broken.gz"], "cannot be unpacked"),
    ],
)
def test_one_message(foldwise: Callable[..., Any], tmp_path: Path, content: str, options: list[str], message: str) -> None:
    (tmp_path / "train.csv").write_text(content, encoding="utf-8")
    (tmp_path / "other.csv").write_text("q,r\n1,2\n", encoding="utf-8")
    (tmp_path / "book.xlsx").write_text("x", encoding="utf-8")
    (tmp_path / "broken.gz").write_bytes(b"\x1f\x8bbroken")
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("a.csv", "a\n1\n")
        archive.writestr("b.csv", "a\n1\n")
    said = foldwise("new", "fresh", "--train", "train.csv", "--target", "y", *options)
    assert said.code == 2 and message in said.err and "Traceback" not in said.err
    assert not (tmp_path / "competitions").exists() and not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("name", "there", "message"),
    [
        ("fresh", "competitions/fresh/pipeline.yaml", "is there already and is not overwritten. Choose another name"),
        ("folder", "folder/pipeline.yaml", "folder/pipeline.yaml is there already"),
        ("fresh", "data/fresh/train.csv", "is there already, with other content"),
        ("some file", "x", "cannot name a competition"),
        ("file", "file", "is a file. Name a competition"),
    ],
)
def test_nothing_is_overwritten(foldwise: Callable[..., Any], tmp_path: Path, name: str, there: str, message: str) -> None:
    (tmp_path / "train.csv").write_text(text(), encoding="utf-8")
    (tmp_path / there).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / there).write_text("mine", encoding="utf-8")
    said = foldwise("new", name, "--train", "train.csv", "--target", "y")
    assert said.code == 2 and message in said.err
    assert (tmp_path / there).read_text(encoding="utf-8") == "mine"


def test_what_is_said(foldwise: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text(text().replace(",", ";"), encoding="utf-8")
    said = foldwise("new", "fresh", "--train", "train.csv", "--target", "y")
    assert said.code == 0 and "note: train.csv is not used as it is: its semicolons as separators" in said.out
    assert said.out.splitlines()[-1] == "next: foldwise run fresh"
