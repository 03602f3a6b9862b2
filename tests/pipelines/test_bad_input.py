"""Wrong input: one message that says what was found and what is needed, exit code 2, nothing recorded."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

Break = Callable[[Any], object]


def train(change: Callable[[pd.DataFrame], pd.DataFrame], *others: str) -> Break:
    """Change the training table, and other tables likewise."""
    return lambda tiny: [tiny.change(file, change) for file in ("train.csv", *others)]


def change(file: str, how: Callable[[pd.DataFrame], pd.DataFrame]) -> Break:
    """Change a table."""
    return lambda tiny: tiny.change(file, how)


def remove(file: str) -> Break:
    """Take a file away."""
    return lambda tiny: (tiny.folder / file).unlink()


def put(column: str, value: object, row: int = 4) -> Break:
    """Put one value into the training table."""
    return train(lambda X: X.assign(**{column: [value if position == row else old for position, old in enumerate(X[column])]}))


def edit(old: str, new: str) -> Break:
    """Replace a text of the declaration."""
    return lambda tiny: tiny.edit((old, new))


def write(file: str, content: bytes) -> Break:
    """Replace a file's content."""
    return lambda tiny: (tiny.folder / file).write_bytes(content)


def both(*breaks: Break) -> Break:
    """Several changes."""
    return lambda tiny: [one(tiny) for one in breaks]


SPLIT, STREETS = "kfold: {folds: 3, seed: 0}", edit("id: Id", "id: Id, joins: [{file: streets.csv, on: street}]")
HOLDOUT = edit("id: Id", "id: Id, holdout: holdout.csv")

