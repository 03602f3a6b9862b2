"""The sample files of the competitions: the same bytes for the same seed, Kaggle's schema, and the traps of the real files."""

from __future__ import annotations

import importlib
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from competitions.house_prices import sample as house_prices
from competitions.titanic import sample as titanic
from features.errors import InputError

NAMES = ("house_prices", "titanic")
ROOT = Path(__file__).parents[2]
REAL = Path(os.environ.get("FOLDWISE_DATA") or ROOT.parent / "shared" / "data")
FILES = {
    "house_prices": {"train.csv": 1460, "test.csv": 1459, "sample_submission.csv": 1459},
    "titanic": {"train.csv": 891, "test.csv": 418, "gender_submission.csv": 418, "holdout.csv": 418},
}
TITANIC_COLUMNS = ["PassengerId", "Survived", "Pclass", "Name", "Sex", "Age", "SibSp", "Parch", "Ticket", "Fare", "Cabin", "Embarked"]
MISSING_IN_TEST_ONLY = {
    *("MSZoning", "Utilities", "Functional", "KitchenQual", "SaleType", "Exterior1st", "Exterior2nd", "GarageCars", "GarageArea"),
    *("BsmtFinSF1", "BsmtFinSF2", "BsmtUnfSF", "TotalBsmtSF", "BsmtFullBath", "BsmtHalfBath"),
}


def written(name: str, folder: Path, **arguments: int) -> dict[str, bytes]:
    """The bytes of each file of a competition's sample."""
    folder.mkdir()
    importlib.import_module(f"competitions.{name}.sample").write(folder, **arguments)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def real_file(name: str, file: str) -> Path:
    path = REAL / name / file
    if not path.exists():
        pytest.skip(f"real file {path} is not here; set FOLDWISE_DATA to the folder that holds {name}/{file}")
    return path


def read_houses(path: Path) -> pd.DataFrame:
    """A House Prices file, in which only ``NA`` is missing: ``None`` is a level of MasVnrType."""
    return pd.read_csv(path, keep_default_na=False, na_values=["NA"])


@pytest.fixture(scope="module")
def houses(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pd.DataFrame]:
    folder = tmp_path_factory.mktemp("houses")
    house_prices.write(folder)
    return {path.stem: read_houses(path) for path in folder.iterdir()}


@pytest.fixture(scope="module")
def passengers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pd.DataFrame]:
    folder = tmp_path_factory.mktemp("passengers")
    titanic.write(folder)
    return {path.stem: pd.read_csv(path) for path in folder.iterdir()}


@pytest.mark.parametrize("name", NAMES)
def test_same_arguments_give_the_same_bytes(name: str, tmp_path: Path) -> None:
    assert written(name, tmp_path / "a", seed=3, rows=200) == written(name, tmp_path / "b", seed=3, rows=200)


def test_seeds_give_other_houses_and_the_same_passengers(tmp_path: Path) -> None:
    first, second = (written("house_prices", tmp_path / f"h{seed}", rows=50, seed=seed) for seed in (0, 1))
    assert first["train.csv"] != second["train.csv"]
    assert written("titanic", tmp_path / "t0") == written("titanic", tmp_path / "t1", seed=1)


@pytest.mark.parametrize("name", NAMES)
def test_files_have_the_sizes_of_kaggle(name: str, tmp_path: Path) -> None:
    files = written(name, tmp_path / name)
    assert {file: content.count(b"\n") - 1 for file, content in files.items()} == FILES[name]
    assert not any(b"\r" in content for content in files.values())


@pytest.mark.parametrize(("name", "rows"), [("house_prices", 2), ("house_prices", 60), ("titanic", 1), ("titanic", 60)])
def test_rows_limits_the_training_rows(name: str, rows: int, tmp_path: Path) -> None:
    assert written(name, tmp_path / name, rows=rows)["train.csv"].count(b"\n") == rows + 1


@pytest.mark.parametrize(("name", "rows"), [("house_prices", 1), ("titanic", 0), ("titanic", 892)])
def test_impossible_rows_are_refused(name: str, rows: int, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=rf"found rows={rows}\. Ask for"):
        written(name, tmp_path / name, rows=rows)


