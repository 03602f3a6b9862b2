"""``foldwise run --past``: what earlier runs have fitted on the same rows and folds joins the ensemble, and nothing else does."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipelines.store import read_json

OTHER_TREE = ("tree: {decision_tree: {max_depth: 3}, view: linear}", "bush: {decision_tree: {max_depth: 5}, view: linear}")


def newest(tiny: Any) -> Path:
    """The folder of the last recorded run; two of one second are not in the order of their names."""
    return max((path.parent for path in tiny.history()), key=lambda folder: read_json(folder / "run.json")["started"])


def joined(tiny: Any) -> list[str]:
    """The models of earlier runs in the newest run, without the run they come from."""
    return [re.sub(r"_of_[0-9a-f]{6}$", "", name) for name in read_json(newest(tiny) / "keys.json")["members"]]


def test_a_model_that_is_no_longer_declared_joins_as_it_was(ran: Any, foldwise: Callable[..., Any]) -> None:
    before = newest(ran)
    ran.edit(OTHER_TREE)
    said = foldwise("run", ran.folder, "--runs", ran.runs, "--past")
    assert said.code == 0, said.err
    assert "past: 1 model(s) of 1 earlier run(s) join" in said.err
    assert joined(ran) == ["tree"]
    name = f"tree_of_{before.name[-6:]}"
    pd.testing.assert_frame_equal(pd.read_parquet(ran.latest / "oof" / f"{name}.parquet"), pd.read_parquet(before / "oof" / "tree.parquet"))
    assert name in read_json(ran.latest / "ensemble.json")["entries"]["final"]["of"]
    assert read_json(before / "metrics.json")["models"]["tree"]["score"] == pytest.approx(
        read_json(ran.latest / "metrics.json")["models"][name]["score"]
    )


def test_each_model_joins_once_and_the_run_can_be_made_again(ran: Any, foldwise: Callable[..., Any]) -> None:
    ran.edit(OTHER_TREE)
    for _ in range(2):
        assert foldwise("run", ran.folder, "--runs", ran.runs, "--past").code == 0
    assert joined(ran) == ["tree"], "the second time its bush is in a run before, but fitted here too"
    submission = (ran.latest / "submission.csv").read_bytes()
    run = newest(ran).name
    said = foldwise("run", ran.folder, "--runs", ran.runs, "--from", run)
    assert said.code == 0, said.err
    assert (newest(ran) / "submission.csv").read_bytes() == submission


def test_the_same_declaration_has_nothing_to_take_in(ran: Any, foldwise: Callable[..., Any]) -> None:
    said = foldwise("run", ran.folder, "--runs", ran.runs, "--past")
    assert said.code == 0 and "past: 0 model(s) of 1 earlier run(s) join" in said.err
    assert "members" not in (newest(ran) / "declaration.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "change",
    [("seed: 0", "seed: 1"), ("folds: 3", "folds: 4"), ("train: train.csv", "train: more.csv")],
    ids=["another seed", "more folds", "other rows"],
)
def test_other_folds_and_rows_stay_out(ran: Any, foldwise: Callable[..., Any], change: tuple[str, str]) -> None:
    train = pd.read_csv(ran.folder / "train.csv")
    train.iloc[1:].to_csv(ran.folder / "more.csv", index=False)
    ran.edit(OTHER_TREE, change)
    said = foldwise("run", ran.folder, "--runs", ran.runs, "--past")
    assert said.code == 0, said.err
    assert "past: 0 model(s) of 1 earlier run(s) join" in said.err


def test_a_budget_takes_them_in_too(ran: Any, foldwise: Callable[..., Any]) -> None:
    ran.edit(OTHER_TREE)
    said = foldwise("run", ran.folder, "--runs", ran.runs, "--past", "--budget", "30m", "--set", "metric=mae")
    assert said.code == 0, said.err
    assert joined(ran) == ["tree"] and "constant" in read_json(newest(ran) / "keys.json")["fits"]
    assert foldwise("run", ran.folder, "--runs", ran.runs, "--past").code == 0
    assert "constant" not in joined(ran) and "tree" in joined(ran)


@pytest.mark.parametrize("option", [("--models", "ridge"), ("--sample", 40)])
def test_a_part_of_models_or_rows(ran: Any, foldwise: Callable[..., Any], option: tuple[str, Any]) -> None:
    said = foldwise("run", ran.folder, "--runs", ran.runs, "--past", *option)
    assert said.code == 2 and "Leave out --models and --sample, or --past." in said.err