REGRESSION: dict[str, tuple[Break, str]] = {
    # files
    "missing file": (remove("train.csv"), r"No data for 'tiny': data/tiny/train\.csv is missing\. Put the files there, or name a folder"),
    "missing test file": (
        remove("test.csv"),
        r"test\.csv is missing \(.*: 'pipeline\.yaml', 'sample\.csv', 'train\.csv'\)\. Put it there, or",
    ),
    "empty file": (write("train.csv", b""), r"train\.csv cannot be read as a table: No columns to parse from file"),
    "only a header": (write("train.csv", b"Id,area,price\n"), r"train\.csv has a header but no rows"),
    "not UTF-8": (
        write("train.csv", "Id,street,price\n1,Straße,4\n".encode("latin-1")),
        r"cannot be read as a table: 'utf-8' codec can't decode.*in UTF-8",
    ),
    "ragged rows": (
        write("train.csv", b"Id,area,price\n1,2,3\n1,2,3,4,5\n"),
        r"cannot be read as a table: .*Expected 3 fields in line 3, saw 5",
    ),
    "a cell more in each row": (
        write("train.csv", b"Id,area,price\n1,2,3,4\n2,2,3,5\n"),
        r"has more cells in its rows than names in its header",
    ),
    "no gzip": (
        both(edit("train.csv", "train.csv.gz"), write("train.csv.gz", b"Id\n1\n")),
        r"train\.csv\.gz cannot be read as a table: Not a gzipped file",
    ),
    "no parquet": (
        both(edit("train.csv", "train.parquet"), write("train.parquet", b"Id\n1\n")),
        r"train\.parquet cannot be read as a table: .*Parquet file size",
    ),
    "a column twice": (
        train(lambda X: X.rename(columns={"rooms": "area"})),
        r"train\.csv has column\(s\) 'area' more than once\. Rename one",
    ),
    # columns
    "no target": (train(lambda X: X.drop(columns="price")), r"train\.csv lacks column 'price'; it has 'Id', 'area', 'rooms', 'street'"),
    "target misspelt": (edit("target: price", "target: prise"), r"lacks column 'prise'; .*Closest: 'price'"),
    "no id": (
        both(train(lambda X: X.drop(columns="Id")), change("test.csv", lambda X: X.drop(columns="Id"))),
        r"test\.csv lacks column 'Id'",
    ),
    "no id in test": (change("test.csv", lambda X: X.drop(columns="Id")), r"test\.csv lacks column 'Id'"),
    "no feature in common": (
        change("test.csv", lambda X: X[["Id"]].assign(hue="red")),
        r"test\.csv shares no feature with train\.csv: it has 'Id', 'hue'",
    ),
    "a step's column is gone": (
        train(lambda X: X.drop(columns="area"), "test.csv"),
        r"pipeline\.yaml:7: clean\[0\]: No column 'area' here; there are",
    ),
    "a step's column is gone in test": (
        change("test.csv", lambda X: X.drop(columns="area")),
        r"pipeline\.yaml:7: clean\[0\]: No column 'area' here",
    ),
    # ids
    "ids twice": (put("Id", 1), r"train\.csv: id column 'Id' repeats 1\. Ids must be unique"),
    "ids twice in test": (change("test.csv", lambda X: X.assign(Id=1001)), r"test\.csv: id column 'Id' repeats 1001"),
    "ids with gaps": (put("Id", None), r"train\.csv: id column 'Id' has 1 gaps"),
    # the target
    "gap in the target": (put("price", None), r"target 'price' is missing in 1 of 60 rows, first in row 4\. Fill or remove"),
    "text in the target": (put("price", "cheap"), r"target 'price' holds text such as 'cheap'; regression needs numbers"),
    "infinite target": (put("price", np.inf), r"target 'price' holds infinite values"),
    "constant target": (train(lambda X: X.assign(price=7)), r"target 'price' is 7 in every row; there is nothing to learn"),
    "negative under log1p": (
        both(put("price", -3), edit("split:", "target: {transform: log1p}\nsplit:")),
        r"'log1p' needs values above -1; the smallest is -3",
    ),
    "negative under a model's own log1p": (
        both(put("price", -3), edit("{ridge: {alpha: 1.0}, ", "{ridge: {alpha: 1.0}, transform: log1p, ")),
        r"'log1p' needs values above -1; the smallest is -3",
    ),
    "negative under rmsle": (
        both(put("price", -3), edit("metric: rmse", "metric: rmsle")),
        r"metric 'rmsle' needs targets of at least 0; the smallest is -3",
    ),
    # values of features
    "filled column without a value": (
        train(lambda X: X.assign(area=np.nan)),
        r"yaml:7: clean\[0\]: Step 'fill' learns from column 'area', which has no value",
    ),
    "gaps for a model": (edit("columns: [area]", "columns: [rooms]"), r"yaml:14: ridge: .*missing or infinite in 'area' \(3\).*Add a fill"),
    "text for a model": (
        edit("[{drop: [street]}, ", "["),
        r"yaml:14: ridge: .*found text, dates or categories in 'street'\. Add one_hot or ordinal",
    ),
    "no column left": (edit("{drop: [street]}, {scale: standard}", "{drop: ['*']}"), r"needs at least one column; its view has none left"),
    # folds and roles
    "folds more than rows": (edit("folds: 3", "folds: 61"), r"61 folds need at least as many rows; there are 60"),
    "no group column": (
        edit(SPLIT, "group: {column: streets, folds: 3}"),
        r"The split needs column 'streets'; train has .*Closest: 'street'",
    ),
    "group column with gaps": (edit(SPLIT, "group: {column: area, folds: 3}"), r"needs a value of 'area' in every row; 4 are missing"),
    "groups fewer than folds": (
        edit(SPLIT, "group: {column: street, folds: 4}"),
        r"4 group folds need at least as many groups; 'street' has 3",
    ),
    "one ready-made fold": (
        both(train(lambda X: X.assign(part=1)), edit(SPLIT, "column: part")),
        r"A fold column needs at least two values; 'part' has 1",
    ),
    "no row to fit on": (
        edit("clean:", "rows: {not_in_fit: ['rooms > 0']}\nclean:"),
        r"Fold 0 fits on 0 and scores 20 rows; it needs some of both",
    ),
    "no row to split": (edit("clean:", "rows: {fit_only: ['rooms > 0']}\nclean:"), r"3 folds need at least as many rows; there are 0"),
    "role of no column": (
        edit("clean:", "rows: {not_in_fit: ['aera > 0']}\nclean:"),
        r"Expression 'aera > 0' needs column 'aera'; .*Closest: 'area'",
    ),
    "role that is no question": (
        edit("clean:", "rows: {not_in_fit: ['area + 1']}\nclean:"),
        r"must be true or false for each row, it gives float64",
    ),
    # sample submission, labels of the test rows, joined files
    "sample of other ids": (
        change("sample.csv", lambda X: X.assign(Id=X["Id"] + 7)),
        r"sample\.csv has 20 ids, the test file 20; unknown .* \(7 in all\)",
    ),
    "sample of text ids": (change("sample.csv", lambda X: X.assign(Id="a" + X["Id"].astype(str))), r"unknown in the test file: 'a1001'"),
    "sample with an id twice": (
        change("sample.csv", lambda X: X.assign(Id=[*X["Id"][:-1], X["Id"][0]])),
        r"only in the test file: 1001; twice: 1020",
    ),
    "sample with too few ids": (
        change("sample.csv", lambda X: X.iloc[:-1]),
        r"sample\.csv has 19 ids, the test file 20; .*only in the test file: 1001",
    ),
    "sample without ids": (change("sample.csv", lambda X: X.drop(columns="Id")), r"sample\.csv lacks the id column 'Id'; it has 'price'"),
    "sample is empty": (write("sample.csv", b""), r"sample\.csv cannot be read as a table"),
    "labels without the target": (
        both(write("holdout.csv", b"Id,prize\n1,2\n"), HOLDOUT),
        r"holdout\.csv lacks column\(s\) 'price'; it has 'Id', 'prize'",
    ),
    "labels of other ids": (
        both(write("holdout.csv", b"Id,price\n1,2\n"), HOLDOUT),
        r"holdout\.csv has 1 ids, the test file 20; unknown in the test file: 1",
    ),
    "joined file is missing": (STREETS, r"streets\.csv is missing"),
    "joined file without the key": (both(write("streets.csv", b"road,trees\nElm,1\n"), STREETS), r"streets\.csv lacks column 'street'"),
    "joined file with a key twice": (
        both(write("streets.csv", b"street,trees\nElm,1\nElm,2\n"), STREETS),
        r"1 rows that repeat a key 'street'",
    ),
    "joined file of another type": (
        both(write("streets.csv", b"street,trees\n1,1\n2,2\n"), STREETS),
        r"cannot be joined to train\.csv: 'street' is str and int64",
    ),
    "joined file with a known column": (
        both(write("streets.csv", b"street,rooms\nElm,1\n"), STREETS),
        r"streets\.csv and train\.csv both have column\(s\) 'rooms'",
    ),
    # the declaration (each level is in test_spec.py)
    "no YAML": (edit("title: Tiny houses", "title: 'Tiny"), r"this is not YAML"),
    "a key twice": (edit("metric: rmse", "metric: rmse\nmetric: mae"), r"yaml:5: this is not YAML: found duplicate key"),
    "unknown key": (edit("metric: rmse", "metrik: rmse"), r"yaml:4: metrik: unknown key; .*Closest: 'metric'"),
    "no data section": (lambda tiny: tiny.declaration.write_text("task: regression\n"), r"needs the key 'data'"),
    "metric of another task": (
        edit("metric: rmse", "metric: roc_auc"),
        r"yaml:4: metric: 'roc_auc' does not fit task 'regression'; allowed: rmse",
    ),
    "unknown step": (edit("- derive:", "- drive:"), r"yaml:9: features\[0\]\.drive: no step 'drive'; .*Closest: 'derive'"),
    "an expression that calls code": (
        edit("area * rooms", "__import__('os').system('touch hacked')"),
        r"yaml:9: features\[0\]\.derive: .*calls",
    ),
    "an expression with attributes": (edit("area * rooms", "area.__class__"), r"uses Attribute, which is not allowed"),
    "unknown view": (
        edit("{max_depth: 3}, view: linear", "{max_depth: 3}, view: linaer"),
        r"yaml:15: models\.tree\.view: no view 'linaer'; .*Closest: 'linear'",
    ),
    "unknown parameter": (
        edit("max_depth", "max_dept"),
        r"yaml:15: models\.tree\.decision_tree\.max_dept: unknown parameter .*Closest: 'max_depth'",
    ),
    "unknown member": (
        edit("method: simplex", "of: [rigde]"),
        r"yaml:17: ensemble\.final\.blend\.of: no model or earlier entry 'rigde'; .*Closest: 'ridge'",
    ),
    "a cycle of members": (edit("method: simplex", "of: [final]"), r"no model or earlier entry 'final'; there are ridge, tree"),
}

