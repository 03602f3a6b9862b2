"""What is wrong with a submission is said with line numbers, before anything is sent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import InputError
from pipelines.build_spec import build_spec
from pipelines.declaration import read_declaration
from pipelines.submit.checking import Verdict, check, lines
from pipelines.submit.expected import Expected, expected

IDS = [f"{number}" for number in range(11, 31)]


def wanted(needs: Any = "values", columns: tuple[str, ...] = ("Id", "y"), **given: Any) -> Expected:
    return Expected("sample.csv", columns, "Id", pd.Series(IDS, dtype="str"), needs, **given)


def verdict(tmp_path: Path, text: str, asked: Expected) -> Verdict:
    (tmp_path / "submission.csv").write_text(text, encoding="utf-8")
    return check(tmp_path / "submission.csv", asked)


def rows(*changes: tuple[int, str], header: str = "Id,y", value: str = "0.5") -> str:
    """A good file, with some lines (numbered from 1) replaced; an empty text takes a line away."""
    texts = [header, *(f"{name},{value}" for name in IDS)]
    for number, text in changes:
        texts[number - 1] = text
    return "".join(f"{text}\n" for text in texts if text != "(gone)")


def test_a_good_file(tmp_path: Path) -> None:
    assert verdict(tmp_path, rows(), wanted()) == Verdict(20)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "submission.csv is empty; line 1 must be Id,y."),
        ("Id,y\n", "there are 0 rows, sample.csv has 20."),
        (rows(header="id,y"), "line 1: the header lacks 'Id' and has 'id' besides; needed: Id,y."),
        (rows(header="Id,price"), "line 1: the header lacks 'y' and has 'price' besides; needed: Id,y."),
        (rows(header="y,Id"), "line 1: the columns stand in another order: found y,Id, needed Id,y."),
        (rows((3, "(gone)")), "there are 19 rows, sample.csv has 20."),
        (rows((3, "(gone)")), "1 id(s) of sample.csv are missing: '12' (sample.csv, line 3)."),
        (rows((3, "99,0.5")), "line 3: id(s) '99' are not in sample.csv."),
        (rows((3, "11,0.5")), "lines 2, 3: id(s) '11' more than once."),
        (
            rows((2, "12,0.5"), (3, "11,0.5")),
            "lines 2, 3: the ids stand in another order than in sample.csv; the first that differs is '12' in line 2",
        ),
        (rows((4, "13,nan"), (6, "15,")), "lines 4, 6: y is 'nan', ''; a finite number is needed."),
        (rows((4, "13,-inf")), "line 4: y is '-inf'; a finite number is needed."),
        (rows((4, "13,much")), "line 4: y is 'much'; a finite number is needed."),
        (rows((4, "13")), "line 4: y is ''; a finite number is needed."),
        (rows((4, "13,1,2"), (2, "11,1,2")), "the header has 2 cells, but line 2 has 3, line 4 has 3."),
        (rows((4, "13,1,2")), "the header has 2 cells, but line 4 has 3."),
        (rows((4, "")), "line 4: id(s) '' are not in sample.csv."),
        (rows((1, "Id,y"), *((k, f"{k + 9}.0,1") for k in range(2, 22))), "As numbers they are the same: write 11, not 11.0."),
        (rows(*((k, f"{k + 9},x") for k in range(2, 22))), "lines 2, 3, 4, 5, 6 ... (20 in all): y is 'x'; a finite number is needed."),
    ],
)
def test_problems(tmp_path: Path, text: str, problem: str) -> None:
    found = verdict(tmp_path, text, wanted()).problems
    assert any(problem in said for said in found), found


@pytest.mark.parametrize("value", ["1.2", "-0.1"])
def test_probabilities_lie_in_0_to_1(tmp_path: Path, value: str) -> None:
    found = verdict(tmp_path, rows((5, f"14,{value}")), wanted("probabilities")).problems
    assert found == [f"line 5: y is '{value}'; a probability from 0 to 1 is needed."]


def test_labels_are_known_classes(tmp_path: Path) -> None:
    asked = wanted("labels", labels=frozenset({"0", "1"}))
    assert verdict(tmp_path, rows(value="1"), asked) == Verdict(20)
    found = verdict(tmp_path, rows((5, "14,1.0"), value="1"), asked).problems
    assert found == ["line 5: y is '1.0'; the training rows know '0', '1'."]


@pytest.mark.parametrize(("smallest", "n_warnings"), [(0.0, 1), (3.0, 1), (-2.0, 0)])
def test_below_zero_is_a_warning(tmp_path: Path, smallest: float, n_warnings: int) -> None:
    found = verdict(tmp_path, rows((5, "14,-1.5")), wanted(smallest=smallest))
    assert not found.problems and len(found.warnings) == n_warnings
    assert not n_warnings or found.warnings[0].startswith("line 5: y is '-1.5', below 0; the smallest target")


def test_probabilities_of_several_classes_add_up(tmp_path: Path) -> None:
    asked = wanted("probabilities", ("Id", "a", "b"))
    text = rows((3, "12,0.9,0.9"), header="Id,a,b", value="0.5,0.5")
    assert verdict(tmp_path, text, asked) == Verdict(20, [], ["line 3: the probabilities of a row do not add up to 1."])


def test_marks_and_line_ends_of_other_systems(tmp_path: Path) -> None:
    assert verdict(tmp_path, rows().replace("\n", "\r\n"), wanted()) == Verdict(20)
    assert "line 1 begins with a byte-order mark" in verdict(tmp_path, "\ufeff" + rows(), wanted()).warnings[0]


def test_what_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "submission.csv").write_bytes(b"Id,y\n\xff\xfe,1\n")
    assert "submission.csv is not UTF-8 text" in check(tmp_path / "submission.csv", wanted()).problems[0]
    with pytest.raises(InputError, match="There is no submission file"):
        check(tmp_path / "absent.csv", wanted())


@given(wrong=st.lists(st.booleans(), min_size=1, max_size=40).filter(any))
def test_lines_are_those_of_an_editor(wrong: list[bool]) -> None:
    at = [str(row + 2) for row, is_wrong in enumerate(wrong) if is_wrong]
    said = lines(np.array(wrong)).removeprefix("lines ").removeprefix("line ")
    assert said.partition(" ...")[0].split(", ") == at[:5]
    assert (f"({len(at)} in all)" in said) == (len(at) > 5)


@given(order=st.permutations(IDS))
def test_only_the_asked_order_passes(tmp_path_factory: pytest.TempPathFactory, order: list[str]) -> None:
    text = "Id,y\n" + "".join(f"{name},1\n" for name in order)
    assert bool(verdict(tmp_path_factory.mktemp("any"), text, wanted()).problems) == (order != IDS)


@pytest.mark.parametrize(
    ("task", "edit", "columns"),
    [
        ("regression", None, ("Id", "price")),
        ("binary", None, ("Id", "sold")),
        ("multiclass", None, ("Id", "flat", "house", "villa")),
        ("multiclass", ("metric: log_loss", "metric: accuracy"), ("Id", "kind")),
    ],
)
@pytest.mark.parametrize("has_sample", [True, False])
def test_expectations_with_and_without_a_sample(
    make_tiny: Callable[..., Any], task: str, edit: tuple[str, str] | None, columns: tuple[str, ...], has_sample: bool
) -> None:
    tiny = make_tiny(task)
    if edit:
        tiny.edit(edit)
        tiny.change("sample.csv", lambda table: table[["Id"]].assign(kind="flat"))
    if not has_sample:
        (tiny.folder / "sample.csv").unlink()
    found = expected(build_spec(read_declaration(tiny.declaration)), tiny.folder)
    test = [str(name) for name in pd.read_csv(tiny.folder / "test.csv")["Id"]]
    assert found.columns == columns
    assert found.ids.tolist() == (test[::-1] if has_sample else test)
    assert found.file == ("sample.csv" if has_sample else "test.csv")
    assert found.labels == (frozenset({"flat", "house", "villa"}) if edit else frozenset())
    assert (found.smallest is not None) == (task == "regression")


@pytest.mark.parametrize(
    ("edits", "message"),
    [
        ([("test: test.csv, ", "")], "names no test file"),
        ([("test: test.csv", "test: other.csv"), ("sample_submission: sample.csv, ", "")], r"other\.csv cannot be read: No such file"),
        ([("id: Id", "id: Ident")], r"sample\.csv lacks the id column 'Ident'; it has 'Id', 'price'"),
        ([("target: price", "target: cost")], r"train\.csv cannot be read: .*The target 'cost' is needed"),
    ],
)
def test_files_that_do_not_fit(tiny: Any, edits: list[tuple[str, str]], message: str) -> None:
    tiny.edit(*edits)
    with pytest.raises(InputError, match=message):
        expected(build_spec(read_declaration(tiny.declaration)), tiny.folder)
