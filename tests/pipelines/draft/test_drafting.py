"""Drafts for tables nobody has declared: what they say, and that a run can use them as they are."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipelines.build_spec import build_spec
from pipelines.declaration import read_declaration
from pipelines.draft import Asked, Drafted, draft
from pipelines.draft.columns import Role
from pipelines.options import Options
from pipelines.show_plan import plan_lines
from pipelines.spec import Spec

Make = Callable[..., Drafted]


def few_models(task: str, n_rows: int, n_columns: int) -> dict[str, dict[str, Any]]:
    """One model for each view."""
    linear = {"ridge": {}} if task == "regression" else {"logistic_regression": {}}
    return {
        "line": {**linear, "view": "linear"},
        "forest": {"random_forest": {"n_estimators": 5}, "view": "trees"},
        "lgb": {"lightgbm": {"n_estimators": 5}, "view": "native"},
    }


def people(n: int = 200, seed: int = 0) -> pd.DataFrame:
    """Rows with two numbers, a category and a target of two classes."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({"a": rng.normal(size=n).round(4), "b": rng.integers(0, 100, n), "c": rng.choice(list("xyz"), n)})
    return table.assign(y=(table["a"] + rng.normal(size=n) > 0).astype(int))


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Drafts for tables written as CSV."""
    monkeypatch.chdir(tmp_path)

    def drafted(train: pd.DataFrame, test: pd.DataFrame | None = None, *, target: str = "y", name: str = "new", **asked: Any) -> Drafted:
        train.to_csv("train.csv", index=False)
        if test is not None:
            test.to_csv("test.csv", index=False)
        files = Asked(Path("train.csv"), target, None if test is None else Path("test.csv"), **asked)
        return draft(name, files, portfolio=few_models)

    return drafted


def spec_of(drafted: Drafted) -> Spec:
    """The checked declaration."""
    return build_spec(read_declaration(drafted.path))


def planned(drafted: Drafted) -> list[str]:
    """The lines of its plan, less those for models."""
    spec_of(drafted)
    return list(plan_lines(drafted.folder.name, Options()))


def messy_numbers(table: pd.DataFrame) -> pd.DataFrame:
    rng, n = np.random.default_rng(1), len(table)
    price = rng.uniform(10, 1e6, n)
    table = table.assign(price=[f"${one:,.2f}" for one in price], weight=[f"{one:.1f} kg" for one in price % 90 + 1])
    return table.assign(share=[f"{one:.0f}%" for one in price % 97], word=table["a"].astype(str).where(table.index % 7 > 0, "?"))


def messy_dates(table: pd.DataFrame) -> pd.DataFrame:
    days = pd.Series(pd.Timestamp("2019-01-01") + pd.to_timedelta(np.random.default_rng(2).integers(0, 1000, len(table)), unit="D"))
    formats = {"dots": "%d.%m.%Y", "hours": "%m/%d/%Y %H:%M", "number": "%Y%m%d", "words": "%b %d, %Y", "basic": "%Y%m%dT000000"}
    table = table.assign(**{name: days.dt.strftime(one).astype("str") for name, one in formats.items()})
    return table.assign(number=table["number"].astype(int), dots=table["dots"].mask(table.index % 11 == 0))


def messy_levels(table: pd.DataFrame) -> pd.DataFrame:
    rng, n = np.random.default_rng(3), len(table)
    table = table.assign(
        age=rng.choice(["18-24", "25-34", "65+"], n),
        size=rng.choice(["Low", "Medium", "High"], n),
        many=rng.choice([f"m{i}" for i in range(18)], n),
    )
    return table.assign(
        key=[f"k{one}" for one in rng.integers(0, 60, n)], code=[f"C{one} {one % 7}" for one in range(n)], flag=rng.choice(["Yes", "no"], n)
    )


def useless(table: pd.DataFrame) -> pd.DataFrame:
    n = len(table)
    table = table.assign(id=range(n), uuid=[f"{one:032x}" for one in range(n)], const=1, empty=np.nan, copy=table["a"])
    return table.assign(some=[1.5, 2.5] + [np.nan] * (n - 2), only=["w"] + [None] * (n - 1))


def odd_values(table: pd.DataFrame) -> pd.DataFrame:
    n = len(table)
    table = table.assign(mixed=[one if one % 3 else "x" for one in range(n)], truth=[True, None, False, True] * (n // 4))
    return table.assign(endless=table["a"].where(table.index != 3, np.inf), left=table["b"].where(table.index > 5, -9999))


def odd_names(table: pd.DataFrame) -> pd.DataFrame:
    return table.rename(columns={"a": 'a b,"c"', "b": "[x]{y}: #é", "c": "`q` 'r' \\"}).assign(
        numeric=table["a"] * 2, text=table["c"] + "t"
    )


def words(table: pd.DataFrame) -> pd.DataFrame:
    rng, n = np.random.default_rng(4), len(table)
    some = ["red", "blue", "good", "bad", "cat", "dog", "sun", "moon"]
    texts = [" ".join(rng.choice(some, 7)) for _ in range(n)]
    chinese = ["".join(rng.choice(list("天地玄黄宇宙洪荒日月"), 50)) for _ in range(n)]
    return pd.DataFrame({"t": texts, "other": chinese, "y": ["good" in one for one in texts]})


@pytest.mark.parametrize("change", [messy_numbers, messy_dates, messy_levels, useless, odd_values, odd_names, words])
def test_a_run_can_use_the_draft(make: Make, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    drafted = make(change(people()), change(people(100, seed=1)).drop(columns="y"))
    views = [line for line in planned(drafted) if line.startswith("view ")]
    assert len(views) == 3 and drafted.n_rows == 200


def test_a_whole_run(make: Make, foldwise: Callable[..., Any]) -> None:
    tables = [messy_levels(messy_dates(people(n, seed))) for n, seed in ((120, 0), (40, 1))]
    make(tables[0], tables[1].drop(columns="y"))
    assert foldwise("run", "new").code == 0
    assert len(pd.read_csv("runs/new/submission.csv")) == 40


@pytest.mark.parametrize(
    ("change", "roles"),
    [
        (messy_numbers, {"price": Role.NUMBER, "weight": Role.NUMBER, "share": Role.NUMBER, "word": Role.NUMBER}),
        (messy_dates, dict.fromkeys(["dots", "hours", "number", "words", "basic"], Role.DATE)),
        (
            messy_levels,
            {"age": Role.ORDERED, "size": Role.ORDERED, "many": Role.MANY, "key": Role.KEY, "code": Role.CODE, "flag": Role.FLAG},
        ),
        (useless, {"id": Role.ID, "uuid": Role.SERIAL, "const": Role.CONSTANT, "empty": Role.EMPTY, "copy": Role.COPY}),
        (odd_values, {"truth": Role.FLAG, "endless": Role.NUMBER, "left": Role.NUMBER}),
        (words, {"t": Role.TEXT, "other": Role.TEXT}),
    ],
)
def test_roles(make: Make, change: Callable[[pd.DataFrame], pd.DataFrame], roles: dict[str, Role]) -> None:
    found = {column.name: column.role for column in make(change(people())).columns}
    assert {name: found[name] for name in roles} == roles


def test_words_for_missing_and_separators(make: Make) -> None:
    drafted = make(messy_numbers(people()))
    spec = spec_of(drafted)
    assert spec.data.missing[-1] == "?" and "thousands separators of column 'price'" in drafted.notes[0]
    assert pd.read_csv("data/new/train.csv")["price"].dtype == np.float64
    assert [part.name for part in spec.clean].count("regex_extract") == 2


@pytest.mark.parametrize(
    ("y", "metric", "found"),
    [
        ([0, 1], None, ("binary", "roc_auc", "none")),
        (["no", "yes"], "f1", ("binary", "f1", "none")),
        ([*["a"] * 60, "b"], None, ("binary", "average_precision", "none")),
        (["a", *["b"] * 60], None, ("binary", "roc_auc", "none")),
        ([*[0] * 60, 1], None, ("binary", "average_precision", "none")),
        (["a", "b", "c"], None, ("multiclass", "log_loss", "none")),
        ([1, 2, 3, 4, 5], None, ("multiclass", "log_loss", "none")),
        ([1, 2, 3, 4, 5], "rmse", ("regression", "rmse", "none")),
        ([0.5, 1.5, 2.5], None, ("regression", "rmse", "none")),
        (range(183), None, ("regression", "rmse", "none")),
        (range(61), "rmsle", ("regression", "rmsle", "log1p")),
    ],
)
def test_task_and_metric(make: Make, y: Any, metric: str | None, found: tuple[str, str, str]) -> None:
    values = pd.Series(np.resize(np.array(y, dtype=object), 610)).infer_objects()
    goal = make(people(610).assign(y=values), metric=metric).goal
    assert (goal.task, goal.metric, goal.transform) == found


@pytest.mark.parametrize(
    ("levels", "metric", "combined"),
    [
        (["no", "yes"], None, "blend"),
        (["no", "yes"], "accuracy", "log_pool"),
        (["no", "yes"], "log_loss", "log_pool"),
        (["no", "yes"], "brier", "blend"),
        (["a", "b", "c"], None, "log_pool"),
        (["a", "b", "c"], "roc_auc", "blend"),
        ([0.5, 1.5, 2.5], None, "blend"),
    ],
)
def test_models_are_combined_by_the_log_loss_where_classes_are_judged(make: Make, levels: Any, metric: str | None, combined: str) -> None:
    drafted = make(people(610).assign(y=np.resize(np.array(levels, dtype=object), 610)), metric=metric)
    assert spec_of(drafted).ensemble["final"].name == combined


def in_time(n: int = 400) -> pd.DataFrame:
    days = pd.Series(pd.Timestamp("2019-01-01") + pd.to_timedelta(np.arange(n), unit="D"))
    return people(n).assign(when=days.dt.strftime("%d/%m/%Y"), step=np.arange(n) // 4, patient=[f"p{one}" for one in np.arange(n) // 6])


@pytest.mark.parametrize(
    ("asked", "columns", "splitter", "params"),
    [
        ({}, ["when"], "rolling", {"column": "when", "days": 60, "windows": 3}),
        ({"time": "when"}, ["when"], "rolling", {"column": "when", "days": 60, "windows": 3}),
        ({"time": "step"}, ["step"], "forward", {"column": "step", "blocks": 6}),
        ({"group": "patient"}, ["when", "patient"], "group", {"column": "patient", "folds": 8, "seed": 0}),
        ({}, ["patient"], "group", {"column": "patient", "folds": 8, "seed": 0}),
        (
            {"time": "when", "group": "patient"},
            ["when", "patient"],
            "group_time",
            {"column": "when", "days": 60, "windows": 3, "group": "patient"},
        ),
        ({}, [], "stratified", {"folds": 8, "seed": 0}),
    ],
)
def test_folds_stand_as_test_stands_to_train(
    make: Make, asked: dict[str, str], columns: list[str], splitter: str, params: dict[str, Any]
) -> None:
    table = in_time()[["a", "b", "c", "y", *columns]]
    is_test = np.arange(400) >= 340 if "when" in columns or "step" in columns else np.arange(400) // 6 % 5 == 0
    drafted = make(table[~is_test], table[is_test].drop(columns="y"), **asked)
    assert (drafted.partition.splitter, drafted.partition.params) == (splitter, params)
    planned(drafted)
    assert spec_of(drafted).refit == ("all" if drafted.partition.time else "none")


def test_classes_with_few_rows_are_fitted_on_and_not_scored(make: Make) -> None:
    y = np.resize(np.array(list("abc")), 200).astype(object)
    y[0], y[1:4] = "o'dd", "few"
    drafted = make(people().assign(y=y))
    assert spec_of(drafted).rows.fit_only == ["`y` == 'few'", '`y` == "o\'dd"']
    planned(drafted)


@pytest.mark.parametrize(("n", "folds"), [(12, 5), (20, 5), (60, 8)])
def test_few_rows_have_fewer_folds(make: Make, n: int, folds: int) -> None:
    drafted = make(people(n).assign(y=[0, 1] * (n // 2)))
    planned(drafted)
    assert drafted.partition.params["folds"] == folds


def test_rows_without_a_target_are_left_out(make: Make) -> None:
    table = people().assign(y=lambda table: table["y"].astype(float).mask(table.index < 21))
    drafted = make(table)
    assert drafted.n_rows == 179 and "21 rows without a target" in drafted.notes[0]
    planned(drafted)


@pytest.mark.parametrize(
    ("change", "warning"),
    [
        (lambda table: table.assign(leak=table["y"] * 3.0 + 1), "column 'leak' by itself explains 100.0% of 'y'"),
        (lambda table: pd.concat([table, table.head(50)]), "of the rows repeat another one"),
        (lambda table: table.sort_values("y").assign(id=range(len(table))), "'id' only numbers the rows, yet tells"),
        (lambda table: table.assign(y=np.arange(len(table)) % 40 == 0), "are out of balance"),
    ],
)
def test_warnings(make: Make, change: Callable[[pd.DataFrame], pd.DataFrame], warning: str) -> None:
    drafted = make(change(people(400)))
    assert warning in " ".join(drafted.warnings)
    assert warning[:30] in drafted.path.read_text(encoding="utf-8").replace("\n#   ", " ")


def test_warnings_of_train_and_test(make: Make) -> None:
    test = people(300, seed=1).drop(columns=["y", "c"]).assign(a=lambda table: table["a"] + 3, new=1)
    drafted = make(people(300).assign(d=1.5 * np.arange(300)), test.assign(d=np.nan))
    found = " ".join(drafted.warnings)
    assert "column(s) 'd': empty in the test file" in found and spec_of(drafted).clean[0].params["columns"] == ["d"]
    assert "column(s) 'c': not in the test file" in found and "'new' of the test file" in found
    assert "tells test rows from train rows (AUC 0.9" in found and "mostly by 'a'" in found


PLAIN = people().to_csv(index=False)


@pytest.mark.parametrize(
    ("name", "content", "note"),
    [
        (
            "t.csv",
            people().to_csv(index=False, sep=";", decimal=",").encode(),
            "semicolons as separators; the decimal commas of column 'a'",
        ),
        ("t.tsv", people().to_csv(index=False, sep="\t").encode("utf-16"), "encoding utf-16; its tabs"),
        ("t.csv", people().to_csv(index=False, sep="|").encode("utf-16-le"), "encoding utf-16-le; its bars"),
        ("t.csv", PLAIN.replace("x", "é").encode("latin-1"), "encoding cp1252"),
        ("t.csv", b"\xef\xbb\xbf" + PLAIN.encode(), "encoding utf-8-sig"),
        ("t.csv.gz", gzip.compress(PLAIN.encode()), "gzip compression"),
        ("t.csv", PLAIN.replace("a,b", "b,b").encode(), "repeated column name(s) 'b'"),
    ],
)
def test_any_usual_file(tmp_path: Path, name: str, content: bytes, note: str) -> None:
    (tmp_path / name).write_bytes(content)
    drafted = draft("new", Asked(tmp_path / name, "y"), root=tmp_path, portfolio=few_models)
    assert note in drafted.notes[0] and list(tmp_path.glob("data/new/*")) == [tmp_path / "data/new/t.csv"]
    table = pd.read_csv(tmp_path / "data/new/t.csv")
    assert table.shape == (200, 4) and pd.api.types.is_numeric_dtype(table.iloc[:, 0].dtype) and spec_of(drafted).data.train == "t.csv"


def test_zip_and_columnar_files(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        archive.writestr("inside/t.csv", PLAIN)
    table = people().astype({"b": "Int64", "c": "category"})
    table.loc[3, "b"] = pd.NA
    table.to_parquet(tmp_path / "t.parquet")
    people().to_feather(tmp_path / "t.feather")
    for name in ("t.zip", "t.parquet", "t.feather"):
        drafted = draft(f"of_{name[2:]}", Asked(tmp_path / name, "y"), root=tmp_path, portfolio=few_models)
        assert [column.role for column in drafted.columns] == [Role.NUMBER, Role.NUMBER, Role.FEW]


def test_a_plain_file_is_linked_and_a_folder_keeps_its_files(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(PLAIN, encoding="utf-8")
    draft("new", Asked(tmp_path / "t.csv", "y"), root=tmp_path, portfolio=few_models)
    assert (tmp_path / "data/new/t.csv").samefile(tmp_path / "t.csv")
    drafted = draft(str(tmp_path), Asked(tmp_path / "t.csv", "y"), portfolio=few_models)
    assert drafted.path == tmp_path / "pipeline.yaml" and spec_of(drafted).data.train == "t.csv"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["competitions", "data", "pipeline.yaml", "t.csv"]


def test_the_same_file_gives_the_same_draft(make: Make) -> None:
    texts = [
        make(messy_levels(people()), name=name).path.read_text(encoding="utf-8").replace(name, "NAME")
        for name in ("first_one", "other_one")
    ]
    assert texts[0] == texts[1]


def test_the_default_portfolio(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(PLAIN, encoding="utf-8")
    drafted = draft("new", Asked(tmp_path / "t.csv", "y"), root=tmp_path)
    assert {declared["view"] for declared in drafted.models.values()} <= {"linear", "scaled", "trees", "native"}
    assert list(spec_of(drafted).models) == list(drafted.models) and spec_of(drafted).final == "final"
