"""The report: one file, whole, offline, that says what the run's own numbers say and survives what data can hold."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import stages
from pipelines.known import Known
from pipelines.metrics import METRICS
from pipelines.oof import Predictions
from pipelines.report.blends import blends_section
from pipelines.report.blocks import Block, Choice, Figure, Folded, Section, Text, embedded, label, paired
from pipelines.report.confusion import confusion
from pipelines.report.evidence import Evidence
from pipelines.report.folds import picture
from pipelines.report.header import header
from pipelines.report.importances import shares
from pipelines.report.levels import levels_of
from pipelines.report.numbers import decimals_of, number, rounded
from pipelines.report.page import render, sections
from pipelines.report.slices import score_slices
from pipelines.report.thinning import along, equal_count, subsample
from pipelines.report.truth import truth_section
from pipelines.splits import FIT, SCORED, Folds

from .reported import Reported, finished, reported

_SECTIONS = {"models", "validation", "truth", "importances", "ensemble", "time", "plan"}
_BINARY_SECTIONS = {"calibration", "decision", "screening"}
_HOSTILE = '<script>alert("x")</script>'


@pytest.fixture
def report(make_tiny: Callable[..., Any], tmp_path: Path) -> Callable[..., Reported]:
    """Runs a tiny competition, after edits to its declaration and its files, and writes the report."""

    def make(task: str, *edits: tuple[str, str], change: Callable[[pd.DataFrame], pd.DataFrame] | None = None, more: str = "") -> Reported:
        tiny = make_tiny(task, n_train=120)
        tiny.edit(*edits)
        tiny.declaration.write_text(tiny.declaration.read_text(encoding="utf-8") + more, encoding="utf-8")
        for file in ("train.csv", "test.csv") if change else ():
            tiny.change(file, change)
        return reported(finished(tiny.folder, tiny.runs, tmp_path), tmp_path / "report.html")

    return make


@pytest.mark.parametrize("task", ["regression", "binary", "multiclass"])
def test_page_is_one_offline_file_with_all_sections(report: Callable[..., Reported], task: str) -> None:
    made = report(task)
    assert set(re.findall(r'<section id="(\w+)">', made.page)) == _SECTIONS | (_BINARY_SECTIONS if task == "binary" else set())
    assert len(made.page) < 6_000_000
    assert made.page.startswith("<!doctype html>")
    assert not re.findall(r"https?://|@import|url\(", made.own)
    assert not re.findall(r'<(?:link|script|img|iframe)[^>]*\b(?:src|href)="(?!data:)', made.page)
    assert "default-src 'none'" in made.page
    final = made.evidence.metrics["final"]
    assert f"<strong>{number(final['score'])}</strong>" in made.page
    assert all(name in made.own for name in made.evidence.scores)


@pytest.mark.parametrize("task", ["regression", "binary", "multiclass"])
def test_figures_are_what_plotly_knows(report: Callable[..., Reported], task: str) -> None:
    from plotly.graph_objects import Figure as PlotlyFigure

    for figure in report(task).figures:
        # plotly's own check of every key and value; our names of colours stand for any colour
        PlotlyFigure(json.loads(re.sub(r'"\$[a-z]+(/\d+)?"', '"#123456"', json.dumps(figure))))


def test_colours_are_those_of_the_style_sheet(report: Callable[..., Reported]) -> None:
    made = report("binary")
    used = set(re.findall(r'"\$([a-z]+)', json.dumps(made.figures))) | set(re.findall(r'"\$([a-z]+)"', made.own))
    light, dark = (set(re.findall(r"--([a-z]+):", block)) for block in re.findall(r":root \{(.*?)\}", made.page, re.DOTALL))
    assert used <= light
    assert used <= dark


def test_names_from_data_are_never_markup(report: Callable[..., Reported]) -> None:
    def rename(table: pd.DataFrame) -> pd.DataFrame:
        return table.rename(columns={"rooms": _HOSTILE}).replace({"kind": {"villa": "</script><b>"}})

    slices = f"report: {{slices: ['{_HOSTILE}', kind]}}\n"
    edits = ("title: Tiny kinds", f"title: '{_HOSTILE}'"), ("sample_submission: sample.csv, ", "")
    made = report("multiclass", *edits, change=rename, more=slices)
    assert _HOSTILE not in made.page
    assert "</script><b>" not in made.page
    assert "<h1>&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt;</h1>" in made.page
    # in figures the name is an entity, which plotly shows as the sign
    assert any("&lt;/script&gt;" in json.dumps(figure) for figure in made.figures)


def test_scores_that_do_not_exist_are_said_to_be_missing(report: Callable[..., Reported]) -> None:
    made = report("binary")
    evidence = made.evidence
    for scores in (*evidence.metrics["models"].values(), evidence.metrics["final"]):
        scores["folds"] = [float("nan")] * len(scores["folds"])
        scores["fold_sd"] = float("nan")
    evidence.metrics["models"]["tree"] |= {"score": float("nan"), "interval": [float("nan")] * 2}
    page = render(header(evidence), sections(Evidence(evidence.session, evidence.prepared, evidence.combined, {})))
    assert "n/a" in page
    assert not re.search(r"\bNaN\b", "".join(re.findall(r'<script type="application/json">(.*?)</script>', page, re.DOTALL)))


def test_slices_by_column_and_expression(report: Callable[..., Reported]) -> None:
    made = report("regression", more='report: {slices: [street, area, "price > 150000", Nope]}\n')
    page = made.own
    assert all(name in page for name in ("Elm", "Oak", "Pine", "does not hold", "(missing)"))
    assert re.search(r"Slice &#39;Nope&#39; is left out: .*Nope", page)


def test_rare_levels_are_one_slice() -> None:
    raw = pd.DataFrame({"city": ["a"] * 400 + ["b"] * 20 + ["c"] * 3 + ["d"] * 2 + [None] * 5, "n": [*range(430)]})
    levels = levels_of("city", raw)
    assert [*levels.categories] == ["a", "b", "other (2 levels)", "(missing)"]
    assert [(levels == name).sum() for name in levels.categories] == [400, 20, 5, 5]
    bins = levels_of("n", raw.iloc[:401])
    assert [*bins.categories][:2] == ["0 to 50", "50 to 100"]
    assert [(bins == name).sum() for name in bins.categories] == [51, *[50] * 7]
    # a number that few rows have is a rare level, too
    assert [*levels_of("x", pd.DataFrame({"x": [1.0] * 20 + [2.5] * 20 + [3.0]})).categories] == ["1", "2.5", "other (1 level)"]


def test_a_slice_of_one_class_has_no_score() -> None:
    y, p = np.array([0.0] * 20 + [0.0, 1.0] * 10), np.linspace(0, 1, 40)
    parts = score_slices(pd.Categorical(["x"] * 20 + ["y"] * 20), METRICS["roc_auc"], Known(y), p)
    assert [number(part.score) for part in parts] == ["n/a", number(METRICS["roc_auc"].score(y[20:], p[20:]))]


@pytest.mark.parametrize("name", sorted(METRICS))
def test_no_slice_is_too_poor_for_a_page(name: str) -> None:
    # one row, one class, nothing but zeros: a score or none, but never a failure
    metric, y = METRICS[name], np.array([0.0] * 5 + [1.0] * 5 + [0.0, 1.0])
    levels = pd.Categorical(["zeros"] * 5 + ["ones"] * 5 + ["one row", "another"])
    p = np.full(len(y), 0.5) if "multiclass" not in metric.tasks or "binary" in metric.tasks else np.full((len(y), 2), 0.5)
    for part in score_slices(levels, metric, Known(y if metric.least_allowed else y + 1), p):
        assert np.isfinite(part.score) == np.isfinite(part.ends).all()


def test_report_says_what_is_fitted_on_all_rows_and_which_rows_are_special(report: Callable[..., Reported]) -> None:
    edits = ("linear: [{drop: [street]}, {scale: standard}]", "linear: [{drop: [street]}, {scale: {with: standard, fit_on: all}}]")
    made = report("regression", edits, more='rows: {not_in_fit: ["rooms > 4"]}\n')
    assert "(fit_on: all): scale (view linear)." in made.page
    assert "left out of every fit, and still scored where rooms &gt; 4 (rows: not_in_fit)." in made.page
    assert "not nested again inside the ensemble" in made.page
    assert "scored, in no fit" in made.page


def test_a_model_alone_needs_no_ensemble(report: Callable[..., Reported]) -> None:
    alone = ("  tree: {decision_tree: {max_depth: 3}, view: linear}\nensemble:\n  final: {blend: {method: simplex}}\n", "")
    made = report("regression", alone)
    assert 'id="ensemble"' not in made.page
    assert made.evidence.final == "ridge"


@pytest.mark.parametrize(("task", "method"), [("multiclass", "mean"), ("regression", "simplex")])
def test_stacks_show_coefficients(report: Callable[..., Reported], task: str, method: str) -> None:
    made = report(task, (f"final: {{blend: {{method: {method}}}}}", "final: {stack: {}}"))
    assert "final: coefficients" in made.page


@pytest.mark.parametrize("task", ["regression", "binary", "multiclass"])
def test_predictions_that_do_not_vary_or_are_gaps_make_a_page(report: Callable[..., Reported], task: str) -> None:
    combined = (made := report(task).evidence).combined
    for value in (0.5, np.nan):
        parts = {name: [np.full_like(fold, value) for fold in one.folds] for name, one in combined.predictions.items()}
        same = {name: Predictions(folds, combined.predictions[name].test) for name, folds in parts.items()}
        evidence = Evidence(made.session, made.prepared, stages.Combined(same, combined.learnt, combined.metrics), {})
        assert all(section.blocks for section in (truth_section(evidence), blends_section(evidence)) if section is not None)


def test_holdout_is_said_to_be_looked_at_once(report: Callable[..., Reported]) -> None:
    made = report("regression")
    assert 'id="holdout"' not in made.page
    metrics = {**made.evidence.metrics, "holdout": {"ridge": 1.0, "final": 0.5}}
    combined = stages.Combined(made.evidence.combined.predictions, made.evidence.combined.learnt, metrics)
    evidence = Evidence(made.evidence.session, made.evidence.prepared, combined, {})
    assert "looked at once" in render(header(evidence), sections(evidence))


def test_page_without_figures_carries_no_plotly(report: Callable[..., Reported]) -> None:
    top = header(report("regression").evidence)
    assert len(render(top, [Section("a", "A", [Text("x")])])) < 50_000
    assert "plotly.js" in render(top, [Section("a", "A", [Folded("x", [Choice("c", {"o": [Figure("f", [], {})]})])])])


def test_fold_picture_shows_fit_scored_and_unused() -> None:
    status = np.zeros((1000, 3), dtype=np.int8)
    for fold in range(3):
        status[: 400 + 100 * fold, fold] = FIT
        status[400 + 100 * fold : 500 + 100 * fold, fold] = SCORED
    cells = picture(Folds(status), bins=10).data[0]
    assert cells["z"] == [[1] * n + [2] + [0] * (9 - n) for n in (4, 5, 6)]
    assert cells["customdata"][0][4] == [0, 100, 0]
    assert len(picture(Folds(status[:7])).data[0]["z"][0]) == 7


def test_shares_count_a_column_that_a_fold_lacks_as_zero() -> None:
    folds: list[dict[str, Any]] = [{"columns": ["a", "b"], "importances": [3.0, 1.0]}, {"columns": ["a"], "importances": [8.0]}]
    folds.append({"columns": ["a"], "importances": None})
    assert [(one.column, one.mean, one.n_folds) for one in shares(folds)] == [("a", 0.875, 2), ("b", 0.125, 1)]
    assert shares([{"columns": ["a"], "importances": [0.0]}]) == []


def test_narrow_figures_are_paired() -> None:
    figures: list[Block] = [Figure(str(height), [], {}, height=height) for height in (100, 200, 300)]
    *found, text = paired([*figures, Text("x")])
    sizes = [(one.height, one.is_wide) for one in found if isinstance(one, Figure)]
    assert sizes == [(200, False), (200, False), (300, True)]
    assert text == Text("x")


def test_confusion_counts() -> None:
    assert confusion(np.array([0.0, 1, 1, 2]), np.array([0.0, 1, 2, 2]), 3).tolist() == [[1, 0, 0], [0, 1, 1], [0, 0, 1]]


def test_thinned_curves_keep_their_ends() -> None:
    x = np.linspace(0, 1, 10_000)
    short_x, short_y = along(x, np.sqrt(x), 100)
    assert len(short_x) <= 100
    assert (short_x[0], short_y[-1]) == (0, 1)
    assert len(subsample(10_000, 50)) == 50
    assert sorted(np.concatenate(equal_count(np.ones(7), 3, most=10))) == [*range(7)]


@given(st.floats(-1e300, 1e300) | st.sampled_from([np.nan, np.inf, -np.inf]))
def test_any_number_has_a_form(value: float) -> None:
    text = number(value)
    assert text == "n/a" or float(text.replace(",", "")) == pytest.approx(value, rel=1e-4)
    assert decimals_of(value) is None or number(value, decimals_of(value))
    json.dumps(rounded([value]), allow_nan=False)


@given(st.text())
def test_embedded_text_cannot_end_its_script(text: str) -> None:
    made = str(embedded({"a": [text, float("nan")]}))
    assert "<" not in made
    assert json.loads(made) == {"a": [text, None]}
    assert "<" not in label(text)
