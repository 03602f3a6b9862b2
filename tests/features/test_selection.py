"""Choosing columns: with and without the target."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal, assert_series_equal
from scipy.stats import ks_2samp
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.feature_selection import RFE, SequentialFeatureSelector, chi2, f_classif, f_regression
from sklearn.linear_model import Lasso, Ridge
from sklearn.metrics import mutual_info_score

from features.crossfit import inner_folds
from features.errors import InputError
from features.forests import Forest, some_rows
from features.select_embedded import SelectByGain, SelectByPermutation, SelectL1
from features.select_filter import SelectMutualInformation, SelectUnivariate, information_value, ks_distance, mutual_information
from features.select_null import SelectNullImportance
from features.select_rows import Correlated, DuplicateColumns, NearConstant
from features.select_subsets import SelectSubset
from features.select_wrapper import SelectForward, SelectRecursive
from features.selection import Selector

RNG = np.random.default_rng(15)
N = 300
X = pd.DataFrame(RNG.normal(size=(N, 6)), columns=["strong", "weak", "n1", "n2", "n3", "n4"], index=3 * np.arange(N))
NUMBERS = pd.Series(3 * X["strong"] + X["weak"] + 0.5 * RNG.normal(size=N), index=X.index)
CLASSES = (NUMBERS > 0).astype(float)
THREE = pd.Series(np.digitize(NUMBERS, [-1.5, 1.5]).astype(float), index=X.index)

TARGETED: list[tuple[Any, dict[str, Any]]] = [
    (SelectMutualInformation, {}),
    (SelectUnivariate, {}),
    (SelectL1, {}),
    (SelectByGain, {"trees": 20}),
    (SelectByPermutation, {"trees": 20}),
    (SelectNullImportance, {"trees": 10, "shuffles": 5}),
    (SelectRecursive, {}),
    (SelectRecursive, {"model": "trees", "trees": 20}),
    (SelectForward, {}),
    (SelectSubset, {}),
]
each_targeted = pytest.mark.parametrize(("kind", "parameters"), TARGETED, ids=lambda value: getattr(value, "name", ""))


@each_targeted
@pytest.mark.parametrize("y", [NUMBERS, CLASSES, THREE], ids=["numbers", "classes", "three"])
def test_keeps_what_tells_the_target(kind: Any, parameters: dict[str, Any], y: pd.Series) -> None:
    step: Selector = kind(keep=2, **parameters).fit(X, y)
    assert step.kept_ == ["strong", "weak"]
    assert step.dropped == ["n1", "n2", "n3", "n4"]
    assert step.scores_["strong"] >= step.scores_["weak"] >= max(step.scores_[name] for name in step.dropped)
    assert list(step.transform(X)) == ["strong", "weak"]


@each_targeted
def test_gaps_constants_and_copies_do_no_harm(kind: Any, parameters: dict[str, Any]) -> None:
    odd = X.mask(RNG.random(X.shape) < 0.1).assign(constant=5.0, empty=np.nan, copy=X["strong"])
    step = kind(keep=3, **parameters).fit(odd, CLASSES)
    assert {"strong", "copy"} & set(step.kept_)
    assert not {"constant", "empty"} & set(step.kept_[: 1 if kind is SelectNullImportance else None])
    assert all(np.isfinite(score) for score in step.scores_.values())


@each_targeted
def test_a_fold_without_a_class_is_refused(kind: Any, parameters: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=f"Step '{kind.name}' found one value only in the target of the 300 training rows"):
        kind(keep=2, **parameters).fit(X, CLASSES * 0)


@each_targeted
def test_an_infinite_value_is_refused(kind: Any, parameters: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=f"Step '{kind.name}' found an infinite value in column 'n2'"):
        kind(keep=2, **parameters).fit(X.assign(n2=np.inf), CLASSES)


@each_targeted
def test_nothing_to_choose_from(kind: Any, parameters: dict[str, Any]) -> None:
    step = kind(["dates"], keep=2, **parameters).fit(X, CLASSES)
    assert step.transform(X).equals(X)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [({}, "needs 'keep: 50' .so many columns., a 'threshold'"), ({"keep": 0}, "needs to keep at least 1 column, found 0")],
)
def test_a_budget_is_needed(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=f"Step 'select_by_gain' {message}"):
        SelectByGain(**parameters).fit(X, CLASSES)


def test_the_best_column_always_stays() -> None:
    assert SelectUnivariate(threshold=1e9).fit(X, CLASSES).kept_ == ["strong"]


def test_categories_are_judged_by_their_levels() -> None:
    levels = pd.Series(RNG.choice(["u", "v", "w"], N), index=X.index)
    table = pd.DataFrame({"says": levels, "nothing": RNG.choice(["u", "v", "w"], N), "key": np.arange(N).astype(str)}, index=X.index)
    y = pd.Series((levels == "v") ^ (RNG.random(N) < 0.1), dtype=float)
    for step in (SelectMutualInformation(keep=1), SelectUnivariate(None, how="information_value", keep=2), SelectByGain(keep=1, trees=20)):
        assert "says" in step.fit(table, y).kept_
    # by chance alone a key that never repeats tells every row apart: that much is taken off
    assert SelectMutualInformation(keep=1).fit(table, y).scores_["key"] == pytest.approx(0.0)


def test_filters_agree_with_the_libraries() -> None:
    np.testing.assert_allclose(list(SelectUnivariate(keep=1).fit(X, NUMBERS).scores_.values()), f_regression(X, NUMBERS)[0])
    np.testing.assert_allclose(list(SelectUnivariate(keep=1).fit(X, THREE).scores_.values()), f_classif(X, THREE)[0])
    ks = SelectUnivariate(how="ks", keep=1).fit(X, CLASSES).scores_
    assert ks["weak"] == pytest.approx(ks_2samp(X["weak"][CLASSES == 1], X["weak"][CLASSES == 0]).statistic)
    one, other = RNG.integers(0, 4, 500), RNG.integers(0, 3, 500)
    assert mutual_information(one, other) == pytest.approx(mutual_info_score(one, other) - 3 * 2 / 1000, abs=1e-4)
    often = np.tile(one, 20), np.tile(other, 20)
    assert mutual_information(*often) == pytest.approx(mutual_info_score(one, other) - 3 * 2 / 20000, abs=1e-7)
    assert ks_distance(np.array([np.nan, 1.0]), np.array([True, False])) == 0.0
    assert information_value(np.array([0, 0, 1, 1]), np.array([True, False, True, False])) == 0.0


def test_two_classes_are_needed() -> None:
    with pytest.raises(InputError, match="with how='ks' needs a target of two classes"):
        SelectUnivariate(how="ks", keep=1).fit(X, THREE)


def test_chi_squared_agrees_with_scikit_learn() -> None:
    counts = pd.DataFrame(
        {"few": RNG.poisson(1 + 3 * CLASSES), "many": RNG.poisson(9, N), "flag": CLASSES > 0, "gaps": np.nan}, index=X.index
    )
    scores = SelectUnivariate(how="chi2", keep=2).fit(counts, CLASSES).scores_
    np.testing.assert_allclose([scores[name] for name in ("few", "many", "flag")], chi2(counts[["few", "many", "flag"]], CLASSES)[0])
    assert scores["gaps"] == 0.0
    known = counts["few"].mask(RNG.random(N) < 0.2)
    (found,) = SelectUnivariate(how="chi2", keep=1).fit(known.to_frame(), THREE).scores_.values()
    assert found == pytest.approx(chi2(known.dropna().to_frame(), THREE[known.notna()])[0][0])


@pytest.mark.parametrize(
    ("table", "y", "message"),
    [
        (X, CLASSES, r"takes values as counts and found -\d.*in column 'strong'. Leave the column out"),
        (X.abs(), NUMBERS, "with how='chi2' needs a target of classes. Take 'how: f'"),
    ],
)
def test_chi_squared_needs_counts_and_classes(table: pd.DataFrame, y: pd.Series, message: str) -> None:
    with pytest.raises(InputError, match=message):
        SelectUnivariate(how="chi2", keep=1).fit(table, y)


def test_l1_agrees_with_the_lasso() -> None:
    rows = (X - X.mean()) / X.std(ddof=0)
    target = (NUMBERS - NUMBERS.mean()) / NUMBERS.std(ddof=0)
    expected = np.abs(Lasso(alpha=0.05).fit(rows, target).coef_)
    np.testing.assert_allclose(list(SelectL1(alpha=0.05).fit(X, NUMBERS).scores_.values()), expected, atol=1e-3)
    assert SelectL1(alpha=0.05).fit(X, NUMBERS).kept_ == [name for name, weight in zip(X, expected, strict=True) if weight > 0]


def test_elimination_agrees_with_scikit_learn() -> None:
    rows = (X - X.mean()) / X.std(ddof=0)
    theirs = RFE(Ridge(alpha=1.0), n_features_to_select=3, step=1).fit(rows, NUMBERS)
    assert SelectRecursive(keep=3).fit(X, NUMBERS).kept_ == X.columns[theirs.support_].tolist()


def test_forward_agrees_with_scikit_learn() -> None:
    rows = (X - X.mean()) / X.std(ddof=0)
    folds = inner_folds(X.index, 5, 0)
    cut = [(np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)) for fold in range(5)]
    theirs = SequentialFeatureSelector(Ridge(alpha=1.0), n_features_to_select=2, cv=cut).fit(rows, NUMBERS)
    assert SelectForward(keep=2).fit(X, NUMBERS).kept_ == X.columns[theirs.support_].tolist()


def test_forward_stops_when_nothing_helps() -> None:
    assert SelectForward(threshold=0.01).fit(X, NUMBERS).kept_ == ["strong", "weak"]


def test_a_subset_finds_what_helps_only_together() -> None:
    # neither of the two tells anything by itself: their difference does
    base = pd.Series(RNG.normal(size=N), index=X.index)
    pair = X.assign(plus=30 * base + NUMBERS, minus=30 * base)[["plus", "minus", "weak", "n1", "n2"]]
    assert SelectForward(keep=2).fit(pair, NUMBERS).kept_ != ["plus", "minus"]
    step = SelectSubset(keep=2, draws=60).fit(pair, NUMBERS)
    assert step.kept_ == ["plus", "minus"]
    assert step.scores_["plus"] == step.scores_["minus"] > 0.7


def test_columns_that_were_never_drawn_have_the_lowest_score() -> None:
    scores = SelectSubset(keep=2, draws=1).fit(X, NUMBERS).scores_
    assert len(set(scores.values())) == 1
    assert SelectSubset(keep=9).fit(X, NUMBERS).kept_ == list(X)


def test_trees_are_grown_on_some_rows() -> None:
    drawn, target = some_rows(X, NUMBERS, 40, 0)
    assert len(drawn) == len(target) == 40 and drawn.index.is_monotonic_increasing
    assert_frame_equal(drawn, some_rows(X, NUMBERS, 40, 0)[0])
    assert not drawn.equals(some_rows(X, NUMBERS, 40, 1)[0])
    assert_series_equal(target, NUMBERS[drawn.index])
    for most in (None, N):
        assert some_rows(X, NUMBERS, most, 0)[0] is X


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [(kind, parameters) for kind, parameters in TARGETED if "trees" in parameters],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_cap_on_rows_counts(kind: Any, parameters: dict[str, Any]) -> None:
    few = kind(keep=2, max_rows=60, **parameters).fit(X, NUMBERS)
    assert (
        few.scores_
        == kind(keep=2, max_rows=60, **parameters).fit(X.sample(frac=1.0, random_state=1), NUMBERS.sample(frac=1.0, random_state=1)).scores_
    )
    assert few.scores_ == kind(keep=2, max_rows=None, **parameters).fit(*some_rows(X, NUMBERS, 60, 0)).scores_
    assert "strong" in few.kept_
    with pytest.raises(InputError, match=f"Step '{kind.name}' needs max_rows of at least 10, found 3"):
        kind(keep=2, max_rows=3, **parameters).fit(X, NUMBERS)


def test_threads_change_nothing_in_a_forest() -> None:
    forest = Forest(are_classes=False, trees=8, random_state=0)
    alone = ExtraTreesRegressor(8, min_samples_leaf=5, max_features=1 / 3, random_state=0, n_jobs=1).fit(X, NUMBERS)
    grown = [tree.tree_.compute_feature_importances(normalize=False) for tree in alone.estimators_]
    np.testing.assert_array_equal(forest.gains(X.to_numpy(), NUMBERS.to_numpy()), np.mean(grown, axis=0))
    assert forest.grow(X.to_numpy(), NUMBERS.to_numpy()).n_jobs == 1, "predictions of several threads are added up in any order"


def test_null_importance_sees_through_many_values() -> None:
    many = X.assign(key=RNG.permutation(N))
    step = SelectNullImportance(trees=20, shuffles=10).fit(many, CLASSES)
    assert "strong" in step.kept_
    assert step.scores_["key"] < 1.5 < step.scores_["strong"]


# ---------------------------------------------------------------------- without the target


def test_near_constant() -> None:
    table = pd.DataFrame({"all": ["x"] * 10, "most": [1] * 9 + [2], "gaps": [np.nan] * 9 + [1.0], "half": [1] * 5 + [2] * 5})
    assert list(NearConstant().fit_transform(table)) == ["most", "gaps", "half"]
    assert list(NearConstant(max_share=0.9).fit_transform(table)) == ["most", "gaps", "half"]
    assert list(NearConstant(max_share=0.89).fit_transform(table)) == ["half"]
    assert list(NearConstant(max_share=1).fit_transform(table)) == ["most", "gaps", "half"]


def test_duplicates() -> None:
    table = pd.DataFrame(
        {"a": [1, 2, 1], "f": [1.0, 2.0, 1.0], "t": ["x", "y", "x"], "u": ["p", "q", "p"], "v": ["p", "q", None], "z": [0.0, 0.0, -0.0]}
    )
    assert DuplicateColumns().fit(table.assign(zero=0)).dropped == ["f", "u", "zero"]


def test_correlated() -> None:
    table = X.assign(copy=-2 * X["strong"] + 0.01 * X["n1"], flag=X["n2"] > 0, constant=1.0, other=2.0)
    assert Correlated(above=0.95).fit(table).dropped == ["copy"]
    expected = table[["n2", "flag"]].astype(float).corr().iloc[0, 1]
    assert Correlated(above=expected - 1e-6).fit(table).dropped == ["copy", "flag"]
    assert Correlated(above=expected + 1e-6).fit(table).dropped == ["copy"]


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (NearConstant(max_share=0), "'near_constant' needs a max_share above 0"),
        (Correlated(above=1.5), "'correlated' needs a limit 'above' from 0 to 1"),
        (Correlated(["text"]), "'correlated' works on numeric or flags columns; 'text' is text"),
    ],
)
def test_refuses(step: Selector, message: str) -> None:
    with pytest.raises(InputError, match=message):
        step.fit(X.assign(text="a"))
