"""New rows are scored as the run scored its test file: for every combiner, transform and way to fit."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipelines.serve.files import read_rows
from pipelines.serve.predictor import Predictor

BLEND = "final: {blend: {method: simplex}}"
MEAN = "final: {blend: {method: mean}}"
LOGISTIC = "logistic: {logistic_regression: {}, view: linear}"
RIDGE = "ridge: {ridge: {alpha: 1.0}, view: linear}"
BOOSTED = "boosted: {lightgbm: {n_estimators: 6, min_data_in_leaf: 3}, view: trees, seeds: 2}"
TREES = ("views:\n", "views:\n  trees: [ordinal]\n")
TREE = "  tree: {decision_tree: {max_depth: 3}, view: linear}\n"
ALONE = "passthrough: false, stack_on: [ridge, tree"
ROUNDS = "  top: {lightgbm: {min_data_in_leaf: 3}, max_rounds: 30, view: trees, stack_on: [ridge, tree]}\n"
ONLY_THE_LAST = (f"ensemble:\n  {BLEND}\n", "")


@dataclass(frozen=True)
class Case:
    """A tiny competition with an edited declaration."""

    name: str
    task: str
    edits: tuple[tuple[str, str], ...] = ()
    change: Callable[[pd.DataFrame], pd.DataFrame] | None = None
    """A change of train and test."""
    batch: bool = False
    """Whether a row's prediction hangs on the batch it comes in."""


def top(text: str) -> tuple[str, str]:
    """A key added at the top of the declaration."""
    return ("clean:\n", f"{text}\nclean:\n")


def dated(table: pd.DataFrame) -> pd.DataFrame:
    """A table with a day for each row."""
    return table.assign(day=pd.date_range("2015-01-01", periods=len(table), freq="D").astype(str))


