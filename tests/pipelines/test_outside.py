"""Predictions made elsewhere: which files may join, what they then are like a model for, and what they cannot do."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import InputError
from pipelines.build_spec import build_spec
from pipelines.declaration import DeclarationError, read_declaration
from pipelines.dvc import competition_stages
from pipelines.outside.agreement import agreement, differing
from pipelines.outside.member import RunRows, read_member
from pipelines.serve.record import weightless
from pipelines.spec import MemberSpec, Spec
from pipelines.splits import FIT, SCORED, Folds
from pipelines.store import read_json
from pipelines.tracking.runs import told_of_run
from pipelines.unchanged import input_names

N_TRAIN, N_TEST, N_FOLDS = 60, 20, 3
LABELS = np.arange(N_TRAIN) % N_FOLDS
MEMBERS = "members:\n  - {oof: friend.parquet, test: friend_test.parquet, folds: folds.parquet}\nensemble:\n"


def folds_of(*labels: Any) -> Folds:
    """Folds whose parts are told by labels, a repeat for each list of them."""
    status = [np.where(one == fold, SCORED, FIT) for one in map(np.asarray, labels) for fold in np.unique(one)]
    return Folds(np.column_stack(status).astype(np.int8))


# what is read


@pytest.fixture
def spec(make_tiny: Callable[..., Any]) -> Callable[[str], tuple[Spec, RunRows, Path]]:
    """The declaration of a tiny competition, the rows of its run, and the folder of its files."""

    def make(task: str) -> tuple[Spec, RunRows, Path]:
        tiny = make_tiny(task)
        ids = pd.concat([pd.read_csv(tiny.folder / f"{name}.csv")["Id"] for name in ("train", "test")], ignore_index=True)
        classes = {"regression": [], "binary": [0, 1], "multiclass": ["flat", "house", "villa"]}[task]
        return build_spec(read_declaration(tiny.declaration)), RunRows(ids, classes, folds_of(LABELS)), tiny.folder

    return make


def predicted(task: str, n_rows: int, first_id: int = 1) -> pd.DataFrame:
    """A file of predictions as a friend would write it, by id."""
    rng = np.random.default_rng(n_rows)
    ids = {"Id": np.arange(n_rows) + first_id}
    if task == "multiclass":
        shares = rng.dirichlet([1, 1, 1], n_rows).round(4)
        return pd.DataFrame({**ids, **{f"p_{name}": shares[:, at] for at, name in enumerate(("flat", "house", "villa"))}})
    return pd.DataFrame({**ids, "prediction": rng.random(n_rows) * (1 if task == "binary" else 1000)})


def put(folder: Path, oof: pd.DataFrame, test: pd.DataFrame, ending: str = "csv") -> None:
    for name, table in (("friend", oof), ("friend_test", test)):
        if ending == "csv":
            table.to_csv(folder / f"{name}.csv", index=False)
        else:
            table.to_parquet(folder / f"{name}.parquet", index=False)


def member(folds: str | None = None, ending: str = "csv") -> MemberSpec:
    return MemberSpec("friend", f"friend.{ending}", f"friend_test.{ending}", folds, ("members", 0))


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize("task", ["regression", "binary", "multiclass"])
def test_rows_are_found_by_id_and_their_order_does_not_matter(spec: Any, task: str, ending: str) -> None:
    declared, rows, folder = spec(task)
    oof, test = predicted(task, N_TRAIN).assign(fold=LABELS), predicted(task, N_TEST, 1001)
    put(folder, oof.sample(frac=1, random_state=0), test.iloc[::-1], ending)
    outside = read_member(member(ending=ending), declared, folder, rows)
    columns = [name for name in oof.columns if name not in ("Id", "fold")]
    for read, wanted in ((outside.oof, oof), (outside.test, test)):
        np.testing.assert_allclose(read.reshape(len(wanted), -1), wanted[columns], atol=1e-4 if task == "multiclass" else 0)
    if task == "multiclass":
        np.testing.assert_allclose(outside.oof.sum(axis=1), 1, rtol=1e-12)
    assert outside.agreement == "the same folds by its column 'fold'"
    parts = outside.predictions(rows.folds).folds
    assert [len(part) for part in parts] == [20, 20, 20] and np.array_equal(parts[1], outside.oof[LABELS == 1])


def test_rows_are_found_by_position_where_there_is_no_id(spec: Any) -> None:
    declared, rows, folder = spec("regression")
    oof, test = (
        table.drop(columns="Id").assign(row=range(len(table))) for table in (predicted("regression", n) for n in (N_TRAIN, N_TEST))
    )
    put(folder, oof.iloc[::-1], test)
    outside = read_member(member("same"), declared, folder, rows)
    assert np.array_equal(outside.oof, oof["prediction"]) and outside.agreement.endswith("on the word of the declaration (folds: same)")


def test_ids_that_are_text_in_one_file_and_numbers_in_the_other(spec: Any) -> None:
    declared, rows, folder = spec("regression")
    put(folder, predicted("regression", N_TRAIN), predicted("regression", N_TEST, 1001))
    texts = RunRows(rows.ids.astype("str"), [], rows.folds)
    assert np.array_equal(read_member(member("same"), declared, folder, texts).oof, predicted("regression", N_TRAIN)["prediction"])


def test_binary_classes_side_by_side_and_what_is_not_scored(spec: Any) -> None:
    declared, rows, folder = spec("binary")
    oof = predicted("binary", N_TRAIN)
    oof = oof.assign(p_0=1 - oof["prediction"], p_1=oof["prediction"]).drop(columns="prediction")
    put(folder, oof.iloc[1:], predicted("binary", N_TEST, 1001))
    status = rows.folds.status.copy()
    status[0] = FIT
    outside = read_member(member("same"), declared, folder, RunRows(rows.ids, rows.classes, Folds(status)))
    assert np.isnan(outside.oof[0]) and np.allclose(outside.oof[1:], oof["p_1"].iloc[1:])


def _first(column: str, value: Any) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda table: table.assign(**{column: table[column].astype("object").where(table.index > 0, value)})


WRONG = {
    "a row less": ("binary", lambda t: t.iloc[1:], "has no prediction for 1 of 60 needed rows of train.csv, first Id 1."),
    "gaps": ("binary", lambda t: t.assign(prediction=t["prediction"].where(t.index > 6)), "for 7 of 60 needed rows"),
    "a row twice": ("binary", lambda t: pd.concat([t, t.iloc[:2]]), "has 2 rows again, first Id 1."),
    "unknown rows": ("binary", lambda t: t.assign(Id=t["Id"] + 2), "names 2 rows that train.csv does not have, first Id 61."),
    "missing ids": ("binary", _first("Id", None), "names 1 rows that train.csv does not have, first Id nan."),
    "positions from 1": (
        "binary",
        lambda t: t.drop(columns="Id").assign(row=t["Id"]),
        "names 1 rows that train.csv does not have, first row 60",
    ),
    "id against position": ("binary", lambda t: t.assign(row=t["Id"] % 60), "'Id' and 'row' tell different rows in 60 of 60 cases"),
    "no name for rows": (
        "binary",
        lambda t: t.drop(columns="Id"),
        "has no column 'row' or 'Id' to tell rows by; it has 'fold', 'prediction'.",
    ),
    "no prediction": (
        "binary",
        lambda t: t.drop(columns="prediction"),
        "lacks column(s) 'prediction' (the probability of 1); it has 'Id', 'fold'.",
    ),
    "a class less": ("multiclass", lambda t: t.drop(columns="p_house"), "lacks column(s) 'p_house'; it has"),
    "labels": ("binary", lambda t: t.assign(prediction="yes"), "column 'prediction' holds what is no number, such as 'yes'."),
    "infinite": ("regression", _first("prediction", "inf"), "1 rows whose prediction is not finite"),
    "scores": ("binary", lambda t: t.assign(prediction=2 * t["prediction"] - 0.5), r"outside 0 to 1 (lowest -0."),
    "percent": ("multiclass", lambda t: t.assign(p_house=100 * t["p_house"]), "have a probability outside 0 to 1"),
    "no sum": ("multiclass", lambda t: t.assign(p_house=0.0), "do not sum to 1. Every class is needed."),
    "no rows": ("binary", lambda t: t.iloc[:0], "has a header but no rows"),
    "fold gaps": ("binary", lambda t: t.assign(fold=t["fold"].where(t.index > 3)), "column 'fold' is empty in 4 of 60 scored rows"),
    "other folds": (
        "binary",
        lambda t: t.assign(fold=np.where(t.index < 5, 0, t["fold"])),
        "(3 folds), 3 of 60 scored rows lie in other folds",
    ),
    "fewer folds": (
        "binary",
        lambda t: t.assign(fold=t["fold"] % 2),
        "(2 folds), 20 of 60 scored rows lie in other folds than in this run (3 folds)",
    ),
    "a fold a row": ("binary", lambda t: t.assign(fold=t.index), "(60 folds), 57 of 60 scored rows"),
    "no folds": (
        "binary",
        lambda t: t.drop(columns="fold"),
        "nothing says that friend.csv comes from the run's folds. Give a column 'fold'",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_join_is_told(spec: Any, name: str) -> None:
    task, change, message = WRONG[name]
    declared, rows, folder = spec(task)
    put(folder, change(predicted(task, N_TRAIN).assign(fold=LABELS)), predicted(task, N_TEST, 1001))
    with pytest.raises(InputError, match=re.escape(message)):
        read_member(member(), declared, folder, rows)


def test_a_test_row_less_and_a_file_less(spec: Any) -> None:
    declared, rows, folder = spec("binary")
    put(folder, predicted("binary", N_TRAIN), predicted("binary", N_TEST - 1, 1001))
    with pytest.raises(InputError, match=r"friend_test\.csv has no prediction for 1 of 20 needed rows of test.csv, first Id 1020"):
        read_member(member("same"), declared, folder, rows)
    (folder / "friend_test.csv").unlink()
    with pytest.raises(InputError, match=r"friend_test.csv is missing"):
        read_member(member("same"), declared, folder, rows)


# folds


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=60), st.permutations(range(5)))
def test_rows_that_differ_are_counted_whatever_the_labels_are_called(pairs: list[tuple[int, int]], names: list[int]) -> None:
    own, other = (np.array(side) for side in zip(*pairs, strict=True))
    apart = differing(own, other)
    assert apart == differing(other, own) == differing(own, np.array(names)[other]) <= (own != other).sum()
    is_one_to_one = len(set(pairs)) == len(set(own.tolist())) == len(set(other.tolist()))
    assert (apart == 0) == is_one_to_one


def write_folds(path: Path, folds: Folds) -> str:
    folds.write(path)
    return path.name


def test_a_file_of_folds_is_compared_exactly(tmp_path: Path) -> None:
    folds, moved = folds_of(LABELS), LABELS.copy()
    moved[:4] = 0
    one = MemberSpec("friend", "friend.csv", None, "folds.parquet", ())
    purged = folds.status.copy()
    purged[5] = np.where(purged[5] == FIT, 0, purged[5])

    def read(theirs: Folds) -> pd.DataFrame:
        theirs.write(tmp_path / "folds.parquet")
        return pd.read_parquet(tmp_path / "folds.parquet")

    assert agreement(one, None, read(Folds(purged)), folds) == "the same folds by folds.parquet", "which rows are fitted on may differ"
    for theirs, message in (
        (folds_of(moved), r"2 of 60 rows are scored in other folds than in this run \(3 folds there, 3 here\)"),
        (folds_of(np.arange(N_TRAIN) % 4), r"45 of 60 rows are scored in other folds than in this run \(4 folds there"),
        (folds_of(LABELS[:50]), "has folds of 50 rows, the run's table has 60"),
    ):
        with pytest.raises(InputError, match=message):
            agreement(one, None, read(theirs), folds)
    with pytest.raises(InputError, match=r"folds\.parquet is no table of folds"):
        agreement(one, None, pd.DataFrame({"prediction": np.linspace(0, 1, N_TRAIN)}), folds)
    with pytest.raises(InputError, match="3 of 60 scored rows lie in other folds"):
        agreement(MemberSpec("friend", "friend.csv", None, "same", ()), np.where(np.arange(N_TRAIN) < 5, 0, LABELS), None, folds)


def test_folds_that_repeat_need_a_file_or_a_word() -> None:
    folds = folds_of(LABELS, np.roll(LABELS, 30), np.arange(N_TRAIN) // 20)
    assert len(folds.repeats) == 3
    one = MemberSpec("friend", "friend.csv", None, None, ())
    with pytest.raises(InputError, match=r"Give \(the folds repeat, so a column 'fold' cannot tell\) 'folds: FILE'"):
        agreement(one, LABELS, None, folds)
    theirs = pd.DataFrame(folds.status)
    assert agreement(MemberSpec("friend", "friend.csv", None, "folds.parquet", ()), LABELS, theirs, folds)


# declared


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ("members: {oof: a.csv}", "members: takes a list of files, found"),
        ("members: [a.csv]", r"members[0]: takes keys oof, test, name, folds; found 'a.csv'."),
        ("members: [{test: a.csv}]", "needs the key 'oof'"),
        ("members: [{oof: a.csv}]", "needs the key 'test': a file with predictions for the rows of test.csv."),
        ("members: [{oof: a.csv, test: b.csv, fold: same}]", "unknown key; allowed: oof, test, name, folds. Closest: 'folds'."),
        ("members: [{oof: tree.csv, test: b.csv}]", "'tree' is no name for a member: give it one of its own with 'name'"),
        ("members: [{oof: a.csv, test: b.csv}, {oof: x/a.csv, test: b.csv}]", "members[1]: 'a' is no name for a member"),
        ("members: [{oof: a.b.csv, test: b.csv}]", "'a.b' is no name for a member"),
        ("members: [{oof: final.csv, test: b.csv}]", "ensemble.final: needs a name of its own"),
    ],
)
def test_faults_of_the_declaration(tiny: Any, declared: str, message: str) -> None:
    tiny.edit(("ensemble:\n", f"{declared}\nensemble:\n"))
    with pytest.raises(DeclarationError, match=re.escape(message)):
        build_spec(read_declaration(tiny.declaration))


def test_a_test_file_where_the_competition_has_none(tiny: Any) -> None:
    tiny.edit(("test: test.csv, sample_submission: sample.csv, ", ""), ("ensemble:\n", "members: [{oof: a.csv, test: b.csv}]\nensemble:\n"))
    with pytest.raises(DeclarationError, match=re.escape("members[0].test: 'data' has no test file whose rows 'b.csv' could predict.")):
        build_spec(read_declaration(tiny.declaration))


# run


def befriend(tiny: Any, run: Path | None = None) -> None:
    """Let a tiny competition that was run take in what its tree predicted, as a friend's."""
    run = run or tiny.latest
    for folder, name in (("oof", "friend"), ("test", "friend_test")):
        shutil.copy(run / folder / "tree.parquet", tiny.folder / f"{name}.parquet")
    shutil.copy(run / "folds.parquet", tiny.folder)
    tiny.edit(("ensemble:\n", MEMBERS))


