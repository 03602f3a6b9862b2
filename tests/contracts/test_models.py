"""What every kind of model must keep to, in each task it does. Kinds are found by walking the package, never listed."""

from __future__ import annotations

import json
import re
import warnings
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

from features.errors import InputError
from pipelines.models import check_parameters, kinds, missing
from pipelines.models.contract import Fitted, Kind, Training
from pipelines.models.plain import load_estimator, save_estimator
from pipelines.models.rounds import fit_model

N_ROWS, N_CLASSES = 120, {"regression": 0, "binary": 2, "multiclass": 3}
TOLERANCE = 1e-9
SMALLER = {
    "n_estimators": 12,
    "max_iter": 60,
    "alpha": 0.01,
    "learning_rate_init": 0.1,
    "epochs": 30,
    "l1": 0.0,
    "n_epochs": 30,
    "batch_size": 32,
    "hidden_sizes": [32, 32],
    "k": 4,
    "d_block": 32,
}
"""Parameters that let a kind learn from few rows in a short time, given where it takes them."""


def needs_its_library(kind: Kind) -> pytest.MarkDecorator:
    """Skips the tests of a kind whose library comes with an extra that is not installed, saying so."""
    lacking = missing(kind.name)
    return pytest.mark.skipif(bool(lacking), reason=f"{kind.name} needs {' and '.join(lacking)}: foldwise[{getattr(kind, 'extra', '')}]")


# a kind that learns nothing (a rule somebody wrote down) has tests of its own
CASES = [
    pytest.param(kind, task, id=f"{kind.name}-{task}", marks=needs_its_library(kind))
    for kind in kinds().values()
    if getattr(kind, "learns", True)
    for task in kind.tasks
]
every_case = pytest.mark.parametrize(("kind", "task"), CASES)


def small(kind: Kind, task: str) -> dict[str, Any]:
    """Parameters of a short fit."""
    return {name: value for name, value in SMALLER.items() if name in kind.parameters(task)}


def is_constant(kind: Kind) -> bool:
    return getattr(kind, "is_constant", False)


def takes_gaps(kind: Kind, task: str) -> bool:
    """Whether a kind takes missing values."""
    training = training_of(task)
    try:
        fit(kind, replace(training, X=with_gap(training.X)))
    except InputError:
        return False
    return True


def with_gap(X: pd.DataFrame) -> pd.DataFrame:
    """A missing value in the column ``area``."""
    return X.assign(area=X["area"].where(X.index != 3))


def training_of(task: str, n_rows: int = N_ROWS, seed: int = 5) -> Training:
    """Numbers, whole numbers and flags, and a target that hangs on them."""
    rng = np.random.default_rng(seed)
    X = pd.DataFrame({"area": rng.normal(0.0, 1.0, n_rows), "rooms": rng.integers(1, 7, n_rows), "has_air": rng.random(n_rows) < 0.4})
    signal = X["area"] + 0.3 * X["rooms"] + X["has_air"] + rng.normal(0.0, 0.3, n_rows)
    ranks = signal.rank().to_numpy() - 1
    y = signal.to_numpy() if task == "regression" else np.floor(ranks * N_CLASSES[task] / n_rows)
    return Training(X, y.astype(np.float64), None, task, N_CLASSES[task], seed=3)


def fit(kind: Kind, training: Training, **params: Any) -> Fitted:
    """A fit as a run makes it: with its share of the threads, and with warnings about few rows recorded, not raised."""
    with warnings.catch_warnings(), threadpool_limits(training.threads):
        warnings.simplefilter("ignore")
        return kind.fit({**small(kind, training.task), **params}, training)


def saved(fitted: Fitted, folder: Path) -> dict[str, bytes]:
    """The bytes of each file of a saved model."""
    folder.mkdir(parents=True)
    fitted.save(folder)
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def fits() -> Callable[[Kind, str], Fitted]:
    """One fit of each case, made once."""
    made: dict[tuple[str, str], Fitted] = {}

    def fitted(kind: Kind, task: str) -> Fitted:
        if (kind.name, task) not in made:
            made[kind.name, task] = fit(kind, training_of(task))
        return made[kind.name, task]

    return fitted


# ---------------------------------------------------------------------- how it presents itself


def test_names_are_unique_and_tasks_are_known() -> None:
    assert len(kinds()) > 2
    for name, kind in kinds().items():
        assert kind.name == name
        assert kind.tasks and set(kind.tasks) <= set(N_CLASSES)
        assert isinstance(kind.distributions, tuple), "the libraries whose versions are part of a fit's key"