CASES = [
    Case("simplex", "regression"),
    Case("log1p and a stack", "regression", (top("target: {transform: log1p}"), (BLEND, "final: {stack: {meta: ridge}}"))),
    Case("hill climb", "regression", ((BLEND, "final: {blend: {method: hill_climb, scale: target}}"),)),
    Case(
        "stack on stack, corrected by a column",
        "regression",
        (
            ("metric: rmse", "metric: rmspe"),
            (
                BLEND,
                "first: {stack: {of: [ridge, tree]}}\n  second: {blend: {of: [first, tree]}}\n  final: {correct: {of: [second], by: street}}",
            ),
        ),
    ),
    Case(
        "a rule on a column that float32 holds",
        "regression",
        ((RIDGE, "ruled: {rule: {predict: 'where(is_missing(area), 0, area * 0.1) + rooms'}}"),),
        lambda table: table.assign(area=table["area"].round()),
    ),
    Case("one model", "regression", ((f"ensemble:\n  {BLEND}\n", ""),)),
    Case("refit", "regression", (top("refit: all"),)),
    Case(
        "refit of a booster that finds its rounds",
        "regression",
        (top("refit: all"), TREES, (RIDGE, BOOSTED.replace("n_estimators: 6, ", ""))),
    ),
    Case("seeds and a scaled target", "regression", (TREES, (RIDGE, BOOSTED.replace("seeds: 2", "seeds: 2, scale_target: true")))),
    Case(
        "each with a transform of its own, scaled",
        "regression",
        (
            top("target: {transform: sqrt}"),
            (RIDGE, RIDGE[:-1] + ", transform: log1p, scale_target: true}"),
            ("max_depth: 3}", "max_depth: 3}, transform: none"),
        ),
    ),
    Case(
        "models of some rows, routed",
        "regression",
        (
            (
                "  tree: {decision_tree: {max_depth: 3}, view: linear}",
                "  tree: {decision_tree: {max_depth: 3}, view: linear, rows: 'rooms > 2'}",
            ),
            (BLEND, "final: {route: {of: [tree, ridge]}}"),
        ),
    ),
    Case(
        "rules",
        "regression",
        (top("postprocess: [{clip: {low: 100000}}, {round: {decimals: -2}}, {force: {where: 'rooms == 1', value: 7}}]"),),
    ),
    Case(
        "unseen categories",
        "regression",
        ((TREES), (RIDGE, BOOSTED)),
        lambda table: table.assign(street=table["street"] + (table["Id"] > 1010).map({True: "x", False: ""})),
    ),
    Case("platt", "binary", (top("calibrate: platt"),)),
    Case("isotonic and a cost", "binary", (top("calibrate: isotonic\nthreshold: {cost: {false_positive: 1, false_negative: 5}}"),)),
    Case("classes", "binary", (("metric: log_loss", "metric: f1"), top("threshold: f1"))),
    Case("the k most probable", "binary", (top("threshold: {top_k: {k: 2, per: rooms}}"),), batch=True),
    Case("logistic stack", "binary", ((MEAN, "final: {stack: {}}"),)),
    Case("log pool", "binary", ((MEAN, "final: {log_pool: {}}"),)),
    Case("ranks", "binary", (("metric: log_loss", "metric: roc_auc"), (MEAN, "final: {blend: {scale: rank}}"))),
    Case("log pool of many classes", "multiclass", ((MEAN, "final: {log_pool: {}}"),)),
    Case("resampled", "binary", (top("resample: {random_over: {}}"),)),
    Case("many classes", "multiclass"),
    Case("many classes, calibrated", "multiclass", (top("calibrate: temperature"), (MEAN, "final: {stack: {}}"))),
    Case("named classes", "multiclass", (("metric: log_loss", "metric: accuracy"),)),
    Case(
        "selection, which keeps other columns in each fold",
        "regression",
        (("{scale: standard}", "{scale: standard}, {select_univariate: {keep: 2}}"),),
    ),
    Case("components", "regression", (("{scale: standard}", "{scale: standard}, {pca: {components: 2}}"),)),
    Case(
        "several models of one view, one of its own",
        "regression",
        (
            TREES,
            (
                "  tree: {decision_tree: {max_depth: 3}, view: linear}",
                f"  tree: {{decision_tree: {{max_depth: 3}}, view: linear}}\n  svr: {{svm: {{}}, view: linear}}\n  {BOOSTED}",
            ),
        ),
    ),
    Case(
        "a past that windows respect",
        "regression",
        (
            ("split: {kfold: {folds: 3, seed: 0}}", "split: {rolling: {column: day, days: 10, windows: 2}}"),
            ("clean:\n", "clean:\n  - cast: {columns: day, to: date}\n"),
            (
                "features:\n",
                "features:\n  - as_of_statistics: {date: day, gap: 30, by: [[street]], windows: [all], statistics: [mean]}\n  - date_parts: {columns: day, parts: [month]}\n",
            ),
            ("{drop: [street]}", "{drop: [street, day]}, {fill: {columns: numeric, value: 0}}"),
        ),
        dated,
    ),
    Case(
        "layers on layers",
        "regression",
        (
            top("target: {transform: log1p}"),
            TREES,
            (
                TREE,
                f"{TREE}{BOOSTED[:-1].replace('boosted', '  top')}, stack_on: [ridge, tree]}}\n  roof: {{ridge: {{}}, transform: sqrt, {ALONE}, top]}}\n",
            ),
        ),
    ),
    Case("a layer that finds its rounds, refitted", "regression", (top("refit: all"), TREES, (TREE, TREE + ROUNDS), ONLY_THE_LAST)),
    Case(
        "a layer of classes", "binary", ((TREE, f"{TREE}  roof: {{logistic_regression: {{}}, {ALONE.replace('ridge', 'logistic')}]}}\n"),)
    ),
    Case(
        "layers of many classes, resampled",
        "multiclass",
        (
            top("resample: {random_over: {}}"),
            (TREE, f"{TREE}  top: {{decision_tree: {{max_depth: 2}}, view: linear, stack_on: [logistic]}}\n"),
            (MEAN, "final: {blend: {of: [top]}}"),
        ),
    ),
    Case("counts of all rows", "regression", (("features:\n", "features:\n  - count_encode: {columns: street, fit_on: all}\n"),)),
]