def noise(tiny: Any) -> None:
    """Make the friend's predictions worthless."""
    for name in ("friend", "friend_test"):
        path = tiny.folder / f"{name}.parquet"
        table = pd.read_parquet(path)
        table.assign(prediction=-1e7 - table["prediction"]).to_parquet(path, index=False)


def newest(tiny: Any) -> Path:
    """The folder of the last recorded run; two of one second are not in the order of their names."""
    return max((path.parent for path in tiny.history()), key=lambda folder: read_json(folder / "run.json")["started"])


def test_what_a_run_wrote_joins_the_next_one_as_it_was(ran: Any, foldwise: Callable[..., Any]) -> None:
    befriend(ran)
    first = newest(ran).name
    said = foldwise("run", ran.folder, "--runs", ran.runs)
    assert said.code == 0 and "made elsewhere; the same folds by folds.parquet" in said.err and "no model was fitted again" in said.out
    metrics = read_json(ran.latest / "metrics.json")
    friend, tree = (metrics["models"][name] for name in ("friend", "tree"))
    assert {key: friend[key] for key in ("score", "folds", "interval", "fold_sd")} == {
        key: tree[key] for key in ("score", "folds", "interval", "fold_sd")
    }
    assert friend["kind"] == "outside" and "seconds" not in friend
    assert read_json(ran.latest / "ensemble.json")["entries"]["final"]["of"] == ["ridge", "tree", "friend"]
    for folder in ("oof", "test"):
        one, two = (pd.read_parquet(ran.latest / folder / f"{name}.parquet") for name in ("friend", "tree"))
        pd.testing.assert_frame_equal(one, two)
    page = (ran.latest / "report.html").read_text(encoding="utf-8")
    assert "friend was made elsewhere and read from friend.parquet: the same folds by folds.parquet." in page
    told = told_of_run(newest(ran))
    assert [one.name for one in told.nested] == ["ridge", "tree", "friend", "final"] and "friend.parquet" in told.params["members"][0][
        "oof"
    ]
    compared = foldwise("compare", first, newest(ran).name, "--runs", ran.runs)
    assert compared.code == 0 and "+ members: " in compared.out
    assert foldwise("gc", "--runs", ran.runs).code == 0 and "nothing to do" in foldwise("run", ran.folder, "--runs", ran.runs).out


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_classes_join_too(make_tiny: Callable[..., Any], foldwise: Callable[..., Any], task: str) -> None:
    tiny = make_tiny(task)
    assert foldwise("run", tiny.folder, "--runs", tiny.runs, "--models", "tree").code == 0
    befriend(tiny, run=newest(tiny))
    said = foldwise("run", tiny.folder, "--runs", tiny.runs)
    assert said.code == 0, said.err
    models = read_json(tiny.latest / "metrics.json")["models"]
    assert models["friend"]["score"] == pytest.approx(models["tree"]["score"], rel=1e-12)


