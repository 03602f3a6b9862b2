"""The report's pages for two classes: curves with their bands, calibration, decisions, arms and screening."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as sklearn_metrics

from pipelines import stages
from pipelines.metrics import Array
from pipelines.oof import Predictions
from pipelines.report.arms import arms_section
from pipelines.report.binary import distribution_figure
from pipelines.report.blends import blends_section
from pipelines.report.blocks import Facts, Figure, Folded, Gallery, Section, Table, Text
from pipelines.report.calibration import calibration_section, calibration_stages, reliability, wilson
from pipelines.report.curves import gain_figure, lift_blocks, precision_recall_figure, roc_figure
from pipelines.report.decision import at_one_half, cost_figures, decision_section, rates_figure
from pipelines.report.evidence import Evidence
from pipelines.report.header import header
from pipelines.report.outcomes import Outcomes
from pipelines.report.page import render, sections
from pipelines.report.scales import Scale
from pipelines.report.screening import drawn, is_measured, screen_levels, screen_numbers, screening_section
from pipelines.spec import Part

from ..conftest import write_tiny
from .reported import finished


def outcomes(n_rows: int = 2000, *, rate: float = 0.3, seed: int = 0, ties: bool = False) -> Outcomes:
    """Probabilities that know something of their outcome, and are calibrated."""
    rng = np.random.default_rng(seed)
    odds = rng.normal(np.log(rate / (1 - rate)), 2, n_rows)
    p = 1 / (1 + np.exp(-odds))
    p = p.round(2) if ties else p
    return Outcomes((rng.random(n_rows) < p).astype(float), p)


def named(figure: Figure, name: str) -> dict[str, Any]:
    """The trace of a figure with a name."""
    return next(trace for trace in figure.data if trace.get("name") == name)


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    """A run with arms, a calibrated final and a threshold by cost."""
    folder = tmp_path_factory.mktemp("binary")
    tiny = write_tiny(folder / "tiny", "binary", n_train=150)
    weighed = "  weighed: {decision_tree: {max_depth: 3}, view: linear, weights: balanced}\n"
    tiny.edit(("ensemble:\n", f"{weighed}ensemble:\n"))
    with tiny.declaration.open("a", encoding="utf-8") as file:
        file.write("calibrate: platt\nthreshold: {cost: {false_positive: 1, false_negative: 5}}\nreport: {slices: [street, area]}\n")
    return finished(tiny.folder, tiny.runs, folder)


def with_metrics(evidence: Evidence, **more: Any) -> Evidence:
    """The same run with other entries in its metrics."""
    combined = evidence.combined
    return Evidence(
        evidence.session, evidence.prepared, stages.Combined(combined.predictions, combined.learnt, {**combined.metrics, **more}), {}
    )


def blocks(section: Section | None, kind: type) -> list[Any]:
    """The blocks of a kind."""
    assert section is not None
    return [block for block in section.blocks if isinstance(block, kind)]


def test_page_of_a_rare_event_declaration_is_whole(evidence: Evidence) -> None:
    page = render(header(evidence), sections(evidence))
    found = re.findall(r'<section id="(\w+)">', page)
    assert {"truth", "calibration", "decision", "slices", "screening"} <= set(found)
    assert "Before calibration: final" in page
    assert "After calibration: calibrated (platt)" in page
    assert "normalised_entropy" in page
    assert "cost (false_positive 1, false_negative 5)" in page


# Curves


@pytest.mark.parametrize("ties", [False, True])
def test_curves_go_where_scikit_learn_says(ties: bool) -> None:
    whole = outcomes(ties=ties)
    at = whole.thresholds
    fpr, tpr, _ = sklearn_metrics.roc_curve(whole.y, whole.p, drop_intermediate=False)
    precision, recall, threshold = sklearn_metrics.precision_recall_curve(whole.y, whole.p)
    np.testing.assert_allclose(at.false_positive_rate, fpr[1:])
    np.testing.assert_allclose(at.recall, tpr[1:])
    np.testing.assert_allclose(at.precision, precision[:-1][::-1])
    np.testing.assert_allclose(at.recall, recall[:-1][::-1])
    np.testing.assert_allclose(at.threshold, threshold[::-1])


@given(st.integers(0, 50), st.sampled_from([0.0, 0.25, 0.5, 1.0]))
def test_decisions_are_those_of_counting(seed: int, threshold: float) -> None:
    some = outcomes(200, seed=seed, ties=True)
    weights = np.random.default_rng(seed).random(200)
    said = some.p > threshold
    there = Outcomes(some.y, some.p, weights).thresholds.at(np.array([threshold]))
    counted = [weights[(said == ours) & (some.y == truth)].sum() for ours, truth in ((1, 1), (1, 0), (0, 1), (0, 0))]
    np.testing.assert_allclose([there.tp[0], there.fp[0], there.fn[0], there.tn[0]], counted, atol=1e-9)
    np.testing.assert_allclose(there.cost(2, 7), (2 * counted[1] + 7 * counted[2]) / weights.sum())


@pytest.mark.parametrize("n_folds", [1, 3, 30])
@pytest.mark.parametrize("draw", [roc_figure, precision_recall_figure, gain_figure])
def test_bands_hold_the_folds(draw: Callable[..., Figure], n_folds: int) -> None:
    parts = [outcomes(300, seed=seed) for seed in range(n_folds)]
    figure = draw(outcomes(), parts)
    filled = [trace for trace in figure.data if trace.get("fill") == "tonexty"]
    assert len(filled) == (n_folds > 1)
    for high in filled:
        low = figure.data[figure.data.index(high) - 1]
        assert all(below <= above for below, above in zip(low["y"], high["y"], strict=True))
        assert all(0 <= end <= 1 for end in (*low["y"], *high["y"]))
    said = {1: False, 3: "the lowest and the highest fold" in figure.caption, 30: "middle 80 % of the folds" in figure.caption}
    assert said[n_folds] == (n_folds > 1)


@pytest.mark.parametrize("draw", [roc_figure, precision_recall_figure, gain_figure])
def test_band_of_equal_folds_is_their_curve(draw: Callable[..., Figure]) -> None:
    whole = outcomes(500)
    figure = draw(whole, [whole, whole])
    low, high = (trace for trace in figure.data[:2])
    assert low["y"] == high["y"]
    pooled = named(figure, "pooled")
    # at places that both know, the curve goes through its own band
    own = dict(zip(pooled["x"], pooled["y"], strict=True))
    shared = [(x, y) for x, y in zip(low["x"], low["y"], strict=True) if x in own]
    assert shared
    if draw is gain_figure:
        assert all(own[x] == pytest.approx(y, abs=1e-4) for x, y in shared)


def test_lift_and_gain_agree_with_counting() -> None:
    whole = outcomes(2000)
    order = np.argsort(-whole.p)
    first = whole.y[order][:200]
    figure, folded = lift_blocks(whole)
    assert figure.data[0]["y"][0] == pytest.approx(first.mean() / whole.y.mean(), rel=1e-4)
    gained = named(gain_figure(whole, []), "tenths")["y"]
    assert gained[0] == pytest.approx(first.sum() / whole.y.sum(), rel=1e-4)
    assert gained[-1] == 1
    (table,) = folded.blocks
    assert isinstance(table, Table)
    assert len(table.rows) == 10


def test_a_million_rows_make_small_figures() -> None:
    whole = outcomes(1_000_000, rate=0.01)
    parts = [Outcomes(whole.y[at::5], whole.p[at::5]) for at in range(5)]
    figures = [draw(whole, parts) for draw in (roc_figure, precision_recall_figure, gain_figure)]
    figures += [
        distribution_figure(whole, ["no", "yes"]),
        rates_figure(whole.thresholds, Scale.of(whole.y, whole.p), at_one_half(whole.thresholds)),
    ]
    assert all(len(figure.json) < 40_000 for figure in figures)


# The axis of probabilities


def test_axis_is_plain_unless_a_class_is_rare() -> None:
    common, rare = outcomes(rate=0.3), outcomes(rate=0.001, n_rows=20_000)
    assert Scale.of(common.y, common.p) == Scale()
    scale = Scale.of(rare.y, rare.p)
    assert scale.is_odds
    assert len(scale.axis("p")["tickvals"]) <= 7


@pytest.mark.parametrize("p", [np.zeros(100), np.ones(100), np.full(100, 0.5), np.full(100, 1e-12), np.r_[np.zeros(99), 1.0]])
def test_axis_has_room_for_certain_and_equal_probabilities(p: Array) -> None:
    scale = Scale.of((np.arange(100) == 7).astype(float), p)
    assert 0 < scale.low < scale.high < 1
    assert np.isfinite(scale.at(p)).all()
    counts, _ = scale.histogram(p, 10)
    assert counts.sum() == 100
    np.testing.assert_allclose(scale.grid(5)[[0, -1]], [scale.low, scale.high])


def test_rare_events_are_drawn_in_rows_on_a_log_axis() -> None:
    rare = outcomes(rate=0.001, n_rows=20_000)
    figure = distribution_figure(rare, ["no", "yes"])
    assert figure.layout["yaxis"]["type"] == "log"
    assert min(min(trace["y"]) for trace in figure.data) == 0.5
    shown = [sum(int(text.replace(",", "")) for text in trace["customdata"][::2]) for trace in figure.data]
    assert shown == [int((rare.y == 0).sum()), int((rare.y == 1).sum())]


# Calibration


def test_stages_are_before_and_after_the_last_calibration(evidence: Evidence) -> None:
    assert list(calibration_stages(evidence).values()) == ["final", "calibrated"]
    learnt = {**evidence.combined.learnt, "rules": {"kind": "postprocess", "of": ["calibrated"]}}
    predictions = {**evidence.combined.predictions, "rules": evidence.combined.predictions["calibrated"]}
    metrics = {**evidence.metrics, "final": {**evidence.metrics["final"], "name": "rules"}}
    behind = Evidence(evidence.session, evidence.prepared, stages.Combined(predictions, learnt, metrics), {})
    assert list(calibration_stages(behind).values()) == ["final", "calibrated"]
    figures = blocks(calibration_section(behind), Figure)
    assert [figure.title for figure in figures] == ["Before calibration: final", "After calibration: calibrated (platt)"]
    # beside each other they are compared: the same axis
    assert figures[0].layout["xaxis"] == figures[1].layout["xaxis"]


def test_without_a_calibration_there_is_one_curve(evidence: Evidence) -> None:
    plain = with_metrics(evidence, final={**evidence.metrics["final"], "name": "logistic"})
    assert calibration_stages(plain) == {"Calibration of logistic": "logistic"}
    (table,) = blocks(calibration_section(plain), Table)
    assert len(table.rows) == 1


@pytest.mark.parametrize("rate", [0.3, 0.002])
@pytest.mark.parametrize("weighed", [False, True])
def test_reliability_bins_add_up(rate: float, weighed: bool) -> None:
    some = outcomes(20_000, rate=rate)
    weights = np.random.default_rng(1).integers(1, 4, len(some.y)).astype(float) if weighed else None
    whole = Outcomes(some.y, some.p, weights)
    curve = reliability(whole, Scale.of(whole.y, whole.p))
    total = len(some.y) if weights is None else weights.sum()
    assert curve.weight.sum() == pytest.approx(total)
    assert np.sum(curve.observed * curve.weight) / total == pytest.approx(whole.rate)
    assert np.sum(curve.predicted * curve.weight) / total == pytest.approx(whole.mean)
    assert (np.diff(curve.predicted) > 0).all()
    assert 4 <= len(curve.predicted) <= 20
    # drawn from its own probabilities, nearly every bin's interval holds them
    low, high = wilson(curve.observed, curve.weight * whole.rows_per_weight)
    assert ((low <= curve.predicted) & (curve.predicted <= high)).mean() > 0.7


def test_weights_of_one_size_are_as_many_rows() -> None:
    y, p = np.array([0.0, 1.0, 1.0]), np.full(3, 0.5)
    assert Outcomes(y, p).rows_per_weight == 1
    assert Outcomes(y, p, np.full(3, 4.0)).total * Outcomes(y, p, np.full(3, 4.0)).rows_per_weight == pytest.approx(3)
    assert Outcomes(y, p, np.array([1.0, 1.0, 8.0])).total * Outcomes(y, p, np.array([1.0, 1.0, 8.0])).rows_per_weight < 2
    assert np.isnan(Outcomes(y, p, np.zeros(3)).rate)


def test_wilson_interval_of_known_case() -> None:
    low, high = wilson(np.array([0.5, 0.0]), np.array([100, 10]))
    # statsmodels.stats.proportion.proportion_confint(50, 100, method="wilson"), and (0, 10)
    assert np.round(low, 4).tolist() == [0.4038, 0.0]
    assert np.round(high, 4).tolist() == [0.5962, 0.2775]


# Decisions

_DECIDED: dict[str, Any] = {
    "rule": "cost",
    "params": {"false_positive": 1.0, "false_negative": 5.0},
    "of": "calibrated",
    "threshold": 0.2,
    "folds": [0.1, 0.2, 0.3],
    "precision": 0.5,
    "recall": 0.9,
    "f1": 0.64,
    "cost": 0.4,
    "counts": {"tp": 40.0, "fp": 40.0, "fn": 4.5, "tn": 65.5},
}


def test_chosen_threshold_is_marked(evidence: Evidence) -> None:
    section = decision_section(with_metrics(evidence, decision=_DECIDED))
    rates, cost, matrix = blocks(section, Figure)
    assert [trace["x"] for trace in rates.data if trace.get("line", {}).get("dash") == "dot"] == [[0.2, 0.2]]
    assert [trace["x"][0] for trace in rates.data if trace.get("line", {}).get("width") == 1.5] == [0.1, 0.2, 0.3]
    assert [(trace["x"], trace["y"]) for trace in rates.data if trace["mode"] == "markers"] == [([0.2], [y]) for y in (0.5, 0.9, 0.64)]
    assert [(trace["x"], trace["y"]) for trace in cost.data if trace["mode"] == "markers"] == [([0.2], [0.4])]
    assert matrix.data[0]["text"] == [["65.5", "40"], ["4.5", "40"]]
    (facts,) = blocks(section, Facts)
    assert ("chosen in the folds", "0.10000 to 0.30000") in facts.pairs
    assert ("rule", "cost (false_positive 1, false_negative 5)") in facts.pairs


def test_without_a_threshold_one_half_decides(evidence: Evidence) -> None:
    metrics = {name: value for name, value in evidence.metrics.items() if name != "decision"}
    plain = Evidence(
        evidence.session, evidence.prepared, stages.Combined(evidence.combined.predictions, evidence.combined.learnt, metrics), {}
    )
    section = decision_section(plain)
    said = plain.oof["calibrated"] > 0.5
    counts = [[f"{((plain.y == truth) & (said == ours)).sum()}" for ours in (0, 1)] for truth in (0, 1)]
    rates, matrix = blocks(section, Figure)
    assert matrix.data[0]["text"] == counts
    assert named(rates, "f1")["y"][100] == pytest.approx(sklearn_metrics.f1_score(plain.y, said), rel=1e-4)
    assert "No threshold is declared" in blocks(section, Text)[0].text


@pytest.mark.parametrize(
    "change",
    [
        {"threshold": None, "folds": [None, None], "params": {"k": 5, "per": "day"}, "rule": "top_k"},
        {"precision": None, "f1": None, "counts": {"tp": 0.0, "fp": 0.0, "fn": 44.0, "tn": 106.0}},
        {"params": {"false_positive": 1.0, "false_negative": "amount"}},
        {"threshold": -1.0, "folds": [float("inf"), 0.5]},
    ],
)
def test_rules_without_a_threshold_or_costs_make_a_page(evidence: Evidence, change: dict[str, Any]) -> None:
    section = decision_section(with_metrics(evidence, decision={**_DECIDED, **change}))
    for figure in blocks(section, Figure):
        json.loads(figure.json)
    assert len(blocks(section, Figure)) == (
        3 if {"false_positive", "false_negative"} <= set(change.get("params", _DECIDED["params"])) else 2
    ) - (change.get("params", {}).get("false_negative") == "amount")


def test_cost_curve_is_least_where_costs_are_least() -> None:
    some = outcomes(5000)
    (figure,) = cost_figures(
        some.thresholds, Scale(), {**_DECIDED, "threshold": None, "params": {"false_positive": 1.0, "false_negative": 1.0}}
    )
    curve = named(figure, "cost")
    # equal costs and honest probabilities: one half
    assert curve["x"][int(np.argmin(curve["y"]))] == pytest.approx(0.5, abs=0.1)


def test_final_that_decides_is_judged_by_its_probabilities(evidence: Evidence) -> None:
    combined = evidence.combined
    decided = Predictions([(part > 0.3).astype(float) for part in combined.predictions["calibrated"].folds], np.empty(0))
    learnt = {**combined.learnt, "decided": {"kind": "threshold", "of": ["calibrated"], "threshold": 0.3}}
    scores = evidence.metrics["ensemble"]["calibrated"]
    metrics = {**evidence.metrics, "final": {**scores, "name": "decided"}, "ensemble": {**evidence.metrics["ensemble"], "decided": scores}}
    made = Evidence(evidence.session, evidence.prepared, stages.Combined({**combined.predictions, "decided": decided}, learnt, metrics), {})
    assert made.probable == "calibrated"
    page = render(header(made), sections(made))
    assert "Predictions of &#39;calibrated&#39;" in page
    (table,) = blocks(blends_section(made), Table)
    assert [row[:3] for row in table.rows] == [["calibrated", "calibrate", "final"], ["decided", "threshold", "calibrated"]]


# Rows without a prediction


def test_rows_that_the_final_does_not_predict_are_on_no_page(evidence: Evidence) -> None:
    combined = evidence.combined
    gap = {name: [np.where(np.arange(len(part)) < 10, np.nan, part) for part in one.folds] for name, one in combined.predictions.items()}
    # the models predict all rows, what follows them not; and one model predicts some rows only
    subset = {"tree": [np.where(np.arange(len(part)) % 2, np.nan, part) for part in combined.predictions["tree"].folds]}
    parts = {
        **{name: one.folds for name, one in combined.predictions.items()},
        "final": gap["final"],
        "calibrated": gap["calibrated"],
        **subset,
    }
    predictions = {name: Predictions(folds, combined.predictions[name].test) for name, folds in parts.items()}
    made = Evidence(evidence.session, evidence.prepared, stages.Combined(predictions, combined.learnt, combined.metrics), {})
    assert len(made.rows) == 150 - 30
    assert np.isfinite(made.oof["calibrated"]).all()
    assert np.isnan(made.oof["tree"]).any()
    page = render(header(made), sections(made))
    assert "for 120 scored rows" in page
    assert "30 more are scored by some fold, but the final has no prediction for them." in page


def test_folds_without_a_score_are_said_to_have_none(evidence: Evidence) -> None:
    metrics = json.loads(json.dumps(evidence.metrics))
    for scores in (metrics["final"], *metrics["models"].values(), *metrics["ensemble"].values()):
        scores["folds"][0] = None
    page = render(header(evidence), sections(with_metrics(evidence, **metrics)))
    assert '<td class="figure">n/a</td>' in page


# Arms


def arm(difference: float | None, p: float | None) -> dict[str, Any]:
    """A difference as metrics.json has it."""
    ends = {"low": None, "high": None} if p is None or difference is None else {"low": difference - 0.1, "high": difference + 0.1}
    return {"base": 0.5, "arm": 0.6, "difference": difference, **ends, "p_value": p}


def test_arms_are_coloured_by_what_the_test_says(evidence: Evidence) -> None:
    family = {
        "base": "tree",
        "metric": "roc_auc",
        "greater_is_better": {"roc_auc": True, "log_loss": False},
        "best": "smote",
        "verdict": "smote is better than tree beyond chance",
        "arms": {
            "smote": {"what": "smote", "p_adjusted": 0.02, "differences": {"roc_auc": arm(0.2, 0.01), "log_loss": arm(0.2, 0.01)}},
            "weighed": {
                "what": "balanced weights",
                "p_adjusted": 0.6,
                "differences": {"roc_auc": arm(-0.1, 0.6), "log_loss": arm(None, None)},
            },
        },
    }
    section = arms_section(with_metrics(evidence, arms=[family]))
    figures = {figure.title: figure for figure in blocks(section, Figure)}
    colors = {
        title: {trace["name"]: trace["marker"]["color"] for trace in figure.data if trace["mode"] == "markers"}
        for title, figure in figures.items()
    }
    assert colors == {
        "roc_auc minus tree's": {"better": "$accent", "unclear": "$muted"},
        "log_loss minus tree's": {"worse": "$second", "unclear": "$muted"},
    }
    (table,) = blocks(section, Table)
    assert [row[0] for row in table.rows] == ["smote", "smote", "weighed", "weighed"]
    assert table.rows[3][5:] == ["n/a", "n/a", "n/a", ""]


def test_no_family_no_section(evidence: Evidence) -> None:
    assert arms_section(with_metrics(evidence, arms=[])) is None


# Screening


def test_distances_are_those_of_scipy() -> None:
    rng = np.random.default_rng(0)
    y = (rng.random(4000) < 0.2).astype(float)
    values = rng.normal(y, 1)
    column = pd.Series(np.where(rng.random(4000) < 0.1, np.nan, values), name="x")
    screened = screen_numbers(column, y)
    known = column.notna().to_numpy()
    assert screened.ks == pytest.approx(stats.ks_2samp(column[known & (y == 1)], column[known & (y == 0)]).statistic)
    assert screened.missing == pytest.approx((column.isna()[y == 0].mean(), column.isna()[y == 1].mean()))
    assert 0.5 < screened.iv < 1.5


@pytest.mark.parametrize("values", [[np.nan] * 40, [1.0] * 40, [np.inf, -np.inf] * 20, [*range(39), np.inf]])
def test_poor_columns_separate_nothing(values: list[float]) -> None:
    y = np.tile([0.0, 1.0], 20)
    screened = screen_numbers(pd.Series(values, name="x"), y)
    assert 0 <= screened.ks <= 0.2
    assert 0 <= screened.iv < 1


def test_levels_that_say_all_have_a_large_value() -> None:
    y = np.repeat([0.0, 1.0], 50)
    raw = pd.DataFrame({"told": np.where(y == 1, "yes", "no"), "none": ["a", "b"] * 50})
    assert screen_levels(raw, "told", y).iv > 5
    assert screen_levels(raw, "none", y).iv == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("values", "expected"),
    [([*range(50)], True), ([1, 2] * 25, False), (["a", "b"] * 25, False), ([True, False] * 25, False), ([*map(str, range(50))], False)],
)
def test_measured_columns_are_numbers_with_many_values(values: list[Any], expected: bool) -> None:
    assert is_measured(pd.Series(values)) is expected


def test_draw_keeps_the_rare_class_whole() -> None:
    y = (np.arange(10_000) % 100 == 0).astype(float)
    rows = drawn(y, most=500)
    assert (np.diff(rows) > 0).all()
    assert [(y[rows] == code).sum() for code in (0, 1)] == [500, 100]
    assert (drawn(y, most=500) == rows).all()


def test_screening_shows_numbers_levels_and_a_table(evidence: Evidence) -> None:
    section = screening_section(evidence)
    numbers, levels = blocks(section, Gallery)
    assert [figure.title.split(":")[0] for figure in numbers.figures] == ["area"]
    assert {figure.title.split(":")[0] for figure in levels.figures} == {"rooms", "street"}
    (table,) = blocks(section, Folded)[0].blocks
    # neither the target nor the id are features
    assert {row[0] for row in table.rows} == {"area", "rooms", "street"}


def test_raw_columns_of_any_kind_can_be_screened(evidence: Evidence, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    n = len(evidence.rows)
    odd = pd.DataFrame(
        {
            "sold": evidence.y,
            "Id": range(n),
            "gone": [None] * n,
            "dates": pd.date_range("2020-01-01", periods=n),
            "flags": np.arange(n) % 2 == 0,
            "whole": pd.array([*range(n - 1), None], dtype="Int64"),
            "<b>": [f"name {at}" for at in range(n)],
            "same": 1.0,
        }
    )
    made = replace(evidence)
    made.__dict__["raw"] = odd
    section = screening_section(made)
    page = render(header(evidence), [section] if section else [])
    assert "&lt;b&gt;" in page
    assert "whole: KS" in page


@pytest.mark.parametrize(("metric", "said"), [("calibration_ratio", "calibration_ratio, best at 1"), ("brier", "brier, lower is better")])
def test_direction_is_that_of_the_metric(evidence: Evidence, metric: str, said: str) -> None:
    spec = replace(evidence.session.spec, metric=Part(metric, {}, ()))
    made = Evidence(replace(evidence.session, spec=spec), evidence.prepared, evidence.combined, {})
    page = render(header(made), sections(made))
    assert f"{said}</p>" in page
