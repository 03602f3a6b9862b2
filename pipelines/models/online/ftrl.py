"""Online logistic regression on hashed fields, with a step size of its own for each weight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.metrics import Array
from pipelines.models.contract import Training
from pipelines.models.online.fields import Fields, Pairs
from pipelines.models.plain import load_estimator, save_estimator

_DEFAULTS: dict[str, Any] = {
    "alpha": 0.1,
    "beta": 1.0,
    "l1": 1.0,
    "l2": 1.0,
    "epochs": 1,
    "bits": 20,
    "crosses": None,
    "shuffle": True,
}


@dataclass(frozen=True)
class Ftrl:
    """Logistic regression by FTRL-Proximal (McMahan et al., Ad Click Prediction, KDD 2013) on hashed fields.

    Every value of a text, category, flag or whole-number column is a token with a weight, in a table of ``2 ** bits``
    places; a level that was not seen has the weight of its place, which is mostly 0. Columns of floats are numbers,
    standardised (cast ids with gaps to category first: a gap makes floats of whole numbers). Missing is a token of its own.

    Parameters in a declaration: ``alpha`` (0.1) and ``beta`` (1), the step size and what dampens its first steps; ``l1``
    (1) and ``l2`` (1); ``epochs``, passes over the rows (1); ``bits`` (20, 8 to 28); ``crosses``, pairs of columns whose
    combinations are tokens too, or ``all``; ``shuffle``, whether rows come in an order drawn once by the seed (true) or as
    they stand, the last ones leaving the freshest trace.
    """

    name: str = "ftrl"
    distributions: tuple[str, ...] = ("numba", "pandas")
    tasks: tuple[str, ...] = ("binary",)
    takes_text: ClassVar[bool] = True
    modules: ClassVar[tuple[str, ...]] = ("pipelines.models.online.fields", "pipelines.models.online.kernels")
    """Other modules that its fits are made by."""

    def parameters(self, task: str) -> frozenset[str]:
        """Its own."""
        return frozenset(_DEFAULTS)

    def value_faults(self, task: str, params: dict[str, Any]) -> list[str]:
        """Numbers out of range, and crosses that are no pairs."""
        given = {**_DEFAULTS, **params}
        faults = [
            f"{name} is a number {needs}, found {given[name]!r}."
            for name, (needs, is_allowed) in _RANGES.items()
            if isinstance(given[name], bool) or not isinstance(given[name], int | float) or not is_allowed(given[name])
        ]
        if not isinstance(given["shuffle"], bool):
            faults.append(f"shuffle is true or false, found {given['shuffle']!r}.")
        if not _are_pairs(given["crosses"]):
            faults.append(f"crosses is 'all' or a list of pairs of columns such as [[site_id, app_id]], found {given['crosses']!r}.")
        return faults

    def fit(self, params: dict[str, Any], training: Training) -> FittedFtrl:
        """Learn row by row, on one thread, in an order that the seed gives."""
        from pipelines.models.online.kernels import ftrl_pass, table_weights

        given = {**_DEFAULTS, **params}
        fields = Fields.of(training.X, self.name)
        pairs = fields.pairs(given["crosses"], self.name)
        hashes, numbers = fields.hashed(training.X, self.name)
        row_weights = np.ones(len(training.y)) if training.weights is None else np.asarray(training.weights, dtype=np.float64)
        rows = np.arange(len(training.y))
        order = np.random.default_rng(training.seed).permutation(rows) if given["shuffle"] else rows
        rates = (float(given["alpha"]), float(given["beta"]), float(given["l1"]), float(given["l2"]))
        table, bias = np.zeros((2 ** int(given["bits"]), 2)), np.array([_log_odds(training.y, row_weights), 0.0, 0.0])
        for _ in range(int(given["epochs"])):
            ftrl_pass(order, hashes, numbers, pairs, training.y, row_weights, table, bias, rates)
        own = table_weights(bias[1:].reshape(1, 2), (rates[0], rates[1], 0.0, 0.0))[0]
        weights = table_weights(table, rates)
        places = np.flatnonzero(weights).astype(np.int64)
        fitted = FittedFtrl(fields, pairs, int(given["bits"]), float(bias[0] + own), places, weights[places], np.empty(0))
        return fitted.with_importances(training.X, hashes, numbers)

    def load(self, folder: Path, task: str) -> FittedFtrl:
        """The model that was saved in a folder."""
        saved = load_estimator(folder / "estimator.safetensors")
        return FittedFtrl(**{**saved, "fields": Fields(**saved["fields"])})


def _log_odds(y: Array, row_weights: Array) -> float:
    """Where the log odds start: those of the training rows, with half a row of each class added."""
    clicks = float(np.sum(y * row_weights)) + 0.5
    return float(np.log(clicks) - np.log(float(np.sum(row_weights)) + 1.0 - clicks))


def _are_pairs(crosses: object) -> bool:
    if crosses is None or crosses == "all":
        return True
    return isinstance(crosses, list | tuple) and all(
        isinstance(pair, list | tuple) and len(set(pair)) == len(pair) == 2 for pair in crosses
    )


_RANGES: Mapping[str, Any] = {
    "alpha": ("above 0", lambda value: value > 0),
    "beta": ("of at least 0", lambda value: value >= 0),
    "l1": ("of at least 0", lambda value: value >= 0),
    "l2": ("of at least 0", lambda value: value >= 0),
    "epochs": ("(whole) of at least 1", lambda value: value >= 1 and value == int(value)),
    "bits": ("(whole) from 8 to 28", lambda value: 8 <= value <= 28 and value == int(value)),
}


@dataclass(frozen=True)
class FittedFtrl:
    """The weights that are not 0, and how columns become fields."""

    fields: Fields
    pairs: Pairs
    bits: int
    bias: float
    places: NDArray[np.int64]
    weights: Array
    shares: Array
    """The mean size of each column's share in the log odds of the training rows; that of a cross goes half to each."""

    def predict(self, X: pd.DataFrame) -> Array:
        """Probabilities of class 1."""
        from pipelines.models.online.kernels import linear_terms

        hashes, numbers = self.fields.hashed(X, "ftrl")
        log_odds = linear_terms(hashes, numbers, self.pairs, self._table(), self.bias, np.zeros(self._n_terms))
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(log_odds, -35.0, 35.0))), dtype=np.float64)

    def importances(self) -> Array | None:
        """The mean size of each column's share in the log odds."""
        return self.shares

    def facts(self) -> dict[str, Any]:
        """How many weights are not 0."""
        return {"weights": len(self.weights)}

    def save(self, folder: Path) -> None:
        """One safetensors file."""
        save_estimator({**vars(self), "fields": self.fields.as_plain()}, folder / "estimator.safetensors")

    def with_importances(self, X: pd.DataFrame, hashes: Any, numbers: Array) -> FittedFtrl:
        """The same model, with the shares of its columns in what it says of training rows."""
        from dataclasses import replace

        from pipelines.models.online.kernels import linear_terms

        sizes = np.zeros(self._n_terms)
        linear_terms(hashes, numbers, self.pairs, self._table(), self.bias, sizes)
        n_fields = len(self.fields.names)
        shares = sizes[:n_fields] + 0.5 * np.bincount(self.pairs.ravel(), np.repeat(sizes[n_fields:], 2), minlength=n_fields)
        by_name = dict(zip(self.fields.names, shares / max(len(X), 1), strict=True))
        return replace(self, shares=np.array([by_name[str(name)] for name in X.columns]))

    @property
    def _n_terms(self) -> int:
        return len(self.fields.names) + len(self.pairs)

    def _table(self) -> Array:
        table = np.zeros(2**self.bits)
        table[self.places] = self.weights
        return table
