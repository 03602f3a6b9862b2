"""What is said of rows that do not fit, what is let pass, and that an output appears whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from features.errors import InputError
from pipelines.serve.files import read_rows
from pipelines.serve.predictor import Predictor
from pipelines.serve.types import as_met, as_type, type_of


@pytest.fixture
def new(ran: Any, tmp_path: Path) -> Callable[[Callable[[pd.DataFrame], pd.DataFrame]], Path]:
    """Writes changed test rows into a file."""

    def write(change: Callable[[pd.DataFrame], pd.DataFrame]) -> Path:
        change(pd.read_csv(ran.folder / "test.csv")).to_csv(tmp_path / "new.csv", index=False)
        return tmp_path / "new.csv"

    return write


def predicted(foldwise: Callable[..., Any], ran: Any, *more: Any, output: str = "out.csv", source: str = "new.csv") -> Any:
    """What the command says."""
    return foldwise("predict", ran.folder, "--runs", ran.runs, "--input", source, "--output", output, *more)


WRONG: dict[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], str]] = {
    "missing column": (
        lambda rows: rows.drop(columns=["area", "rooms"]),
        "new.csv lacks column(s) 'area', 'rooms', which the features are made from",
    ),
    "close name": (lambda rows: rows.rename(columns={"area": "Area"}), "Closest: 'Area'."),
    "text for a number": (
        lambda rows: rows.assign(rooms=rows["rooms"].astype("object").where(rows.index != 3, "many")),
        "Column 'rooms' holds numbers in the run's tables; found 'many' in row 3 (1 such value(s)).",
    ),
    "no rows": (lambda rows: rows.iloc[:0], "has a header but no rows"),
    "column twice": (lambda rows: pd.concat([rows, rows[["area"]]], axis=1), "has column(s) 'area' more than once"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_rows(name: str, ran: Any, new: Callable[..., Path], foldwise: Callable[..., Any], tmp_path: Path) -> None:
    change, message = WRONG[name]
    new(change)
    said = predicted(foldwise, ran)
    assert said.code == 2 and message in said.err and said.err.count("\n") == 1
    assert not (tmp_path / "out.csv").exists()


def test_columns_beyond_those_needed(ran: Any, new: Callable[..., Path], foldwise: Callable[..., Any]) -> None:
    new(lambda rows: rows)
    assert predicted(foldwise, ran, output="plain.csv").err == ""
    new(lambda rows: rows[rows.columns[::-1]].assign(price=0, colour="red", floor=2))
    said = predicted(foldwise, ran)
    assert said.code == 0
    assert said.err == "note: new.csv: ignored, because the features are not made from them: 'colour', 'floor'\n"
    assert Path("out.csv").read_bytes() == Path("plain.csv").read_bytes()


def test_without_ids(ran: Any, new: Callable[..., Path], foldwise: Callable[..., Any]) -> None:
    new(lambda rows: rows)
    predicted(foldwise, ran, output="plain.csv")
    new(lambda rows: rows.drop(columns="Id"))
    said = predicted(foldwise, ran)
    assert "there is no id column 'Id': predictions are in the order of the rows" in said.err
    pd.testing.assert_frame_equal(pd.read_csv("out.csv"), pd.read_csv("plain.csv").drop(columns="Id"), check_exact=True)


def test_parquet_in_and_out(ran: Any, new: Callable[..., Path], foldwise: Callable[..., Any]) -> None:
    pd.read_csv(new(lambda rows: rows)).to_parquet("new.parquet")
    predicted(foldwise, ran)
    assert predicted(foldwise, ran, source="new.parquet", output="out.parquet").code == 0
    pd.testing.assert_frame_equal(pd.read_parquet("out.parquet"), pd.read_csv("out.csv"), check_exact=True)


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("nowhere/out.csv", "--output nowhere/out.csv: there is no folder nowhere. Make it, or name another file."),
        (".", "--output . is a folder."),
        ("new.csv", "--output new.csv is the input; its rows would be lost."),
    ],
)
def test_wrong_outputs(output: str, message: str, ran: Any, new: Callable[..., Path], foldwise: Callable[..., Any]) -> None:
    new(lambda rows: rows)
    said = predicted(foldwise, ran, output=output)
    assert said.code == 2 and message in said.err


def test_no_input_file(ran: Any, foldwise: Callable[..., Any]) -> None:
    said = predicted(foldwise, ran, source="absent.csv")
    assert said.code == 2 and "File absent.csv is missing" in said.err


def test_never_run(tiny: Any, foldwise: Callable[..., Any]) -> None:
    said = foldwise("predict", tiny.folder, "--input", "new.csv", "--output", "out.csv")
    assert said.code == 2
    assert f"'{tiny.folder}' has no finished run in runs. Run it first: foldwise run {tiny.folder} --runs runs" in said.err


def test_a_run_of_before(ran: Any, foldwise: Callable[..., Any]) -> None:
    (ran.latest / "serving.json").unlink()
    said = predicted(foldwise, ran)
    assert said.code == 2 and "was made before runs kept what predictions need" in said.err


def test_a_run_of_another_format(ran: Any, foldwise: Callable[..., Any]) -> None:
    path = ran.latest / "serving.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), "format": 99}), encoding="utf-8")
    said = predicted(foldwise, ran)
    assert said.code == 2 and "was written by another version of Foldwise" in said.err


def test_a_run_without_its_artifacts(ran: Any, foldwise: Callable[..., Any]) -> None:
    (ran.latest / ".store").rename(ran.latest / "moved")
    said = predicted(foldwise, ran)
    assert said.code == 2 and "has no folder '.store' with the run's artifacts" in said.err


def test_a_step_that_cannot_take_a_row(run_tiny: Callable[..., Any]) -> None:
    tiny = run_tiny(
        "regression",
        ("clean:\n", "clean:\n  - cast: {columns: street, to: category}\n  - cast: {columns: built, to: date}\n"),
        ("{drop: [street]}", "{drop: [street, built]}"),
        change=lambda table: table.assign(built="2001-02-03"),
    )
    predictor = Predictor.read(tiny.latest)
    rows = read_rows(predictor.inputs, tiny.folder / "test.csv").assign(built="soon")
    with pytest.raises(InputError, match=r"Step 'cast' cannot transform these rows\. .*'soon'"):
        predictor.predict(rows)


def test_a_gap_that_a_model_cannot_take(run_tiny: Callable[..., Any]) -> None:
    tiny = run_tiny("regression")
    predictor = Predictor.read(tiny.latest)
    rows = read_rows(predictor.inputs, tiny.folder / "test.csv")
    with pytest.raises(InputError, match=r"Model 'ridge' cannot score these rows\. .*'rooms' \(1\)"):
        predictor.predict(rows.assign(rooms=rows["rooms"].where(rows.index > 0)))


@pytest.mark.parametrize(
    ("values", "wanted", "found"),
    [
        ([1.0, 2.0], "int64", [1, 2]),
        ([1.0, None], "int64", [1.0, np.nan]),
        ([1.5, 2.0], "int64", [1.5, 2.0]),
        ([1, 2], "float64", [1.0, 2.0]),
        (["1", "2.5"], "float64", [1.0, 2.5]),
        ([True, False], "float64", [1.0, 0.0]),
        ([7, 8], "str", ["7", "8"]),
        ([7.0, None], "str", ["7", np.nan]),
        ([1, "a"], "str", ["1", "a"]),
        ([None, None], "str", [np.nan, np.nan]),
        (["True", "false"], "bool", [True, False]),
        ([1.0, None], "bool", [1.0, np.nan]),
        (["2015-01-31"], "datetime64[us]", [pd.Timestamp("2015-01-31")]),
        (["a", "x"], {"levels": ["a", "b"]}, ["a", np.nan]),
    ],
)
def test_types(values: list[Any], wanted: Any, found: list[Any]) -> None:
    read = as_type(pd.Series(values, name="x"), wanted)
    pd.testing.assert_series_equal(read.astype("object"), pd.Series(found, name="x", dtype="object"), check_exact=True)


@pytest.mark.parametrize(
    ("value", "wanted", "what"), [("x", "int64", "numbers"), ("maybe", "bool", "true or false"), ("May", "datetime64[us]", "dates")]
)
def test_values_of_another_type(value: str, wanted: str, what: str) -> None:
    with pytest.raises(InputError, match=f"Column 'c' holds {what}.*; found '{value}' in row 1"):
        as_type(pd.Series([None, value], name="c"), wanted)


@pytest.mark.parametrize(
    "values", [pd.Series([1, 2]), pd.Series(["a", None]), pd.Series([True]), pd.Series([0.5]), pd.Series(["a"], dtype="category")]
)
def test_a_column_keeps_its_type(values: pd.Series) -> None:
    pd.testing.assert_series_equal(as_type(values, type_of(values)), values)


def test_written_columns_keep_the_types_of_the_run() -> None:
    table = pd.DataFrame({"a": [1, 2], "b": [True, False], "c": [np.nan, np.nan], "d": [0.5, 1.0], "e": [1.0, 2.0]})
    met = as_met(table, {"a": "float64", "b": "float64", "c": "str", "d": "int64", "e": "int64"})
    assert [str(dtype) for dtype in met.dtypes] == ["float64", "float64", "str", "float64", "int64"]
    assert as_met(met, {}) is met


def test_texts_that_look_like_numbers_keep_their_zeros(run_tiny: Callable[..., Any], tmp_path: Path) -> None:
    code = {"Elm": "007", "Oak": "x1", "Pine": "012"}
    tiny = run_tiny("regression", change=lambda table: table.assign(street=table["street"].map(code)))
    predictor = Predictor.read(tiny.latest)
    test = pd.read_csv(tiny.folder / "test.csv", dtype={"street": "str"})
    test[test["street"] == "007"].to_csv(tmp_path / "zeros.csv", index=False)
    rows = read_rows(predictor.inputs, tmp_path / "zeros.csv")
    assert set(rows["street"]) == {"007"}
    whole = predictor.predict(read_rows(predictor.inputs, tiny.folder / "test.csv")).set_index("Id")
    found = predictor.predict(rows).set_index("Id")
    np.testing.assert_allclose(found["price"], whole.loc[found.index, "price"], rtol=1e-12)
