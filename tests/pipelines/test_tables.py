"""Raw files to one table: types that agree, targets as codes, ids and roles, joins. Wrong files are in test_bad_input.py."""

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
from pipelines.spec import Spec
from pipelines.tables import Tables, read_tables

TEXT = """\
data: {train: train.csv, test: test.csv, id: Id, target: price}
task: regression
metric: rmse
split: kfold
models: {ridge: {ridge: {}}}
"""


def spec_with(folder: Path, text: str = TEXT, **data: Any) -> Spec:
    """A spec with other entries of ``data``."""
    (folder / "pipeline.yaml").write_text(text, encoding="utf-8")
    declaration = read_declaration(folder / "pipeline.yaml")
    declaration.data["data"].update(data)
    return build_spec(declaration)


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Tables]:
    """Reads tables of these texts."""

    def tables(train: str, test: str = "Id,a\n9,1\n", *, text: str = TEXT, rows: int | None = None, **data: Any) -> Tables:
        (tmp_path / "train.csv").write_text(train, encoding="utf-8")
        (tmp_path / "test.csv").write_text(test, encoding="utf-8")
        return read_tables(spec_with(tmp_path, text, **data), tmp_path, sample=rows)

    return tables


def test_train_stands_over_test(read: Callable[..., Tables]) -> None:
    tables = read("Id,a,b,price\n1,0.5,x,10\n2,,y,20\n", "b,a,Id\nz,7,9\n")
    assert (tables.n_train, tables.n_test) == (2, 1)
    assert list(tables.features) == ["a", "b"] and list(tables.features.index) == [0, 1, 2]
    assert tables.features["b"].tolist() == ["x", "y", "z"]
    assert tables.features["a"].tolist()[::2] == [0.5, 7.0] and tables.features["a"].isna().tolist() == [False, True, False]
    assert tables.y.tolist() == [10.0, 20.0] and tables.y.dtype == np.float64
    assert tables.ids.tolist() == [1, 2, 9] and tables.classes == [] and tables.notes == []


@pytest.mark.parametrize(
    ("first", "second", "dtype", "note"),
    [
        (["1", "2"], ["3"], "int64", False),
        (["1", "2"], ["3.5"], "float64", False),
        (["1", ""], ["3"], "float64", False),
        (["1", "2"], [""], "float64", False),
        (["", ""], ["3"], "float64", False),
        (["", ""], [""], "float64", False),
        (["x", "y"], ["z"], "str", False),
        (["x", ""], [""], "str", False),
        (["", ""], ["z"], "str", False),
        (["1", "2"], ["z"], "str", True),
        (["x", "2"], ["3"], "str", True),
        (["True", "False"], ["True"], "bool", False),
        (["2020-01-01", "2020-01-02"], ["2020-01-03"], "str", False),
    ],
)
def test_one_type_for_train_and_test(first: list[str], second: list[str], dtype: str, note: bool, read: Callable[..., Tables]) -> None:
    train = "Id,a,c,price\n" + "".join(f"{row},{value},1,{row}\n" for row, value in enumerate(first))
    test = "Id,a,c\n" + "".join(f"{row + 10},{value},1\n" for row, value in enumerate(second))
    tables = read(train, test)
    assert tables.features["a"].dtype == dtype
    assert tables.features["a"].isna().tolist() == [value == "" for value in [*first, *second]]
    assert [("is text in one file" in one) for one in tables.notes] == ([True] if note else [])


def test_spellings_of_missing(read: Callable[..., Tables]) -> None:
    train = "Id,a,price\n" + "".join(f"{row},{value},{row}\n" for row, value in enumerate(["None", "NA", "", "nan", "none", "N/A", "null"]))
    assert read(train, "Id,a\n9,x\n").features["a"].isna().tolist() == [False, True, True, True, False, True, True, False]
    assert read(train, "Id,a\n9,x\n", missing=["none"]).features["a"].isna().sum() == 1


def test_columns_of_one_file_are_left_out_and_told(read: Callable[..., Tables]) -> None:
    tables = read("Id,a,fold,price\n1,1,0,1\n2,1,1,2\n", "Id,a,extra\n9,1,5\n")
    assert list(tables.features) == ["a"]
    assert tables.notes == ["Left out, because test.csv lacks them: 'fold'.", "Left out, because train.csv lacks them: 'extra'."]
    assert tables.only_train["fold"].tolist() == [0, 1], "folds may be made from it"


@pytest.mark.parametrize(
    ("labels", "codes", "classes"),
    [
        (["yes", "no", "yes"], [1, 0, 1], ["no", "yes"]),
        (["1", "0", "1"], [1, 0, 1], [0, 1]),
        (["2", "1", "2"], [1, 0, 1], [1, 2]),
        (["True", "False", "True"], [1, 0, 1], [False, True]),
        (["0.5", "1.5", "0.5"], [0, 1, 0], [0.5, 1.5]),
    ],
)
def test_classes_are_sorted_plain_values(labels: list[str], codes: list[int], classes: list[Any], read: Callable[..., Tables]) -> None:
    text = TEXT.replace("regression", "binary").replace("rmse", "log_loss").replace("ridge: {ridge: {}}", "nb: {gaussian_nb: {}}")
    tables = read("Id,a,price\n" + "".join(f"{row},{row},{label}\n" for row, label in enumerate(labels)), text=text)
    assert tables.y.tolist() == codes
    assert tables.classes == classes
    assert [type(one) for one in tables.classes] == [type(one) for one in classes]


