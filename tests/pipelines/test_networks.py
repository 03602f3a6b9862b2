"""RealMLP and TabM: what they predict with NumPy is what PyTorch trained; epochs from an inner cut; clear words without the extra."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from features.errors import InputError
from pipelines.models import check_parameters, kinds, missing
from pipelines.models.contract import Training
from pipelines.models.networks.inputs import Inputs, Target
from pipelines.models.networks.kind import FittedNetwork, NetworkKind
from pipelines.models.networks.realmlp import RealMLP
from pipelines.models.networks.tabm import TabM
from pipelines.models.rounds import fit_model
from pipelines.portfolio import configurations
from pipelines.schema import schema_text

needs_torch = pytest.mark.skipif(bool(missing("tabm")), reason="PyTorch and tabm are not installed: foldwise[torch]")
N_CLASSES = {"regression": 0, "binary": 2, "multiclass": 3}
SMALL: dict[str, dict[str, Any]] = {
    "realmlp": {"hidden_sizes": [16, 8], "n_epochs": 12, "batch_size": 16},
    "tabm": {"k": 3, "d_block": 8, "n_blocks": 2, "n_epochs": 6, "batch_size": 16},
}
VARIANTS = [
    ("realmlp", {}),
    ("realmlp", {"variant": "td_s"}),
    ("realmlp", {"act": "relu"}),
    ("tabm", {}),
    ("tabm", {"arch_type": "tabm-mini"}),
]


def training_of(task: str = "regression", n_rows: int = 90, **keys: Any) -> Training:
    rng = np.random.default_rng(4)
    X = pd.DataFrame(rng.normal(5.0, 3.0, (n_rows, 3)), columns=["a", "b", "c"])
    signal = X["a"] - X["b"] * X["c"] + rng.normal(0.0, 0.5, n_rows)
    y = signal.to_numpy() if task == "regression" else np.floor(signal.rank().to_numpy() * N_CLASSES[task] / (n_rows + 1))
    return Training(X, y.astype(np.float64), None, task, N_CLASSES[task], seed=1, **keys)


def fitted(kind: str, training: Training, **params: Any) -> FittedNetwork:
    found = kinds()[kind]
    assert isinstance(found, NetworkKind)
    return found.fit({**SMALL[kind], **params}, training)


# ---------------------------------------------------------------------- the same formulas


@needs_torch
@pytest.mark.parametrize("task", N_CLASSES)
@pytest.mark.parametrize(("kind", "params"), VARIANTS)
def test_numpy_says_what_pytorch_says(kind: str, params: dict[str, Any], task: str) -> None:
    """A fitted network's arrays, put back into the library, give its outputs."""
    import torch

    model, X = fitted(kind, training_of(task), **params), training_of(n_rows=40).X
    scaled = model.inputs.scaled(X.to_numpy())
    net = model.kind._net(model.settings, torch.tensor(scaled, dtype=torch.float32), {"regression": 1, "binary": 2}.get(task, 3))
    with torch.no_grad():
        for name, values in net.state.items():
            values.copy_(torch.tensor(model.state[name]))
        said = net.forward(torch.tensor(scaled, dtype=torch.float32), None).numpy()
    state = {name: values.astype(np.float64) for name, values in model.state.items()}
    np.testing.assert_allclose(model.kind.outputs(state, model.settings, scaled), said, rtol=1e-4, atol=1e-4)


@needs_torch
@pytest.mark.parametrize(("kind", "params"), VARIANTS)
def test_saved_and_loaded_bit_for_bit(kind: str, params: dict[str, Any], tmp_path: Path) -> None:
    model, X = fitted(kind, training_of("multiclass"), **params), training_of(n_rows=33).X
    model.save(tmp_path)
    np.testing.assert_array_equal(kinds()[kind].load(tmp_path, "multiclass").predict(X), model.predict(X))


@needs_torch
@pytest.mark.parametrize(("kind", "params"), VARIANTS)
def test_one_row_no_row_and_many(kind: str, params: dict[str, Any]) -> None:
    model, X = fitted(kind, training_of("multiclass"), **params), training_of(n_rows=40).X
    assert model.predict(X.iloc[:0]).shape == (0, 3)
    np.testing.assert_allclose(model.predict(X.iloc[[7]])[0], model.predict(X)[7], rtol=1e-9)


