"""What the notebooks share: where data is found, ablations that pair folds, and published figures that say when they do not compare."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from features.errors import InputError
from pipelines.declaration import _load_yaml
from pipelines.notebook import Book, Figure, ablation, beside_final, open_book, out_of_fold, published_figures, setting
from pipelines.whole_run import Result


@pytest.fixture
def book(make_tiny: Callable[..., Any], alone: None, tmp_path: Path) -> Book:
    """A tiny regression whose files lie where ``FOLDWISE_DATA`` says."""
    tiny = make_tiny()
    return open_book(str(tiny.folder), environment={"FOLDWISE_DATA": str(tmp_path), "FOLDWISE_RUNS": str(tiny.runs)})


@pytest.fixture
def whole(book: Book) -> Result:
    return book.run()


def test_real_files_are_taken_from_where_the_environment_says(book: Book, tmp_path: Path) -> None:
    assert (book.data, book.files, book.is_sample) == (tmp_path, tmp_path / "tiny", False)
    assert book.line == "Data: the real files."


def test_without_files_the_sample_is_used_and_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = open_book("titanic", environment={"FOLDWISE_RUNS": str(tmp_path / "runs"), "FOLDWISE_SAMPLE": "50"})
    if not found.is_sample:
        pytest.skip("data/titanic has the real files")
    assert (found.files / "train.csv").is_file() and found.files.is_relative_to(tmp_path / "runs")
    assert found.line.startswith("Data: sample rows that come with the competition") and found.line.endswith(
        "At most 50 random rows of each file, for speed."
    )


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"FOLDWISE_DATA": "nowhere"}, r"FOLDWISE_DATA=nowhere: there is no titanic/train\.csv in it\. Put the files there, or unset"),
        ({"FOLDWISE_SAMPLE": "many"}, r"FOLDWISE_SAMPLE='many' is no number of rows\. Give a whole number"),
        ({"FOLDWISE_SAMPLE": "²"}, r"FOLDWISE_SAMPLE='²' is no number of rows"),
        ({"FOLDWISE_SAMPLE": "0"}, r"FOLDWISE_SAMPLE='0' is no number of rows"),
        ({"FOLDWISE_SAMPLE": "-5"}, r"FOLDWISE_SAMPLE='-5' is no number of rows"),
    ],
)
def test_what_the_environment_says_wrong_is_refused(environment: dict[str, str], message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        open_book("titanic", environment={"FOLDWISE_RUNS": str(tmp_path), **environment})


def test_quick_settings_hold_on_few_rows_only(book: Book) -> None:
    quick = replace(book, quick=("split.kfold.folds=2",))
    assert quick.options("metric=mae").settings == ("metric=mae",)
    assert replace(quick, rows=30).options("metric=mae").settings == ("split.kfold.folds=2", "metric=mae")


def test_sampled_rows_are_those_of_the_run(book: Book) -> None:
    few = replace(book, rows=40)
    train = few.sampled(pd.read_csv(few.files / "train.csv"))
    result = few.run()
    recorded = pd.read_parquet(result.folder / "oof" / "ridge.parquet")
    assert recorded["Id"].tolist() == train["Id"].tolist()
    assert out_of_fold(result, "ridge").index.equals(train.index)
    assert len(book.sampled(train)) == 40, "without a number of rows, all are kept"


@pytest.mark.parametrize(
    "value", ["kfold", 3, None, True, 0.5, ["a", {"b": [1, 2]}], {"x": "1stFlrSF > `2` and 'é'"}, [{"map": {"to": {"Né": 0}}}]]
)
def test_a_setting_is_read_back_as_it_was(value: Any) -> None:
    key, _, text = setting("features.0", value).partition("=")
    assert key == "features.0"
    assert _load_yaml(text, "test") == value


def test_dropping_ends_a_section(book: Book) -> None:
    assert _load_yaml(book.dropping("space", "a*").partition("=")[2], "test") == [*book.declared["features"], {"drop": ["space", "a*"]}]


def test_ablation_pairs_each_run_with_the_whole(book: Book, whole: Result) -> None:
    table = ablation(book, whole, {"street": [book.dropping("street__target")], "nothing real": ["report.slices=[]"]})
    assert table.index.tolist() == ["nothing: the whole", "street", "nothing real"]
    assert table.loc["nothing: the whole", "score"] == whole.metrics["final"]["score"]
    assert table.loc["street", "bought"] > 0, "streets matter in the tiny houses"
    assert table.loc["street", "low"] < table.loc["street", "bought"] < table.loc["street", "high"]
    assert table.loc["nothing real", "bought"] == 0 and table.loc["nothing real", "folds"] == "0 of 3"


def test_ablation_of_one_model(book: Book, whole: Result) -> None:
    table = ablation(book, whole, {"street": [book.dropping("street__target")]}, models=["ridge"], of="ridge")
    assert table["score"].iloc[0] == whole.metrics["models"]["ridge"]["score"]
    assert table["score"].iloc[1] > table["score"].iloc[0]


def test_ablation_of_an_unknown_prediction_is_refused(book: Book, whole: Result) -> None:
    with pytest.raises(InputError, match=r"no prediction 'rigde'; it has 'final', 'ridge', 'tree'\. Name one of them"):
        ablation(book, whole, {}, of="rigde")


def test_ablation_with_other_folds_is_refused(book: Book, whole: Result) -> None:
    with pytest.raises(InputError, match="score other rows in their folds"):
        ablation(book, whole, {"a seed": ["split.kfold.seed=1"]})


def test_beside_final_shows_every_model_with_its_gain(whole: Result) -> None:
    table = beside_final(whole)
    assert table.index.tolist() == ["final", "ridge", "tree"]
    assert math.isnan(table.loc["final", "bought"])
    tree = whole.metrics["models"]["tree"]
    gains = [one - final for one, final in zip(tree["folds"], whole.metrics["final"]["folds"], strict=True)]
    assert table.loc["tree", "bought"] == pytest.approx(sum(gains) / 3)
    assert table.loc["tree", "folds"] == f"{sum(gain > 0 for gain in gains)} of 3"


def test_gains_are_turned_for_metrics_that_grow(make_tiny: Callable[..., Any], alone: None, tmp_path: Path) -> None:
    tiny = make_tiny("binary")
    tiny.edit(("metric: log_loss", "metric: roc_auc"))
    found = open_book(str(tiny.folder), environment={"FOLDWISE_DATA": str(tmp_path), "FOLDWISE_RUNS": str(tiny.runs)})
    table = ablation(found, found.run(), {"area": [found.dropping("area")]})
    assert table.loc["area", "score"] < table["score"].iloc[0]
    assert table.loc["area", "bought"] > 0


def test_another_declaration_leaves_the_latest_run_alone(book: Book, whole: Result) -> None:
    text = book.competition.folder.joinpath("pipeline.yaml").read_text(encoding="utf-8").replace("alpha: 1.0", "alpha: 100.0")
    other = book.run_declaration(text, "stiff")
    assert other.metrics["models"]["ridge"]["score"] != whole.metrics["models"]["ridge"]["score"]
    assert book.run().run_id == whole.run_id
    assert other.folder.is_relative_to(book.runs / "other_declarations" / "stiff")


@pytest.mark.parametrize(
    ("ours", "why", "verdict"),
    [
        (0.10, "", "within tolerance"),
        (0.12, "", "outside: off by +0.0200"),
        (0.085, "", "outside: off by -0.0150"),
        (math.nan, "", "outside: off by +nan"),
        (0.10, "other rows", "not comparable: other rows"),
    ],
)
def test_verdicts(ours: float, why: str, verdict: str) -> None:
    assert Figure("a lasso", 0.1, 0.01, ours, not_comparable=why).verdict == verdict


def test_published_figures_do_not_compare_with_a_sample(book: Book) -> None:
    figures = [Figure("a lasso", 0.1, 0.01, 0.1)]
    assert published_figures(book, figures).loc["a lasso", "verdict"] == "within tolerance"
    assert published_figures(replace(book, is_sample=True), figures)["verdict"].tolist() == ["not comparable on sample data"]
    assert published_figures(replace(book, rows=9), figures)["verdict"].tolist() == ["not comparable on a part of the rows"]