@pytest.mark.real_data
@pytest.mark.parametrize(("name", "file"), [(name, file) for name in NAMES for file in FILES[name] if file != "holdout.csv"])
def test_header_and_ids_are_those_of_the_real_file(name: str, file: str, tmp_path: Path) -> None:
    written(name, tmp_path / name)
    ours, real = pd.read_csv(tmp_path / name / file), pd.read_csv(real_file(name, file))
    assert list(ours) == list(real)
    assert ours.iloc[:, 0].tolist() == real.iloc[:, 0].tolist()


@pytest.mark.real_data
def test_house_types_and_levels_are_those_of_the_real_files(houses: dict[str, pd.DataFrame]) -> None:
    real = {part: read_houses(real_file("house_prices", f"{part}.csv")) for part in ("train", "test")}
    for part, table in real.items():
        assert houses[part].dtypes.to_dict() == table.dtypes.to_dict()
    for column in real["test"].select_dtypes("str"):
        known = {level for table in real.values() for level in table[column].dropna()}
        assert {level for part in real for level in houses[part][column].dropna()} <= known, column


@pytest.mark.real_data
def test_no_house_is_a_real_one(houses: dict[str, pd.DataFrame]) -> None:
    real = pd.concat([read_houses(real_file("house_prices", f"{part}.csv")) for part in ("train", "test")])
    ours = pd.concat([houses["train"], houses["test"]])
    assert ours.merge(real, on=["LotArea", "GrLivArea", "TotalBsmtSF", "YearBuilt"]).empty


def test_houses_have_unique_ids_that_say_nothing_of_the_price(houses: dict[str, pd.DataFrame]) -> None:
    train, test = houses["train"], houses["test"]
    assert [*train["Id"], *test["Id"]] == list(range(1, 2920))
    assert test["Id"].equals(houses["sample_submission"]["Id"])
    assert abs(train["Id"].corr(train["SalePrice"], method="spearman")) < 0.06


def test_house_columns(houses: dict[str, pd.DataFrame]) -> None:
    train, test = houses["train"], houses["test"]
    assert train.shape[1] == 81 and [*test, "SalePrice"] == list(train)
    assert list(houses["sample_submission"]) == ["Id", "SalePrice"]
    assert pd.api.types.is_integer_dtype(train["MSSubClass"])
    assert set(train["MasVnrType"].dropna()) == {"None", "BrkFace", "BrkCmn", "Stone"}


def test_missing_cells_of_houses(houses: dict[str, pd.DataFrame]) -> None:
    train, test = houses["train"], houses["test"]
    share = train.isna().mean()
    assert share["PoolQC"] > 0.98
    assert 0.9 < share["Alley"] < 0.96
    assert 0.12 < share["LotFrontage"] < 0.22
    assert 0.4 < share["FireplaceQu"] < 0.6
    assert train["MasVnrType"].isna().sum() == 8
    assert train["Electrical"].isna().sum() == 1
    assert {column for column in test if test[column].isna().any() and train[column].notna().all()} == MISSING_IN_TEST_ONLY


def test_basements_and_garages_are_absent_as_a_whole(houses: dict[str, pd.DataFrame]) -> None:
    train = houses["train"]
    no_basement, no_garage = train["TotalBsmtSF"] == 0, train["GarageType"].isna()
    for column in ("BsmtQual", "BsmtCond", "BsmtFinType1", "BsmtFinType2"):
        assert train[column].isna().equals(no_basement)
    for column in ("GarageYrBlt", "GarageFinish", "GarageQual", "GarageCond"):
        assert train[column].isna().equals(no_garage)
    assert (train["GarageArea"] == 0).equals(no_garage)
    assert (train["BsmtExposure"].isna() & ~no_basement).sum() == 1
    assert 0.01 < no_basement.mean() < 0.045
    assert 0.03 < no_garage.mean() < 0.08


