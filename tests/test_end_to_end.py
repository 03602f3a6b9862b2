"""Whole runs, from a folder to a submission: what is written, what is not done twice, and what a killed run leaves."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipelines.console import Console
from pipelines.declaration import read_declaration
from pipelines.metrics import METRICS
from pipelines.options import Options
from pipelines.surroundings import Surroundings
from pipelines.whole_run import Result, run

TASKS = ("regression", "binary", "multiclass")
MEMBERS = {"regression": ("ridge", "tree"), "binary": ("logistic", "tree"), "multiclass": ("logistic", "tree")}
CLASSES = ["flat", "house", "villa"]


def read(path: Path) -> Any:
    """A JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def without_times(value: Any) -> Any:
    """Metrics without what a clock has measured."""
    if isinstance(value, dict):
        return {key: without_times(item) for key, item in value.items() if "seconds" not in key}
    return value


def finished(tiny: Any) -> dict[str, int]:
    """The finished fold fits in the store, and when each was written."""
    return {
        path.parent.name: path.stat().st_mtime_ns
        for path in (tiny.latest / ".store").glob("[!.]*/facts.json")
        if (path.parent / "oof.npy").exists()
    }


def until(is_so: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Wait for something while a process runs."""
    end = time.monotonic() + 240
    while not is_so():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


# ---------------------------------------------------------------------- what a run writes


@pytest.mark.parametrize("task", TASKS)
def test_the_files_of_a_run(task: str, make_tiny: Callable[..., Any], foldwise: Callable[..., Any]) -> None:
    tiny = make_tiny(task)
    said = foldwise("run", tiny.folder)
    assert said.code == 0, said.err
    assert "submission: runs/tiny/submission.csv" in said.out and "report:     runs/tiny/report.html" in said.out
    names = {"plan.json", "folds.parquet", "ensemble.json", "metrics.json", "report.html", "submission.csv", "run.json"}
    names |= {f"{folder}/{name}.parquet" for folder in ("oof", "test") for name in (*MEMBERS[task], "final")}
    names |= {f"models/{name}/fold-{fold}/facts.json" for name in MEMBERS[task] for fold in range(3)}
    written = {str(path.relative_to(tiny.latest)) for path in tiny.latest.rglob("*") if path.is_file()}
    assert names <= written
    (entry,) = tiny.history()
    assert read(entry)["run_id"] == entry.parent.name
    for name in names - {name for name in names if name.startswith("models/")}:
        assert (tiny.latest / name).read_bytes() == (entry.parent / name).read_bytes()
    assert not [path for path in tiny.latest.rglob(".*") if path.name != ".store"], "nothing half made is left"


@pytest.mark.parametrize("task", TASKS)
def test_predictions_and_folds(task: str, make_tiny: Callable[..., Any], foldwise: Callable[..., Any]) -> None:
    tiny = make_tiny(task)
    tiny.edit(("clean:", "rows: {not_scored: ['rooms == 5'], not_in_fit: ['rooms == 1']}\nclean:"))
    assert foldwise("run", tiny.folder).code == 0
    train, test = (pd.read_csv(tiny.folder / f"{part}.csv") for part in ("train", "test"))
    folds = pd.read_parquet(tiny.latest / "folds.parquet")
    assert folds.shape == (60, 3) and set(folds.dtypes) == {np.dtype("int8")}
    assert set(np.unique(folds)) == {0, 1, 2}
    wanted = [f"p_{kind}" for kind in CLASSES] if task == "multiclass" else ["prediction"]
    for name in (*MEMBERS[task], "final"):
        oof, predicted = (pd.read_parquet(tiny.latest / folder / f"{name}.parquet") for folder in ("oof", "test"))
        assert list(oof) == list(predicted) == ["row", "Id", *wanted]
        assert oof["row"].tolist() == [*range(60)] and oof["Id"].tolist() == train["Id"].tolist()
        assert predicted["row"].tolist() == [*range(20)] and predicted["Id"].tolist() == test["Id"].tolist()
        is_scored = (folds == 2).any(axis=1)
        assert oof[wanted].notna().all(axis=1).equals(is_scored) and is_scored.equals(train["rooms"] != 5)
        assert predicted[wanted].notna().all(axis=None)
    assert not (folds[train["rooms"] == 1] == 1).any(axis=None)


@pytest.mark.parametrize("task", TASKS)
def test_metrics_are_those_of_the_out_of_fold_predictions(task: str, make_tiny: Callable[..., Any], foldwise: Callable[..., Any]) -> None:
    tiny = make_tiny(task)
    assert foldwise("run", tiny.folder).code == 0
    metrics, metric = read(tiny.latest / "metrics.json"), METRICS["rmse" if task == "regression" else "log_loss"]
    assert {"competition", "metric", "greater_is_better", "final", "models"} <= set(metrics)
    assert (metrics["competition"], metrics["metric"], metrics["greater_is_better"]) == ("tiny", metric.name, metric.greater_is_better)
    assert {"name", "score", "interval", "fold_sd"} <= set(metrics["final"]) and metrics["final"]["name"] == "final"
    column = pd.read_csv(tiny.folder / "train.csv")[tiny_target(task)]
    y = column.map({name: code for code, name in enumerate(CLASSES)}) if task == "multiclass" else column
    folds = pd.read_parquet(tiny.latest / "folds.parquet").to_numpy()
    for name, table in {**metrics["models"], **metrics["ensemble"]}.items():
        oof = pd.read_parquet(tiny.latest / "oof" / f"{name}.parquet").drop(columns=["row", "Id"]).to_numpy()
        oof = oof if task == "multiclass" else oof[:, 0]
        truth = y.to_numpy(dtype=np.float64)
        assert table["score"] == pytest.approx(metric.score(truth, oof), rel=1e-12)
        by_fold = [metric.score(truth[folds[:, fold] == 2], oof[folds[:, fold] == 2]) for fold in range(3)]
        assert table["folds"] == pytest.approx(by_fold, rel=1e-12)
        assert table["fold_sd"] == pytest.approx(np.std(by_fold, ddof=1))
        low, high = table["interval"]
        assert low <= table["score"] <= high
        assert name == "final" or table["seconds"] > 0
    assert metrics["final"]["score"] == metrics["ensemble"]["final"]["score"]


@pytest.mark.parametrize("transform", ["none", "log1p"])
def test_predictions_are_those_of_a_plain_loop(transform: str, tiny: Any, foldwise: Callable[..., Any]) -> None:
    """The loop a notebook has: fold by fold a pipeline of scikit-learn, on shared and on fold-bound columns."""
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    tiny.edit(
        ("  - target_encode: {columns: [street]}\n", ""),
        ("{scale: standard}", "{scale: {columns: area, how: standard}}, {drop: [space]}"),
        ("clean:", f"rows: {{not_in_fit: ['rooms == 1']}}\ntarget: {{transform: {transform}}}\nclean:"),
    )
    assert foldwise("run", tiny.folder, "--models", "ridge").code == 0
    (entry,) = tiny.history()
    train, test = (pd.read_csv(tiny.folder / f"{part}.csv") for part in ("train", "test"))
    status = pd.read_parquet(entry.parent / "folds.parquet").to_numpy()
    forward, inverse = (np.log1p, np.expm1) if transform == "log1p" else (np.array, np.array)
    columns, oof, predicted = ["rooms", "area"], np.full(60, np.nan), np.zeros(20)
    for fold in range(3):
        fit, scored = train[status[:, fold] == 1], status[:, fold] == 2
        assert not (fit["rooms"] == 1).any()
        scaled = make_column_transformer(
            (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), ["area"]), remainder="passthrough"
        )
        model = make_pipeline(scaled, Ridge(alpha=1.0)).fit(fit[columns], forward(fit["price"]))
        oof[scored] = inverse(model.predict(train.loc[scored, columns]))
        predicted += inverse(model.predict(test[columns])) / 3
    np.testing.assert_allclose(pd.read_parquet(entry.parent / "oof" / "ridge.parquet")["prediction"], oof, rtol=1e-9)
    np.testing.assert_allclose(pd.read_parquet(entry.parent / "test" / "ridge.parquet")["prediction"], predicted, rtol=1e-9)


def tiny_target(task: str) -> str:
    """The target's column."""
    return {"regression": "price", "binary": "sold", "multiclass": "kind"}[task]


@pytest.mark.parametrize(
    ("task", "metric"),
    [("regression", "rmse"), ("binary", "log_loss"), ("binary", "accuracy"), ("multiclass", "log_loss"), ("multiclass", "f1")],
)
@pytest.mark.parametrize("is_asked", [True, False], ids=["sample", "no-sample"])
def test_the_submission(task: str, metric: str, is_asked: bool, make_tiny: Callable[..., Any], foldwise: Callable[..., Any]) -> None:
    tiny = make_tiny(task)
    tiny.declaration.write_text(tiny.declaration.read_text().replace("metric: log_loss", f"metric: {metric}"))
    if not is_asked:
        tiny.edit(("sample_submission: sample.csv, ", ""))
    if metric == "f1":
        tiny.change("sample.csv", lambda X: X[["Id"]].assign(kind="flat"))
    assert foldwise("run", tiny.folder).code == 0
    submission, test = (pd.read_csv(path) for path in (tiny.latest / "submission.csv", tiny.folder / "test.csv"))
    sample = pd.read_csv(tiny.folder / "sample.csv")
    assert list(submission) == list(sample)
    assert submission["Id"].tolist() == (sample if is_asked else test)["Id"].tolist()
    predicted = pd.read_parquet(tiny.latest / "test" / "final.parquet").set_index("Id").loc[submission["Id"]].drop(columns="row")
    values = submission.drop(columns="Id")
    if metric == "accuracy":
        assert values["sold"].tolist() == (predicted["prediction"] > 0.5).astype(int).tolist()
    elif metric == "f1":
        assert values["kind"].tolist() == [CLASSES[code] for code in predicted.to_numpy().argmax(axis=1)]
    else:
        np.testing.assert_array_equal(values.to_numpy(), predicted.to_numpy())


def test_what_run_json_says(tiny: Any, foldwise: Callable[..., Any]) -> None:
    assert foldwise("run", tiny.folder).code == 0
    facts = read(tiny.latest / "run.json")
    assert {"run_id", "key", "competition", "started", "seconds", "versions", "data", "git_commit", "device", "options", "files"} <= set(
        facts
    )
    assert set(facts["seconds"]) >= {"prepare", "train", "ensemble", "report"}
    assert set(facts["data"]["hashes"]) == {"train.csv", "test.csv", "sample.csv"}
    assert facts["versions"]["scikit-learn"] and facts["fits"] == {"made": 6, "from_store": 0}
    assert all((tiny.latest / name).is_file() for name in facts["files"])


def test_the_declaration_of_a_run_is_kept_in_its_order(tiny: Any, foldwise: Callable[..., Any]) -> None:
    """The order of steps and of expressions has a meaning: a kept declaration can be run again."""
    tiny.edit(('{space: "area * rooms"}', '{space: "area * rooms", again: "space * 2", No: "again - 1"}'))
    assert foldwise("run", tiny.folder, "--set", "models.ridge.ridge.alpha=1e-3").code == 0
    declared = read_declaration(tiny.declaration).with_settings(("models.ridge.ridge.alpha=1e-3",)).data
    (entry,) = tiny.history()
    assert json.dumps(read_declaration(entry.parent / "declaration.yaml").data) == json.dumps(declared)


def test_a_run_of_chosen_models_or_settings_writes_history_only(tiny: Any, foldwise: Callable[..., Any]) -> None:
    for options in (["--models", "ridge"], ["--set", "split.kfold.seed=1"], ["--sample", "30"]):
        assert foldwise("run", tiny.folder, *options).code == 0
    assert len(tiny.history()) == 3
    assert {path.name for path in tiny.latest.iterdir()} == {".store", "history"}
    by_options = {json.dumps([facts["options"]["models"], facts["options"]["sample"]]) for facts in map(read, tiny.history())}
    assert by_options == {'[["ridge"], null]', "[[], null]", "[[], 30]"}


# ---------------------------------------------------------------------- what is not done twice


def test_a_second_run_computes_nothing_and_says_so(tiny: Any, foldwise: Callable[..., Any], start_foldwise: Callable[..., Any]) -> None:
    first = foldwise("run", tiny.folder)
    before = {path: path.stat().st_mtime_ns for path in tiny.runs.rglob("*")}
    code = (
        "import sys; from pipelines.cli import _code_of; code = _code_of(sys.argv[1:])\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr); sys.exit(code)"
    )
    process = start_foldwise("run", tiny.folder, code=code)
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0
    assert "nothing has changed" in out and "nothing was recomputed" in out
    assert out.splitlines()[1:] == first.out.splitlines(), "besides that it says what the first run said"
    assert not set(err.split()) & {"sklearn", "mlflow", "pandas", "scipy", "lightgbm", "xgboost", "plotly", "matplotlib"}
    assert {path: path.stat().st_mtime_ns for path in tiny.runs.rglob("*")} == before


@pytest.mark.parametrize(
    ("change", "made"),
    [
        (("title: Tiny houses", "title: Other"), 0),
        (("metric: rmse", "metric: mae"), 0),
        (("method: simplex", "method: mean"), 0),
        (("alpha: 1.0", "alpha: 2.0"), 3),
        (("max_depth: 3}", "max_depth: 3}, seeds: 2"), 3),
        (("  ridge: {", "  lasso: {lasso: {alpha: 9.0}, view: linear}\n  ridge: {"), 3),
        (("  tree: {", "  other: {"), 0),
        (("with: median", "with: mean"), 6),
        (("{scale: standard}", "{scale: robust}"), 6),
        (("folds: 3", "folds: 4"), 8),
        (("area * rooms", "area + rooms"), 6),
    ],
    ids=lambda change: "->".join(change) if isinstance(change, tuple) else str(change),
)
def test_what_a_change_computes_again(change: tuple[str, str], made: int, ran: Any, foldwise: Callable[..., Any]) -> None:
    before = finished(ran)
    ran.edit(change)
    said = foldwise("run", ran.folder)
    assert said.code == 0, said.err
    after = finished(ran)
    assert {key: after[key] for key in before} == before, "what was there is left as it was"
    assert len(after) - len(before) == read(ran.latest / "run.json")["fits"]["made"] == made
    assert ("no model was fitted again" in said.out) == (made == 0)


def test_data_that_changed_are_computed_again(ran: Any, foldwise: Callable[..., Any]) -> None:
    ran.change("train.csv", lambda X: X.assign(rooms=X["rooms"] + 1))
    assert foldwise("run", ran.folder).code == 0
    assert read(ran.latest / "run.json")["fits"]["made"] == 6


def test_a_file_that_is_gone_is_written_again(ran: Any, foldwise: Callable[..., Any]) -> None:
    for name in ("submission.csv", "oof/ridge.parquet"):
        (ran.latest / name).unlink()
        said = foldwise("run", ran.folder)
        assert said.code == 0 and "no model was fitted again" in said.out
        assert (ran.latest / name).is_file()


def test_going_back_is_free(ran: Any, foldwise: Callable[..., Any]) -> None:
    first = without_times(read(ran.latest / "metrics.json"))
    ran.edit(("alpha: 1.0", "alpha: 50.0"))
    assert foldwise("run", ran.folder).code == 0
    assert without_times(read(ran.latest / "metrics.json")) != first
    ran.edit(("alpha: 50.0", "alpha: 1.0"))
    assert "no model was fitted again" in foldwise("run", ran.folder).out
    assert without_times(read(ran.latest / "metrics.json")) == first


def test_half_a_publication_does_not_pass_for_the_run_before(
    ran: Any, foldwise: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run killed while its files take the places of the last run's: the last run is not 'all there' any more."""
    first = (ran.latest / "submission.csv").read_bytes()
    ran.edit(("alpha: 1.0", "alpha: 50.0"))

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("pipelines.whole_run.show_models", killed)
        assert foldwise("run", ran.folder).code == 130
    assert (ran.latest / "submission.csv").read_bytes() != first
    ran.edit(("alpha: 50.0", "alpha: 1.0"))
    assert foldwise("run", ran.folder).code == 0
    assert (ran.latest / "submission.csv").read_bytes() == first


# ---------------------------------------------------------------------- what goes wrong on the way


def test_one_failing_model_leaves_the_others(tiny: Any, foldwise: Callable[..., Any]) -> None:
    tiny.edit(("  tree: {", "  neighbours: {knn: {n_neighbors: 500}, view: linear}\n  tree: {"))
    said = foldwise("run", tiny.folder)
    assert said.code == 4
    assert "foldwise: 1 of 3 models failed:" in said.err and "pipeline.yaml:15: neighbours: ValueError: Expected n_neighbors" in said.err
    assert "Traceback" not in said.err and not tiny.history()
    assert len(finished(tiny)) == 6, "the others are kept"
    advice = said.err.split("To go on without: ")[1].split()
    assert advice == ["--models", "ridge,tree"]
    again = foldwise("run", tiny.folder, *advice)
    assert again.code == 0 and "no model was fitted again" in again.out


def test_predictions_that_are_no_numbers_are_a_failure(tiny: Any, foldwise: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    from pipelines.models.estimators import FittedEstimator

    monkeypatch.setattr(FittedEstimator, "predict", lambda self, X: np.full(len(X), np.nan))
    said = foldwise("run", tiny.folder)
    assert said.code == 4 and "ridge: ArithmeticError: 20 of 20 predictions are not finite" in said.err
    assert not finished(tiny)


def test_a_defect_of_ours_keeps_its_traceback(tiny: Any, foldwise: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def defect(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr("pipelines.stages.ensemble", defect)
    with pytest.raises(ZeroDivisionError, match="ours"):
        foldwise("run", tiny.folder)
    assert not tiny.history()


SLOW_MODEL = ("  tree: {decision_tree: {max_depth: 3}", "  tree: {random_forest: {n_estimators: 250}")


def test_a_killed_run_goes_on_where_it_was(tiny: Any, foldwise: Callable[..., Any], start_foldwise: Callable[..., Any]) -> None:
    """SIGKILL: no half artifact, and at most the fit that was under way is made again."""
    tiny.edit(("folds: 3", "folds: 6"), SLOW_MODEL)
    process = start_foldwise("run", tiny.folder)
    until(lambda: len(finished(tiny)) >= 8, process)
    process.kill()
    assert process.wait(timeout=60) == -signal.SIGKILL
    kept = finished(tiny)
    assert 8 <= len(kept) < 12, "it was killed in the middle"
    for path in (tiny.latest / ".store").glob("[!.]*"):
        assert any((path / name).exists() for name in ("facts.json", "plan.json", "rows.npz", "inputs.json"))
    assert not tiny.history() and not (tiny.latest / "run.json").exists()
    assert foldwise("run", tiny.folder).code == 0
    after = finished(tiny)
    assert len(after) == 12 and {key: after[key] for key in kept} == kept
    assert read(tiny.latest / "run.json")["fits"] == {"made": 12 - len(kept), "from_store": len(kept)}


def test_an_interrupted_run_names_the_command_that_continues(
    tiny: Any, foldwise: Callable[..., Any], start_foldwise: Callable[..., Any]
) -> None:
    tiny.edit(("folds: 3", "folds: 6"), SLOW_MODEL)
    process = start_foldwise("run", tiny.folder, "--set", "title=A b")
    until(lambda: len(finished(tiny)) >= 7, process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert f"interrupted; all finished fold fits are kept. To continue: foldwise run {tiny.folder} --set 'title=A b'" in err
    assert "Traceback" not in err and "submission" not in out
    kept = finished(tiny)
    assert not list((tiny.latest / ".store").glob(".*")), "what was begun is cleared away"
    assert foldwise("run", tiny.folder, "--set", "title=A b").code == 0
    (entry,) = tiny.history()
    assert read(entry)["fits"]["from_store"] == len(kept)


@pytest.mark.slow
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGKILL], ids=["SIGINT", "SIGKILL"])
def test_stopped_with_two_workers(
    stop: signal.Signals, tiny: Any, foldwise: Callable[..., Any], start_foldwise: Callable[..., Any]
) -> None:
    tiny.edit(("folds: 3", "folds: 6"), ("  tree: {decision_tree: {max_depth: 3}", "  tree: {random_forest: {n_estimators: 1500}"))
    process = start_foldwise("run", tiny.folder, cores=2)
    until(lambda: len(finished(tiny)) >= 7, process)
    process.send_signal(stop)
    # not until its pipes close: the workers of a killed run hold them for a while
    assert process.wait(timeout=240) == (130 if stop == signal.SIGINT else -signal.SIGKILL)
    assert stop == signal.SIGKILL or "Traceback" not in process.communicate(timeout=60)[1]
    kept = finished(tiny)
    assert foldwise("run", tiny.folder).code == 0
    after = finished(tiny)
    assert len(after) == 12 and {key: after[key] for key in kept} == kept


@pytest.mark.slow
def test_a_worker_that_the_system_ends(tiny: Any, foldwise: Callable[..., Any], start_foldwise: Callable[..., Any]) -> None:
    """As it does when memory runs out: exit code 4, what is finished is kept, and the same command continues."""
    tiny.edit(("folds: 3", "folds: 6"), ("  tree: {decision_tree: {max_depth: 3}", "  tree: {random_forest: {n_estimators: 1500}"))
    process = start_foldwise("run", tiny.folder, cores=2)
    until(lambda: len(finished(tiny)) >= 7, process)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    worker = next(int(child) for child in children if b"LokyProcess" in Path(f"/proc/{child}/cmdline").read_bytes())
    os.kill(worker, signal.SIGKILL)
    _, err = process.communicate(timeout=240)
    assert process.returncode == 4, err
    assert "tree: MemoryError: a worker process was ended from outside" in err and "the same command continues from there" in err
    assert not tiny.history()
    kept = finished(tiny)
    assert foldwise("run", tiny.folder).code == 0
    assert read(tiny.latest / "run.json")["fits"] == {"made": 12 - len(kept), "from_store": len(kept)}


# ---------------------------------------------------------------------- the same bytes


BOOSTED = """\
  lgb: {lightgbm: {num_leaves: 5, learning_rate: 0.2, bagging_fraction: 0.7, bagging_freq: 1}, view: linear, seeds: 2, max_rounds: 40}
  xgb: {xgboost: {n_estimators: 15, subsample: 0.7}, view: linear}
  forest: {random_forest: {n_estimators: 20}, view: linear}
  svm: {svm: {}, view: linear}
"""


def around(cores: int) -> Surroundings:
    """A machine of so many cores."""
    return Surroundings(datetime.now(UTC), cores, "a machine", None, None, Console(is_quiet=True))


def what_came_out(result: Result) -> dict[str, Any]:
    """The bytes of a run's results, and its metrics without times."""
    names = [
        "submission.csv",
        "ensemble.json",
        "folds.parquet",
        *(str(path.relative_to(result.folder)) for path in result.folder.glob("*/*.parquet")),
    ]
    return {**{name: (result.folder / name).read_bytes() for name in sorted(names)}, "metrics": without_times(result.metrics)}


@pytest.mark.parametrize("task", TASKS)
def test_same_seed_same_bytes(task: str, make_tiny: Callable[..., Any], alone: None, tmp_path: Path) -> None:
    tiny = make_tiny(task)
    tiny.edit(("ensemble:\n", f"{BOOSTED}ensemble:\n"))
    results = [run(str(tiny.folder), options=Options(runs=tmp_path / name), around=around(1)) for name in ("first", "second")]
    assert [result.fits_made for result in results] == [18, 18]
    assert what_came_out(results[0]) == what_came_out(results[1])


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_same_bytes_with_two_workers(task: str, make_tiny: Callable[..., Any], alone: None, tmp_path: Path) -> None:
    tiny = make_tiny(task)
    tiny.edit(("ensemble:\n", f"{BOOSTED}ensemble:\n"))
    results = [run(str(tiny.folder), options=Options(runs=tmp_path / str(cores)), around=around(cores)) for cores in (1, 2)]
    assert what_came_out(results[0]) == what_came_out(results[1])
    kept = [{path.parent.name: path.read_bytes() for path in (tmp_path / cores).glob("*/.store/*/oof.npy")} for cores in ("1", "2")]
    assert kept[0] == kept[1] and len(kept[0]) == 18, "the same keys, whatever the number of workers"


def test_models_that_are_loaded_predict_what_the_run_predicted(ran: Any, foldwise: Callable[..., Any]) -> None:
    from pipelines.models import kinds
    from pipelines.training import read_matrices

    store = ran.latest / ".store"
    (view,) = (path.parent for path in store.glob("*/shared.feather"))
    by_rows = {tuple(np.load(path)["scored"]): path.parent for path in store.glob("*/rows.npz")}
    folds = pd.read_parquet(ran.latest / "folds.parquet").to_numpy()
    for fold in range(3):
        matrices = read_matrices(view, by_rows[tuple(np.flatnonzero(folds[:, fold] == 2))])
        for name, kind in (("ridge", "ridge"), ("tree", "decision_tree")):
            folder = ran.latest / "models" / name / f"fold-{fold}"
            loaded = kinds()[kind].load(folder / "seed-0", "regression")
            np.testing.assert_array_equal(loaded.predict(matrices.scored), np.load(folder / "oof.npy"))
            np.testing.assert_array_equal(loaded.predict(matrices.test), np.load(folder / "test.npy"))


# ---------------------------------------------------------------------- the other commands


def test_stages_one_by_one_give_what_a_run_gives(tiny: Any, foldwise: Callable[..., Any], tmp_path: Path) -> None:
    assert foldwise("run", tiny.folder, "--runs", "whole").code == 0
    for stage in ("prepare", "train@ridge", "train@tree", "ensemble", "report"):
        said = foldwise("stage", stage, tiny.folder)
        assert said.code == 0, said.err
    whole, staged = tmp_path / "whole" / "tiny", tiny.latest
    names = [
        "folds.parquet",
        "ensemble.json",
        "submission.csv",
        *(f"{folder}/{name}.parquet" for folder in ("oof", "test") for name in ("ridge", "tree", "final")),
    ]
    assert {name: (staged / name).read_bytes() for name in names} == {name: (whole / name).read_bytes() for name in names}
    assert without_times(read(staged / "metrics.json")) == without_times(read(whole / "metrics.json"))
    assert {path.name for path in staged.iterdir()} == {path.name for path in whole.iterdir()}
    assert "nothing was recomputed" in foldwise("run", tiny.folder).out


def test_a_stage_of_a_changed_declaration_does_not_pass_for_the_run_before(ran: Any, foldwise: Callable[..., Any]) -> None:
    first = (ran.latest / "submission.csv").read_bytes()
    ran.edit(("alpha: 1.0", "alpha: 50.0"))
    assert foldwise("stage", "ensemble", ran.folder).code == 0
    assert (ran.latest / "submission.csv").read_bytes() != first
    ran.edit(("alpha: 50.0", "alpha: 1.0"))
    assert foldwise("run", ran.folder).code == 0
    assert (ran.latest / "submission.csv").read_bytes() == first


def test_plan_and_preview(tiny: Any, foldwise: Callable[..., Any]) -> None:
    said = foldwise("plan", tiny.folder)
    assert said.code == 0 and said.out.startswith("Tiny houses: regression, rmse; 60 train and 20 test rows, 3 columns")
    assert "per fold target_encode      learns from target as values     street__target" in said.out
    assert "view linear: " in said.out and "model ridge: ridge {'alpha': 1.0}, view linear" in said.out
    for step in ("fill", "clean.0", "features.1", "views.linear.1", "derive"):
        said = foldwise("preview", tiny.folder, step)
        assert said.code == 0 and "before (fold 0" in said.out and "after:" in said.out, said.err
    assert not tiny.history() and not (tiny.latest / ".store").exists(), "looking computes nothing that is kept"


def test_own_steps_of_a_competition(tiny: Any, foldwise: Callable[..., Any]) -> None:
    (tiny.folder / "steps.py").write_text(
        "from features.registry import register\nfrom features.step import Step\n\n\n"
        "@register\nclass TinyDouble(Step):\n    '''Twice the rooms.'''\n\n"
        "    def __init__(self, columns='rooms'):\n        self.columns = columns\n\n"
        "    def _write(self, X):\n        return X[['rooms']] * 2\n"
    )
    tiny.edit(("features:\n", "features:\n  - tiny_double\n"))
    said = foldwise("run", tiny.folder)
    assert said.code == 0, said.err
    assert read(tiny.latest / "plan.json")["views"]["linear"]["steps"][1]["step"] == "tiny_double"


def test_help_needs_no_heavy_library(start_foldwise: Callable[..., Any]) -> None:
    code = (
        "import sys; from pipelines.cli import _code_of; code = _code_of(sys.argv[1:])\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr); sys.exit(code)"
    )
    process = start_foldwise("--help", code=code)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0 and "Usage: foldwise" in out
    assert not set(err.split()) & {"sklearn", "mlflow", "pandas", "numpy", "scipy", "pydantic", "lightgbm", "xgboost", "plotly", "ruamel"}


# ---------------------------------------------------------------------- the competitions that come along


@pytest.mark.parametrize(
    ("name", "settings"),
    [("titanic", ["split.stratified.repeats=1", "split.stratified.folds=2"]), ("house_prices", ["split.kfold.folds=2"])],
)
def test_samples_of_the_competitions(name: str, settings: list[str], foldwise: Callable[..., Any], tmp_path: Path) -> None:
    from pipelines.competition import find_competition

    first = next(iter(find_competition(name).declaration().data["models"]))
    options = [part for setting in settings for part in ("--set", setting)]
    said = foldwise("run", name, "--sample", "120", "--models", first, *options)
    assert said.code == 0, said.err
    assert f"SAMPLE DATA: data/{name}/ has no files" in said.err
    (entry,) = (tmp_path / "runs" / name / "history").glob("*/submission.csv")
    assert len(pd.read_csv(entry)) == 120


def spoil_nothing(y: pd.Series, rows: Any) -> pd.Series:
    """The target as it is."""
    return y


def other_target(y: pd.Series, rows: Any) -> pd.Series:
    """Another target in some rows: the other class, or half as much again."""
    changed = y.copy()
    changed.iloc[rows] = 1 - y.iloc[rows] if set(y.unique()) <= {0, 1} else (y.iloc[rows] * 1.5).astype(y.dtype)
    return changed


class Bench:
    """One competition with cheap models, fitted in one fold, with targets that can be changed."""

    def __init__(self, name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        import importlib

        from pipelines.competition import Competition, find_competition

        self.folder, self.monkeypatch = folder, monkeypatch
        declared = find_competition(name).declaration().data
        views = [view for view in declared["views"] if view in ("linear", "trees")]
        linear = "logistic_regression" if declared["task"] == "binary" else "ridge"
        declared["models"] = {f"lgb_{view}": {"lightgbm": {"n_estimators": 5, "min_child_samples": 3}, "view": view} for view in views}
        declared["models"]["linear"] = {linear: {}, "view": "linear"}
        declared["split"] = {"kfold": {"folds": 2, "seed": 1}}
        declared.pop("ensemble")
        self.competition = Competition(name, folder / name)
        self.competition.folder.mkdir(parents=True)
        # JSON is YAML, and keeps the order of the expressions
        (self.competition.folder / "pipeline.yaml").write_text(json.dumps(declared), encoding="utf-8")
        self.data = folder / "data"
        self.data.mkdir()
        importlib.import_module(f"competitions.{name}.sample").write(self.data, rows=200)
        self.target = declared["data"]["target"]
        self.folds: Any = None

    def fitted(self, fold: int, run: str, spoil: Callable[[pd.Series, Any], pd.Series], rows: Any) -> dict[str, bytes]:
        """Every byte that a fold's fits are made of and give, after the target was changed in some rows."""
        from pipelines import prepare, stages
        from pipelines.session import open_session
        from pipelines.training import fit_fold

        data = self.folder / run / "data"
        shutil.copytree(self.data, data)
        train = pd.read_csv(data / "train.csv", keep_default_na=False, dtype=str)
        train[self.target] = spoil(train[self.target].astype(int), rows).astype(str)
        train.to_csv(data / "train.csv", index=False)
        if self.folds is not None:
            self.monkeypatch.setattr(prepare, "split", lambda *_, **__: self.folds)
        session = open_session(self.competition, data, Options(runs=self.folder / run / "runs"), around(1))
        prepared = stages.prepare(session, self.folder / run / "out")
        self.folds = prepared.folds
        found: dict[str, bytes] = {}
        for model in session.models:
            view = session.spec.models[model].keys.view
            folders = {"view": session.store.path(session.keys.view(view)), "fold": session.store.path(session.keys.fold(view, fold))}
            folders["fit"] = fit_fold(stages.job(session, prepared, model, fold), 1)
            for what, path in folders.items():
                # plan.json tells what fold 0 does
                files = [one for one in path.rglob("*") if one.is_file() and one.name not in ("plan.json", "facts.json")]
                found |= {f"{model} {what} {one.relative_to(path)}": one.read_bytes() for one in files}
            found[f"{model} facts"] = json.dumps(without_times(read(folders["fit"] / "facts.json"))).encode()
        return found


@pytest.mark.parametrize("name", ["titanic", "house_prices"])
def test_exact_leak_test(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another target in just the rows that a fold scores, with the folds held: not one byte of that fold's fits is another.

    Fitted steps, matrices, models and predictions are compared as files. That a training row's target does change them shows
    that the test can fail.
    """
    bench, fold = Bench(name, tmp_path, monkeypatch), 1
    before = bench.fitted(fold, "before", spoil_nothing, [])
    scored, fit = bench.folds.scored_rows(fold), bench.folds.fit_rows(fold)
    assert {"bound.feather", "steps.json", "shared.feather", "oof.npy", "test.npy"} <= {
        name.rpartition("/")[2].split()[-1] for name in before
    }

    leaked = bench.fitted(fold, "scored", other_target, scored)
    assert [name for name in before if leaked[name] != before[name]] == []
    assert leaked.keys() == before.keys()

    moved = bench.fitted(fold, "trained", other_target, fit[:3])
    changed = {name for name in before if moved.get(name) != before[name]}
    assert {f"{model} fit {file}" for model in ("linear", "lgb_trees") for file in ("oof.npy", "test.npy")} <= changed
    assert any("fold steps.json" in name for name in changed) and any("fold bound.feather" in name for name in changed)
    assert not any(" view " in name for name in changed), "what runs once has not seen the target at all"


# ---------------------------------------------------------------------- arms, subsets, refits, thresholds

RARE = {
    "  logistic: {logistic_regression: {}, view: linear}": """\
  logistic: {logistic_regression: {}, view: linear}
  over: {logistic_regression: {}, view: linear, resample: {random_over: {rate: 0.7}}}
  levelled: {logistic_regression: {}, view: linear, weights: balanced}
  large: {logistic_regression: {}, view: linear, rows: "area > 60"}""",
    "  final: {blend: {method: mean}}": """\
  routed: {route: {of: [large, tree]}}
  final: {blend: {of: [logistic, over, routed], method: simplex, scale: logit}}
calibrate: platt
threshold: {cost: {false_positive: 1, false_negative: 3}}
refit: all
postprocess: [{clip: {low: 0.01, high: 0.99}}]""",
}


def test_a_run_with_arms_a_subset_model_a_threshold_and_a_refit(make_tiny: Callable[..., Any], foldwise: Callable[..., Any]) -> None:
    tiny = make_tiny("binary")
    tiny.edit(*RARE.items())
    said = foldwise("run", tiny.folder)
    assert said.code == 0, said.err
    metrics = read(tiny.latest / "metrics.json")
    assert metrics["final"]["name"] == "postprocessed" and set(metrics["ensemble"]) == {"routed", "final", "calibrated", "postprocessed"}
    decision = metrics["decision"]
    assert decision["of"] == "postprocessed" and len(decision["folds"]) == 3 and sum(decision["counts"].values()) == pytest.approx(60)
    train = pd.read_csv(tiny.folder / "train.csv")
    oof = {name: pd.read_parquet(tiny.latest / "oof" / f"{name}.parquet")["prediction"] for name in ("large", "tree", "routed", "over")}
    assert oof["large"].notna().equals(train["area"] > 60) and oof["routed"].notna().all()
    pd.testing.assert_series_equal(oof["routed"], oof["large"].fillna(oof["tree"]), check_names=False)
    assert abs(oof["over"].mean() - train["sold"].mean()) < 0.12, "probabilities are back at the true rate"
    keys = read(sorted((tiny.latest / "history").iterdir())[-1] / "keys.json")
    assert set(keys["refits"]) == {"logistic", "over", "levelled", "large", "tree"}
    refit = np.load(tiny.latest / "models" / "tree" / "refit" / "test.npy")
    np.testing.assert_array_equal(pd.read_parquet(tiny.latest / "test" / "tree.parquet")["prediction"], refit)
    submission = pd.read_csv(tiny.latest / "submission.csv")
    assert submission["sold"].between(0.01, 0.99).all()


def test_a_threshold_is_the_final_where_the_metric_judges_classes(make_tiny: Callable[..., Any], foldwise: Callable[..., Any]) -> None:
    tiny = make_tiny("binary")
    tiny.edit(("metric: log_loss", "metric: f1\nthreshold: f1"))
    said = foldwise("run", tiny.folder)
    assert said.code == 0, said.err
    metrics = read(tiny.latest / "metrics.json")
    assert metrics["final"]["name"] == "decided" and metrics["final"]["score"] == pytest.approx(metrics["decision"]["f1"])
    assert set(pd.read_csv(tiny.latest / "submission.csv")["sold"]) <= {0, 1}


def test_the_refit_takes_the_rounds_of_the_folds(make_tiny: Callable[..., Any], foldwise: Callable[..., Any]) -> None:
    tiny = make_tiny("regression")
    boosted = "  tree: {lightgbm: {num_leaves: 4, min_data_in_leaf: 5, learning_rate: 0.2}, view: linear, max_rounds: 40}"
    tiny.edit(("  tree: {decision_tree: {max_depth: 3}, view: linear}", boosted), ("ensemble:", "refit: all\nensemble:"))
    said = foldwise("run", tiny.folder)
    assert said.code == 0, said.err
    facts = [read(tiny.latest / "models" / "tree" / f"fold-{fold}" / "facts.json") for fold in range(3)]
    refit = read(tiny.latest / "models" / "tree" / "refit" / "facts.json")
    assert refit["fit_rows"] == 60
    assert refit["rounds"] == round(np.mean([fact["rounds"] * 60 / fact["fit_rows"] for fact in facts]))


def test_a_subset_without_enough_rows_is_named(make_tiny: Callable[..., Any], foldwise: Callable[..., Any]) -> None:
    tiny = make_tiny("regression")
    tiny.edit(
        ("view: linear}\nensemble", "view: linear, rows: 'area > 1e9'}\nensemble"),
        ("{blend: {method: simplex}}", "{route: {of: [tree, ridge]}}"),
    )
    said = foldwise("run", tiny.folder)
    assert said.code == 2
    assert "Model 'tree' has 0 rows to fit on in fold 0; its 'rows' 'area > 1e9' leave too few" in said.err


def test_from_runs_the_declaration_of_an_earlier_run(make_tiny: Callable[..., Any], foldwise: Callable[..., Any]) -> None:
    tiny = make_tiny("regression")
    assert foldwise("run", tiny.folder).code == 0
    first = read(tiny.latest / "run.json")["run_id"]
    tiny.edit(("ridge: {alpha: 1.0}", "ridge: {alpha: 500.0}"))
    assert foldwise("run", tiny.folder).code == 0
    latest, known = read(tiny.latest / "metrics.json"), set(tiny.history())
    assert foldwise("run", tiny.folder, "--from", first).code == 0
    (new,) = set(tiny.history()) - known
    before, again = (read(path.parent / "metrics.json") for path in (tiny.latest / "history" / first / "run.json", new))
    assert without_times(before) == without_times(again) != without_times(latest)
    assert read(tiny.latest / "metrics.json") == latest, "it is kept in the history only"


def test_from_a_run_that_is_not_there(make_tiny: Callable[..., Any], foldwise: Callable[..., Any]) -> None:
    tiny = make_tiny("regression")
    said = foldwise("run", tiny.folder, "--from", "yesterday")
    assert said.code == 2 and "--from: no run 'yesterday'; " in said.err


def test_the_fold_column_is_no_feature(make_tiny: Callable[..., Any], foldwise: Callable[..., Any]) -> None:
    tiny = make_tiny("regression")
    tiny.edit(("split: {kfold: {folds: 3, seed: 0}}", "split: {column: rooms}"))
    assert foldwise("run", tiny.folder, "--set", "features=[]").code == 0
    (entry,) = tiny.history()
    plan = read(entry.parent / "plan.json")
    assert "rooms" not in plan["views"]["linear"]["columns"]


def test_run_is_a_function_of_the_package() -> None:
    import pipelines
    import pipelines.whole_run

    assert pipelines.run is run