# ---------------------------------------------------------------------- predictions


@every_case
def test_predictions(kind: Kind, task: str, fits: Callable[[Kind, str], Fitted]) -> None:
    training = training_of(task)
    predicted = fits(kind, task).predict(training.X)
    assert predicted.dtype == np.float64
    assert predicted.shape == ((N_ROWS, 3) if task == "multiclass" else (N_ROWS,))
    assert np.isfinite(predicted).all()
    if task != "regression":
        assert predicted.min() >= 0.0 and predicted.max() <= 1.0
    if task == "multiclass":
        np.testing.assert_allclose(predicted.sum(axis=1), 1.0, atol=1e-6)


@every_case
def test_it_learns(kind: Kind, task: str, fits: Callable[[Kind, str], Fitted]) -> None:
    training = training_of(task)
    predicted = fits(kind, task).predict(training.X)
    if is_constant(kind):
        assert np.ptp(predicted, axis=0).max() == 0
    elif task == "multiclass":
        assert np.mean(predicted[np.arange(N_ROWS), training.y.astype(int)]) > 1 / 3
    else:
        assert np.corrcoef(predicted, training.y)[0, 1] > 0.3


@every_case
def test_one_row_is_its_row_of_the_batch(kind: Kind, task: str, fits: Callable[[Kind, str], Fitted]) -> None:
    X = training_of(task).X
    batch = fits(kind, task).predict(X)
    for position in range(0, N_ROWS, 40):
        one = fits(kind, task).predict(X.iloc[[position]])
        np.testing.assert_allclose(one[0], batch[position], rtol=TOLERANCE, atol=TOLERANCE)


@every_case
def test_no_rows(kind: Kind, task: str, fits: Callable[[Kind, str], Fitted]) -> None:
    empty = fits(kind, task).predict(training_of(task).X.iloc[:0])
    assert empty.shape == ((0, 3) if task == "multiclass" else (0,))


@pytest.mark.parametrize(("kind", "task"), [case for case in CASES if case.values[1] != "regression"])
def test_a_class_that_is_rare(kind: Kind, task: str) -> None:
    """Two rows of a class are enough: no kind may stop at them."""
    training = training_of(task)
    y = np.where(training.y == 1, 0, training.y)
    y[[5, 50]] = 1
    fitted = fit(kind, replace(training, y=y))
    assert fitted.predict(training.X).shape == ((N_ROWS, 3) if task == "multiclass" else (N_ROWS,))


@every_case
def test_input_is_not_changed(kind: Kind, task: str) -> None:
    training = training_of(task)
    X, y = training.X.copy(deep=True), training.y.copy()
    fit(kind, training).predict(training.X)
    pd.testing.assert_frame_equal(training.X, X)
    np.testing.assert_array_equal(training.y, y)


# ---------------------------------------------------------------------- the same fit


@every_case
def test_same_seed_same_bytes(kind: Kind, task: str, fits: Callable[[Kind, str], Fitted], tmp_path: Path) -> None:
    training = training_of(task)
    again = fit(kind, training)
    assert saved(again, tmp_path / "again") == saved(fit(kind, training), tmp_path / "first")
    np.testing.assert_array_equal(again.predict(training.X), fits(kind, task).predict(training.X))


@every_case
def test_threads_do_not_matter(kind: Kind, task: str, fits: Callable[[Kind, str], Fitted]) -> None:
    training = training_of(task)
    np.testing.assert_array_equal(fit(kind, replace(training, threads=2)).predict(training.X), fits(kind, task).predict(training.X))


@every_case
def test_saved_and_loaded(kind: Kind, task: str, fits: Callable[[Kind, str], Fitted], tmp_path: Path) -> None:
    X, fitted = training_of(task).X, fits(kind, task)
    files = saved(fitted, tmp_path / "model")
    loaded = kind.load(tmp_path / "model", task)
    assert saved(loaded, tmp_path / "again") == files
    np.testing.assert_array_equal(loaded.predict(X), fitted.predict(X))
    assert not any(b"cposix" in content or content[:2] == b"\x80\x04" for content in files.values()), "a model file is no pickle"


@every_case
def test_importances_and_facts(kind: Kind, task: str, fits: Callable[[Kind, str], Fitted]) -> None:
    fitted = fits(kind, task)
    found = fitted.importances()
    assert found is None or (found.shape == (3,) and np.isfinite(found).all() and found.min() >= 0)
    json.dumps(fitted.facts(), allow_nan=False)


