"""One fold fit: a function from paths and parameters to a path. It runs in this process, a child, or elsewhere."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipelines.metrics import Array
from pipelines.models import kinds
from pipelines.models.contract import Fitted, Training
from pipelines.spec import ModelKeys
from pipelines.store import whole_folder, write_json
from pipelines.targets import TRANSFORMS


@dataclass(frozen=True)
class FoldFit:
    """Everything one fit of one model in one fold needs: paths, plain parameters, nothing else."""

    model: str
    fold: int
    kind: str
    params: dict[str, Any]
    keys: ModelKeys
    task: str
    n_classes: int
    transform: str
    device: str
    table: Path
    view: Path
    fold_block: Path
    out: Path


@dataclass(frozen=True)
class Matrices:
    """A fold's columns for the training part, the scored rows and the test rows, each of shape (n_rows, n_columns)."""

    fit: pd.DataFrame
    scored: pd.DataFrame
    test: pd.DataFrame
    fit_rows: Array


def read_matrices(view: Path, fold_block: Path) -> Matrices:
    """Put together the shared and the fold-bound columns of one fold."""
    rows = np.load(fold_block / "rows.npz")
    everything = np.concatenate([rows["fit"], rows["scored"], rows["test"]])
    shared = pd.read_feather(view / "shared.feather").take(everything).reset_index(drop=True)
    bound = pd.read_feather(fold_block / "bound.feather")
    # not in the order of the plan: which columns a selecting step keeps there comes from fold 0, which fits on rows scored here
    table = pd.concat([shared, bound], axis=1)
    ends = np.cumsum([len(rows["fit"]), len(rows["scored"])])
    return Matrices(table.iloc[: ends[0]], table.iloc[ends[0] : ends[1]], table.iloc[ends[1] :], rows["fit"])


def fit_fold(job: FoldFit, threads: int) -> Path:
    """Fit one model on one fold's training part, predict its scored and test rows, and write all of it whole.

    The folder holds ``oof.npy`` and ``test.npy`` (target units or probabilities), ``facts.json`` (seconds, rounds,
    columns, importances, warnings) and a folder for each seed's model.
    """
    if job.out.is_dir():
        return job.out
    started = time.perf_counter()
    matrices = read_matrices(job.view, job.fold_block)
    y = np.load(job.table / "y.npy")[matrices.fit_rows]
    transform = TRANSFORMS[job.transform]
    with warnings.catch_warnings(record=True) as caught, whole_folder(job.out) as folder:
        warnings.simplefilter("always")
        training = _training(job, matrices, transform.forward(y), threads)
        fitting = time.perf_counter()
        fitted = _fit_seeds(job, training)
        fit_seconds = time.perf_counter() - fitting
        for name, X in (("oof", matrices.scored), ("test", matrices.test)):
            np.save(folder / f"{name}.npy", _finite(transform.inverse(_mean_prediction(fitted, X))))
        for number, model in enumerate(fitted):
            (folder / f"seed-{number}").mkdir()
            model.save(folder / f"seed-{number}")
        facts = _facts(fitted, matrices, sorted({f"{one.category.__name__}: {one.message}" for one in caught}))
        write_json(folder / "facts.json", {**facts, "fit_seconds": fit_seconds, "seconds": time.perf_counter() - started})
    return job.out


def _training(job: FoldFit, matrices: Matrices, y: Array, threads: int) -> Training:
    weights = _balanced(y) if job.keys.weights == "balanced" and job.task != "regression" else None
    keys = job.keys
    return Training(
        matrices.fit,
        y,
        weights,
        job.task,
        job.n_classes,
        keys.seed,
        threads,
        job.device,
        rounds_cut=keys.rounds_cut,
        max_rounds=keys.max_rounds,
    )


def _fit_seeds(job: FoldFit, training: Training) -> list[Fitted]:
    from dataclasses import replace

    return [kinds()[job.kind].fit(job.params, replace(training, seed=job.keys.seed + number)) for number in range(job.keys.seeds)]


def _mean_prediction(fitted: list[Fitted], X: pd.DataFrame) -> Array:
    return np.asarray(np.mean([model.predict(X) for model in fitted], axis=0), dtype=np.float64)


def _finite(predictions: Array) -> Array:
    """Predictions as they are; a model whose predictions are no numbers has failed."""
    bad = int((~np.isfinite(predictions)).sum())
    if bad:
        raise ArithmeticError(f"{bad} of {predictions.size} predictions are not finite")
    return predictions


def _balanced(y: Array) -> Array:
    """Weights that give every class the same total, with mean 1."""
    counts = np.bincount(y.astype(int))
    return np.asarray((len(y) / (np.count_nonzero(counts) * np.maximum(counts, 1)))[y.astype(int)], dtype=np.float64)


def _facts(fitted: list[Fitted], matrices: Matrices, messages: list[str]) -> dict[str, Any]:
    found = [importance for importance in (model.importances() for model in fitted) if importance is not None]
    return {
        **fitted[0].facts(),
        "columns": list(matrices.fit.columns),
        "importances": None if not found else [float(value) for value in np.mean(found, axis=0)],
        "warnings": messages,
    }
