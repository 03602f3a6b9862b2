"""The generated stream of clicks: its order, its rare installs, and its traps."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from competitions.app_install.sample import write


@pytest.fixture(scope="module")
def clicks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pd.DataFrame]:
    folder = tmp_path_factory.mktemp("clicks")
    write(folder)
    return {path.stem: pd.read_csv(path) for path in folder.iterdir()}


@pytest.fixture(scope="module")
def everything(clicks: dict[str, pd.DataFrame]) -> pd.DataFrame:
    return pd.concat([clicks["train"], clicks["test"].merge(clicks["holdout"], on="click_id")], ignore_index=True)


def test_types_and_ranges(clicks: dict[str, pd.DataFrame]) -> None:
    train = clicks["train"]
    assert set(train.select_dtypes("str")) == {"click_time", "attributed_time"}
    assert (train.drop(columns=["click_time", "attributed_time"]).dtypes == "int64").all()
    assert train["click_time"].str.fullmatch(r"2017-11-\d\d \d\d:\d\d:\d\d").all()
    for column, low, high in (("ip", 1, 364_777), ("app", 1, 551), ("device", 0, 3_867), ("os", 0, 866), ("channel", 3, 498)):
        assert train[column].between(low, high).all(), column


def test_clicks_are_in_time_order_and_the_test_rows_are_the_last_quarter(clicks: dict[str, pd.DataFrame]) -> None:
    train, test = (pd.to_datetime(clicks[part]["click_time"]) for part in ("train", "test"))
    assert train.is_monotonic_increasing and test.is_monotonic_increasing
    assert train.iloc[-1] <= test.iloc[0]
    assert train.iloc[0] >= pd.Timestamp("2017-11-06 16:00") and test.iloc[-1] < pd.Timestamp("2017-11-09 16:00")
    assert 3 * len(test) == len(train)
    by_hour = train.dt.hour.value_counts()
    assert by_hour[20] < 0.3 * by_hour[13]


def test_attributed_time_is_a_leak(clicks: dict[str, pd.DataFrame]) -> None:
    train = clicks["train"]
    assert train["attributed_time"].notna().astype(int).equals(train["is_attributed"])
    installs = train[train["is_attributed"] == 1]
    delay = pd.to_datetime(installs["attributed_time"]) - pd.to_datetime(installs["click_time"])
    assert delay.min() >= pd.Timedelta(seconds=2) and delay.max() < pd.Timedelta(days=1)
    assert pd.Timedelta(minutes=1) < delay.median() < pd.Timedelta(minutes=20)


@pytest.mark.parametrize("seed", range(3))
def test_install_rate(seed: int, tmp_path: Path) -> None:
    write(tmp_path, rows=90_000, seed=seed)
    train, holdout = (pd.read_csv(tmp_path / f"{part}.csv")["is_attributed"] for part in ("train", "holdout"))
    assert 0.0018 < train.mean() < 0.0032
    assert holdout.sum() > 30


def test_farms_click_in_bursts_and_hardly_install(everything: pd.DataFrame) -> None:
    of_ip = everything.groupby("ip")["is_attributed"].agg(["size", "sum"])
    time = pd.to_datetime(everything["click_time"])
    gap = time.groupby(everything["ip"]).diff().dt.total_seconds()
    median_gap = gap.groupby(everything["ip"]).median()
    bursts = of_ip[(of_ip["size"] >= 20) & (median_gap < 60)]
    others = of_ip[(of_ip["size"] < 20) | ~(median_gap < 60)]
    assert bursts["size"].sum() > 0.1 * len(everything)
    assert bursts["sum"].sum() / bursts["size"].sum() < 0.5 * others["sum"].sum() / others["size"].sum()


def test_addresses(everything: pd.DataFrame) -> None:
    clicks_of_ip = everything["ip"].value_counts()
    assert 0.3 * len(everything) < len(clicks_of_ip) < 0.5 * len(everything)
    assert (clicks_of_ip == 1).mean() > 0.5 and 200 < clicks_of_ip.iloc[0] < 2_000
    assert abs(everything["ip"].rank().corr(everything["ip"].map(clicks_of_ip).rank())) < 0.1


def test_most_installs_are_of_a_few_small_apps(everything: pd.DataFrame) -> None:
    of_app = everything.groupby("app")["is_attributed"].agg(["size", "sum"]).sort_values("sum", ascending=False)
    assert of_app["sum"].iloc[:8].sum() > 0.5 * of_app["sum"].sum()
    assert of_app["size"].iloc[:8].median() < 0.01 * len(everything)
    assert of_app["size"].max() > 0.15 * len(everything)
    popular = everything[everything["app"].isin(of_app["size"].nlargest(10).index)]
    assert popular.groupby("app")["channel"].nunique().mean() > 3 and everything.groupby("app")["channel"].nunique().median() <= 2


@pytest.mark.parametrize(("column", "level", "low", "high"), [("device", 1, 0.9, 0.98), ("device", 2, 0.02, 0.06), ("os", 19, 0.2, 0.3)])
def test_common_levels(column: str, level: int, low: float, high: float, everything: pd.DataFrame) -> None:
    assert low < (everything[column] == level).mean() < high


def test_apps_stay_the_same_when_more_rows_are_asked_for(tmp_path: Path, everything: pd.DataFrame) -> None:
    write(tmp_path, rows=3_000)
    few = pd.read_csv(tmp_path / "train.csv")
    for column in ("app", "channel", "os"):
        assert set(few[column].value_counts().index[:5]) <= set(everything[column].value_counts().index[:30]), column
