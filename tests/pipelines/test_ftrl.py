"""Online logistic regression on hashed fields."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import InputError
from pipelines.models import check_parameters
from pipelines.models.contract import Training
from pipelines.models.online.fields import Fields
from pipelines.models.online.ftrl import FittedFtrl, Ftrl

RNG = np.random.default_rng(2)
N = 4000
LEVELS = RNG.normal(0.0, 1.5, (2, 30))
CODES = RNG.integers(0, 30, (N, 2))
X = pd.DataFrame({"site": [f"s{code}" for code in CODES[:, 0]], "app": CODES[:, 1], "size": RNG.normal(5.0, 2.0, N)})
LOG_ODDS = LEVELS[0, CODES[:, 0]] + LEVELS[1, CODES[:, 1]] + 0.5 * (X["size"] - 5.0).to_numpy() - 1.0
Y = (RNG.random(N) < 1.0 / (1.0 + np.exp(-LOG_ODDS))).astype(np.float64)


def fit(X: pd.DataFrame = X, y: Any = Y, weights: Any = None, seed: int = 0, **params: Any) -> FittedFtrl:
    return Ftrl().fit(params, Training(X, np.asarray(y, dtype=np.float64), weights, "binary", 2, seed))


def loss(y: Any, p: Any) -> float:
    return float(-np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)))


# ---------------------------------------------------------------------- what it learns


def test_it_finds_the_weights_of_tokens_and_numbers() -> None:
    fitted = fit(l1=0.0, l2=0.1, epochs=5)
    ideal = loss(Y, 1.0 / (1.0 + np.exp(-LOG_ODDS)))
    constant = loss(Y, np.full(N, Y.mean()))
    assert loss(Y, fitted.predict(X)) < ideal + 0.05 * (constant - ideal)
    assert fitted.shares.min() > 0.1


def test_it_is_the_algorithm_of_the_paper() -> None:
    """Against the formulas written out, on tokens that do not meet."""
    table, y = pd.DataFrame({"a": ["u", "v", "u", "u"]}), np.array([1.0, 0.0, 0.0, 1.0])
    alpha, beta, l1, l2 = 0.5, 1.0, 0.1, 0.3

    def weight(z: float, n: float, l1: float, l2: float) -> float:
        return 0.0 if abs(z) <= l1 else -(z - np.sign(z) * l1) / ((beta + np.sqrt(n)) / alpha + l2)

    start = np.log(2.5 / 2.5)
    learnt = {"u": [0.0, 0.0], "v": [0.0, 0.0], "": [0.0, 0.0]}
    for _ in range(3):
        for token, click in zip(table["a"], y, strict=True):
            own, bias = weight(*learnt[token], l1, l2), weight(*learnt[""], 0.0, 0.0)
            slope = 1 / (1 + np.exp(-(start + own + bias))) - click
            for name, w in ((token, own), ("", bias)):
                z, n = learnt[name]
                learnt[name] = [z + slope - (np.sqrt(n + slope**2) - np.sqrt(n)) / alpha * w, n + slope**2]
    log_odds = {token: start + weight(*learnt[token], l1, l2) + weight(*learnt[""], 0.0, 0.0) for token in "uv"}
    fitted = fit(table, y, alpha=alpha, beta=beta, l1=l1, l2=l2, epochs=3, shuffle=False)
    np.testing.assert_allclose(fitted.predict(pd.DataFrame({"a": ["u", "v"]})), [1 / (1 + np.exp(-log_odds[token])) for token in "uv"])


def test_crosses_tell_what_single_columns_cannot() -> None:
    parity = ((CODES[:, 0] + CODES[:, 1]) % 2).astype(float)
    assert loss(parity, fit(y=parity, alpha=0.5, l1=0.0, l2=0.1, epochs=10).predict(X)) > 0.6
    for crosses in ("all", [["site", "app"]], [["app", "site"]]):
        assert loss(parity, fit(y=parity, alpha=0.5, l1=0.0, l2=0.1, epochs=10, crosses=crosses).predict(X)) < 0.3


def test_a_level_that_was_not_seen_says_nothing() -> None:
    fitted = fit(X[["site"]], bits=24)
    (new,) = fitted.predict(pd.DataFrame({"site": ["never seen"]}))
    assert new == pytest.approx(1.0 / (1.0 + np.exp(-fitted.bias)))


def test_l1_leaves_few_weights() -> None:
    assert fit(l1=20.0).facts()["weights"] < fit(l1=0.0).facts()["weights"]


def test_a_weight_of_two_is_nearly_a_row_twice() -> None:
    doubled = np.where(np.arange(N) % 2 == 0, 2.0, 1.0)
    rows = np.repeat(np.arange(N), doubled.astype(int))
    weighted = fit(weights=doubled, l1=0.0, epochs=4).predict(X)
    repeated = fit(X.iloc[rows], Y[rows], l1=0.0, epochs=4).predict(X)
    assert np.abs(weighted - repeated).mean() < 0.02


@pytest.mark.parametrize("click", [0.0, 1.0])
def test_one_class_only(click: float) -> None:
    predicted = fit(y=np.full(N, click)).predict(X)
    assert np.abs(predicted - click).max() < 0.01


def test_order_comes_from_the_seed() -> None:
    np.testing.assert_array_equal(fit(seed=3).predict(X), fit(seed=3).predict(X))
    assert not np.array_equal(fit(seed=3).predict(X), fit(seed=4).predict(X))
    np.testing.assert_array_equal(fit(seed=3, shuffle=False).predict(X), fit(seed=4, shuffle=False).predict(X))


# ---------------------------------------------------------------------- fields


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (pd.Series(["1", "2", None]), pd.Series(["1", "2", None], dtype="category")),
        (pd.Series([1, 2, 30]), pd.Series(["1", "2", "30"])),
        (pd.Series(["a", "b"], dtype=pd.CategoricalDtype(["a", "b"])), pd.Series(["a", "b"], dtype=pd.CategoricalDtype(["c", "b", "a"]))),
        (pd.Series([True, False]), pd.Series(["True", "False"])),
    ],
    ids=["text and category", "whole number and text", "codes do not matter", "flag and text"],
)
def test_a_token_is_its_text(left: pd.Series, right: pd.Series) -> None:
    hashes = [Fields.of(pd.DataFrame({"a": column}), "ftrl").hashed(pd.DataFrame({"a": column}), "ftrl")[0] for column in (left, right)]
    np.testing.assert_array_equal(*hashes)


def test_the_role_of_a_column_is_that_of_the_training_rows() -> None:
    """A whole-number column with a gap arrives as floats."""
    fitted = fit(X[["app"]])
    np.testing.assert_array_equal(fitted.predict(X[["app"]].astype(float)), fitted.predict(X[["app"]]))
    assert np.isfinite(fitted.predict(pd.DataFrame({"app": [np.nan]}))).all()


def test_the_same_value_in_two_columns_is_two_tokens() -> None:
    table = pd.DataFrame({"a": ["x"], "b": ["x"], "c": pd.Series([None], dtype="str"), "d": pd.Series([None], dtype="str"), "e": [1.5]})
    hashes, numbers = Fields.of(table, "ftrl").hashed(table, "ftrl")
    assert len(np.unique(hashes)) == 5 and numbers.shape == (1, 1)


@given(st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), min_size=1))
def test_numbers_are_standardised_and_gaps_are_tokens(values: list[float | None]) -> None:
    table = pd.DataFrame({"a": pd.Series(values, dtype=float)})
    hashes, numbers = Fields.of(table, "ftrl").hashed(table, "ftrl")
    gaps = table["a"].isna().to_numpy()
    known = numbers[~gaps, 0]
    assert (numbers[gaps] == 1.0).all() and len(np.unique(hashes)) == len(set(gaps))
    if len(known):
        assert abs(known.mean()) < 1e-6 and (known.std() == pytest.approx(1.0) or np.ptp(table["a"].dropna()) < 1e-6)


def test_hashes_are_the_same_in_another_process() -> None:
    code = (
        "import pandas as pd; from pipelines.models.online.fields import Fields;"
        "X = pd.DataFrame({'a': ['x', None], 'b': [1, 2], 'c': [0.5, None]}); print(Fields.of(X, 'm').hashed(X, 'm')[0].ravel().tolist())"
    )
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    table = pd.DataFrame({"a": ["x", None], "b": [1, 2], "c": [0.5, None]})
    assert out.strip() == str(Fields.of(table, "m").hashed(table, "m")[0].ravel().tolist())


# ---------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"alpha": 0}, "alpha is a number above 0, found 0."),
        ({"l1": -1}, "l1 is a number of at least 0, found -1."),
        ({"beta": "x"}, "beta is a number of at least 0, found 'x'."),
        ({"epochs": 0.5}, "epochs is a number (whole) of at least 1, found 0.5."),
        ({"bits": 40}, "bits is a number (whole) from 8 to 28, found 40."),
        ({"epochs": True}, "epochs is a number (whole) of at least 1, found True."),
        ({"shuffle": 1}, "shuffle is true or false, found 1."),
        ({"crosses": "some"}, "crosses is 'all' or a list of pairs of columns such as [[site_id, app_id]], found 'some'."),
        ({"crosses": [["a", "a"]]}, "crosses is 'all' or a list of pairs of columns such as [[site_id, app_id]], found [['a', 'a']]."),
        ({"crosses": [["a", "b", "c"]]}, "crosses is 'all' or a list of pairs"),
    ],
)
def test_values_out_of_range(params: dict[str, Any], message: str) -> None:
    ((_, found),) = check_parameters("ftrl", "binary", params)
    assert found.startswith(message)


def test_a_cross_of_a_column_that_is_not_there() -> None:
    message = "Model 'ftrl' crosses 'sites', which its view does not have; there are 'app', 'site', 'size'. Closest: 'site'."
    with pytest.raises(InputError, match=re.escape(message)):
        fit(crosses=[["app", "sites"]])