def recorded(run: Path, name: str, id_name: str = "Id") -> np.ndarray:
    """A final's predictions of the test rows, as the run wrote them."""
    return pd.read_parquet(run / "test" / f"{name}.parquet").drop(columns=["row", id_name]).to_numpy().squeeze()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_run_s_own_test_rows(case: Case, run_tiny: Callable[..., Any], foldwise: Callable[..., Any], tmp_path: Path) -> None:
    tiny = run_tiny(case.task, *case.edits, change=case.change)
    predictor = Predictor.read(tiny.latest)
    rows = read_rows(predictor.inputs, tiny.folder / "test.csv")
    values, _ = predictor.values(predictor.inputs.features(rows))
    np.testing.assert_array_equal(values, recorded(tiny.latest, predictor.record.final))

    said = foldwise("predict", tiny.folder, "--runs", tiny.runs, "--input", tiny.folder / "test.csv", "--output", tmp_path / "out.csv")
    assert said.code == 0, said.err
    written, submitted = pd.read_csv(tmp_path / "out.csv"), pd.read_csv(tiny.latest / "submission.csv")
    assert written["Id"].tolist() == rows["Id"].tolist()
    pd.testing.assert_frame_equal(
        written[list(submitted)].set_index("Id").loc[submitted["Id"]], submitted.set_index("Id"), check_exact=True
    )

    again, first = predictor.predict(rows), predictor.predict(rows)
    pd.testing.assert_frame_equal(again, first, check_exact=True)
    if not case.batch:
        alone = pd.concat([predictor.predict(rows.iloc[[at]]) for at in range(0, len(rows), 4)])
        pd.testing.assert_frame_equal(alone, first.iloc[::4], check_exact=False, rtol=1e-12, atol=0)
        pd.testing.assert_frame_equal(predictor.predict(rows.iloc[::-1]).iloc[::-1], first, check_exact=False, rtol=1e-12, atol=0)


def test_a_copied_run_needs_nothing_else(run_tiny: Callable[..., Any], foldwise: Callable[..., Any], tmp_path: Path) -> None:
    tiny = run_tiny("regression")
    shutil.copytree(tiny.runs, tmp_path / "elsewhere")
    shutil.copy(tiny.folder / "test.csv", tmp_path / "new.csv")
    shutil.rmtree(tiny.folder)
    shutil.rmtree(tiny.runs)
    said = foldwise("predict", "tiny", "--runs", "elsewhere", "--input", "new.csv", "--output", "out.csv")
    assert said.code == 0, said.err
    assert said.out == "predictions: out.csv (20 rows)\n"
    submitted = pd.read_csv(tmp_path / "elsewhere" / "tiny" / "submission.csv").set_index("Id")
    pd.testing.assert_frame_equal(pd.read_csv("out.csv").set_index("Id").loc[submitted.index], submitted, check_exact=True)


def test_joined_tables_are_kept(run_tiny: Callable[..., Any]) -> None:
    tiny = run_tiny(
        "regression",
        ("id: Id,", "id: Id, joins: [{file: streets.csv, on: street}, {file: areas.csv, on: district}],"),
        ("{drop: [street]}", "{drop: [street, district]}"),
        ("  - fill: {columns: [area], with: median}", "  - fill: {columns: [area, trees, rent], with: median}"),
        streets=pd.DataFrame({"street": ["Elm", "Oak"], "district": ["a", "b"], "trees": [5, 7]}),
        areas=pd.DataFrame({"district": ["a", "b"], "rent": [1.5, 2.5]}),
    )
    for name in ("streets.csv", "areas.csv"):
        (tiny.folder / name).unlink()
    predictor = Predictor.read(tiny.latest)
    rows = read_rows(predictor.inputs, tiny.folder / "test.csv")
    assert predictor.inputs.given == ["area", "rooms", "street"]
    values, _ = predictor.values(predictor.inputs.features(rows))
    np.testing.assert_array_equal(values, recorded(tiny.latest, "final"))
    assert np.isfinite(predictor.predict(rows.assign(street="nowhere"))["price"]).all()


