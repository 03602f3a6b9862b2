"""A run as an MLflow model answers as ``foldwise predict`` does, to the last bit."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipelines.serve.predictor import Predictor
from pipelines.serve.pyfunc import save_model

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*type hint.*"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


@pytest.fixture
def gaps(ran: Any) -> pd.DataFrame:
    """Test rows with whole numbers where the run had none, and a gap where it had none."""
    rows = pd.read_csv(ran.folder / "test.csv")
    return rows.assign(area=rows["area"].round().fillna(90).astype("int64"))


def test_answers_as_predict(ran: Any, tmp_path: Path, foldwise: Callable[..., Any]) -> None:
    import mlflow.pyfunc

    said = foldwise("model", ran.folder, "--runs", ran.runs, "--output", tmp_path / "model")
    assert said.code == 0, said.err
    model = mlflow.pyfunc.load_model(str(tmp_path / "model"))
    rows = pd.read_csv(ran.folder / "test.csv")
    assert foldwise("predict", ran.folder, "--runs", ran.runs, "--input", ran.folder / "test.csv", "--output", "out.csv").code == 0
    pd.testing.assert_frame_equal(model.predict(rows), pd.read_csv("out.csv"), check_exact=True)
    pd.testing.assert_frame_equal(model.predict(rows.drop(columns="Id")), pd.read_csv("out.csv").drop(columns="Id"), check_exact=True)


def test_signature_and_example(ran: Any, tmp_path: Path) -> None:
    import mlflow.pyfunc

    save_model(ran.latest, tmp_path / "model")
    model = mlflow.pyfunc.load_model(str(tmp_path / "model"))
    inputs = {one.name: (str(one.type), one.required) for one in model.metadata.signature.inputs}
    assert inputs == {
        "Id": ("DataType.long", False),
        "area": ("DataType.double", True),
        "rooms": ("Any", True),
        "street": ("DataType.string", True),
    }
    assert [(one.name, str(one.type)) for one in model.metadata.signature.outputs] == [
        ("Id", "DataType.long"),
        ("price", "DataType.double"),
    ]
    assert model.predict(model.input_example).shape == (3, 2)


def test_nothing_is_pickled_or_left_out(ran: Any, tmp_path: Path) -> None:
    save_model(ran.latest, tmp_path / "model")
    names = [path.name for path in (tmp_path / "model").rglob("*") if path.is_file()]
    assert not [name for name in names if name.endswith((".pkl", ".pickle", ".joblib", ".npy"))]
    assert not list((tmp_path / "model").rglob(".*")), "nothing is hidden"
    assert (tmp_path / "model" / "scoring.py").is_file()


def test_whole_numbers_with_gaps(ran: Any, tmp_path: Path, gaps: pd.DataFrame) -> None:
    """MLflow refuses integers in a column of doubles, and gaps in one of integers: neither may be declared of one."""
    import mlflow.pyfunc

    save_model(ran.latest, tmp_path / "model")
    model = mlflow.pyfunc.load_model(str(tmp_path / "model"))
    predictor = Predictor.read(ran.latest)
    floats = gaps.assign(area=gaps["area"].astype("float64"), rooms=gaps["rooms"].astype("float64"))
    pd.testing.assert_frame_equal(model.predict(floats), predictor.predict(gaps), check_exact=True)


def test_an_output_that_is_there(ran: Any, tmp_path: Path, foldwise: Callable[..., Any]) -> None:
    (tmp_path / "model").mkdir()
    said = foldwise("model", ran.folder, "--runs", ran.runs, "--output", "model")
    assert said.code == 2 and "--output model is there already" in said.err
    said = foldwise("model", ran.folder, "--runs", ran.runs, "--output", "no/model")
    assert said.code == 2 and "there is no folder no" in said.err


@pytest.mark.slow
def test_registered(ran: Any, tmp_path: Path, foldwise: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    import mlflow

    uri = f"sqlite:///{tmp_path / 'tracker.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    said = foldwise("model", ran.folder, "--runs", ran.runs, "--output", "model", "--register", "tiny")
    assert said.code == 0, said.err
    assert f"registered: tiny version 1 at {uri}" in said.out
    mlflow.set_tracking_uri(uri)
    rows = pd.read_csv(ran.folder / "test.csv")
    found = mlflow.pyfunc.load_model("models:/tiny/1").predict(rows)
    pd.testing.assert_frame_equal(found, Predictor.read(ran.latest).predict(rows), check_exact=True)


@pytest.fixture
def scorer(ran: Any, tmp_path: Path) -> Iterator[str]:
    """A real scoring server on loopback; gives its address."""
    save_model(ran.latest, tmp_path / "model")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "models", "serve", "--model-uri", str(tmp_path / "model"), "--env-manager", "local"]
    # a session of its own, so that its workers can be stopped with it
    process = subprocess.Popen(
        [*command, "--host", "127.0.0.1", "--port", str(port), "--workers", "1"],
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        _until_up(f"http://127.0.0.1:{port}/ping", process)
        yield f"http://127.0.0.1:{port}/invocations"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, 15)
        process.communicate(timeout=60)


def _until_up(address: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 240
    while time.monotonic() < end:
        assert process.poll() is None, process.communicate()[1]
        with contextlib.suppress(urllib.error.URLError, ConnectionError), urllib.request.urlopen(address, timeout=5):
            return
        time.sleep(0.3)
    raise AssertionError("the server never came up")


@pytest.mark.slow
def test_a_real_server(ran: Any, scorer: str) -> None:
    rows = pd.read_csv(ran.folder / "test.csv")
    table = rows.astype("object").where(rows.notna(), None)
    body = json.dumps({"dataframe_split": {"columns": list(rows), "data": table.to_numpy().tolist()}}).encode()
    request = urllib.request.Request(scorer, data=body, headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        found = pd.DataFrame(json.load(answer)["predictions"])
    expected = Predictor.read(ran.latest).predict(rows)
    assert found["Id"].tolist() == expected["Id"].tolist()
    np.testing.assert_array_equal(found["price"].to_numpy(), expected["price"].to_numpy())