CLASSES: dict[str, tuple[str, Break, str]] = {
    "constant class": ("binary", train(lambda X: X.assign(sold=1)), r"target 'sold' is 1 in every row"),
    "three values of a binary target": (
        "binary",
        put("sold", 2),
        r"a binary target has two values; 'sold' has 3: 0, 1, 2\. Is the task 'multiclass'",
    ),
    "a gap in the classes": ("multiclass", put("kind", None), r"target 'kind' is missing in 1 of 60 rows"),
    "a class of fewer rows than folds": (
        "multiclass",
        train(lambda X: X.assign(kind=["rare", "rare", *X["kind"][2:]])),
        r"at least 3 rows of each class.* has 2",
    ),
    "a class in one fold": (
        "multiclass",
        both(put("kind", "rare"), edit("stratified", "kfold")),
        r"fits on 3 of 4 classes\. Use 'stratified' folds",
    ),
    "a regression's metric": (
        "binary",
        edit("metric: log_loss", "metric: rmse"),
        r"'rmse' does not fit task 'binary'; allowed: accuracy, ",
    ),
    "labels unseen in training": (
        "multiclass",
        both(
            lambda tiny: (tiny.folder / "holdout.csv").write_text(
                "Id,kind\n" + "".join(f"{number},tent\n" for number in range(1001, 1021))
            ),
            HOLDOUT,
        ),
        r"holdout\.csv: 'kind' has 20 values that train\.csv does not allow",
    ),
}

