"""The columns of a layer: predictions of the models that it stands on, on the scale that it is fitted on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from features.errors import InputError, listed
from pipelines.ensembles import Problem, Scale
from pipelines.metrics import Array
from pipelines.oof import Predictions, pooled
from pipelines.splits import Folds

_FILE, _SUFFIX = "columns.feather", "__oof"


def column_names(members: Iterable[str], task: str, classes: Sequence[Any]) -> list[str]:
    """The columns that the predictions of some members make: ``<member>__oof``, or ``<member>__oof_<class>`` for several classes.

    >>> column_names(["a"], "binary", [0, 1]), column_names(["a"], "multiclass", ["x", "y", "z"])
    (['a__oof'], ['a__oof_x', 'a__oof_y', 'a__oof_z'])
    """
    endings = [f"_{one}" for one in classes] if task == "multiclass" else [""]
    return [f"{member}{_SUFFIX}{ending}" for member in members for ending in endings]


def as_columns(members: Mapping[str, Array], problem: Problem, classes: Sequence[Any]) -> pd.DataFrame:
    """Predictions as columns of a layer: on its target's transformed scale, as log-odds, or for several classes as log probabilities.

    Parameters
    ----------
    members
        In target units or probabilities, each of shape (n_rows,) or (n_rows, n_classes); a row without a prediction holds NaN.
    problem
        With the layer's own transform; a prediction outside its domain is taken to the edge, a probability to 1e-6 from 0 or 1.

    Returns
    -------
    DataFrame of shape (n_rows, n_members * n_columns_each), float64.
    """
    scale: Scale = "transformed" if problem.task == "regression" else "logit"
    with np.errstate(invalid="ignore"):
        scaled = [problem.to_scale(part, scale) for part in members.values()]
    values = [part.reshape(len(part), int(np.prod(part.shape[1:]))) for part in scaled]
    return pd.DataFrame(np.hstack(values), columns=column_names(members, problem.task, classes))


def check_names(added: Iterable[str], columns: Collection[str], model: str) -> None:
    """Whether the columns of predictions have names of their own beside those of the view.

    Raises
    ------
    InputError
        When they have not.
    """
    names = [*columns, *added]
    twice = sorted({name for name in added if names.count(name) > 1})
    if twice:
        raise InputError(
            f"Model {model!r} would see the column(s) {listed(twice)} twice, from its view or from two predictions that it stands on. "
            "Drop these columns in its view, or give the models below it other names."
        )


def write_columns(folder: Path, below: Mapping[str, Predictions], folds: Folds, problem: Problem, classes: Sequence[Any]) -> None:
    """Write the columns of all rows, the training rows first (out-of-fold, the mean over repeats), into an artifact's folder."""
    training = as_columns({name: pooled(part, folds) for name, part in below.items()}, problem, classes)
    test = as_columns({name: part.test for name, part in below.items()}, problem, classes)
    pd.concat([training, test], ignore_index=True).to_feather(folder / _FILE, compression="uncompressed")


def read_columns(folder: Path) -> pd.DataFrame:
    """The columns of all rows, the training rows first; NaN for a row without an out-of-fold prediction."""
    return pd.read_feather(folder / _FILE)


def columns_bytes(folder: Path) -> int:
    """The size of the columns; 0 before they are made."""
    path = folder / _FILE
    return path.stat().st_size if path.is_file() else 0