def test_another_content_is_read_again_and_fits_nothing_again(ran: Any, foldwise: Callable[..., Any]) -> None:
    befriend(ran)
    assert foldwise("run", ran.folder, "--runs", ran.runs).code == 0
    before, run = ran.artifacts(), newest(ran).name
    noise(ran)
    said = foldwise("run", ran.folder, "--runs", ran.runs)
    assert "no model was fitted again" in said.out and len(ran.artifacts() - before) == 1
    assert "~ content of friend.parquet" in foldwise("compare", run, newest(ran).name, "--runs", ran.runs).out


def test_the_plan_shows_it_and_nothing_is_fitted_where_the_folds_differ(ran: Any, foldwise: Callable[..., Any]) -> None:
    befriend(ran)
    assert "member friend: friend.parquet, friend_test.parquet, folds.parquet, made elsewhere" in foldwise("plan", ran.folder).out
    shutil.rmtree(ran.runs)
    for command in (("plan", ran.folder), ("run", ran.folder, "--runs", ran.runs)):
        said = foldwise(*command, "--set", "split.kfold.seed=1")
        assert said.code == 2
        assert re.search(r"pipeline.yaml:17: members\[0\]: member 'friend' cannot join: folds.parquet: \d+ of 60 rows", said.err)
    assert not list((ran.latest / ".store").glob("*/seed-0"))