OPTIONS: dict[str, tuple[list[str], str]] = {
    "unknown model": (["--models", "ridge,tre"], r"--models names 'tre'; the declaration has 'ridge', 'tree'\. Closest: 'tree'"),
    "no data folder": (
        ["--data", "nowhere"],
        r"--data nowhere: there is no folder nowhere/tiny\. Files of a competition are looked for in DIR/<competition>/",
    ),
    "setting without a value": (["--set", "split.kfold.seed"], r"--set takes key\.key=value, found 'split\.kfold\.seed'"),
    "setting of a wrong value": (["--set", "split.kfold.folds=x"], r"split\.kfold\.folds: found 'x'; needed: int"),
    "setting inside a text": (["--set", "title.x=1"], r"'title' holds 'Tiny houses', which has no keys"),
    "no rows": (["--sample", "0"], r"--sample needs at least 1 row, found 0"),
    "too few rows for the folds": (["--sample", "2"], r"3 folds need at least as many rows; there are 2"),
    "unknown device": (["--device", "tpu"], r"'tpu' is not one of"),
    "unknown option": (["--modles", "ridge"], r"No such option"),
}


def refused(said: Any, message: str, runs: Path) -> None:
    """One message on the error stream that matches, exit code 2, nothing recorded, nothing half made."""
    assert said.code == 2, said.err
    assert said.out == ""
    assert len(re.findall(r"(?m)^(foldwise|Error): ", said.err)) == 1, said.err
    assert "Traceback" not in said.err
    assert re.search(message, said.err), said.err
    assert not list(runs.glob("*/history/*"))
    assert not list(runs.glob("*/run.json"))
    assert not list(runs.glob("*/.store/.*")), "what was begun is cleared away"


@pytest.mark.parametrize(("spoil", "message"), REGRESSION.values(), ids=REGRESSION)
def test_regression(spoil: Break, message: str, tiny: Any, foldwise: Callable[..., Any]) -> None:
    spoil(tiny)
    refused(foldwise("run", tiny.folder), message, tiny.runs)
    assert not list(tiny.folder.parent.glob("**/hacked"))


@pytest.mark.parametrize(("task", "spoil", "message"), CLASSES.values(), ids=CLASSES)
def test_classes(task: str, spoil: Break, message: str, make_tiny: Callable[..., Any], foldwise: Callable[..., Any]) -> None:
    tiny = make_tiny(task)
    spoil(tiny)
    refused(foldwise("run", tiny.folder), message, tiny.runs)


@pytest.mark.parametrize(("arguments", "message"), OPTIONS.values(), ids=OPTIONS)
def test_options(arguments: list[str], message: str, tiny: Any, foldwise: Callable[..., Any]) -> None:
    refused(foldwise("run", tiny.folder, *arguments), message, tiny.runs)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "nowhere"], r"No competition 'nowhere': neither a folder with a pipeline\.yaml nor one of .*'house_prices'"),
        (["run", "titanik"], r"No competition 'titanik'.*Closest: 'titanic'"),
        (["run", "empty"], r"No competition 'empty'.*make one with a pipeline\.yaml in it"),
        (["run"], r"Missing argument 'NAME\|FOLDER'"),
        (["rnu", "titanic"], r"No such command 'rnu'"),
        (["stage", "prepar", "tiny"], r"No stage 'prepar'; stages are prepare, train@MODEL, ensemble and report\. Closest: 'prepare'"),
        (["stage", "train", "tiny"], r"No stage 'train'; stages are prepare, train@MODEL"),
        (["stage", "train@rigde", "tiny"], r"No model 'rigde' to train; there are 'ridge', 'tree'\. Closest: 'ridge'"),
        (["preview", "tiny", "fil"], r"'tiny' has no step 'fil'; there are .*Closest: 'fill'"),
        (["compare", "a", "b"], r"No run 'a' below runs; there are none"),
    ],
)
def test_commands(arguments: list[str], message: str, tiny: Any, foldwise: Callable[..., Any]) -> None:
    (tiny.folder.parent / "empty").mkdir()
    refused(foldwise(*arguments), message, tiny.runs)


