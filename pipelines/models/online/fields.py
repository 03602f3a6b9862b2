"""Columns as hashed fields: a number for each value of each column, without a list of the values that there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.columns import kind_of
from features.design import FAR, learn_scales
from features.errors import InputError, closest, listed
from features.expressions import as_text
from pipelines.metrics import Array
from pipelines.models.matrix import as_matrix

Hashes = NDArray[np.uint32]
Pairs = NDArray[np.int64]


@dataclass(frozen=True)
class Fields:
    """Which columns of the training rows are tokens and which are numbers, and the scale of the numbers.

    A token is a column's name with the text of its value, or with a mark for a missing one; text, categories, flags, dates
    and whole numbers are tokens. Numbers with fractions (float columns) are standardised.
    """

    tokens: list[str]
    numbers: list[str]
    centres: Array
    spreads: Array

    @classmethod
    def of(cls, X: pd.DataFrame, model: str) -> Fields:
        """Settle the fields of training rows, of shape (n_rows, n_columns).

        Raises
        ------
        InputError
            When there is no column, or a number is infinite.
        """
        if X.shape[1] == 0:
            raise InputError(f"Model {model!r} needs at least one column; its view has none left. Look at what its view drops.")
        numbers = [str(name) for name in X.columns if pd.api.types.is_float_dtype(X[name].dtype)]
        _numbers(X, numbers, model)  # infinite ones are refused in the model's name
        scales = learn_scales(X[numbers], model)
        return cls([str(name) for name in X.columns if name not in numbers], numbers, scales["centres"], scales["spreads"])

    @property
    def names(self) -> list[str]:
        """The fields in the order of the hashes: tokens, then numbers."""
        return [*self.tokens, *self.numbers]

    def hashed(self, X: pd.DataFrame, model: str) -> tuple[Hashes, Array]:
        """Hashes of shape (n_rows, n_fields), and the standardised numbers of shape (n_rows, n_numbers).

        A number's hash is that of its column; where it is missing, it is the token for that, with the value 1.
        """
        hashes = np.empty((len(X), len(self.names)), dtype=np.uint32)
        for at, name in enumerate(self.tokens):
            hashes[:, at] = _token_hashes(X[name])
        with np.errstate(over="ignore"):
            values = np.clip((_numbers(X, self.numbers, model) - self.centres) / self.spreads, -FAR, FAR)
        gaps = np.isnan(values)
        for at, name in enumerate(self.numbers):
            hashes[:, len(self.tokens) + at] = np.where(gaps[:, at], *_hashes([_gap(name), name]))
        return hashes, np.where(gaps, 1.0, values)

    def pairs(self, crosses: str | Sequence[Sequence[str]] | None, model: str) -> Pairs:
        """Positions of the crossed fields, of shape (n_pairs, 2); ``all`` crosses every two fields.

        Raises
        ------
        InputError
            When a cross names a column that is not there.
        """
        if crosses == "all":
            return np.column_stack(np.triu_indices(len(self.names), k=1)).astype(np.int64)
        places = {name: at for at, name in enumerate(self.names)}
        asked = [str(name) for pair in crosses or () for name in pair]
        unknown = [name for name in asked if name not in places]
        if unknown:
            raise InputError(
                f"Model {model!r} crosses {listed(unknown)}, which its view does not have; there are {listed(places)}.{closest(unknown[0], places)}"
            )
        return np.array([places[name] for name in asked], dtype=np.int64).reshape(-1, 2)

    def as_plain(self) -> dict[str, Any]:
        """Lists and arrays, for a file."""
        return asdict(self)


def _numbers(X: pd.DataFrame, names: Sequence[str], model: str) -> Array:
    if not names:
        return np.empty((len(X), 0))
    return as_matrix(X[list(names)], model, allow_missing=True, allow_categories=False, allow_infinite=False)[0]


def _token_hashes(column: pd.Series) -> Hashes:
    """The hash of each row's token: values are written as text once for each that occurs."""
    name = str(column.name)
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes, levels = column.cat.codes.to_numpy(), pd.Series(column.cat.categories)
    else:
        codes, found = pd.factorize(column)
        levels = pd.Series(found)
    texts = as_text(levels) if kind_of(levels) != "flags" else levels.astype("str")
    # the last place, where code -1 points, is that of a missing value
    return _hashes([*(f"{name}={text}" for text in texts), _gap(name)])[codes]


def _gap(name: str) -> str:
    return f"{name} is missing"


def _hashes(texts: Sequence[str]) -> Hashes:
    """The upper half of pandas' hash (SipHash with a fixed key): the same in every process."""
    return (pd.util.hash_array(np.array(texts, dtype=object), categorize=False) >> np.uint64(32)).astype(np.uint32)
