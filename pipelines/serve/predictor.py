"""From raw rows to the predictions that the run would have made of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from features.errors import InputError
from features.expressions import parse
from pipelines.competition import Competition
from pipelines.ensembles import Problem
from pipelines.known import Known
from pipelines.layer_columns import as_columns
from pipelines.layers import in_turns
from pipelines.metrics import Array, metric_of
from pipelines.serve.deployed import Deployed
from pipelines.serve.inputs import Inputs
from pipelines.serve.members import Model
from pipelines.serve.record import STORES, Record
from pipelines.serve.replay import Fitted, Frames, Replayed, read_steps
from pipelines.submission import labels_of, prediction_columns
from pipelines.targets import TRANSFORMS

_AT_A_TIME = 20_000
"""Rows, counted once a fold, that go through the steps together: few rows of many folds, or many rows of one."""


@dataclass(frozen=True)
class Predictor:
    """A run's final prediction, loaded once, for any number of raw rows.

    A prediction is what the run's own pipeline makes of a test row: the mean over the fold models (or the model fitted on
    all rows, with ``refit: all``) of every model the final needs, then the deployed ensemble. What was learnt stays as it
    is: new rows are looked up in it and never change it.
    """

    record: Record
    inputs: Inputs
    base: list[Fitted]
    views: dict[str, list[Fitted]]
    models: dict[str, Model]
    deployed: Deployed
    limits: Any
    """Keeps BLAS and OpenMP on one thread, so that the same batch gives the same bits on every machine."""

    @classmethod
    def read(cls, folder: Path) -> Predictor:
        """Load the predictor of ``runs/<competition>``, or of a folder that was made to be passed on.

        Raises
        ------
        InputError
            When the run was made by another version, or needs predictions that were made elsewhere.
        """
        from threadpoolctl import ThreadpoolController

        record = Record.read(folder)
        record.check_whole()
        store = store_of(folder)
        if record.has_own_steps:
            Competition(record.competition, folder).load_own_steps()
        base, views = read_steps(store, record)
        models = {name: Model.read(folder, name, member, record.task) for name, member in record.models.items()}
        # after the models: they load the libraries that are to be limited
        return cls(record, Inputs.read(store / record.inputs), base, views, models, Deployed.read(folder, record), ThreadpoolController())

    def notes(self, rows: pd.DataFrame, source: str = "the table") -> list[str]:
        """Check the header of some rows as ``predict`` does, and say what is left out of them."""
        return self.inputs.check(rows, source)

    def predict(self, rows: pd.DataFrame, source: str = "the table") -> pd.DataFrame:
        """Predictions for raw rows.

        Parameters
        ----------
        rows : DataFrame of shape (n_rows, n_columns)
            The columns of the run's training table, with or without id and target.
        source
            What messages call the table.

        Returns
        -------
        DataFrame of shape (n_rows, n_columns)
            The id where there is one, then what the submission shows: values, probabilities or classes below the target's
            name, or one column a class. A threshold that is declared beside a metric of probabilities adds its classes as
            ``<target>__decided``. Rows and index are those of ``rows``.

        Raises
        ------
        InputError
            When a column is missing or a value is of another type, or a step or a model cannot take a row.
        """
        self.inputs.check(rows, source)
        with self.limits.limit(limits=1):
            final, decided = self.values(self.inputs.features(rows))
        has_labels = metric_of(*self.record.metric).needs == "labels"
        columns = prediction_columns(final, self.inputs.target, self.record.classes, has_labels=has_labels)
        if decided is not None:
            columns[f"{self.inputs.target}__decided"] = labels_of(decided, self.record.classes)
        if self.inputs.id is not None and self.inputs.id in rows.columns:
            columns = {self.inputs.id: rows[self.inputs.id].to_numpy(), **columns}
        return pd.DataFrame(columns, index=rows.index)

    def values(self, features: pd.DataFrame) -> tuple[Array, Array | None]:
        """The final's values or probabilities for checked features, and the codes of the classes that a threshold gives them."""
        replayed, models, named = Replayed(features, self.base, self.views), dict[str, Array](), pd.DataFrame()
        for turn in in_turns({name: model.member.stack_on for name, model in self.models.items()}):
            below = {name: self._below(self.models[name], models) for name in turn}
            found: dict[str, list[Array]] = {name: [] for name in turn}
            for folds in self._parts(len(features)):
                if not models and folds.start == 0:
                    named = self._named(replayed.before_views(folds), features)
                for name, values in self._of_folds(below, folds, replayed, named):
                    found[name].append(values)
            # what stands on a model sees the mean over all of its folds
            models |= {name: np.asarray(np.mean(parts, axis=0)) for name, parts in found.items()}
        known = Known(np.empty(0), None, named)
        final = self.deployed.combine(models, known)[self.record.final]
        return final, self.deployed.decide(final, known)

    def _parts(self, n_rows: int) -> Iterator[range]:
        """Folds in order, as many at a time as the rows allow."""
        n_folds = len(next(iter(self.models.values())).fits)
        step = max(1, _AT_A_TIME // n_rows)
        yield from (range(start, min(start + step, n_folds)) for start in range(0, n_folds, step))

    def _below(self, model: Model, models: Mapping[str, Array]) -> pd.DataFrame | None:
        """The columns that predictions make for a layer, as in its fits; None for a model that is none."""
        if not model.member.stack_on:
            return None
        problem = Problem(self.record.task, metric_of(*self.record.metric), TRANSFORMS[model.fits[0].scale.transform])
        return as_columns({name: models[name] for name in model.member.stack_on}, problem, self.record.classes)

    def _of_folds(
        self, below: Mapping[str, pd.DataFrame | None], folds: range, replayed: Replayed, named: pd.DataFrame
    ) -> Iterator[tuple[str, Array]]:
        """The predictions of some models, fold after fold; ``below`` has the columns of those that are layers."""
        for view in dict.fromkeys(self.models[name].member.view for name in below):
            members = [self.models[name] for name in below if self.models[name].member.view == view]
            for fold in folds:
                # all models of a view were fitted on the same columns in the same order, a layer on its own behind them
                X = pd.DataFrame(index=replayed.features.index)
                if view is not None:
                    X = replayed.after(folds, view).of(fold, _of_view(members[0], fold, below))
                for model in members:
                    rows, own = model.member.rows, below[model.name]
                    which = None if rows is None else named[rows].to_numpy(dtype=bool)
                    seen = X if own is None else pd.concat([X, own.set_axis(X.index)], axis=1)
                    yield model.name, model.predict(fold, seen, which)

    def _named(self, frames: Frames, features: pd.DataFrame) -> pd.DataFrame:
        """The columns and expressions that others than features ask for, as ``prepare.named_columns`` makes them."""
        if not self.record.asked:
            return pd.DataFrame(index=features.index)
        shared = frames.shared.read(frames.shared.names)
        lost = {name: np.nan for name in self.inputs.only_train if name not in features.columns}
        known = shared.join(features[[name for name in features.columns if name not in shared.columns]]).assign(**lost)
        asked = {name: known[name] if name in known.columns else parse(name).evaluate(known) for name in self.record.asked}
        return pd.DataFrame(asked, index=features.index)


def _of_view(model: Model, fold: int, below: Mapping[str, pd.DataFrame | None]) -> list[str]:
    """The columns of a model that come from its view."""
    own, columns = below[model.name], model.fits[fold].columns
    return columns if own is None else columns[: len(columns) - own.shape[1]]


def store_of(folder: Path) -> Path:
    """The folder of the artifacts beside ``serving.json``.

    Raises
    ------
    InputError
        When there is none.
    """
    for name in STORES:
        if (folder / name).is_dir():
            return folder / name
    raise InputError(f"{folder} has no folder {STORES[0]!r} with the run's artifacts. Copy it whole, or run the competition again.")