# ---------------------------------------------------------------------- weights and rounds


@every_case
def test_weights(kind: Kind, task: str, fits: Callable[[Kind, str], Fitted]) -> None:
    """Weights change what is predicted for other rows; a kind without weights says so."""
    training, others = training_of(task), training_of(task, seed=6).X
    uneven = np.where(training.X["rooms"] > 3, 5.0, 0.2)
    try:
        weighted = fit(kind, replace(training, weights=uneven)).predict(others)
    except InputError as error:
        assert str(error) == f"Model '{kind.name}' takes no weights. Remove 'weights' from it; 'pseudo_labels' need weight: 1 there."
        return
    assert np.isfinite(weighted).all()
    assert not np.array_equal(weighted, fits(kind, task).predict(others))


BOOSTERS = [case for case in CASES if "num_boost_round" in case.values[0].parameters(case.values[1])]


@pytest.mark.parametrize(("kind", "task"), BOOSTERS)
def test_rounds_come_from_an_inner_cut(kind: Kind, task: str) -> None:
    training = replace(training_of(task), max_rounds=60)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = fit_model(kind, {"learning_rate": 0.3}, training)
    assert 1 <= fitted.facts()["rounds"] <= 60
    assert np.isfinite(fitted.predict(training.X)).all()


# ---------------------------------------------------------------------- what is refused


@every_case
def test_unknown_parameter(kind: Kind, task: str) -> None:
    known = max(sorted(kind.parameters(task)), key=len)
    misspelt = known[:-1] + "_"
    ((where, message),) = check_parameters(kind.name, task, {misspelt: 1})
    assert where == (misspelt,)
    assert message.startswith(f"unknown parameter of '{kind.name}'; allowed: ")
    assert " Closest: '" in message


@every_case
def test_framework_parameters_are_not_the_declarations(kind: Kind, task: str) -> None:
    for name in ("random_state", "n_jobs"):
        assert check_parameters(kind.name, task, {name: 1}), f"{name} is given by the framework"


@every_case
def test_default_and_small_parameters_are_allowed(kind: Kind, task: str) -> None:
    assert check_parameters(kind.name, task, {}) == []
    assert check_parameters(kind.name, task, small(kind, task)) == []


@every_case
def test_bad_value(kind: Kind, task: str) -> None:
    """Some parameter refuses a text that is none of its values; the message names it."""
    numeric = (
        "alpha",
        "C",
        "n_neighbors",
        "max_depth",
        "learning_rate",
        "lr",
        "var_smoothing",
        "tol",
        "max_iter",
        "n_estimators",
        "strategy",
    )
    name = next(name for name in numeric if name in kind.parameters(task))
    ((where, message),) = check_parameters(kind.name, task, {name: "nonsense"})
    assert where in ((), (name,))
    assert "nonsense" in message


@pytest.mark.parametrize("kind", kinds().values(), ids=kinds())
@pytest.mark.parametrize("params", [[1], "x", 3])
def test_parameters_that_are_no_table(kind: Kind, params: object) -> None:
    ((where, message),) = check_parameters(kind.name, kind.tasks[0], params)
    assert where == () and f"takes library parameters, found {params!r}. Write {kind.name}: {{}} for none." in message


def test_a_task_that_a_kind_does_not_do() -> None:
    for kind in kinds().values():
        for task in set(N_CLASSES) - set(kind.tasks):
            ((_, message),) = check_parameters(kind.name, task, {})
            fitting = message.partition("these kinds do: ")[2].rstrip(".").split(", ")
            assert fitting == [name for name, other in kinds().items() if task in other.tasks]


@every_case
@pytest.mark.parametrize("values", [["elm", "oak", None], pd.to_datetime(["2010-01-01", "2011-01-01", None])], ids=["text", "dates"])
def test_text_and_dates(kind: Kind, task: str, values: Any) -> None:
    training = training_of(task)
    X = training.X.assign(street=pd.Series(values)[np.arange(N_ROWS) % 3].to_numpy())
    if getattr(kind, "takes_text", False) or is_constant(kind):
        assert np.isfinite(fit(kind, replace(training, X=X)).predict(X)).all()
        return
    with pytest.raises(InputError, match=f"Model '{kind.name}' needs numbers, found text, dates or categories in 'street'"):
        fit(kind, replace(training, X=X))