def test_chosen_models_and_samples(ran: Any, foldwise: Callable[..., Any]) -> None:
    befriend(ran)

    def models(*options: Any) -> list[str]:
        assert foldwise("run", ran.folder, "--runs", ran.runs, *options).code == 0
        return [*read_json(newest(ran) / "metrics.json")["models"]]

    assert models("--models", "ridge,friend") == ["ridge", "friend"]
    assert models("--models", "ridge") == ["ridge"]
    assert models("--sample", "40") == ["ridge", "tree"]
    said = foldwise("run", ran.folder, "--runs", ran.runs, "--models", "friend")
    assert (
        said.code == 2 and "names only members made elsewhere ('friend'); at least one model to fit is needed: 'ridge', 'tree'." in said.err
    )


def test_new_rows_cannot_be_predicted_with_it(ran: Any, foldwise: Callable[..., Any]) -> None:
    befriend(ran)
    ran.edit(("{blend: {method: simplex}}", "{blend: {method: mean}}"))
    said = foldwise("run", ran.folder, "--runs", ran.runs)
    assert "note: 'friend', made elsewhere, belong(s) to the final: this run cannot predict new rows" in said.err
    for command, output in (("predict", "new.csv"), ("model", "model")):
        source = ("--input", ran.folder / "test.csv") if command == "predict" else ()
        said = foldwise(command, ran.folder, "--runs", ran.runs, *source, "--output", output)
        assert said.code == 2 and "'friend', made elsewhere, belong(s) to the final prediction 'final' of 'tiny'" in said.err
        assert not Path(output).exists()