def by_hand() -> FittedNetwork:
    """A network of one hidden unit whose prediction is 10 + 2 * relu(clipped a)."""
    state = {
        "scale": np.ones(1),
        "weight_0": np.ones((1, 1)),
        "bias_0": np.zeros(1),
        "weight_1": np.ones((1, 1)),
        "bias_1": np.zeros(1),
    }
    inputs = Inputs(np.array([1.0]), np.array([2.0]))
    return FittedNetwork(RealMLP(), "regression", inputs, Target(10.0, 2.0), state, {"act": "relu"}, 1)


def test_a_network_by_hand() -> None:
    steps = (np.array([5.0, 1.0, -3.0]) - 1.0) / 2.0
    expected = 10.0 + 2.0 * np.maximum(steps / np.sqrt(1.0 + (steps / 3.0) ** 2), 0.0)
    np.testing.assert_allclose(by_hand().predict(pd.DataFrame({"a": [5.0, 1.0, -3.0]})), expected, rtol=1e-12)


def test_predicting_needs_no_pytorch(tmp_path: Path) -> None:
    by_hand().save(tmp_path)
    code = (
        "import sys, pathlib, pandas as pd; from pipelines.models import kinds; "
        f"model = kinds()['realmlp'].load(pathlib.Path({str(tmp_path)!r}), 'regression'); "
        "print(model.predict(pd.DataFrame({'a': [5.0]}))[0], 'torch' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]).stdout
    assert said.split() == [repr(float(by_hand().predict(pd.DataFrame({"a": [5.0]}))[0])), "False"]


# ---------------------------------------------------------------------- what is learnt, and from what


@needs_torch
@pytest.mark.parametrize("kind", SMALL)
def test_it_learns_what_a_line_cannot(kind: str) -> None:
    """A product of two columns, on rows that were not fitted; epochs are found by the inner cut."""
    training = training_of(n_rows=1200)
    params = {"realmlp": {"n_epochs": 40, "hidden_sizes": [32, 32]}, "tabm": {"k": 4, "d_block": 32, "n_blocks": 2, "patience": 8}}[kind]
    fit, rest = training.take(np.arange(900)), training.take(np.arange(900, 1200))
    model = fit_model(kinds()[kind], {**params, "batch_size": 32}, replace(fit, max_rounds=60))
    left = float(np.mean((model.predict(rest.X) - rest.y) ** 2)) / float(np.var(rest.y))
    assert left < 0.1
    assert 1 <= model.facts()["rounds"] <= 60


@needs_torch
def test_epochs_end_where_rows_held_out_gain_no_more() -> None:
    """Where the target is noise, a network that sees few rows stops early, and is then trained for that long on all rows."""
    training = training_of()
    noise = replace(training, y=np.random.default_rng(0).normal(size=len(training.y)), max_rounds=200)
    params = {"k": 2, "d_block": 64, "n_blocks": 2, "lr": 0.01, "patience": 5, "batch_size": 16}
    assert fit_model(TabM(), params, noise).facts()["rounds"] < 30


@needs_torch
@pytest.mark.parametrize("kind", SMALL)
def test_the_epochs_of_a_schedule_are_not_passed(kind: str) -> None:
    given = fitted(kind, training_of(), **({"stop_epoch": 99} if kind == "realmlp" else {}))
    assert given.facts() == {"rounds": SMALL[kind]["n_epochs"]}
    assert fit_model(RealMLP(), SMALL["realmlp"], replace(training_of(), max_rounds=3)).facts()["rounds"] <= 3


@needs_torch
@pytest.mark.parametrize("kind", SMALL)
def test_pytorch_is_left_as_it_was(kind: str) -> None:
    import torch

    torch.manual_seed(77)
    before, threads = torch.get_rng_state().clone(), torch.get_num_threads()
    fitted(kind, training_of(threads=threads + 1))
    assert torch.equal(torch.get_rng_state(), before) and torch.get_num_threads() == threads


@needs_torch
@pytest.mark.parametrize("kind", SMALL)
def test_a_fit_warns_of_nothing(kind: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit_model(kinds()[kind], {**SMALL[kind]}, training_of("binary"))


@needs_torch
def test_the_tuned_defaults_keep_to_the_range_of_the_target() -> None:
    model = fitted("realmlp", training_of())
    far = pd.DataFrame({"a": [1e9, -1e9], "b": [-1e9, 1e9], "c": [1e9, 1e9]})
    y = training_of().y
    assert y.min() <= model.predict(far).min() and model.predict(far).max() <= y.max()


# ---------------------------------------------------------------------- awkward input


AWKWARD: dict[str, Callable[[Training], Training]] = {
    "two rows": lambda one: one.take(np.arange(2)),
    "a constant target": lambda one: replace(one, y=np.full(len(one.y), 7.0)),
    "a constant column": lambda one: replace(one, X=one.X.assign(b=3.0)),
    "nothing but constant columns": lambda one: replace(one, X=one.X * 0.0),
    "far values": lambda one: replace(one, X=one.X * 1e300),
    "a far target": lambda one: replace(one, y=one.y * 1e30),
    "one far row": lambda one: replace(one, X=one.X.assign(a=one.X["a"].where(one.X.index != 3, 1e300))),
    "uneven weights": lambda one: replace(one, weights=np.where(np.arange(len(one.y)) % 2, 1e6, 1e-6)),
    "one column": lambda one: replace(one, X=one.X[["a"]]),
}


@needs_torch
@pytest.mark.parametrize("kind", SMALL)
@pytest.mark.parametrize("change", AWKWARD.values(), ids=AWKWARD)
def test_awkward_rows_are_learnt_from(kind: str, change: Callable[[Training], Training]) -> None:
    training = change(training_of())
    for params in [{}, {"variant": "td_s"}] if kind == "realmlp" else [{}]:
        assert np.isfinite(fitted(kind, training, **params).predict(training.X)).all()


@needs_torch
@pytest.mark.parametrize("kind", SMALL)
def test_a_class_without_rows(kind: str) -> None:
    training = replace(training_of("binary"), task="multiclass", n_classes=4)
    predicted = fitted(kind, training).predict(training.X)
    assert predicted.shape == (len(training.y), 4)
    np.testing.assert_allclose(predicted.sum(axis=1), 1.0, rtol=1e-12)


@pytest.mark.parametrize("kind", SMALL)
def test_gaps_and_text_are_refused_in_the_models_name(kind: str) -> None:
    training = training_of()
    with pytest.raises(InputError, match=rf"Model '{kind}' needs a value in every cell; missing or infinite in 'a' \(1\)\. Add a fill"):
        fitted(kind, replace(training, X=training.X.assign(a=training.X["a"].where(training.X.index != 3))))
    with pytest.raises(InputError, match=f"Model '{kind}' needs numbers, found text, dates or categories in 'd'"):
        fitted(kind, replace(training, X=training.X.assign(d="oak")))


@pytest.mark.parametrize(
    ("kind", "params", "message"),
    [
        ("realmlp", {"variant": "tds"}, "variant is one of td_s, td, found 'tds'."),
        ("realmlp", {"variant": ["td"]}, "variant is one of td_s, td, found ['td']."),
        ("realmlp", {"hidden_sizes": []}, "hidden_sizes is a list of whole numbers of at least 1, found []."),
        ("realmlp", {"hidden_sizes": [64, 0]}, "hidden_sizes is a list of whole numbers of at least 1, found [64, 0]."),
        ("realmlp", {"hidden_sizes": 64}, "hidden_sizes is a list of whole numbers of at least 1, found 64."),
        ("realmlp", {"n_epochs": 0}, "n_epochs is a whole number of at least 1, found 0."),
        ("realmlp", {"n_epochs": 2.5}, "n_epochs is a whole number of at least 1, found 2.5."),
        ("realmlp", {"stop_epoch": True}, "stop_epoch is a whole number of at least 1, found True."),
        ("realmlp", {"lr": "fast"}, "lr is a number of at least 0, found 'fast'."),
        ("realmlp", {"lr": float("nan")}, "lr is a number of at least 0, found nan."),
        ("realmlp", {"p_drop": 1}, "p_drop is a number from 0 to below 1, found 1."),
        ("realmlp", {"act": "gelu"}, "act is one of mish, relu, selu, found 'gelu'."),
        ("tabm", {"arch_type": "tabm-packed"}, "arch_type is one of tabm, tabm-mini, found 'tabm-packed'."),
        ("tabm", {"k": 0}, "k is a whole number of at least 1, found 0."),
        ("tabm", {"weight_decay": -1}, "weight_decay is a number of at least 0, found -1."),
        ("tabm", {"patience": None, "dropout": 1.5}, "dropout is a number from 0 to below 1, found 1.5."),
    ],
)
def test_values_out_of_range(kind: str, params: dict[str, Any], message: str) -> None:
    assert kinds()[kind].value_faults("regression", params) == [message]


# ---------------------------------------------------------------------- scales


@given(hnp.arrays(np.float64, (12, 2), elements=st.floats(-1e300, 1e300)))
def test_scaled_inputs_keep_their_order_and_are_never_far(X: np.ndarray) -> None:
    scaled = Inputs.of(X).scaled(X)
    assert np.isfinite(scaled).all() and np.abs(scaled).max() <= 3.0
    for column in range(2):
        assert (np.diff(scaled[np.argsort(X[:, column], kind="stable"), column]) >= 0).all()


def test_scales_are_medians_and_quartiles() -> None:
    X = np.column_stack([np.arange(9.0), np.repeat(2.0, 9), np.r_[np.zeros(8), 6.0]])
    inputs = Inputs.of(X)
    np.testing.assert_array_equal(inputs.centres, [4.0, 2.0, 0.0])
    np.testing.assert_array_equal(inputs.spreads, [4.0, 0.0, 3.0])
    np.testing.assert_array_equal(inputs.scaled(np.array([[4.0, 5.0, 0.0]])), [[0.0, 0.0, 0.0]])


# ---------------------------------------------------------------------- without the extra


@pytest.fixture
def without_extras(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine where neither PyTorch nor tabm can be found, nor XGBoost."""
    import importlib.util

    find_spec, lacking = importlib.util.find_spec, ("torch", "tabm", "xgboost")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: None if name in lacking else find_spec(name, *more))


@pytest.mark.parametrize(
    ("kind", "lacking", "extra"), [("realmlp", "torch", "torch"), ("tabm", "torch and tabm", "torch"), ("xgboost", "xgboost", "cpu")]
)
def test_a_declaration_without_the_extra_is_told_what_to_install(without_extras: None, kind: str, lacking: str, extra: str) -> None:
    message = f"'{kind}' needs {lacking}, not installed here. Install the extra: pip install 'foldwise[{extra}]'."
    assert check_parameters(kind, "binary", {}) == [((), message)]
    assert message in check_parameters("bagging", "binary", {"of": {kind: {}}})[0][1]


def test_the_command_line_says_so_with_code_2(without_extras: None, tiny: Any, foldwise: Callable[..., Any]) -> None:
    tiny.edit(("  tree: {decision_tree: {max_depth: 3}, view: linear}", "  net: {realmlp: {}, view: linear}"))
    said = foldwise("run", tiny.folder, "--runs", tiny.runs)
    assert said.code == 2 and "'realmlp' needs torch, not installed here. Install the extra: pip install 'foldwise[torch]'." in said.err


def test_the_portfolio_and_the_schema_without_the_extra(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    schema = schema_text()
    request.getfixturevalue("without_extras")
    assert "realmlp" not in {one.kind for one in configurations("regression", 1000, 10)}
    assert schema_text() == schema and '"realmlp"' in schema


# ---------------------------------------------------------------------- whole runs


@needs_torch
@pytest.mark.parametrize("refit", ["none", "all"])
def test_a_run_and_its_predictions(tiny: Any, foldwise: Callable[..., Any], refit: str) -> None:
    """Epochs are found in each fold; a fit on all rows goes through as many as the folds did on average."""
    net = "  net: {realmlp: {hidden_sizes: [8], n_epochs: 10, batch_size: 16}, view: linear}"
    tiny.edit(("  tree: {decision_tree: {max_depth: 3}, view: linear}", net), ("ensemble:", f"refit: {refit}\nensemble:"))
    tiny.edit(("method: simplex", "method: mean"))
    assert foldwise("run", tiny.folder, "--runs", tiny.runs).code == 0
    predicted = tiny.folder.parent / "predicted.csv"
    said = foldwise("predict", tiny.folder, "--runs", tiny.runs, "--input", tiny.folder / "test.csv", "--output", predicted)
    assert said.code == 0, said.err
    submission = pd.read_csv(tiny.latest / "submission.csv").set_index("Id")
    pd.testing.assert_frame_equal(pd.read_csv(predicted).set_index("Id").loc[submission.index], submission, check_exact=True)