def test_areas_add_up_and_years_are_in_order(houses: dict[str, pd.DataFrame]) -> None:
    train, test = houses["train"], houses["test"]
    both = pd.concat([train, test])
    basement = both["BsmtFinSF1"] + both["BsmtFinSF2"] + both["BsmtUnfSF"]
    assert basement.equals(both["TotalBsmtSF"])
    assert (both["1stFlrSF"] + both["2ndFlrSF"] + both["LowQualFinSF"]).equals(both["GrLivArea"])
    assert both.drop(columns="SalePrice").select_dtypes("number").min().min() >= 0
    assert ((train["YearBuilt"] <= train["YearRemodAdd"].clip(lower=1950)) & (train["YearRemodAdd"] <= train["YrSold"])).all()
    assert (test["YearBuilt"] > test["YrSold"]).sum() == 1


@pytest.mark.parametrize("seed", range(5))
def test_traps_of_the_houses(seed: int, tmp_path: Path) -> None:
    house_prices.write(tmp_path, seed=seed)
    train, test = (read_houses(tmp_path / f"{part}.csv") for part in ("train", "test"))
    assert ((train["GrLivArea"] > 4000) & (train["SalePrice"] < 300_000)).sum() == 2
    assert 150 in set(test["MSSubClass"]) - set(train["MSSubClass"])
    assert set(train["Utilities"]) == {"AllPub", "NoSeWa"} and set(test["Utilities"].dropna()) == {"AllPub"}
    assert test["GarageYrBlt"].max() == 2207 and train["GarageYrBlt"].max() <= 2010


def test_the_price_can_be_learnt(houses: dict[str, pd.DataFrame]) -> None:
    train = houses["train"].query("GrLivArea < 4000")
    y = np.log1p(train["SalePrice"])
    A = np.column_stack(
        [
            pd.get_dummies(train["Neighborhood"], dtype=float),
            train[["OverallQual", "OverallCond", "YearBuilt", "TotalBsmtSF"]],
            np.log(train["GrLivArea"]),
        ]
    )
    residual = y - A @ np.linalg.lstsq(A, y)[0]
    assert 0.3 < y.std() < 0.5
    assert 0.11 < residual.std() < 0.15


def test_passengers_are_split_once_and_completely(passengers: dict[str, pd.DataFrame]) -> None:
    train, test, holdout = (passengers[name] for name in ("train", "test", "holdout"))
    assert [*train["PassengerId"], *test["PassengerId"]] == list(range(1, 1310))
    everyone = pd.concat([train, test])
    assert not everyone.duplicated(["Name", "Ticket"]).any()
    source = pd.read_csv(titanic.SOURCE)
    assert sorted(everyone["Name"]) == sorted(source["name"])
    labelled = pd.concat([train, test.merge(holdout, on="PassengerId", validate="one_to_one")])
    assert labelled["Survived"].sum() == source["survived"].sum() == 500
    matched = labelled.merge(source, left_on=["Name", "Ticket"], right_on=["name", "ticket"], validate="one_to_one")
    assert matched["Survived"].equals(matched["survived"])


def test_passenger_columns_and_missing_cells(passengers: dict[str, pd.DataFrame]) -> None:
    train, test = passengers["train"], passengers["test"]
    assert list(train) == TITANIC_COLUMNS
    assert list(test) == [column for column in TITANIC_COLUMNS if column != "Survived"]
    assert all(list(passengers[name]) == ["PassengerId", "Survived"] for name in ("holdout", "gender_submission"))
    missing = pd.concat([train, test]).drop(columns="Survived").isna().sum()
    assert missing[missing > 0].to_dict() == {"Age": 263, "Fare": 1, "Cabin": 1014, "Embarked": 2}
    assert passengers["gender_submission"]["Survived"].equals((test["Sex"] == "female").astype("int64"))


def test_passenger_ids_say_nothing_of_the_outcome(passengers: dict[str, pd.DataFrame]) -> None:
    train = passengers["train"]
    for column in ("Survived", "Pclass"):
        assert abs(train["PassengerId"].corr(train[column], method="spearman")) < 0.07
    assert abs(train["Survived"].mean() - passengers["holdout"]["Survived"].mean()) < 0.05
