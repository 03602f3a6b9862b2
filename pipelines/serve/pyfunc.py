"""A run as an MLflow model: ``mlflow.pyfunc.load_model`` and ``mlflow models serve`` score raw rows as ``foldwise predict`` does."""

from __future__ import annotations

import importlib.metadata
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

from features.errors import InputError
from pipelines.quiet_mlflow import quiet_mlflow
from pipelines.serve.inputs import Inputs
from pipelines.serve.package import pack
from pipelines.serve.predictor import Predictor
from pipelines.serve.record import Record
from pipelines.store import show, whole_folder

_CODE = Path(__file__).with_name("scoring.py")
_LIBRARIES = ("foldwise", "mlflow", "numpy", "pandas", "pyarrow", "scikit-learn", "scipy", "lightgbm", "xgboost", "xgboost-cpu", "catboost")


def save_model(run: Path, folder: Path) -> None:
    """Write a run as an MLflow model: code, the files that predicting reads, signature and input example; nothing is pickled.

    Parameters
    ----------
    run
        ``runs/<competition>``.
    folder
        Where the model goes; it appears whole, and must not be there yet.

    Raises
    ------
    InputError
        When the folder is there, or the one that is to hold it is not, or the final needs predictions that were made elsewhere.
    """
    if folder.exists():
        raise InputError(f"--output {folder} is there already. Remove it, or name a new folder.")
    if not folder.parent.is_dir():
        raise InputError(f"--output {folder}: there is no folder {folder.parent}. Make it, or name another place.")
    Record.read(run).check_whole()
    with quiet_mlflow(), tempfile.TemporaryDirectory() as made, whole_folder(folder) as whole:
        import mlflow.pyfunc

        pack(run, Path(made) / "run")
        predictor = Predictor.read(Path(made) / "run")
        mlflow.pyfunc.save_model(
            str(Path(made) / "model"),
            python_model=str(_CODE),
            artifacts={"run": str(Path(made) / "run")},
            signature=signature_of(predictor),
            input_example=predictor.inputs.example,
            pip_requirements=_requirements(),
        )
        for path in (Path(made) / "model").rglob("*"):
            if path.is_file():
                show(path, whole / path.relative_to(Path(made) / "model"))


def register_model(folder: Path, name: str, uri: str) -> str:
    """Register a saved model in a tracker, and give its version.

    Raises
    ------
    InputError
        When the tracker does not take it.
    """
    with quiet_mlflow():
        import mlflow
        from mlflow.exceptions import MlflowException

        mlflow.set_tracking_uri(uri)
        try:
            version = mlflow.register_model(folder.resolve().as_uri(), name)
        except (MlflowException, OSError) as error:
            reason = str(error).strip().partition("\n")[0][:300]
            raise InputError(
                f"The tracker at {uri} did not register {name!r}: {reason}. The model is whole, in {folder}. When the tracker is there, "
                f'run: python -c "import mlflow; mlflow.set_tracking_uri({uri!r}); mlflow.register_model({str(folder)!r}, {name!r})"'
            ) from error
    return str(version.version)


def signature_of(predictor: Predictor) -> Any:
    """The columns that requests have and answers bring.

    Whole numbers are declared as *any*: MLflow refuses gaps in a column of integers, and integers in a column of doubles.
    """
    from mlflow.models import ModelSignature
    from mlflow.types.schema import ColSpec, Schema, TensorSpec

    inputs, answer = predictor.inputs, predictor.predict(predictor.inputs.example)
    asked: list[ColSpec | TensorSpec] = [
        ColSpec(_mlflow_type(inputs, name), name, required=name in inputs.given) for name in inputs.example.columns
    ]
    given: list[ColSpec | TensorSpec] = [ColSpec(_plain_type(answer[name]), str(name)) for name in answer.columns]
    return ModelSignature(inputs=Schema(asked), outputs=Schema(given))


def _mlflow_type(inputs: Inputs, name: str) -> Any:
    from mlflow.types.schema import AnyType

    wanted = str(inputs.types.get(name, "object"))
    if name == inputs.id:
        return _plain_type(inputs.example[name])
    if name in inputs.fractions:
        return "double"
    if wanted.startswith("datetime64"):
        return "datetime"
    anything: Any = AnyType
    return "string" if wanted == "str" else anything()


def _plain_type(column: pd.Series) -> str:
    kinds = {"i": "long", "u": "long", "f": "double", "b": "boolean", "M": "datetime"}
    return kinds.get(column.dtype.kind, "string")


def _requirements() -> list[str]:
    found = []
    for name in _LIBRARIES:
        try:
            found.append(f"{name}=={importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