@pytest.mark.usefixtures("without_report")
def test_own_steps_come_with_the_run(make_tiny: Callable[..., Any], foldwise: Callable[..., Any]) -> None:
    tiny = make_tiny()
    (tiny.folder / "steps.py").write_text(
        "import pandas as pd\nfrom features.registry import register\nfrom features.step import Step\n\n"
        "@register\nclass Doubled(Step):\n    def __init__(self, columns):\n        self.columns = columns\n"
        "    def _write(self, X):\n        return pd.DataFrame({f'{name}__twice': X[name] * 2 for name in self.selected_}, index=X.index)\n",
        encoding="utf-8",
    )
    tiny.edit(("features:\n", "features:\n  - doubled: {columns: [rooms]}\n"))
    assert foldwise("run", tiny.folder).code == 0
    (tiny.folder / "steps.py").unlink()
    predictor = Predictor.read(tiny.latest)
    values, _ = predictor.values(predictor.inputs.features(read_rows(predictor.inputs, tiny.folder / "test.csv")))
    np.testing.assert_array_equal(values, recorded(tiny.latest, "final"))


@pytest.mark.usefixtures("without_report")
def test_titanic(tmp_path: Path, foldwise: Callable[..., Any]) -> None:
    """The embedded competition with fewer folds and trees: its test file gives its submission, byte for byte."""
    shutil.copytree(Path(__file__).parents[3] / "competitions" / "titanic", tmp_path / "titanic")
    declaration = tmp_path / "titanic" / "pipeline.yaml"
    text = declaration.read_text(encoding="utf-8")
    for old, new in (("repeats: 10", "repeats: 1"), ("n_estimators: 100", "n_estimators: 10"), ("n_estimators: 80", "n_estimators: 10")):
        assert old in text
        text = text.replace(old, new)
    declaration.write_text(text, encoding="utf-8")
    assert foldwise("run", "titanic").code == 0
    (test,) = tmp_path.glob("runs/titanic/sample/*/titanic/test.csv")
    assert foldwise("predict", "titanic", "--input", test, "--output", "out.csv").code == 0
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "runs" / "titanic" / "submission.csv").read_bytes()

    predictor = Predictor.read(tmp_path / "runs" / "titanic")
    rows = read_rows(predictor.inputs, test)
    whole, _ = predictor.values(predictor.inputs.features(rows))
    np.testing.assert_array_equal(whole, recorded(tmp_path / "runs" / "titanic", "final", "PassengerId"))
    alone = [predictor.values(predictor.inputs.features(rows.iloc[[at]]))[0][0] for at in (0, 152, 417)]
    np.testing.assert_allclose(alone, whole[[0, 152, 417]], rtol=1e-12)


@pytest.mark.parametrize("copies", [1, 3_000])
def test_many_rows_in_parts(copies: int, run_tiny: Callable[..., Any]) -> None:
    """Boosters predict many rows in parts, by several threads: not a bit changes."""
    tiny = run_tiny(
        "regression",
        TREES,
        (RIDGE, BOOSTED),
        (f"ensemble:\n  {BLEND}\n", ""),
        ("  tree: {decision_tree: {max_depth: 3}, view: linear}\n", ""),
    )
    predictor = Predictor.read(tiny.latest)
    rows = read_rows(predictor.inputs, tiny.folder / "test.csv")
    values, _ = predictor.values(predictor.inputs.features(pd.concat([rows] * copies)))
    np.testing.assert_array_equal(values.reshape(copies, -1), np.tile(recorded(tiny.latest, "boosted"), (copies, 1)))
