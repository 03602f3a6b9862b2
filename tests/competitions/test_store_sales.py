"""The generated stores: the schema and gaps of the real files, the calendar, and sales that follow the stated model."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from competitions.store_sales.days import DATES, STATES, promotions, school_holidays, state_holidays
from competitions.store_sales.sample import write

OPENED = ["CompetitionOpenSinceMonth", "CompetitionOpenSinceYear"]
PROMO2 = ["Promo2SinceWeek", "Promo2SinceYear", "PromoInterval"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stores")
    write(folder)
    return folder


@pytest.fixture(scope="module")
def tables(folder: Path) -> dict[str, pd.DataFrame]:
    return {path.stem: pd.read_csv(path, low_memory=False) for path in folder.iterdir()}


@pytest.fixture(scope="module")
def sold(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The rows that are scored, with the columns of the stores."""
    train = tables["train"]
    return train[train["Sales"] > 0].merge(tables["store"], on="Store").merge(tables["store_states"], on="Store")


def test_types(tables: dict[str, pd.DataFrame]) -> None:
    train, test, store = tables["train"], tables["test"], tables["store"]
    assert set(train.select_dtypes("str")) == {"Date", "StateHoliday"}
    assert (train.drop(columns=["Date", "StateHoliday"]).dtypes == "int64").all()
    assert test["Open"].dtype == "float64" and (store[["CompetitionDistance", *OPENED, *PROMO2[:2]]].dtypes == "float64").all()


def test_state_holiday_mixes_numbers_and_text(folder: Path, tables: dict[str, pd.DataFrame]) -> None:
    """Read part by part, as pandas does with a large file, a part without a holiday is whole numbers; so is the whole test file."""
    kinds = {str(part["StateHoliday"].dtype) for part in pd.read_csv(folder / "train.csv", chunksize=2_000)}
    assert kinds == {"int64", "str"}
    assert set(tables["train"]["StateHoliday"]) == {"0", "a", "b", "c"}
    assert set(tables["test"]["StateHoliday"]) == {0}


def test_missing_cells_of_stores(tables: dict[str, pd.DataFrame]) -> None:
    store = tables["store"]
    assert store["CompetitionDistance"].isna().sum() == 1
    assert store[OPENED[0]].isna().equals(store[OPENED[1]].isna()) and 0.2 < store[OPENED[0]].isna().mean() < 0.45
    assert store[OPENED[0]][store["CompetitionDistance"].isna()].isna().all()
    assert all(store[column].isna().equals(store["Promo2"] == 0) for column in PROMO2)
    assert set(store["PromoInterval"].dropna()) <= {"Jan,Apr,Jul,Oct", "Feb,May,Aug,Nov", "Mar,Jun,Sept,Dec"}
    assert store["PromoInterval"].str.contains("Sept").any() and store["CompetitionOpenSinceYear"].min() == 1900
    assert not any(tables[name].isna().any().any() for name in ("train", "store_states", "holdout"))


def test_levels_and_ranges(tables: dict[str, pd.DataFrame]) -> None:
    train, store = tables["train"], tables["store"]
    assert set(store["StoreType"]) <= set("abcd") and "b" in set(store["StoreType"]) and set(store["Assortment"]) <= set("abc")
    assert set(tables["store_states"]["State"]) <= set(STATES)
    assert store["CompetitionDistance"].dropna().between(20, 75_860).all() and (store["CompetitionDistance"].dropna() % 10 == 0).all()
    assert 5_500 < train["Sales"][train["Sales"] > 0].mean() < 8_500 and train["Sales"].max() < 60_000
    assert (train["Customers"] <= train["Sales"]).all()


def test_rows_are_newest_first(tables: dict[str, pd.DataFrame]) -> None:
    train, test = tables["train"], tables["test"]
    for table in (train, test):
        assert table["Date"].is_monotonic_decreasing
        assert table.groupby("Date")["Store"].agg(lambda stores: stores.is_monotonic_increasing).all()
        assert (pd.to_datetime(table["Date"]).dt.day_of_week + 1 == table["DayOfWeek"]).all()
    assert (train["Date"].min(), train["Date"].max()) == ("2013-01-01", "2015-06-19")
    assert (test["Date"].min(), test["Date"].max(), test["Date"].nunique()) == ("2015-06-20", "2015-07-31", 42)
    assert test["Id"].tolist() == tables["holdout"]["Id"].tolist() == list(range(1, len(test) + 1))


def test_some_stores_are_not_asked_for(tables: dict[str, pd.DataFrame]) -> None:
    train, test = set(tables["train"]["Store"]), set(tables["test"]["Store"])
    assert train == set(tables["store"]["Store"]) == set(range(1, 51))
    assert len(test) == 40 and test < train


def test_open_is_missing_on_eleven_open_days_of_one_store(tables: dict[str, pd.DataFrame]) -> None:
    test = tables["test"]
    unknown = test[test["Open"].isna()]
    assert len(unknown) == 11 and unknown["Store"].nunique() == 1
    assert (tables["holdout"]["Sales"][unknown.index] > 0).all()


def test_closed_days_sell_nothing_and_a_few_open_ones_neither(tables: dict[str, pd.DataFrame]) -> None:
    train, test = tables["train"], tables["test"]
    assert (train.loc[train["Open"] == 0, ["Sales", "Customers"]] == 0).all().all()
    assert ((train["Open"] == 1) & (train["Sales"] == 0)).sum() == 3
    assert (tables["holdout"]["Sales"][test["Open"] == 0] == 0).all()


