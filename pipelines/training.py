"""One fold fit: a function from paths and parameters to a path. It runs in this process, a child, or elsewhere."""

from __future__ import annotations

import time
import warnings
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import feather

from features.errors import InputError
from pipelines.fitted_rows import resampler_of, shift_of, weights_of
from pipelines.frames import FoldRows, rows_of
from pipelines.layer_columns import check_names, read_columns
from pipelines.metrics import Array
from pipelines.models import kinds
from pipelines.models.contract import Fitted, Training
from pipelines.models.rounds import with_rounds
from pipelines.pseudo import with_pseudo_labels
from pipelines.resample import correct_prior
from pipelines.spec import ModelKeys
from pipelines.splits import Folds
from pipelines.store import whole_folder, write_json
from pipelines.targets import TargetScale


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
    view: Path | None
    fold_block: Path | None
    """None for both where a layer sees predictions alone."""
    columns: Path
    """The folder of the named columns: ``ModelKeys.rows`` and the weights stand there."""
    out: Path
    resample: tuple[str, dict[str, Any]] | None = None
    weight: str | None = None
    layer: Path | None = None
    """The folder of the columns that the predictions below a layer make."""


@dataclass(frozen=True)
class Matrices:
    """A fold's columns for the training part, the scored rows and the test rows, each of shape (n_rows, n_columns)."""

    fit: pd.DataFrame
    scored: pd.DataFrame
    test: pd.DataFrame
    rows: FoldRows


def read_matrices(view: Path, fold_block: Path) -> Matrices:
    """Put together the shared and the fold-bound columns of one fold."""
    rows = np.load(fold_block / "rows.npz")
    everything = np.concatenate([rows["fit"], rows["scored"], rows["test"]])
    # only the fold's rows are brought into memory, once
    shared = feather.read_table(view / "shared.feather", memory_map=True).take(pa.array(everything))
    shared = shared.to_pandas(split_blocks=True, self_destruct=True).reset_index(drop=True)
    bound = pd.read_feather(fold_block / "bound.feather")
    # not in the order of the plan: which columns a selecting step keeps there comes from fold 0, which fits on rows scored here
    table = pd.concat([shared, bound], axis=1)
    ends = np.cumsum([len(rows["fit"]), len(rows["scored"])])
    parts = table.iloc[: ends[0]], table.iloc[ends[0] : ends[1]], table.iloc[ends[1] :]
    return Matrices(*parts, FoldRows(rows["fit"], rows["scored"], rows["test"], -1))


def matrices_of(job: FoldFit) -> Matrices:
    """What a fit sees: the columns of its view, those of the predictions it stands on, or both.

    Of a layer's training part, only the rows with out-of-fold predictions are left.
    """
    below = None if job.layer is None else read_columns(job.layer)
    if job.view is not None and job.fold_block is not None:
        matrices = read_matrices(job.view, job.fold_block)
    else:
        folds = Folds.read(job.table / "folds.parquet")
        rows = rows_of(folds, job.fold, len(folds.status) if below is None else len(below), np.load(job.table / "may_fit.npy"))
        fit, scored, test = (pd.DataFrame(index=range(len(part))) for part in (rows.fit, rows.scored, rows.test))
        matrices = Matrices(fit, scored, test, rows)
    return matrices if below is None else _with_predictions(matrices, below, job.model)


def _with_predictions(matrices: Matrices, below: pd.DataFrame, model: str) -> Matrices:
    check_names(below.columns, matrices.fit.columns, model)
    rows = matrices.rows
    parts = ((matrices.fit, rows.fit), (matrices.scored, rows.scored), (matrices.test, rows.test))
    fit, scored, test = (pd.concat([X, below.take(where).set_axis(X.index)], axis=1) for X, where in parts)
    usable = below.notna().all(axis=1).to_numpy()[rows.fit]
    return Matrices(fit if usable.all() else fit[usable], scored, test, replace(rows, fit=rows.fit[usable]))


def take_rows(matrices: Matrices, mask: NDArray[np.bool_]) -> tuple[Matrices, list[NDArray[np.bool_]]]:
    """The rows of a subset model, and where they are among the fitted, the scored and the test rows; ``mask`` is of the whole table."""
    rows = matrices.rows
    fit, scored, test = mask[rows.fit], mask[rows.scored], mask[rows.test]
    taken = FoldRows(rows.fit[fit], rows.scored[scored], rows.test[test], rows.fold)
    return Matrices(matrices.fit[fit], matrices.scored[scored], matrices.test[test], taken), [fit, scored, test]


