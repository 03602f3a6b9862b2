"""Quantile targets: models that learn the metric's quantile, blends and stacks judged by it, and coverage that is reported."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import QuantileRegressor
from sklearn.metrics import mean_pinball_loss as reference

from features.errors import InputError
from pipelines import stages
from pipelines.build_spec import build_spec
from pipelines.combiners import COMBINERS
from pipelines.competition import Competition
from pipelines.declaration import Declaration, DeclarationError
from pipelines.draft.asked_metric import asked_metric
from pipelines.ensembles import Problem
from pipelines.known import NOTHING_KNOWN, Known
from pipelines.metrics import METRICS, Array, metric_of
from pipelines.models import check_parameters, kinds
from pipelines.models.rounds import fit_model
from pipelines.options import Options
from pipelines.pinball import linear_quantile, smooth_pinball
from pipelines.portfolio import QUANTILE_PORTFOLIO, as_declared, configurations
from pipelines.portfolio_declaration import FINAL, with_configurations
from pipelines.quantiles import QUANTILE_LOSSES, learning_quantile
from pipelines.surroundings import Surroundings
from pipelines.targets import TRANSFORMS, TargetScale
from pipelines.tuning.ground import open_base
from pipelines.tuning.whole import Wanted, tune

from ..contracts.test_models import training_of
from .reported import finished, reported

PINBALL = metric_of("mean_pinball_loss", {"alpha": 0.9})
VIEWS: dict[str, Any] = {"linear": ["one_hot"], "trees": ["ordinal"], "native": []}


def declared(metric: Any, models: dict[str, Any], **keys: Any) -> Declaration:
    data = {"data": {"train": "train.csv", "target": "y"}, "task": "regression", "metric": metric, "split": {"kfold": {"folds": 3}}}
    return Declaration(Path("pipeline.yaml"), {**data, "views": VIEWS, "models": models, **keys}, {})


def skewed(n_rows: int = 4000, seed: int = 0) -> tuple[Array, Array]:
    """Members that are too low, each with an error of its own, shape (n_rows, 3), and a target with a long tail."""
    rng = np.random.default_rng(seed)
    signal = rng.gamma(4.0, 10.0, n_rows)
    members = np.stack([signal * rng.lognormal(0, spread, n_rows) for spread in (0.1, 0.3, 0.5)], axis=1)
    return members, signal * rng.lognormal(0, 0.4, n_rows)


# ---------------------------------------------------------------------- models


@pytest.mark.parametrize("kind", QUANTILE_LOSSES)
def test_a_kind_learns_the_quantile(kind: str) -> None:
    training = training_of("regression", n_rows=600)
    short = {"max_iter": 60} if kind == "hist_gbdt" else {"alpha": 0.0} if kind == "quantile_regression" else {"n_estimators": 60}
    for quantile in (0.1, 0.9):
        params = learning_quantile(kind, short, quantile)
        assert check_parameters(kind, "regression", params) == []
        predicted = fit_model(kinds()[kind], params, training).predict(training.X)
        assert np.mean(training.y <= predicted) == pytest.approx(quantile, abs=0.08)


@pytest.mark.parametrize("kind", ["lightgbm", "xgboost", "catboost"])
def test_rounds_are_found_by_the_pinball_loss(kind: str) -> None:
    training = training_of("regression", n_rows=300)
    fitted = fit_model(kinds()[kind], learning_quantile(kind, {"learning_rate": 0.2}, 0.9), training)
    assert 1 <= fitted.facts()["rounds"] < training.max_rounds


@pytest.mark.parametrize(
    ("kind", "params", "found"),
    [
        ("lightgbm", {}, {"objective": "quantile", "alpha": 0.9}),
        ("lightgbm", {"objective": "quantile"}, {"objective": "quantile", "alpha": 0.9}),
        ("lightgbm", {"loss": "quantile"}, {"loss": "quantile", "alpha": 0.9}),
        ("lightgbm", {"app": "l1"}, {"app": "l1"}),
        ("lightgbm", {"alpha": 0.5}, {"objective": "quantile", "alpha": 0.5}),
        ("xgboost", {"objective": "reg:squarederror"}, {"objective": "reg:squarederror"}),
        ("catboost", {"loss_function": "MAE"}, {"loss_function": "MAE"}),
        ("catboost", {"objective": "RMSE"}, {"objective": "RMSE"}),
        ("hist_gbdt", {"max_iter": 9}, {"loss": "quantile", "quantile": 0.9, "max_iter": 9}),
        ("quantile_regression", {"quantile": 0.2}, {"quantile": 0.2}),
        ("ridge", {"alpha": 2.0}, {"alpha": 2.0}),
        ("random_forest", {}, {}),
        ("bagging", {"of": {"gbdt": None}}, {"of": {"gbdt": {"loss": "quantile", "alpha": 0.9}}}),
    ],
)
def test_what_a_declaration_says_itself_holds(kind: str, params: dict[str, Any], found: dict[str, Any]) -> None:
    spec = build_spec(declared({"mean_pinball_loss": {"alpha": 0.9}}, {"m": {kind: params}}))
    assert spec.models["m"].params == found
    # another metric changes nothing
    assert build_spec(declared("mae", {"m": {kind: params}})).models["m"].params == params


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("is_scaled", [False, True])
@given(values=st.lists(st.floats(-50.0, 50.0), min_size=2, max_size=20))
def test_the_way_back_to_target_units_keeps_the_order(transform: str, is_scaled: bool, values: list[float]) -> None:
    """So a quantile on the scale that is fitted on is one in target units, also where a model goes below the scale."""
    scale = TargetScale.of(np.array([1.0, 5.0, 30.0]), transform, is_scaled=is_scaled)
    assert (np.diff(scale.inverse(np.sort(values))) >= 0).all()


# ---------------------------------------------------------------------- combining


def test_the_smooth_loss_lies_just_above_the_loss() -> None:
    y, p = np.random.default_rng(0).normal(size=(2, 500))
    gap = np.mean(smooth_pinball(y - p, 0.9, 0.01)) - reference(y, p, alpha=0.9)
    assert 0 <= gap <= 0.01 * np.log(2)


@pytest.mark.parametrize("quantile", [0.05, 0.5, 0.9])
@pytest.mark.parametrize("is_weighted", [False, True])
def test_a_linear_quantile_is_that_of_scikit_learn(quantile: float, is_weighted: bool) -> None:
    X, y = skewed(400)
    weights = np.resize([1.0, 0.0, 3.0], len(y)) if is_weighted else None
    theirs = QuantileRegressor(quantile=quantile, alpha=0.0).fit(X, y, sample_weight=weights).predict(X)
    coefficients, intercept = linear_quantile(X, y, quantile, alpha=0.0, weights=weights)
    ours, best = (reference(y, p, alpha=quantile, sample_weight=weights) for p in (X @ coefficients + intercept, theirs))
    assert best - 1e-9 <= ours <= 1.002 * best


@pytest.mark.parametrize("transform", ["none", "log1p"])
def test_simplex_weights_lower_the_pinball_loss(transform: str) -> None:
    """Least squares takes nearly all of the exact member; the 0.9 quantile of the target lies where the wide ones reach."""
    members, y = skewed()
    problem = Problem("regression", PINBALL, TRANSFORMS[transform])
    blend: Any = COMBINERS["blend"](problem, method="simplex")
    squares: Any = COMBINERS["blend"](Problem("regression", METRICS["rmse"], TRANSFORMS[transform]), method="simplex")
    for one in (blend, squares):
        one.fit(members, Known(y))
    loss = [PINBALL.score(y, one.predict(members)) for one in (blend, squares)]
    assert loss[0] < loss[1]
    assert loss[0] <= min(PINBALL.score(y, members[:, at]) for at in range(3)) + 1e-3


@pytest.mark.parametrize("transform", ["none", "log1p"])
def test_a_stack_covers_the_quantile_and_is_restored(transform: str) -> None:
    members, y = skewed()
    problem = Problem("regression", PINBALL, TRANSFORMS[transform])
    stack, again = COMBINERS["stack"](problem), COMBINERS["stack"](problem)
    stack.fit(members[:2000], Known(y[:2000]))
    predicted = stack.predict(members[2000:], NOTHING_KNOWN)
    assert np.mean(y[2000:] <= predicted) == pytest.approx(0.9, abs=0.02)
    again.restore(stack.describe())
    np.testing.assert_array_equal(again.predict(members[2000:], NOTHING_KNOWN), predicted)


def test_a_meta_model_of_the_mean_is_refused() -> None:
    with pytest.raises(InputError, match=r"meta 'ridge' learns a mean, and metric 'mean_pinball_loss \(alpha 0.9\)' asks for a quantile"):
        COMBINERS["stack"](Problem("regression", PINBALL, TRANSFORMS["none"]), meta="ridge")
    with pytest.raises(InputError, match="meta 'quantile' does not fit task 'regression'; allowed: ridge"):
        COMBINERS["stack"](Problem("regression", METRICS["rmse"], TRANSFORMS["none"]), meta="quantile")


@pytest.mark.parametrize("params", [{}, {"method": "theory"}])
def test_a_factor_is_refused(params: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"a factor would take predictions off the quantile .*Write stack: \{of: \['m'\]\}"):
        COMBINERS["correct"](Problem("regression", PINBALL, TRANSFORMS["log1p"]), of=["m"], **params)


@pytest.mark.parametrize(
    ("kind", "params", "message"),
    [
        ("xgboost", {"quantile_alpha": [0.1, 0.9]}, "gives 2 values for each row, and a model predicts one"),
        ("catboost", {"loss_function": "MultiQuantile:alpha=0.1,0.9"}, "gives 2 values for each row, and a model predicts one"),
        ("xgboost", {"quantile_alpha": 1.5}, "XGBoost refuses these parameters: .*quantile alpha must be in the range"),
        ("catboost", {"loss_function": "Quantile:alpha=7"}, r"CatBoost refuses these parameters: .*should be in interval \[0, 1\]"),
        ("hist_gbdt", {"quantile": 2}, "'quantile' parameter of HistGradientBoostingRegressor"),
        ("bagging", {"of": {"gbdt": 5}}, r"of\.gbdt: takes library parameters, found 5"),
        ("lightgbm", [1], r"takes library parameters, found \[1\]"),
    ],
)
def test_what_no_model_can_learn(kind: str, params: Any, message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        build_spec(declared({"mean_pinball_loss": {"alpha": 0.9}}, {"m": {kind: params}}))


# ---------------------------------------------------------------------- drafts and portfolio


@pytest.mark.parametrize(
    ("text", "params"),
    [
        ("rmse", {}),
        ("mean_pinball_loss:alpha=0.9", {"alpha": 0.9}),
        ("pinball:quantile=0.1", {"quantile": 0.1}),
        ("cost:false_positive=1.0,false_negative=5.0", {"false_positive": 1.0, "false_negative": 5.0}),
        ("gauc:group=user id", {"group": "user id"}),
    ],
)
def test_a_metric_on_a_command_line(text: str, params: dict[str, Any]) -> None:
    assert asked_metric(text) == metric_of(text.partition(":")[0], params)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mean_pinball_loss", r"has parameters\. Give them: --metric mean_pinball_loss:alpha=0\.9"),
        ("mean_pinball_loss:", r"has parameters\. Give them: --metric mean_pinball_loss:alpha=0\.9"),
        ("mean_pinball_loss:0.9", r"written KEY=VALUE with commas between them; found '0\.9'\. Write mean_pinball_loss:alpha=0\.9"),
        ("mean_pinball_loss:alpha", "written KEY=VALUE"),
        ("mean_pinball_loss:alpha=0.9,", "written KEY=VALUE with commas between them; found ''"),
        ("mean_pinball_loss:alpha=1.5", r"'mean_pinball_loss\.alpha': found 1\.5"),
        ("mean_pinball_loss:alpha=high", "'mean_pinball_loss.alpha': found 'high'"),
        ("mean_pinball_loss:quantile=0.9", "'mean_pinball_loss.quantile': unknown key; allowed: alpha"),
        ("rmse:alpha=0.9", "metric 'rmse' takes no parameters, found 'alpha'"),
        ("mean_pinbal_loss:alpha=0.9", "there is no such metric; .* Closest: 'mean_pinball_loss'"),
        (":alpha=0.9", "there is no such metric"),
    ],
)
def test_a_metric_that_cannot_be_read(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        asked_metric(text)


def test_the_portfolio_of_a_quantile_learns_it() -> None:
    fitting = configurations("regression", 1000, 10, of_quantile=True)
    assert [one.name for one in fitting] == [one.name for one in QUANTILE_PORTFOLIO]
    assert {one.kind for one in fitting} == {"quantile_regression", "lightgbm", "xgboost", "catboost"}
    spec = build_spec(declared({"pinball": {"quantile": 0.25}}, as_declared(fitting)))
    for model in spec.models.values():
        assert QUANTILE_LOSSES[model.kind].of(0.25).items() <= model.params.items()


def test_the_portfolio_grows_below_a_last_layer() -> None:
    """The drafted final, a stack of the blend alone, stays the final."""
    ensemble = {"blended": {"blend": {"of": ["a"]}}, "final": {"stack": {"of": ["blended"]}}}
    before = declared({"pinball": {"quantile": 0.9}}, {"a": {"quantile_regression": {}}}, ensemble=ensemble)
    grown = with_configurations(before, [one for one in QUANTILE_PORTFOLIO if one.name == "lgb"]).data["ensemble"]
    assert grown == {"blended": {"blend": {"of": ["a", "lgb"]}}, "final": {"stack": {"of": ["blended"]}}}
    alone = declared("rmse", {"a": {"ridge": {}}}, ensemble={"top": {"stack": {"of": ["a"]}}, "last": {"correct": {"of": ["top"]}}})
    assert [*with_configurations(alone, [QUANTILE_PORTFOLIO[1]]).data["ensemble"]] == ["top", "last", FINAL]


# ---------------------------------------------------------------------- a run


@pytest.fixture
def quantile_run(make_tiny: Callable[..., Any], tmp_path: Path) -> Any:
    tiny = make_tiny("regression", n_train=120)
    tiny.edit(
        ("metric: rmse", "metric: {mean_pinball_loss: {alpha: 0.8}}"),
        ("ridge: {ridge: {alpha: 1.0}", "ridge: {quantile_regression: {alpha: 0.01}"),
    )
    return finished(tiny.folder, tiny.runs, tmp_path)


def test_coverage_is_counted_out_of_fold_and_reported(quantile_run: Any, tmp_path: Path) -> None:
    found = quantile_run.metrics["final"]["coverage"]
    shares = quantile_run.y <= quantile_run.oof[quantile_run.final]
    assert found["quantile"] == 0.8 and found["score"] == pytest.approx(shares.mean())
    assert found["interval"][0] <= found["score"] <= found["interval"][1] and len(found["folds"]) == quantile_run.folds.n_folds
    page = reported(quantile_run, tmp_path / "report.html").own
    assert 'id="coverage"' in page and f"{shares.mean():.3f} of the scored rows lie at or below the prediction" in page
    assert "0.8 is asked for" in page


@pytest.mark.parametrize("kind", ["lightgbm", "xgboost", "catboost"])
def test_trials_learn_the_quantile_as_runs_do(make_tiny: Callable[..., Any], alone: None, kind: str) -> None:
    """Trials on binned data have a way of their own to fit; the declared configuration scores as in a run on the same folds."""
    tiny = make_tiny("regression", n_train=120)
    tiny.edit(
        ("metric: rmse", "metric: {mean_pinball_loss: {alpha: 0.8}}"),
        ("ridge: {ridge: {alpha: 1.0}", f"ridge: {{{kind}: {{n_estimators: 20}}"),
    )
    options = Options(data=tiny.folder.parent, runs=tiny.runs, models=("ridge",), track=False)
    found = tune(str(tiny.folder), options=options, wanted=Wanted(trials=1)).outcomes["ridge"]
    session = open_base(Competition("tiny", tiny.folder), tiny.folder, options, Surroundings.read()).session
    prepared = stages.prepare(session, tiny.folder / "out")
    made = stages.train(session, prepared, tiny.folder / "out", ["ridge"], stages.Work())["ridge"]
    scores = stages.table_of_scores(session, prepared, made)
    assert found.best.values[0] == pytest.approx(np.mean(scores["folds"]), rel=0.02)