def test_stores_close_on_sundays_and_holidays(tables: dict[str, pd.DataFrame]) -> None:
    train = tables["train"].merge(tables["store"], on="Store")
    share = train.groupby("DayOfWeek")["Open"].mean()
    assert 0 < share[7] < 0.12 and share[2] > 0.95
    assert train[(train["StoreType"] == "b") & (train["DayOfWeek"] == 7)]["Open"].mean() > 0.85
    assert 0 < train[train["StateHoliday"] != "0"]["Open"].mean() < 0.2


def test_some_stores_are_closed_for_half_a_year(tables: dict[str, pd.DataFrame]) -> None:
    days = tables["train"].groupby("Store")["Date"].nunique()
    assert days.value_counts().to_dict() == {900: 42, 716: 8}
    rebuilt = tables["train"][tables["train"]["Store"].isin(days.index[days == 716])]
    assert not rebuilt["Date"].between("2014-07-01", "2014-12-31").any()
    states = tables["store_states"].set_index("Store")["State"]
    assert set(days.index[days == 716]) == set(states.index[states == "BY"])


@pytest.mark.parametrize(
    ("date", "kind", "states"),
    [
        ("2013-12-25", "c", STATES),
        ("2014-04-18", "b", STATES),
        ("2015-05-14", "a", STATES),
        ("2015-06-04", "a", ("BW", "BY", "HE", "NW", "RP")),
        ("2013-11-20", "a", ("SN",)),
        ("2015-07-15", "0", STATES),
    ],
)
def test_holidays_of_the_states(date: str, kind: str, states: tuple[str, ...]) -> None:
    day = state_holidays()[:, pd.Timestamp(date) == DATES].ravel()
    assert [state for state, found in zip(STATES, day, strict=True) if found == kind] == list(states)


def test_calendar() -> None:
    promo, school = promotions(), school_holidays()
    assert 0.35 < promo.mean() < 0.37 and not promo[DATES.day_of_week > 4].any()
    assert 0.1 < school.mean() < 0.25 and school[:, pd.Timestamp("2014-12-24") == DATES].all()
    assert {0, 1} == set(school[:, pd.Timestamp("2015-07-10") == DATES].ravel())


def test_effects_can_be_found(sold: pd.DataFrame) -> None:
    y = np.log(sold["Sales"])
    by_promo = y.groupby([sold["Store"], sold["Promo"]]).mean().unstack()
    effect = by_promo[1] - by_promo[0]
    assert 0.25 < effect.mean() < 0.45 and 0.06 < effect.std() < 0.2
    by_type = y.groupby(sold["StoreType"]).mean()
    assert by_type["b"] > by_type.drop("b").max()
    before_christmas = sold["Date"].str.slice(5).between("12-15", "12-23")
    assert y[before_christmas].mean() > y[~before_christmas].mean() + 0.2
    monday = y[sold["Promo"] == 1].groupby(sold["DayOfWeek"]).mean()
    assert monday.idxmax() == 1


def test_what_remains_is_noise_of_a_tenth(sold: pd.DataFrame) -> None:
    y = np.log(sold["Sales"])
    month = sold["Date"].str.slice(0, 7)
    rest = y - y.groupby([sold["Store"], sold["DayOfWeek"], sold["Promo"]]).transform("mean")
    rest -= rest.groupby(sold["Date"]).transform("mean")
    rest -= rest.groupby([sold["Store"], month]).transform("mean")
    assert 0.08 < rest.std() < 0.105


def test_the_median_of_a_store_weekday_and_promotion_is_a_fair_start(sold: pd.DataFrame) -> None:
    is_late = sold["Date"] >= "2015-05-09"
    key = ["Store", "DayOfWeek", "Promo"]
    median = sold[~is_late].groupby(key)["Sales"].median().rename("median")
    late = sold[is_late].join(median, on=key).dropna(subset=["median"])
    rmspe = np.sqrt((((late["Sales"] - late["median"]) / late["Sales"]) ** 2).mean())
    assert 0.115 < rmspe < 0.19


@pytest.mark.parametrize("rows", [20, 500, 20_000])
def test_small_samples_have_all_traps_of_stores(rows: int, tmp_path: Path) -> None:
    write(tmp_path, rows=rows)
    train, store = pd.read_csv(tmp_path / "train.csv", low_memory=False), pd.read_csv(tmp_path / "store.csv")
    assert len(train) == rows and len(store) >= 10 and train["Date"].iloc[0] == "2015-06-19"
    assert store["CompetitionDistance"].isna().any() and store["PromoInterval"].isna().any() and "b" in set(store["StoreType"])


@pytest.mark.slow
def test_the_full_size_is_read_as_mixed_by_pandas(tmp_path: Path) -> None:
    """A stream is read in parts of 65,536 rows; two of those of 970,379 rows have no holiday."""
    write(tmp_path, rows=970_379)
    with (tmp_path / "train.csv").open("rb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore", pd.errors.DtypeWarning)
        values = pd.read_csv(file, usecols=["StateHoliday"])["StateHoliday"]
    assert set(values.map(type)) == {int, str}
    assert len(pd.read_csv(tmp_path / "store.csv")) == 1_115
