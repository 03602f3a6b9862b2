"""From declarations to frozen objects: every fault at once, each with its line, what is allowed and the closest match."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from features.errors import InputError
from pipelines.build_spec import build_spec
from pipelines.declaration import DeclarationError, read_declaration
from pipelines.spec import KEYS, Spec

TEXT = """\
title: Tiny houses
data:
  train: train.csv
  id: Id
  target: price
  joins:
    - {file: street.csv, on: street}
task: regression
metric: rmse
split: {kfold: {folds: 3, seed: 0}}
rows:
  not_in_fit: ["area > 4000"]
target: {transform: log1p}
clean:
  - fill: {columns: [area], with: median}
  - fill:
      columns: [rooms]
      with: mode
features:
  - derive: {space: "area * rooms"}
  - target_encode: {columns: [street]}
views:
  linear:
    - one_hot
    - scale: standard
models:
  ridge: {ridge: {alpha: 1.0}, view: linear}
  lgb:
    lightgbm: {num_leaves: 5}
    seeds: 2
ensemble:
  stacked: {stack: {of: [ridge, lgb]}}
  final:
    blend: {method: hill_climb}
report: {slices: [street]}
"""


@pytest.fixture
def spec_of(tmp_path: Path) -> Callable[..., Spec]:
    """Builds a spec from the text above with some texts replaced."""

    def build(*replacements: tuple[str, str]) -> Spec:
        text = TEXT
        for old, new in replacements:
            assert text.count(old) == 1, f"{old!r} must be there once"
            text = text.replace(old, new)
        (tmp_path / "pipeline.yaml").write_text(text, encoding="utf-8")
        return build_spec(read_declaration(tmp_path / "pipeline.yaml"))

    return build


def test_a_whole_declaration(spec_of: Callable[..., Spec]) -> None:
    spec = spec_of()
    assert (spec.title, spec.task, spec.metric.name, spec.target.transform) == ("Tiny houses", "regression", "rmse", "log1p")
    assert spec.data.joins[0].on == "street"
    assert spec.split.name == "kfold" and spec.split.params == {"folds": 3, "shuffle": True, "seed": 0, "repeats": 1}
    assert spec.clean[0].params == {"columns": ["area"], "value": None, "how": "median", "by": None}
    assert [part.name for part in spec.views["linear"]] == ["one_hot", "scale"]
    assert spec.views["linear"][1].params["how"] == "standard"
    assert spec.models["ridge"].params == {"alpha": 1.0} and spec.models["ridge"].keys.view == "linear"
    assert spec.models["lgb"].keys.seeds == 2 and spec.models["lgb"].keys.view == ""
    assert spec.ensemble["final"].params["of"] == ["ridge", "lgb"]
    assert spec.final == "final"


def test_a_spec_is_frozen(spec_of: Callable[..., Spec]) -> None:
    spec = spec_of()
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'title'"):
        spec.title = "x"  # type: ignore[misc]
    with pytest.raises(ValidationError, match="frozen"):
        spec.data.train = "x"


@pytest.mark.parametrize("key", ["clean", "features", "views", "ensemble", "report", "rows", "target", "title"])
def test_what_may_be_left_out(key: str, tmp_path: Path) -> None:
    declaration = read_declaration_of(tmp_path, TEXT)
    del declaration.data[key]
    if key == "views":
        del declaration.data["models"]["ridge"]["view"]
    spec = build_spec(declaration)
    assert spec.final == ("lgb" if key == "ensemble" else "final")


def read_declaration_of(tmp_path: Path, text: str) -> Any:
    """A declaration of this text."""
    (tmp_path / "pipeline.yaml").write_text(text, encoding="utf-8")
    return read_declaration(tmp_path / "pipeline.yaml")


@pytest.mark.parametrize("key", ["data", "task", "metric", "split", "models"])
def test_what_must_be_there(key: str, tmp_path: Path) -> None:
    declaration = read_declaration_of(tmp_path, TEXT)
    del declaration.data[key]
    with pytest.raises(DeclarationError, match=f"needs the key '{key}'"):
        build_spec(declaration)


FAULTS = [
    # the top
    ("title:", "titel:", 1, r"titel: unknown key; allowed: title, data, .*report.* Closest: 'title'"),
    ("task: regression", "task: regresion", 8, r"task: found 'regresion'; allowed: regression, binary, multiclass\. Closest: 'regression'"),
    ("metric: rmse", "metric: rmsee", 9, r"metric\.rmsee: no metric 'rmsee'; there are rmse, rmsle.*Closest: 'rmse'"),
    ("metric: rmse", "metric: [rmse]", 9, r"metric: takes one 'name' or 'name: \{parameters\}', found \['rmse'\]"),
    ("metric: rmse", "metric: accuracy", 9, r"metric: 'accuracy' does not fit task 'regression'; allowed: rmse, rmsle, mae"),
    ("metric: rmse", "metric: {pinball: {alpha: 0.5}}", 9, r"metric\.pinball\.alpha: unknown key; allowed: quantile"),
    ("metric: rmse", "metric: {gauc: {group: Id}}", 9, r"metric: 'gauc' does not fit task 'regression'; allowed: rmse, rmsle, mae"),
    ("metric: rmse", "metric: rmse\nresample: smote", 10, r"resample: resampling needs classes; the task is 'regression'"),
    ("metric: rmse", "metric: rmse\nrefit: some", 10, r"refit: found 'some'; allowed: none, all"),
    ("metric: rmse", "metric: rmse\ncalibrate: platt", 10, r"calibrate\.calibrate: 'calibrate' is for binary and multiclass targets"),
    ("metric: rmse", "metric: rmse\nthreshold: f1", 10, r"threshold\.threshold: 'threshold' is for binary targets"),
    ("metric: rmse", "metric: rmse\npostprocess: [clip]", 10, r"postprocess\.postprocess: 'clip' needs 'low', 'high' or both"),
    ("metric: rmse", "metric: rmse\npostprocess: {clip: {low: 0}}", 10, r"postprocess: takes a list of rules, found"),
    ("metric: rmse", "metric: rmse\npostprocess: [{force: {where: 'a >', value: 0}}]", 10, r"Expression 'a >' cannot be read"),
    # data
    ("target: price", "traget: price", 2, r"data: needs the key 'target'"),
    ("target: price", "traget: price", 5, r"data\.traget: unknown key; allowed: .*Closest: 'target'"),
    ("id: Id", "id: 3", 4, r"data\.id: found 3; needed: str"),
    ("id: Id", "id: price", 4, r"data\.id: 'price' is the target; it cannot be the id too"),
    ("on: street}", "on: street, hwo: left}", 7, r"data\.joins\[0\]\.hwo: unknown key; allowed: file, on"),
    ("{file: street.csv, on: street}", "{file: street.csv}", 7, r"data\.joins\[0\]: needs the key 'on'; keys are file, on"),
    ("{file: street.csv, on: street}", "{file: street.csv, on: 3}", 7, r"data\.joins\[0\]\.on: found 3; needed: str \| list\[str\]"),
    # split
    ("kfold: {", "kfolds: {", 10, r"split\.kfolds: no splitter 'kfolds'; there are kfold, .*Closest: 'kfold'"),
    ("folds: 3", "fold: 3", 10, r"split\.kfold\.fold: unknown key; allowed: folds, shuffle, seed, repeats\. Closest: 'folds'"),
    ("folds: 3", "folds: three", 10, r"split\.kfold\.folds: found 'three'; needed: int"),
    ("folds: 3", "folds: 2.5", 10, r"split\.kfold\.folds: found 2\.5; needed: int"),
    ("folds: 3", "folds: 1", 10, r"split\.kfold\.folds: found 1; needed: int .*greater than or equal to 2"),
    ("seed: 0", "seed: -1", 10, r"split\.kfold\.seed: found -1; needed: int .*greater than or equal to 0"),
    ("{kfold: {folds: 3, seed: 0}}", "3", 10, r"split: takes one 'name' or 'name: \{parameters\}', found 3"),
    ("{kfold: {folds: 3, seed: 0}}", "group", 10, r"split\.group: needs the key 'column'; keys are column, folds"),
    # rows and target
    (
        "not_in_fit",
        "not_in_fti",
        12,
        r"rows\.not_in_fti: unknown key; allowed: fit_only, not_in_fit, not_scored, duplicates\. Closest: 'not_in_fit'",
    ),
    ('"area > 4000"', '"area >"', 12, r"rows\.not_in_fit\[0\]: Expression 'area >' cannot be read"),
    ('"area > 4000"', "\"open('x')\"", 12, r"rows\.not_in_fit\[0\]: Expression .* calls 'open'; allowed are abs, "),
    ('"area > 4000"', '"().__class__"', 12, r"uses Attribute, which is not allowed"),
    ("log1p", "log1", 13, r"target\.transform: found 'log1'; allowed: 'none', 'log1p', 'log' or 'sqrt'"),
    # steps
    ("- fill: {", "- fil: {", 15, r"clean\[0\]\.fil: no step 'fil'; there are .*Closest: 'fill'"),
    ("columns: [area]", "colums: [area]", 15, r"clean\[0\]\.fill\.colums: unknown key; allowed: columns, .*Closest: 'columns'"),
    ("columns: [area]", "columns: 5", 15, r"clean\[0\]\.fill\.columns: found 5; needed"),
    ("with: mode", "with: mod", 18, r"clean\[1\]\.fill\.with: found 'mod'; allowed: 'median', 'mean' or 'mode'"),
    ("with: median", "with: median, fit_on: al", 15, r"clean\[0\]\.fill\.fit_on: found 'al'; allowed: all .*, train"),
    (
        "columns: [street]}",
        "columns: [street], fit_on: all}",
        21,
        r"fit_on: 'all' is refused: 'target_encode' learns from the target as values",
    ),
    ("area * rooms", "area *", 20, r"features\[0\]\.derive: Expression 'area \*' cannot be read"),
    ("area * rooms", "__import__('os').system('ls')", 20, r"features\[0\]\.derive: Expression .* calls \"__import__\('os'\)\.system\""),
    ('{space: "area * rooms"}', "{space: 3}", 20, r"features\[0\]\.derive: found 3; needed: dict\[str, str\]"),
    ("scale: standard", "scale: standrd", 25, r"views\.linear\[1\]\.scale.*: found 'standrd'; allowed: 'standard', 'robust' or 'min_max'"),
    ("- one_hot", "- one_ht", 24, r"views\.linear\[0\]\.one_ht: no step 'one_ht'.*Closest: 'one_hot'"),
    ("- one_hot", "- [one_hot]", 24, r"views\.linear\[0\]: takes one 'name' or 'name: \{parameters\}', found \['one_hot'\]"),
    # models
    ("ridge: {ridge:", "ridge: {rigde:", 27, r"models\.ridge: needs one kind of model, found \['rigde'\]; kinds: .*Closest: 'ridge'"),
    ("alpha: 1.0}", "alpha: 1.0}, lasso: {}", 27, r"models\.ridge: needs one kind of model, found \['ridge', 'lasso'\]"),
    ("alpha: 1.0", "alfa: 1.0", 27, r"models\.ridge\.ridge\.alfa: unknown parameter of 'ridge'; allowed: alpha, .*Closest: 'alpha'"),
    ("alpha: 1.0", "alpha: -1.0", 27, r"models\.ridge\.ridge: The 'alpha' parameter of Ridge must be .*Got -1\.0"),
    ("view: linear", "view: linaer", 27, r"models\.ridge\.view: no view 'linaer'; views are linear\. Closest: 'linear'"),
    ("view: linear", "veiw: linear", 27, r"models\.ridge\.veiw: unknown key; allowed: view, seeds, .*Closest: 'view'"),
    ("num_leaves: 5", "num_leafs: 5", 29, r"models\.lgb\.lightgbm\.num_leafs: unknown parameter of 'lightgbm'.*Closest: '"),
    ("num_leaves: 5", "num_leaves: -5", 29, r"models\.lgb\.lightgbm: LightGBM refuses these parameters"),
    ("seeds: 2", "seeds: 0", 30, r"models\.lgb\.seeds: found 0; needed: int .*greater than or equal to 1"),
    (
        "seeds: 2",
        "weights: balanced",
        30,
        r"models\.lgb\.weights: 'balanced' does not fit task 'regression'; allowed: none, inverse_square",
    ),
    ("  ridge: {ridge: {alpha: 1.0}, view: linear}", "  ../x: {ridge: {}}", 27, r"models\.\.\./x: a model's name is made of letters"),
    (
        "{ridge: {alpha: 1.0}, view: linear}",
        "{logistic_regression: {}}",
        27,
        r"'logistic_regression' does not do regression; these kinds do: ",
    ),
    ("{ridge: {alpha: 1.0}, view: linear}", "ridge", 27, r"models\.ridge: takes '\{kind: \{parameters\}, view: \.\.\.\}', found 'ridge'"),
    # ensemble and report
    ("seeds: 2", "rows: 'area > 40'", 34, r"ensemble\.final\.blend: 'lgb' predict\(s\) some rows only; put it in a 'route' first"),
    ("seeds: 2", "rows: 'area >'", 30, r"models\.lgb\.rows: Expression 'area >' cannot be read"),
    ("seeds: 2", "resample: {smote: {rate: 0.1}}", 30, r"models\.lgb\.resample: resampling needs classes"),
    ("seeds: 2", "resample: smot", 30, r"models\.lgb\.resample\.smot: no way to resample 'smot'; .*Closest: 'smote'"),
    (
        "blend: {",
        "blnd: {",
        34,
        r"ensemble\.final\.blnd: no ensemble method 'blnd'; there are blend, stack, log_pool, best_of, route, .*Closest: 'blend'",
    ),
    (
        "hill_climb",
        "hil_climb",
        34,
        r"ensemble\.final\.blend\.method: found 'hil_climb'; allowed: 'mean', 'simplex', 'hill_climb' or 'bagged_hill_climb'",
    ),
    (
        "of: [ridge, lgb]",
        "of: [rigde]",
        32,
        r"ensemble\.stacked\.stack\.of: no model or earlier entry 'rigde'; there are ridge, lgb\. Closest: 'ridge'",
    ),
    ("of: [ridge, lgb]", "of: [final]", 32, r"ensemble\.stacked\.stack\.of: no model or earlier entry 'final'"),
    ("of: [ridge, lgb]", "of: [stacked]", 32, r"no model or earlier entry 'stacked'"),
    ("of: [ridge, lgb]", "meta: logistic", 32, r"ensemble\.stacked\.stack: meta 'logistic' does not fit task 'regression'; allowed: ridge"),
    ("of: [ridge, lgb]", "alpha: 0", 32, r"ensemble\.stacked\.stack\.alpha: found 0; needed: .*greater than 0"),
    (
        "method: hill_climb",
        "scale: logit",
        34,
        r"ensemble\.final\.blend: scale 'logit' does not fit task 'regression'; allowed: transformed, target",
    ),
    ("stacked:", "ridge :", 32, r"ensemble\.ridge: needs a name of its own"),
    ("slices: [street]", "slice: [street]", 35, r"report\.slice: unknown key; allowed: slices\. Closest: 'slices'"),
]


@pytest.mark.parametrize(("old", "new", "line", "message"), FAULTS, ids=[f"{old[:24]}->{new[:24]}" for old, new, _, _ in FAULTS])
def test_faults(old: str, new: str, line: int, message: str, spec_of: Callable[..., Spec]) -> None:
    with pytest.raises(DeclarationError, match=rf"(?m)^  \S+pipeline\.yaml:{line}: .*{message}"):
        spec_of((old, new))


def test_all_faults_are_told_at_once_in_order(spec_of: Callable[..., Spec]) -> None:
    changes = [
        ("title:", "titel:"),
        ("folds: 3", "folds: no"),
        ("with: mode", "with: mod"),
        ("alpha: 1.0", "alfa: 1"),
        ("hill_climb", "hill"),
    ]
    with pytest.raises(DeclarationError, match="has 5 faults:") as caught:
        spec_of(*changes)
    told = str(caught.value).splitlines()[1:]
    assert [line.partition("pipeline.yaml:")[2].split(":")[0] for line in told] == ["1", "10", "18", "27", "34"]
    assert len(caught.value.faults) == 5


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("value", [None, 3, "text", [1], {"x": {"y": [None]}}], ids=["none", "number", "text", "list", "mapping"])
def test_no_value_of_a_section_is_a_defect(key: str, value: Any, tmp_path: Path) -> None:
    """Whatever stands under a key: a spec, or faults that name the key."""
    declaration = read_declaration_of(tmp_path, TEXT)
    declaration.data[key] = value
    try:
        build_spec(declaration)
    except InputError as error:
        assert isinstance(error, DeclarationError)
        assert f": {key}" in str(error)


def test_cycles_of_an_ensemble(spec_of: Callable[..., Spec]) -> None:
    with pytest.raises(DeclarationError, match=r"ensemble\.stacked\.stack\.of: no model or earlier entry 'final'; there are ridge, lgb\."):
        spec_of(("of: [ridge, lgb]", "of: [final]"), ("method: hill_climb", "of: [stacked]"))


def test_settings_are_checked_like_the_file(tmp_path: Path) -> None:
    declaration = read_declaration_of(tmp_path, TEXT).with_settings(("split.kfold.folds=1", "models.ridge.ridge.alfa=3"))
    with pytest.raises(
        DeclarationError, match=r"(?s)has 2 faults.*:10: split\.kfold\.folds: found 1;.*:27: models\.ridge\.ridge\.alfa: unknown parameter"
    ):
        build_spec(declaration)
