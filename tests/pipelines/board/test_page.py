"""The board's page: what it says of recorded runs, however odd these are."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from features.errors import InputError
from pipelines.board.page import read_competitions, write_board
from pipelines.board.places import Places
from pipelines.board.records import read_records
from pipelines.report.blocks import Link
from tests.conftest import Said, Tiny
from tests.pipelines.board.recorded import Recorded

_HOSTILE = '<script>alert("x")</script>'


def _page(runs: Path, **more: Any) -> str:
    return write_board(runs, runs / "board.html", **more).read_text(encoding="utf-8")


def _data(page: str) -> list[dict[str, Any]]:
    return [json.loads(text) for text in re.findall(r'<script type="application/json">(.*?)</script>', page, re.DOTALL)]


def _listings(page: str) -> list[dict[str, Any]]:
    return [one for one in _data(page) if "header" in one]


def _figures(page: str) -> list[dict[str, Any]]:
    return [one for one in _data(page) if "layout" in one]


def _titles(page: str) -> list[str]:
    return re.findall(r"<h3>(.*?)</h3>", page)


def test_one_run(recorded: Recorded) -> None:
    page = _page(recorded.runs)
    overview, runs = _listings(page)
    assert overview["rows"][0][0] == ["tiny", "#tiny"] and runs["rows"][0][0][0] == recorded.template.name
    assert "what changed" not in page and "Out-of-fold and public score" not in _titles(page)
    assert "Runs" not in _titles(page), "there is no course of one run"
    assert {"Scores", "final: weights", "The only run"} <= {*_titles(page)}
    assert "default-src 'none'" in page


def test_what_changed_from_run_to_run_and_from_best_to_best(recorded: Recorded) -> None:
    for at, shift in enumerate((-100.0, 50.0, -200.0, 10.0)):
        entry = recorded.add(f"2099010{at}-120000-aaaaaa", shift=shift)
        recorded.declare(entry, "alpha: 1.0", f"alpha: {at + 2}.0")
    page = _page(recorded.runs)
    assert re.findall(r"<summary>(2099010\d)\S+ rmse", page) == ["20990103", "20990102", "20990101", "20990100", "20990102", "20990100"]
    assert "~ models.ridge.ridge.alpha: 4.0 -&gt; 5.0" in page and "The columns are the same in every view." in page
    course = next(one for one in _figures(page) if "best so far" in [trace["name"] for trace in one["data"]])
    assert course["data"][1]["x"] == [1, 2, 4, 5], "a smaller rmse is better"
    listing = _listings(page)[1]
    assert listing["marked"] == 1 and [row[0][0][:8] for row in listing["rows"][:4]] == ["20990103", "20990102", "20990101", "20990100"]


def test_columns_that_came_and_went(recorded: Recorded) -> None:
    entry = recorded.add("20990101-120000-aaaaaa", shift=1.0)
    plan = json.loads((entry / "plan.json").read_text(encoding="utf-8"))
    plan["views"]["linear"]["columns"] = ["new", *plan["views"]["linear"]["columns"][1:]]
    (entry / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    assert re.search(r"<li>linear: \+ new; - \w+</li>", _page(recorded.runs))


def test_runs_that_cannot_be_paired_say_why(recorded: Recorded) -> None:
    def other_folds(found: dict[str, Any]) -> None:
        found["folds"]["key"] = "other"

    import pandas as pd

    entry = recorded.add("20990101-120000-aaaaaa", metrics=other_folds)
    folds = pd.read_parquet(entry / "folds.parquet")
    folds.iloc[::-1].reset_index(drop=True).to_parquet(entry / "folds.parquet")
    page = _page(recorded.runs)
    assert "not paired</summary>" in page and "so their folds cannot be paired" in page


def test_kinds_of_runs_are_kept_apart(recorded: Recorded) -> None:
    recorded.add("20990101-120000-aaaaaa", shift=-1e6, facts=lambda found: found["options"].update(sample=10))
    recorded.add("20990102-120000-aaaaaa", metrics=lambda found: found.update(metric="mae"))
    page = _page(recorded.runs)
    assert re.findall(r'<option value="\d">(\w+, .*)</option>', page) == ["mae, no sample", "rmse, sample 10", "rmse, no sample"]
    listing = _listings(page)[1]
    assert listing["header"][2] == "scored by" and listing["header"][3] == "options" and listing["rows"][1][3] == "sample 10"
    assert listing["marked"] == 0, "the best of another kind is no better"


def test_submissions(recorded: Recorded) -> None:
    for at in range(3):
        recorded.add(f"2099010{at}-120000-aaaaaa", shift=float(at))
        recorded.submit(f"2099010{at}-120000-aaaaaa", 20000.0 + at, message=_HOSTILE)
    recorded.submit("", None)
    log = recorded.runs / "tiny" / "submissions.jsonl"
    log.write_text(log.read_text(encoding="utf-8") + "{half", encoding="utf-8")
    page = _page(recorded.runs)
    assert "Out-of-fold and public score" in _titles(page) and "Spearman&#39;s rank correlation: 1.00" in page
    assert [row[-1] for row in _listings(page)[2]["rows"]] == [None, 20002, 20001, 20000]
    assert "Line 5 of tiny/submissions.jsonl is no submission" in page and _HOSTILE not in page


@pytest.mark.parametrize(
    ("file", "text"),
    [("run.json", "{"), ("metrics.json", ""), ("metrics.json", "null"), ("metrics.json", '{"metric": "no_such"}'), ("run.json", "[]")],
)
def test_a_damaged_run_is_named_and_the_others_are_shown(file: str, text: str, recorded: Recorded) -> None:
    (recorded.add("20990101-120000-aaaaaa") / file).write_text(text, encoding="utf-8")
    page = _page(recorded.runs)
    assert "Run 20990101-120000-aaaaaa of tiny cannot be read" in page
    assert len(_listings(page)[1]["rows"]) == 1


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("declaration.yaml", "a: [", "declaration.yaml:"),
        ("declaration.yaml", None, "not paired</summary>"),
        ("plan.json", "{}", "KeyError: &#39;views&#39;"),
        ("ensemble.json", "{", "cannot be read whole (JSONDecodeError"),
    ],
)
def test_damage_beside_the_scores_is_said_in_its_place(file: str, text: str | None, said: str, recorded: Recorded) -> None:
    path = recorded.add("20990101-120000-aaaaaa") / file
    path.unlink() if text is None else path.write_text(text, encoding="utf-8")
    page = _page(recorded.runs)
    assert said in page and len(_listings(page)[1]["rows"]) == 2


def test_other_options_are_a_change(recorded: Recorded) -> None:
    recorded.add("20990101-120000-aaaaaa", facts=lambda found: found["options"].update(models=["tree"]))
    assert re.search(r"<summary>20990101.*; ~ models: \[\] -&gt; \[&#39;tree&#39;\]</summary>", _page(recorded.runs))


def test_a_run_without_scores_or_reports(recorded: Recorded) -> None:
    def unscored(found: dict[str, Any]) -> None:
        for table in (found["final"], *found["models"].values(), *found["ensemble"].values()):
            table.update(score=float("nan"), interval=[float("nan")] * 2, fold_sd=float("nan"), folds=[None] * 3)

    entry = recorded.add("20990101-120000-aaaaaa", metrics=unscored)
    for name in ("report.html", "ensemble.json", "serving.json", "plan.json"):
        (entry / name).unlink()
    rows = _listings(_page(recorded.runs))[1]["rows"]
    assert rows[0][0] == entry.name and rows[0][3] is None


def test_nothing_is_recorded(tmp_path: Path, recorded: Recorded) -> None:
    with pytest.raises(InputError, match=r"No run is recorded below .*nowhere\. Run a competition first: foldwise run NAME"):
        write_board(tmp_path / "nowhere", tmp_path / "board.html")
    (recorded.template / "run.json").write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match=r"What is there cannot be read: Run .* cannot be read \(JSONDecodeError"):
        read_competitions(recorded.runs)


def test_competitions_by_their_newest_run_and_odd_names(recorded: Recorded) -> None:
    for at, name in enumerate(("b c", "overview", "ünï&<b>")):
        recorded.add(f"2099010{at}-120000-aaaaaa", competition=name)
    page = _page(recorded.runs)
    links = [row[0] for row in _listings(page)[0]["rows"]]
    assert [text for text, _ in links] == ["ünï&<b>", "overview", "b c", "tiny"]
    assert [href[1:] for _, href in links] == re.findall(r'<section id="([^"]+)">', page)[1:]
    assert len({href for _, href in links}) == 4


def test_links_are_relative_and_quoted(recorded: Recorded, tmp_path: Path) -> None:
    entry = recorded.add("20990101-120000-aaaaaa", competition="b c")
    record = next(one for one in read_records(recorded.runs)[0] if one.competition == "b c")
    assert Places(recorded.runs).report(record) == Link(entry.name, f"b%20c/history/{entry.name}/report.html")
    assert Places(tmp_path / "else" / "where").report(record) == Link(entry.name, f"../../runs/b%20c/history/{entry.name}/report.html")


def test_trackers_are_linked(recorded: Recorded) -> None:
    page = _page(recorded.runs, trackers=[Link("MLflow", "http://127.0.0.1:5")], experiments={"tiny": "http://127.0.0.1:5/#/experiments/1"})
    assert '<a href="http://127.0.0.1:5">MLflow</a>' in page and '<a href="http://127.0.0.1:5/#/experiments/1">' in page


def test_the_command(ran: Tiny, foldwise: Callable[..., Said], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://tracker.example")
    said = foldwise("board", "--runs", ran.runs)
    assert (said.code, said.out) == (0, f"board: {ran.runs / 'board.html'}\n")
    assert '<a href="http://tracker.example">MLflow</a>' in (ran.runs / "board.html").read_text(encoding="utf-8")
    assert foldwise("board", "--runs", ran.runs, "--output", tmp_path / "new" / "b.html").code == 0
    assert (tmp_path / "new" / "b.html").is_file()
    said = foldwise("board", "--runs", ran.runs, "--output", tmp_path)
    assert said.code == 2 and "is a folder; name a file, such as" in said.err
    (tmp_path / "file").write_text("", encoding="utf-8")
    said = foldwise("board", "--runs", ran.runs, "--output", tmp_path / "file" / "b.html")
    assert said.code == 2 and "cannot be written (" in said.err
    said = foldwise("board", "--runs", tmp_path / "nowhere")
    assert said.code == 2 and "No run is recorded below" in said.err