@pytest.mark.parametrize(
    "final",
    [
        "final: {blend: {}}",
        "other: {blend: {of: [ridge, friend], method: mean}}\n  final: {blend: {of: [other, ridge, tree]}}",
        "other: {blend: {of: [friend, tree], method: mean}}\n  final: {blend: {of: [ridge, tree]}}",
    ],
    ids=["it weighs nothing", "what it is in weighs nothing", "beside the final"],
)
def test_new_rows_are_predicted_where_the_final_does_without_it(ran: Any, foldwise: Callable[..., Any], final: str) -> None:
    befriend(ran)
    noise(ran)
    ran.edit(("final: {blend: {method: simplex}}", final))
    said = foldwise("run", ran.folder, "--runs", ran.runs)
    assert said.code == 0 and "cannot predict new rows" not in said.err
    said = foldwise("predict", ran.folder, "--runs", ran.runs, "--input", ran.folder / "test.csv", "--output", "new.csv")
    assert said.code == 0, said.err
    new, submitted = (pd.read_csv(path).set_index("Id")["price"].sort_index() for path in ("new.csv", ran.latest / "submission.csv"))
    np.testing.assert_allclose(new, submitted, rtol=1e-12)


def test_the_last_one_is_the_final_where_there_is_no_ensemble(ran: Any, foldwise: Callable[..., Any]) -> None:
    befriend(ran)
    ran.edit(("ensemble:\n  final: {blend: {method: simplex}}\n", ""))
    assert foldwise("run", ran.folder, "--runs", ran.runs).code == 0
    assert read_json(ran.latest / "metrics.json")["final"]["name"] == "friend"
    assert foldwise("predict", ran.folder, "--runs", ran.runs, "--input", ran.folder / "test.csv", "--output", "new.csv").code == 2


