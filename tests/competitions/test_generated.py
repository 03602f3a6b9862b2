"""What all generated samples have in common: the same bytes for the same seed, the size asked for, and the schema of the real files."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from features.errors import InputError

ROOT = Path(__file__).parents[2]
REAL = Path(os.environ.get("FOLDWISE_DATA") or ROOT.parent / "shared" / "data")
CLICKS = (
    *("hour", "C1", "banner_pos", "site_id", "site_domain", "site_category", "app_id", "app_domain", "app_category", "device_id"),
    *("device_ip", "device_model", "device_type", "device_conn_type", "C14", "C15", "C16", "C17", "C18", "C19", "C20", "C21"),
)
DAY = ("DayOfWeek", "Date")
HEADERS = {
    "credit_fraud": {"creditcard.csv": ("Time", *(f"V{number}" for number in range(1, 29)), "Amount", "Class")},
    "ad_click": {"train.csv": ("id", "click", *CLICKS), "test.csv": ("id", *CLICKS), "holdout.csv": ("id", "click")},
    "app_install": {
        "train.csv": ("click_id", "ip", "app", "device", "os", "channel", "click_time", "attributed_time", "is_attributed"),
        "test.csv": ("click_id", "ip", "app", "device", "os", "channel", "click_time"),
        "holdout.csv": ("click_id", "is_attributed"),
    },
    "store_sales": {
        "train.csv": ("Store", *DAY, "Sales", "Customers", "Open", "Promo", "StateHoliday", "SchoolHoliday"),
        "test.csv": ("Id", "Store", *DAY, "Open", "Promo", "StateHoliday", "SchoolHoliday"),
        "holdout.csv": ("Id", "Sales"),
        "store.csv": (
            *("Store", "StoreType", "Assortment", "CompetitionDistance", "CompetitionOpenSinceMonth", "CompetitionOpenSinceYear"),
            *("Promo2", "Promo2SinceWeek", "Promo2SinceYear", "PromoInterval"),
        ),
        "store_states.csv": ("Store", "State"),
    },
}
FIRST = {name: next(iter(files)) for name, files in HEADERS.items()}
DEFAULT_ROWS = {"credit_fraud": 30_000, "ad_click": 60_000, "app_install": 75_000, "store_sales": 43_528}
FEWEST = {"credit_fraud": 100, "ad_click": 10, "app_install": 10, "store_sales": 20}


def written(name: str, folder: Path, **arguments: Any) -> dict[str, bytes]:
    """The bytes of each file of a competition's sample."""
    folder.mkdir()
    importlib.import_module(f"competitions.{name}.sample").write(folder, **arguments)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def n_lines(content: bytes) -> int:
    return content.count(b"\n") - 1


@pytest.mark.parametrize("name", HEADERS)
def test_same_arguments_give_the_same_bytes_and_another_seed_others(name: str, tmp_path: Path) -> None:
    first, again, other = (written(name, tmp_path / f"{number}", rows=2_000, seed=seed) for number, seed in enumerate((3, 3, 4)))
    assert first == again
    assert all(first[file] != other[file] for file in HEADERS[name] if file != "holdout.csv")


@pytest.mark.parametrize("name", HEADERS)
def test_default_size_and_headers(name: str, tmp_path: Path) -> None:
    files = written(name, tmp_path / name)
    assert n_lines(files[FIRST[name]]) == DEFAULT_ROWS[name]
    assert {
        file: tuple(content.split(b"\n", 1)[0].decode().split(",")) for file, content in files.items() if file.endswith("csv")
    } == HEADERS[name]
    assert not any(b"\r" in content or b'""' in content for content in files.values())
    if "test.csv" in files:
        assert n_lines(files["test.csv"]) == n_lines(files["holdout.csv"])


@pytest.mark.parametrize(("name", "rows"), [(name, rows) for name, fewest in FEWEST.items() for rows in (fewest, 1_357)])
def test_rows_sets_the_number_of_training_rows(name: str, rows: int, tmp_path: Path) -> None:
    assert n_lines(written(name, tmp_path / name, rows=rows)[FIRST[name]]) == rows


@pytest.mark.parametrize("name", HEADERS)
@pytest.mark.parametrize("rows", [0, -5, None])
def test_too_few_rows_are_refused(name: str, rows: int | None, tmp_path: Path) -> None:
    rows = FEWEST[name] - 1 if rows is None else rows
    with pytest.raises(InputError, match=rf"needs {FEWEST[name]} .*rows or more; found rows={rows}\. Ask for more"):
        written(name, tmp_path / name, rows=rows)


def test_test_rows_follow_the_training_rows_by_id(tmp_path: Path) -> None:
    written("app_install", tmp_path / "a", rows=900)
    train, test, holdout = (pd.read_csv(tmp_path / "a" / f"{part}.csv") for part in ("train", "test", "holdout"))
    assert [*train["click_id"], *test["click_id"]] == list(range(1_200))
    assert holdout["click_id"].equals(test["click_id"])


@pytest.mark.real_data
@pytest.mark.parametrize(("name", "file"), [(name, file) for name, files in HEADERS.items() for file in files if file != "holdout.csv"])
def test_header_and_types_are_those_of_the_real_file(name: str, file: str, tmp_path: Path) -> None:
    real = REAL / name / file
    if not real.exists():
        pytest.skip(f"real file {real} is not here; set FOLDWISE_DATA to the folder that holds {name}/{file}")
    written(name, tmp_path / name)
    ours, theirs = (pd.read_csv(path, low_memory=False) for path in (tmp_path / name / file, real))
    assert ours.dtypes.to_dict() == theirs.dtypes.to_dict()
    assert set(ours.columns[ours.isna().any()]) == set(theirs.columns[theirs.isna().any()])
