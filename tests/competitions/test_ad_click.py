"""The generated impressions: the schema and its oddities, and the limit that the stated model sets."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.preprocessing import OneHotEncoder

from competitions.ad_click import clicks
from competitions.ad_click.catalogues import NO_APP, NO_DEVICE_ID, NO_SITE, hexadecimal
from competitions.ad_click.impressions import COLUMNS
from competitions.ad_click.sample import Shown, draw, limit, write
from features.errors import InputError

CODES = [column for column in COLUMNS if column not in ("id", "hour")]


@pytest.fixture(scope="module")
def drawn() -> tuple[Shown, Shown]:
    return draw(rows=40_000)


@pytest.fixture(scope="module")
def train(drawn: tuple[Shown, Shown]) -> pd.DataFrame:
    return drawn[0].rows


def test_types_and_levels(tmp_path: Path) -> None:
    write(tmp_path, rows=5_000)
    table = pd.read_csv(tmp_path / "train.csv")
    text = [name for name in COLUMNS if name.startswith(("site_", "app_")) or name in ("device_id", "device_ip", "device_model")]
    assert table["id"].dtype == "uint64" and table["id"].is_unique and table["id"].min() >= 10**19
    assert set(table.select_dtypes("str")) == set(text)
    assert all(table[name].str.fullmatch("[0-9a-f]{8}").all() for name in text)
    assert set(table["device_type"]) <= {0, 1, 4, 5} and set(table["device_conn_type"]) <= {0, 2, 3, 5}
    assert set(table["C18"]) <= {0, 1, 2, 3} and set(table["C16"]) <= {36, 50, 90, 250, 480}
    assert (table["C1"] == 1005).mean() > 0.9 and table["C20"].eq(-1).mean() > 0.4
    assert not table.isna().any().any()


def test_files_agree_with_what_is_drawn(tmp_path: Path) -> None:
    write(tmp_path, rows=3_000, seed=2)
    train, test = draw(rows=3_000, seed=2)
    for part, shown in (("train", train), ("test", test)):
        table = pd.read_csv(tmp_path / f"{part}.csv")
        pd.testing.assert_frame_equal(table[list(COLUMNS)], shown.rows, check_dtype=False)
    holdout = pd.read_csv(tmp_path / "holdout.csv")
    assert holdout["id"].equals(test.rows["id"]) and (holdout["click"] == test.click).all()
    assert json.loads((tmp_path / "limit.json").read_text()) == {"seed": 2, "days": 10, "train": limit(train), "test": limit(test)}


def test_an_impression_is_on_a_site_or_in_an_app(train: pd.DataFrame) -> None:
    is_app, is_site = (train[list(marks)].eq(pd.Series(marks)).all(axis=1) for marks in (NO_SITE, NO_APP))
    assert (is_app != is_site).all() and 0.2 < is_app.mean() < 0.3
    assert (train["site_id"] == NO_SITE["site_id"]).equals(is_app) and (train["app_id"] == NO_APP["app_id"]).equals(is_site)


def test_cardinalities(train: pd.DataFrame) -> None:
    n, levels = len(train), train.nunique()
    assert 0.8 * n < levels["device_ip"] < 0.95 * n
    assert 0.8 < (train["device_id"] == NO_DEVICE_ID).mean() < 0.92
    assert levels["site_id"] > 1_000 and levels["app_id"] > 1_000 and levels["device_model"] > 3_000
    for column, low, high in (("site_id", 0.2, 0.4), ("device_model", 0.03, 0.1), ("device_ip", 0.002, 0.02)):
        assert low < train[column].value_counts(normalize=True).iloc[0] < high, column
    assert (train["device_ip"].value_counts() == 1).sum() > n / 2


@pytest.mark.parametrize("parent", ["C15", "C16", "C17", "C18", "C19", "C21"])
def test_a_creative_has_one_campaign_advertiser_and_size(parent: str, train: pd.DataFrame) -> None:
    assert train.groupby("C14")[parent].nunique().max() == 1


@pytest.mark.parametrize(("days", "hours", "test_day"), [(10, 240, 141031), (2, 48, 141023)])
def test_hours_rise_and_the_test_rows_are_of_the_next_day(days: int, hours: int, test_day: int) -> None:
    train, test = (part.rows["hour"] for part in draw(rows=20_000, days=days))
    assert train.is_monotonic_increasing and train.nunique() == hours and train.min() == 14102100
    assert set(test // 100) == {test_day}
    night, day = train[train % 100 < 3], train[(train % 100 > 10) & (train % 100 < 14)]
    assert len(night) < 0.6 * len(day)


def test_no_days_are_one_hour() -> None:
    train, test = draw(rows=2_000, days=0)
    assert set(train.rows["hour"]) == set(test.rows["hour"]) == {14102100}
    assert train.rows["id"].is_unique and not set(train.rows["id"]) & set(test.rows["id"])


@pytest.mark.parametrize("days", [-1, 11])
def test_impossible_days_are_refused(days: int) -> None:
    with pytest.raises(InputError, match=rf"1 to 10 training days, or 0 for one single hour; found days={days}\."):
        draw(rows=100, days=days)


def test_a_site_opens_on_the_test_day(drawn: tuple[Shown, Shown]) -> None:
    train, test = (part.rows for part in drawn)
    new = test[~test["site_id"].isin(train["site_id"])]["site_id"].value_counts(normalize=True)
    assert (test["site_id"] == new.index[0]).mean() > 0.05


def test_more_rows_show_the_same_publishers_and_creatives() -> None:
    few, many = (draw(rows=rows)[0].rows for rows in (3_000, 30_000))
    for column in ("site_id", "app_id", "device_model", "C14"):
        common = set(few[column].value_counts().index[:10])
        assert common <= set(many[column]), column


@pytest.mark.parametrize("days", [0, 10])
def test_clicks_follow_the_stated_probabilities(days: int) -> None:
    train, _ = draw(rows=50_000, days=days, seed=5)
    p, clicked = train.probability, train.click
    assert abs(p.mean() - clicks.CLICK_RATE) < 0.01
    tenth = pd.qcut(p, 10, labels=False)
    for _, rows in pd.Series(p).groupby(tenth).groups.items():
        error = np.sqrt((p[rows] * (1 - p[rows])).sum()) / len(rows)
        assert abs(clicked[rows].mean() - p[rows].mean()) < 4 * error


@pytest.mark.parametrize("part", [0, 1])
def test_who_knows_the_probabilities_is_at_the_limit(part: int, drawn: tuple[Shown, Shown]) -> None:
    """The realised log loss differs from the entropy by chance only, and any change of the probabilities makes it worse."""
    shown = drawn[part]
    p, stated = shown.probability, limit(shown)
    deviation = np.log(p / (1 - p)) * np.sqrt(p * (1 - p))
    assert abs(stated["best_log_loss"] - stated["entropy"]) < 4 * np.sqrt((deviation**2).sum()) / len(p)
    assert np.isclose(stated["best_log_loss"], log_loss(shown.click, p))
    for changed in (np.clip(1.15 * p, 0, 0.999), 0.85 * p, 0.7 * p + 0.3 * p.mean()):
        assert log_loss(shown.click, changed) > stated["best_log_loss"] + 0.001


def test_main_effects_leave_a_gap_that_crosses_narrow(drawn: tuple[Shown, Shown]) -> None:
    shown = drawn[0]
    rows = shown.rows.assign(
        publisher=shown.rows["site_id"] + shown.rows["app_id"],
        kind=shown.rows["site_category"] + shown.rows["app_category"],
        quarter=shown.rows["hour"] % 100 // 6,
    ).astype(str)
    pairs = [("kind", "C21"), ("publisher", "C21"), ("C18", "banner_pos"), ("C18", "quarter")]
    crossed = pd.DataFrame({f"{first}, {second}": rows[first] + rows[second] for first, second in pairs})
    main = [*(column for column in CODES if column != "device_ip"), "quarter"]
    scored = np.random.default_rng(0).random(len(rows)) < 0.25

    def score(table: pd.DataFrame) -> float:
        encoder = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=10)
        fit, held = encoder.fit_transform(table[~scored]), encoder.transform(table[scored])
        assert sparse.issparse(fit)
        model = LogisticRegression(C=0.2, solver="liblinear").fit(fit, shown.click[~scored])
        return log_loss(shown.click[scored], model.predict_proba(held)[:, 1])

    best = log_loss(shown.click[scored], shown.probability[scored])
    with_main, with_crosses = score(rows[main]), score(pd.concat([rows[main], crossed], axis=1))
    assert with_main > best + 0.03
    assert best + 0.002 < with_crosses < with_main - 0.01


@pytest.mark.parametrize("numbers", [[0, 1, 255, 2**32 - 1]])
def test_hexadecimal(numbers: list[int]) -> None:
    assert hexadecimal(np.array(numbers)).astype(str).tolist() == [f"{number:08x}" for number in numbers]