def test_without_an_id_rows_are_numbered(read: Callable[..., Tables]) -> None:
    tables = read("a,price\n1,1\n2,2\n", "a\n1\n", id=None)
    assert tables.ids.name == "row" and tables.ids.tolist() == [0, 1, 0]


def test_roles_see_raw_values_and_the_target(read: Callable[..., Tables]) -> None:
    text = TEXT + "rows: {fit_only: ['Id > 2'], not_in_fit: ['a > 4 and price < 15', 'a == 1'], not_scored: []}\n"
    tables = read("Id,a,price\n1,1,10\n2,5,10\n3,5,20\n4,,1\n", text=text)
    assert {key: mask.tolist() for key, mask in tables.roles.items()} == {
        "fit_only": [False, False, True, True],
        "not_in_fit": [True, True, False, False],
        "not_scored": [False] * 4,
    }


@pytest.mark.parametrize("sample", [1, 2, 5, 100])
def test_a_sample_is_the_same_each_time(sample: int, read: Callable[..., Tables]) -> None:
    train = "Id,a,price\n" + "".join(f"{row},{row * row},{row % 7}\n" for row in range(30))
    test = "Id,a\n" + "".join(f"{row},{row}\n" for row in range(50, 60))
    if sample == 1:
        with pytest.raises(InputError, match="in every row; there is nothing to learn"):
            read(train, test, rows=sample)
        return
    one, other = (read(train, test, rows=sample) for _ in range(2))
    pd.testing.assert_frame_equal(one.features, other.features)
    assert (one.n_train, one.n_test) == (min(sample, 30), min(sample, 10))
    assert one.features["a"].tolist()[: one.n_train] == [row * row for row in one.ids[: one.n_train]], "rows stay whole"
    assert one.ids[: one.n_train].is_monotonic_increasing


def test_train_is_sampled_by_hash_and_test_is_not(read: Callable[..., Tables]) -> None:
    train = "Id,a,price\n" + "".join(f"{row},{row % 10},{row}\n" for row in range(200))
    tables = read(train, "Id,a\n" + "".join(f"{row},{row % 10}\n" for row in range(200, 220)), sample={"rate": 0.5, "by": "a"})
    groups = tables.features["a"].iloc[: tables.n_train].unique()
    assert tables.n_train == 20 * len(groups) < 200 and tables.n_test == 20
    assert tables.notes == [f"train.csv: {tables.n_train} rows kept by hash, about 0.5 of all, whole groups of equal 'a'."]


def test_joins_keep_rows_and_order(read: Callable[..., Tables], tmp_path: Path) -> None:
    (tmp_path / "store.csv").write_text("store,size\n2,20\n1,10\n", encoding="utf-8")
    (tmp_path / "day.csv").write_text("store,day,open\n1,1,7\n", encoding="utf-8")
    joins = [{"file": "store.csv", "on": "store"}, {"file": "day.csv", "on": ["store", "day"]}]
    tables = read("Id,store,day,price\n1,2,1,5\n2,1,1,6\n3,3,1,7\n", "Id,store,day\n9,1,2\n", joins=joins)
    assert tables.ids.tolist() == [1, 2, 3, 9]
    assert tables.features["size"].tolist()[:2] == [20.0, 10.0] and tables.features["size"].isna().tolist() == [False, False, True, False]
    assert tables.features["open"].notna().tolist() == [False, True, False, False]


def test_a_join_that_test_cannot_make(read: Callable[..., Tables], tmp_path: Path) -> None:
    (tmp_path / "store.csv").write_text("store,size\n1,10\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"test\.csv lacks column 'store'; it has 'Id', 'a'"):
        read("Id,store,a,price\n1,1,1,5\n", joins=[{"file": "store.csv", "on": "store"}])


def test_parquet_is_read_too(tmp_path: Path) -> None:
    pd.DataFrame({"Id": [1, 2], "a": [1.5, None], "price": [3, 4]}).to_parquet(tmp_path / "train.parquet")
    tables = read_tables(spec_with(tmp_path, train="train.parquet", test=None), tmp_path)
    assert (tables.n_train, tables.n_test) == (2, 0) and tables.features["a"].tolist()[0] == 1.5


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=20, unique=True))
def test_numbers_are_read_to_the_last_bit(tmp_path_factory: pytest.TempPathFactory, numbers: list[float]) -> None:
    folder = tmp_path_factory.mktemp("numbers")
    pd.DataFrame({"Id": range(len(numbers)), "a": 1.0, "price": numbers}).to_csv(folder / "train.csv", index=False)
    if len(set(numbers)) < 2:
        return
    tables = read_tables(spec_with(folder, test=None), folder)
    np.testing.assert_array_equal(tables.y, np.array(numbers))