@every_case
def test_missing_values(kind: Kind, task: str, fits: Callable[[Kind, str], Fitted]) -> None:
    """Taken in fit and predict, or refused in both with the column's name."""
    training = training_of(task)
    X = with_gap(training.X)
    if takes_gaps(kind, task):
        assert np.isfinite(fits(kind, task).predict(X)).all()
        return
    message = rf"Model '{kind.name}' needs a value in every cell; missing or infinite in 'area' \(\d+\)\. Add a fill"
    with pytest.raises(InputError, match=message):
        fit(kind, replace(training, X=X))
    with pytest.raises(InputError, match=message):
        fits(kind, task).predict(X)


@every_case
def test_infinite_values(kind: Kind, task: str) -> None:
    """Taken, or refused with the column's name."""
    training = training_of(task)
    X = training.X.assign(area=training.X["area"].where(training.X.index != 3, np.inf))
    try:
        predicted = fit(kind, replace(training, X=X)).predict(X)
    except InputError as error:
        assert re.match(rf"Model '{kind.name}' needs .*infinite in 'area' \(\d+\)\. Add a fill", str(error))
        return
    assert np.isfinite(predicted).all()


@every_case
def test_no_columns(kind: Kind, task: str) -> None:
    training = training_of(task)
    X = training.X[[]]
    if is_constant(kind):
        assert np.isfinite(fit(kind, replace(training, X=X)).predict(X)).all()
        return
    with pytest.raises(InputError, match=f"Model '{kind.name}' needs at least one column"):
        fit(kind, replace(training, X=X))


@every_case
def test_categories(kind: Kind, task: str) -> None:
    """Taken as categories, an unseen and a missing one at prediction included, or refused with the column's name."""
    training = training_of(task)
    levels = pd.CategoricalDtype(["elm", "oak", "pine"])
    street = pd.Series(np.array(["elm", "oak"])[np.arange(N_ROWS) % 2], dtype=levels)
    try:
        fitted = fit(kind, replace(training, X=training.X.assign(street=street)))
    except InputError as error:
        assert f"Model '{kind.name}' needs numbers, found text, dates or categories in 'street'" in str(error)
        return
    strange = training.X.assign(street=pd.Series(["pine", None] * (N_ROWS // 2), dtype=levels))
    assert np.isfinite(fitted.predict(strange)).all()


@every_case
def test_awkward_column_names(kind: Kind, task: str) -> None:
    training = training_of(task)
    X = training.X.rename(columns={"area": 'a[1]: "x" <y>, {z}', "rooms": "a b", "has_air": "a_b"})
    assert np.isfinite(fit(kind, replace(training, X=X)).predict(X)).all()


# ---------------------------------------------------------------------- a file cannot run code


def _poisoned(path: Path, name: str, args: list[Any]) -> Path:
    from safetensors.numpy import save_file

    tree = {"make": name, "args": args, "state": None}
    save_file({}, path, metadata={"foldwise": json.dumps({"dtypes": {}, "estimator": tree})})
    return path


@pytest.mark.parametrize(
    "name",
    [
        *("os.system", "builtins.eval", "builtins.getattr", "subprocess.Popen", "pickle.loads"),
        *("numpy.load", "numpy.lib.npyio.NpzFile", "numpy.ctypeslib.load_library"),
        *("sklearn.base.clone", "sklearn.utils.os.system", "sklearn.utils._testing.delete_folder", "sklearn.no_such_module.Thing"),
        *("sklearn.datasets._covtype.GzipFile", "sklearn.datasets._covtype.TemporaryDirectory", "sklearn.utils._available_if.MethodType"),
        *("sklearn.linear_model._ridge.Ridge", "sklearn.linear_model.Ridge"),
    ],
)
def test_a_file_that_names_a_foreign_class(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"names .*, which is no class of scikit-learn; it is not read"):
        load_estimator(_poisoned(tmp_path / "estimator.safetensors", name, ["touch hacked"]))


@pytest.mark.parametrize("name", ["os.system", "subprocess.Popen", "sklearn.datasets._covtype.GzipFile", "numpy.ndarray"])
def test_a_type_in_a_file_is_checked_too(name: str, tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    save_file({}, tmp_path / "x", metadata={"foldwise": json.dumps({"dtypes": {}, "estimator": {"type": name}})})
    with pytest.raises(InputError, match=f"names '{re.escape(name)}'"):
        load_estimator(tmp_path / "x")


def test_what_is_no_plain_data_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="OrderedDict cannot be written as plain data"):
        save_estimator(OrderedDict(a=1), tmp_path / "x")
