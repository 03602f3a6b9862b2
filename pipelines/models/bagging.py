"""Bagging of any kind of model: copies on resampled rows, averaged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import InputError
from pipelines.metrics import Array
from pipelines.models.contract import Fitted, Training
from pipelines.models.rounds import fit_model
from pipelines.store import read_json, write_json

_DEFAULT: dict[str, dict[str, Any]] = {"decision_tree": {}}
_PARAMETERS = ("of", "n_estimators", "max_samples", "bootstrap")


@dataclass(frozen=True)
class Bagging:
    """Breiman's bagging (1996) of any kind of model.

    Parameters in a declaration: ``of: {kind: {parameters}}`` (a decision tree), ``n_estimators`` copies (10), each on ``max_samples`` of the
    training rows (1.0), drawn with replacement when ``bootstrap`` (true).
    """

    name: str = "bagging"
    distributions: tuple[str, ...] = ("scikit-learn", "lightgbm", "xgboost-cpu", "xgboost")
    tasks: tuple[str, ...] = ("regression", "binary", "multiclass")

    def parameters(self, task: str) -> frozenset[str]:
        """Its own; those of the bagged kind stand inside ``of``."""
        return frozenset(_PARAMETERS)

    def value_faults(self, task: str, params: dict[str, Any]) -> list[str]:
        """What is wrong with the bagged kind or the numbers."""
        from pipelines.models import check_parameters, kinds

        of = params.get("of", _DEFAULT)
        if not isinstance(of, Mapping) or len(of) != 1 or next(iter(of)) not in kinds():
            return [f"needs 'of: {{kind: {{parameters}}}}' with one kind of {', '.join(kinds())}; found {of!r}."]
        ((kind, inner),) = of.items()
        share, copies = params.get("max_samples", 1.0), params.get("n_estimators", 10)
        faults = [f"of.{'.'.join((kind, *key))}: {message}" for key, message in check_parameters(kind, task, inner or {})]
        if not (isinstance(share, int | float) and 0 < share <= 1):
            faults.append(f"max_samples is a share above 0 and at most 1, found {share!r}.")
        if not (isinstance(copies, int) and copies >= 1):
            faults.append(f"n_estimators is a whole number of at least 1, found {copies!r}.")
        return faults

    def fit(self, params: dict[str, Any], training: Training) -> FittedBagging:
        """Fit every copy on its own draw of the training rows; each copy has a seed of its own."""
        from pipelines.models import kinds

        ((kind, inner),) = params.get("of", _DEFAULT).items()
        rng = np.random.default_rng(training.seed)
        copies = []
        for number in range(int(params.get("n_estimators", 10))):
            rows = _draw(rng, training, params)
            part = replace(training.take(rows), seed=training.seed + number)
            with _in_own_name(kind):
                copies.append(fit_model(kinds()[kind], inner or {}, part))
        return FittedBagging(kind, copies)

    def load(self, folder: Path, task: str) -> FittedBagging:
        """The copies that were saved in a folder."""
        from pipelines.models import kinds

        facts = read_json(folder / "bagging.json")
        return FittedBagging(facts["of"], [kinds()[facts["of"]].load(folder / f"copy-{number}", task) for number in range(facts["copies"])])


def _draw(rng: np.random.Generator, training: Training, params: dict[str, Any]) -> NDArray[np.intp]:
    """Sorted positions of the rows of one copy; every class is among them."""
    n = len(training.y)
    size = max(1, round(float(params.get("max_samples", 1.0)) * n))
    rows = rng.choice(n, size=size, replace=bool(params.get("bootstrap", True)))
    if training.task != "regression":
        # a draw can miss a rare class, and a copy that does not know it could not be averaged with the others
        firsts = np.unique(training.y, return_index=True)[1]
        rows = np.concatenate([rows, firsts[~np.isin(training.y[firsts], training.y[rows])]])
    return np.sort(rows)


@contextmanager
def _in_own_name(kind: str) -> Iterator[None]:
    """A fault of the bagged kind is told in the name that the declaration uses."""
    try:
        yield
    except InputError as error:
        raise InputError(str(error).replace(f"Model {kind!r}", "Model 'bagging'", 1)) from error


@dataclass(frozen=True)
class FittedBagging:
    """Fitted copies of one kind."""

    kind: str
    copies: list[Fitted]

    def predict(self, X: pd.DataFrame) -> Array:
        """The mean of the copies' predictions."""
        with _in_own_name(self.kind):
            return cast(Array, np.mean([copy.predict(X) for copy in self.copies], axis=0))

    def importances(self) -> Array | None:
        """The mean of the copies' importances."""
        found = [one for one in (copy.importances() for copy in self.copies) if one is not None]
        return cast(Array, np.mean(found, axis=0)) if found else None

    def facts(self) -> dict[str, Any]:
        """Rounds and the like, as a mean over the copies."""
        found = [copy.facts() for copy in self.copies]
        return {key: round(float(np.mean([facts[key] for facts in found]))) for key in found[0]}

    def save(self, folder: Path) -> None:
        """A folder for each copy."""
        write_json(folder / "bagging.json", {"of": self.kind, "copies": len(self.copies)})
        for number, copy in enumerate(self.copies):
            (folder / f"copy-{number}").mkdir()
            copy.save(folder / f"copy-{number}")


KINDS = (Bagging(),)