def test_a_run_after_a_wrong_one_is_as_if_it_had_not_been(tiny: Any, foldwise: Callable[..., Any]) -> None:
    assert foldwise("run", tiny.folder).code == 0
    before = {path: path.read_bytes() for path in tiny.runs.rglob("*") if path.is_file()}
    text = tiny.declaration.read_text(encoding="utf-8")
    for name in ("unknown member", "no column left", "folds more than rows"):
        REGRESSION[name][0](tiny)
        assert foldwise("run", tiny.folder).code == 2
        tiny.declaration.write_text(text, encoding="utf-8")
    assert {path: path.read_bytes() for path in before} == before
    assert "nothing was recomputed" in foldwise("run", tiny.folder).out


# ---------------------------------------------------------------------- strange, and right

NO_TEST = edit("test: test.csv, sample_submission: sample.csv, ", "")
STRANGE: dict[str, tuple[str, Break]] = {
    "unseen category": ("regression", change("test.csv", lambda X: X.assign(street="Never seen"))),
    "unseen category, one-hot": ("multiclass", change("test.csv", lambda X: X.assign(street="Never seen"))),
    "category missing throughout": ("regression", change("test.csv", lambda X: X.assign(street=None))),
    "one column more in test": ("regression", change("test.csv", lambda X: X.assign(more=1))),
    "target in test": ("regression", change("test.csv", lambda X: X.assign(price=1))),
    "another number type in test": ("regression", change("test.csv", lambda X: X.assign(rooms=X["rooms"] + 0.5))),
    "fold column that test lacks": ("regression", both(train(lambda X: X.assign(part=np.arange(len(X)) % 4)), edit(SPLIT, "column: part"))),
    "group column that test lacks": (
        "regression",
        both(train(lambda X: X.assign(part=np.arange(len(X)) % 7)), edit(SPLIT, "group: {column: part, folds: 3}")),
    ),
    "no sample submission": ("regression", remove("sample.csv")),
    "no test file": ("regression", NO_TEST),
    "no test file, several classes": ("multiclass", NO_TEST),
    "an id in the test file only": ("regression", train(lambda X: X.drop(columns="Id"))),
    "no id": ("regression", edit("sample_submission: sample.csv, id: Id, ", "")),
    "a fold that scores no row of a class": (
        "multiclass",
        both(
            train(lambda X: X.assign(kind=["rare", "rare", *X["kind"][2:]])),
            edit("stratified: {folds: 3, seed: 0}", "kfold: {folds: 3, seed: 3}"),
            edit("log_loss", "roc_auc"),
        ),
    ),
    "classes as text": ("binary", train(lambda X: X.assign(sold=X["sold"].map({0: "no", 1: "yes"})))),
    "classes as flags": ("binary", train(lambda X: X.assign(sold=X["sold"] == 1))),
    "a joined file": (
        "regression",
        both(write("streets.csv", b"street,trees\nElm,1\nOak,2\n"), STREETS, edit("columns: [area]", "columns: [area, trees]")),
    ),
    "byte order mark": ("regression", lambda tiny: write("train.csv", b"\xef\xbb\xbf" + (tiny.folder / "train.csv").read_bytes())(tiny)),
    "lines of Windows": (
        "regression",
        lambda tiny: write("train.csv", (tiny.folder / "train.csv").read_bytes().replace(b"\n", b"\r\n"))(tiny),
    ),
}


@pytest.mark.parametrize(("task", "spoil"), STRANGE.values(), ids=STRANGE)
def test_strange_input_that_must_work(task: str, spoil: Break, make_tiny: Callable[..., Any], foldwise: Callable[..., Any]) -> None:
    tiny = make_tiny(task)
    spoil(tiny)
    said = foldwise("run", tiny.folder)
    assert said.code == 0, said.err
    assert (tiny.latest / "metrics.json").is_file()
    has_test = "test: test.csv" in tiny.declaration.read_text(encoding="utf-8")
    assert (tiny.latest / "submission.csv").is_file() == has_test
    kinds = sorted(set(pd.read_csv(tiny.folder / "train.csv").get("kind", [])))
    for path in tiny.latest.glob("test/*.parquet"):
        table = pd.read_parquet(path)
        assert len(table) == (20 if has_test else 0)
        assert [name for name in table if name.startswith("p")] == ([f"p_{kind}" for kind in kinds] or ["prediction"])
