"""The generated card payments: the shapes of the real file, and its traps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from competitions.credit_fraud.payments import COMPONENTS, SHIFTS
from competitions.credit_fraud.sample import write
from features.errors import InputError


@pytest.fixture(scope="module")
def payments(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    folder = tmp_path_factory.mktemp("payments")
    write(folder)
    return pd.read_csv(folder / "creditcard.csv")


def test_types_and_ranges(payments: pd.DataFrame) -> None:
    assert (payments.dtypes.drop("Class") == "float64").all() and payments["Class"].dtype == "int64"
    assert not payments.isna().any().any()
    time, amount = payments["Time"], payments["Amount"]
    assert time.is_monotonic_increasing and time.iloc[0] == 0 and 170_000 < time.iloc[-1] < 2 * 86_400
    assert (time % 1 == 0).all()
    assert amount.min() >= 0 and amount.max() <= 25_000
    assert (amount.round(2) == amount).all()
    assert 15 < amount.median() < 25 and 70 < amount.mean() < 110
    assert 0.004 < (amount == 0).mean() < 0.01


def test_components_are_like_principal_ones(payments: pd.DataFrame) -> None:
    honest = payments[payments["Class"] == 0][list(COMPONENTS)]
    sd = honest.std()
    assert sd["V1"] > 1.7 and sd["V28"] < 0.4
    assert sd.rolling(4).mean().dropna().is_monotonic_decreasing
    assert honest.mean().abs().max() < 0.15
    assert (honest.kurt() > 1).all() and honest["V28"].kurt() > 8
    correlation = np.abs(np.triu(honest.corr(), 1))
    assert correlation.max() < 0.45 and correlation.mean() < 0.04


def test_nights_are_quiet_but_not_for_thieves(payments: pd.DataFrame) -> None:
    is_night = (payments["Time"] % 86_400 // 3600).between(1, 5)
    share = is_night.groupby(payments["Class"]).mean()
    assert share[0] < 0.08 and share[1] > 0.15


@pytest.mark.parametrize(("rows", "rate", "expected"), [(30_000, 0.005, 150), (2_000, 0.1, 200), (1_000, 0.0017, 10)])
def test_fraud_rate(rows: int, rate: float, expected: int, tmp_path: Path) -> None:
    write(tmp_path, rows=rows, fraud_rate=rate)
    table = pd.read_csv(tmp_path / "creditcard.csv")
    assert len(table) == rows and table["Class"].sum() == expected


@pytest.mark.parametrize("rate", [0, -0.1, 0.51])
def test_impossible_fraud_rates_are_refused(rate: float, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=rf"share above 0 and at most 0\.5; found fraud_rate={rate}\."):
        write(tmp_path, fraud_rate=rate)


def test_duplicates_straddle_random_splits(payments: pd.DataFrame) -> None:
    repeats = payments.duplicated()
    assert repeats.sum() == 116 and payments["Class"][repeats].sum() == 6
    row = pd.util.hash_pandas_object(payments, index=False).to_numpy()
    folds = StratifiedKFold(5, shuffle=True, random_state=0).split(payments, payments["Class"])
    straddling = sum(int(np.isin(np.unique(row[scored]), row[fit]).sum()) for fit, scored in folds)
    # a pair is in one fold with probability 1/5; otherwise it straddles in both of its folds
    assert 2 * 0.6 * repeats.sum() < straddling <= 2 * repeats.sum()


def test_frauds_differ_by_kind_in_the_known_components(payments: pd.DataFrame) -> None:
    honest, frauds = (payments[payments["Class"] == label] for label in (0, 1))
    distance = ((frauds[list(COMPONENTS)].median() - honest[list(COMPONENTS)].median()) / honest[list(COMPONENTS)].std()).abs()
    assert {"V17", "V14", "V12", "V10", "V11", "V16", "V4"} <= set(distance.nlargest(9).index) <= set(SHIFTS)
    assert 0.1 < (frauds["V14"] > -1.5).mean() < 0.35, "quiet ones"
    assert 0.1 < (frauds["V17"] < -8).mean() < 0.5, "loud ones"
    assert 0.15 < (frauds["Amount"] == 1).mean() < 0.35, "trials"


def test_frauds_can_be_found_but_not_all_of_them(payments: pd.DataFrame) -> None:
    X, y = payments.drop(columns="Class"), payments["Class"]
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300))
    p = cross_val_predict(model, X, y, cv=StratifiedKFold(3, shuffle=True, random_state=0), method="predict_proba")[:, 1]
    assert 0.65 < average_precision_score(y, p) < 0.92


def test_look_alikes_are_honest(payments: pd.DataFrame) -> None:
    alike = payments[(payments["V17"] < -3.5) & (payments["V12"] < -2.5) & (payments["V14"] > 0)]
    assert len(alike) > 20 and alike["Class"].mean() < 0.2


def test_resampling_before_the_split_would_flatter(payments: pd.DataFrame) -> None:
    """The mistake this competition is known for: copies of one fraud on both sides of a split."""
    frauds = payments[payments["Class"] == 1]
    copied = frauds.sample(10 * len(frauds), replace=True, random_state=0)
    fit, scored = train_test_split(copied, test_size=0.2, random_state=0)
    assert len(scored.merge(fit.drop_duplicates())) / len(scored) > 0.95
