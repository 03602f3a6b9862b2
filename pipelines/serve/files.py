"""Scoring a file: rows are read as the run read its tables, and the predictions appear whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from features.columns import kind_of
from features.errors import InputError
from pipelines.competition import DECLARATION
from pipelines.files import read_file
from pipelines.serve.inputs import Inputs
from pipelines.serve.predictor import Predictor
from pipelines.serve.record import NAME
from pipelines.spec import Data
from pipelines.store import whole_file


def find_run(name_or_folder: str, runs: Path) -> Path:
    """The folder of a competition's latest run, ``runs/<competition>``; the competition itself need not be there.

    Raises
    ------
    InputError
        When it has no finished run.
    """
    place = Path(name_or_folder)
    folder = runs / (place.resolve().name if (place / DECLARATION).is_file() else name_or_folder)
    command = f"foldwise run {name_or_folder} --runs {runs}"
    if not (folder / "run.json").is_file():
        raise InputError(f"{name_or_folder!r} has no finished run in {runs}. Run it first: {command}")
    if not (folder / NAME).is_file():
        raise InputError(f"The run in {folder} was made before runs kept what predictions need ({NAME}). Run it again: {command}")
    return folder


def predict_file(folder: Path, source: Path, target: Path) -> tuple[int, list[str]]:
    """Predict the rows of a file (CSV or parquet) and write them to another.

    Returns
    -------
    How many rows there were, and notes of what was left out of them.

    Raises
    ------
    InputError
        When a file or a folder is not there, or the rows cannot be predicted.
    """
    _check_target(source, target)
    predictor = Predictor.read(folder)
    rows = read_rows(predictor.inputs, source)
    notes = predictor.notes(rows, str(source))
    predictions = predictor.predict(rows, str(source))
    with whole_file(target) as file:
        if target.suffix == ".parquet":
            predictions.to_parquet(file, index=False)
        else:
            predictions.to_csv(file, index=False)
    return len(predictions), notes


def read_rows(inputs: Inputs, path: Path) -> pd.DataFrame:
    """A file's rows; a column that the run knows as text is text here too, with its leading zeros, if all its values are numbers."""
    data = Data(train=inputs.train, target=inputs.target, missing=inputs.missing)
    rows = read_file(path, data)
    texts = [name for name, wanted in inputs.types.items() if wanted == "str" and name in rows and kind_of(rows[name]) == "numeric"]
    if texts and path.suffix != ".parquet":
        written = pd.read_csv(path, keep_default_na=False, na_values=inputs.missing, usecols=texts, dtype="str", index_col=False)
        rows = rows.assign(**{name: written[name] for name in texts})
    return rows


def _check_target(source: Path, target: Path) -> None:
    if not target.parent.is_dir():
        raise InputError(f"--output {target}: there is no folder {target.parent}. Make it, or name another file.")
    if target.is_dir():
        raise InputError(f"--output {target} is a folder. Name a file in it, such as {target / 'predictions.csv'}.")
    if target.resolve() == source.resolve():
        raise InputError(f"--output {target} is the input; its rows would be lost. Name another file.")