def fit_fold(job: FoldFit, threads: int) -> Path:
    """Fit one model on one fold's training part, predict its scored and test rows, and write all of it whole.

    The folder holds ``oof.npy`` and ``test.npy`` (target units or probabilities), ``facts.json`` (seconds, rounds,
    columns, importances, warnings) and a folder for each seed's model.
    """
    if job.out.is_dir():
        return job.out
    started = time.perf_counter()
    matrices = matrices_of(job)
    masks: list[NDArray[np.bool_]] = []
    if job.keys.rows is not None:
        matrices, masks = take_rows(matrices, read_column(job.columns, job.keys.rows).astype(bool))
    y = np.load(job.table / "y.npy")[matrices.rows.fit]
    with warnings.catch_warnings(record=True) as caught, whole_folder(job.out) as folder:
        warnings.simplefilter("always")
        declared = None if job.weight is None else read_column(job.columns, job.weight)[matrices.rows.fit].astype(np.float64)
        scale = TargetScale.of(y, job.transform, is_scaled=job.keys.scale_target)
        weights = weights_of(job.keys, y, declared, is_resampled=job.resample is not None)
        training = _training(job, matrices, scale.forward(y), weights, threads)
        fitting = time.perf_counter()
        fitted = _fit_seeds(job, training, declared, matrices.test)
        fit_seconds = time.perf_counter() - fitting
        for at, (name, X) in enumerate((("oof", matrices.scored), ("test", matrices.test))):
            values = _finite(scale.inverse(np.mean([one.predict(X) for one in fitted], axis=0)))
            np.save(folder / f"{name}.npy", _spread(values, masks[1 + at]) if masks else values)
        for number, one in enumerate(fitted):
            (folder / f"seed-{number}").mkdir()
            one.model.save(folder / f"seed-{number}")
        facts = _facts([one.model for one in fitted], matrices, sorted({f"{one.category.__name__}: {one.message}" for one in caught}))
        facts |= {"fit_rows": len(y), "prior_shift": [one.shift for one in fitted], "target_scale": asdict(scale)}
        write_json(folder / "facts.json", {**facts, "fit_seconds": fit_seconds, "seconds": time.perf_counter() - started})
    return job.out


def read_column(folder: Path, name: str) -> Array:
    """A named column (or expression) of all rows, training rows first."""
    return pd.read_feather(folder / "columns.feather", columns=[name])[name].to_numpy()


def _spread(values: Array, mask: NDArray[np.bool_]) -> Array:
    """Predictions of some rows among all; NaN for the others."""
    spread = np.full((len(mask), *values.shape[1:]), np.nan)
    spread[mask] = values
    return spread


def _training(job: FoldFit, matrices: Matrices, y: Array, weights: Array | None, threads: int) -> Training:
    keys, rows = job.keys, matrices.rows.fit
    if len(rows) < 2:
        raise InputError(f"Model {job.model!r} has {len(rows)} rows to fit on in fold {job.fold}; its 'rows' {keys.rows!r} leave too few.")
    times = job.table / "times.npy"
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
        times=np.load(times)[rows] if times.is_file() else None,
        resample=resampler_of(job.keys, job.resample),
    )


@dataclass(frozen=True)
class Seeded:
    """A fitted model of one seed, and how its rows changed the share of class 1."""

    model: Fitted
    shift: float | list[float] | None
    """What takes its probabilities back to the true class shares; None where nothing is corrected."""

    def predict(self, X: pd.DataFrame) -> Array:
        """Values on the transformed scale, or probabilities at the true class shares."""
        values = self.model.predict(X)
        return values if self.shift is None else correct_prior(values, np.asarray(self.shift))


def _fit_seeds(job: FoldFit, training: Training, declared: Array | None, test: pd.DataFrame) -> list[Seeded]:
    """A fit for each seed; ``declared`` are the weights of the rows before classes are levelled."""
    kind, made = kinds()[job.kind], []
    for number in range(job.keys.seeds):
        own = replace(training, seed=job.keys.seed + number)
        params, rows = with_rounds(kind, job.params, own), own.resampled()
        shift = shift_of(rows, own.y, declared, job.params) if job.keys.correct_prior else None
        seeded = Seeded(kind.fit(params, rows), shift)
        if job.keys.pseudo_labels is not None and len(test):
            labelled = with_pseudo_labels(own, test, seeded.predict(test), job.keys.pseudo_labels)
            seeded = Seeded(kind.fit(params, labelled.resampled()), shift)
        made.append(seeded)
    return made


def _finite(predictions: Array) -> Array:
    """Predictions as they are; a model whose predictions are no numbers has failed."""
    bad = int((~np.isfinite(predictions)).sum())
    if bad:
        raise ArithmeticError(f"{bad} of {predictions.size} predictions are not finite")
    return predictions


def _facts(fitted: list[Fitted], matrices: Matrices, messages: list[str]) -> dict[str, Any]:
    found = [importance for importance in (model.importances() for model in fitted) if importance is not None]
    return {
        **fitted[0].facts(),
        "columns": list(matrices.fit.columns),
        "importances": None if not found else [float(value) for value in np.mean(found, axis=0)],
        "warnings": messages,
    }