def test_a_run_within_a_budget_blends_it(ran: Any, foldwise: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setattr("pipelines.portfolio.PORTFOLIO", ())
    monkeypatch.setattr("pipelines.budget._ROUNDS_OF_SEEDS", 0)
    monkeypatch.setattr("pipelines.surroundings.process_began", time.monotonic)
    befriend(ran)
    said = foldwise("run", ran.folder, "--runs", ran.runs, "--budget", "30m")
    assert said.code == 0, said.err
    run = read_json(ran.latest / "run.json")["run_id"]
    assert [*read_json(ran.latest / "metrics.json")["models"]] == ["constant", "ridge", "tree", "friend"]
    assert read_declaration(ran.latest / "declaration.yaml").data["ensemble"]["final"]["blend"]["of"] == ["ridge", "tree", "friend"]
    assert foldwise("run", ran.folder, "--runs", ran.runs, "--from", run).code == 0


def test_stages_and_their_dependencies(ran: Any, foldwise: Callable[..., Any], tmp_path: Path) -> None:
    befriend(ran)
    for stage in ("prepare", "train@ridge", "train@tree", "ensemble", "report"):
        said = foldwise("stage", stage, ran.folder, "--runs", ran.runs)
        assert said.code == 0, said.err
    assert (ran.latest / "oof" / "friend.parquet").is_file() and (ran.latest / "test" / "friend.parquet").is_file()
    said = foldwise("stage", "train@friend", ran.folder, "--runs", ran.runs)
    assert said.code == 2 and "No model 'friend' to train" in said.err
    copied = replace(ran, folder=tmp_path / "competitions" / "tiny")
    shutil.copytree(ran.folder, copied.folder)
    stages = competition_stages(tmp_path, "tiny")
    files = [f"competitions/tiny/{name}" for name in ("friend.parquet", "friend_test.parquet", "folds.parquet")]
    assert stages["tiny-ensemble"]["deps"][-3:] == files
    assert "members" in stages["tiny-ensemble"]["params"][0]["competitions/tiny/pipeline.yaml"]
    assert {"runs/tiny/oof/friend.parquet": {"cache": False, "persist": True}} in stages["tiny-ensemble"]["outs"]
    assert [*stages["tiny-train"]["foreach"]] == ["ridge", "tree"]
    copied.edit(
        ("oof: friend.parquet", "oof: ../../runs/other/oof/a.parquet"), ("friend_test.parquet", "/else/t.csv"), ("folds.parquet", "same")
    )
    assert competition_stages(tmp_path, "tiny")["tiny-ensemble"]["deps"][-2:] == ["runs/other/oof/a.parquet", "/else/t.csv"]
    assert input_names(read_declaration(copied.declaration).data)[-2:] == ["../../runs/other/oof/a.parquet", "/else/t.csv"]


def test_the_audit_and_an_archive_take_it_in(ran: Any, foldwise: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    befriend(ran)
    assert foldwise("audit", ran.folder).code == 0
    monkeypatch.setattr("pipelines.export.packing.build_own", lambda _: None)
    said = foldwise("export", ran.folder, "--output", "pack.zip", "--runs", ran.runs)
    assert said.code == 0, said.err
    assert "predictions made elsewhere are not packed: put 'folds.parquet', 'friend.parquet', 'friend_test.parquet' beside" in said.err


def test_all_that_weighs_nothing_and_needs_it_is_left_out() -> None:
    learnt = {
        "one": {"kind": "blend", "of": ["a", "friend"], "weights": [1.0, 0.0]},
        "two": {"kind": "stack", "of": ["a", "friend"]},
        "three": {"kind": "blend", "of": ["one", "two", "b"], "weights": [0.0, 1e-17, 1.0]},
        "four": {"kind": "calibrate", "of": ["two"]},
        "five": {"kind": "blend", "of": ["four", "a"], "weights": None},
    }
    assert weightless(learnt, ["friend"]) == {"one": ["friend"], "two": [], "three": ["two"], "four": [], "five": []}
