"""Columns together: crossed categories, pairs of numbers, products of what goes with the target."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd

from features.classes import refuse_one_value
from features.columns import Selection
from features.design import by_label, learn_scales, on_one_scale, refuse_too_few
from features.errors import InputError
from features.expressions import as_text
from features.numbers import Numbers, as_numbers, bounded
from features.ranks import raised
from features.step import Learns, Step


class Cross(Step):
    """Make one category of several: ``<first>__x_<second>``, text.

    The value is the columns' values with ``|`` between them; it is missing where one of them is. The source columns stay.

    Parameters
    ----------
    columns
        The columns to cross, numbers and flags as text.
    degree
        Cross every group of so many columns (2: every pair); by default all of them at once.
    max_columns
        The most columns that may be made.

    Examples
    --------
    >>> X = pd.DataFrame({"zone": ["a", None], "street": ["b", "c"]})
    >>> Cross(["zone", "street"]).fit_transform(X)["zone__x_street"].tolist()
    ['a|b', nan]
    """

    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"columns": ["Neighborhood", "MSSubClass"]},
        {"columns": ["Neighborhood", "Street", "HasAir", "LotFrontage"], "degree": 2},
    )
    accepts = ("categorical", "text", "numeric", "flags")

    def __init__(self, columns: Selection, *, degree: int | None = None, max_columns: int = 200) -> None:
        self.columns = columns
        self.degree = degree
        self.max_columns = max_columns

    def check(self) -> None:
        """Check the degree."""
        super().check()
        if self.degree is not None and self.degree < 2:
            raise InputError(f"Step 'cross' needs a degree of at least 2, found {self.degree!r}.")

    def _learn(self, X: pd.DataFrame, y: pd.Series | None) -> None:
        refuse_too_few(self.selected_, self.degree or 2, self.name)
        _refuse_too_many(len(self._crossed()), self.max_columns, self.name)

    def _crossed(self) -> list[tuple[str, ...]]:
        return list(combinations(self.selected_, self.degree or len(self.selected_)))

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        texts = {column: as_text(X[column]) for column in self.selected_}
        written = {"__x_".join(names): _joined([texts[name] for name in names]) for names in self._crossed()}
        return pd.DataFrame(written, index=X.index, dtype="str")


class Products(Step):
    """Combine numeric columns in pairs: ``<first>__times_<second>``, ``__over_``, ``__minus_`` and ``__plus_``.

    A pair is made once, in the order of the selection. A result is missing where a value is, or a ratio's second value is
    0; one beyond the largest float is the largest float. The source columns stay.

    Parameters
    ----------
    columns
        The columns to pair.
    how
        ``product``, ``ratio``, ``difference``, ``sum``.
    max_columns
        The most columns that may be made: half of n (n - 1) pairs grow fast.

    Examples
    --------
    >>> X = pd.DataFrame({"area": [6.0, 6.0], "rooms": [3.0, 0.0]})
    >>> Products(how=["ratio"]).fit_transform(X)["area__over_rooms"].tolist()
    [2.0, nan]
    """

    accepts = ("numeric",)
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"columns": ["LotArea", "LotFrontage", "Slope"]},
        {"columns": ["LotArea", "LotFrontage", "YrSold"], "how": ["product", "ratio", "difference", "sum"]},
    )

    def __init__(
        self,
        columns: Selection = "numeric",
        *,
        how: Sequence[Literal["product", "ratio", "difference", "sum"]] = ("product",),
        max_columns: int = 200,
    ) -> None:
        self.columns = columns
        self.how = how
        self.max_columns = max_columns

    def _learn(self, X: pd.DataFrame, y: pd.Series | None) -> None:
        refuse_too_few(self.selected_, 2, self.name)
        n = len(self.selected_)
        _refuse_too_many(n * (n - 1) // 2 * len(set(self.how)), self.max_columns, self.name)

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        values = {column: as_numbers(X[column], self.name) for column in self.selected_}
        written = {
            f"{one}__{_WORDS[how]}_{other}": _PAIRS[how](values[one], values[other])
            for how in dict.fromkeys(self.how)
            for one, other in combinations(self.selected_, 2)
        }
        return pd.DataFrame(written, index=X.index)


class PolynomialTop(Step):
    """Make powers and products of the columns that go with the target most: ``<column>__power_<power>``, ``<first>__times_<second>``.

    The columns are those of the training rows with the largest correlation (Pearson's, in either direction) with the
    target; a missing value counts as the mean in it. The source columns stay.

    Parameters
    ----------
    columns
        The numeric columns to choose from.
    top
        How many columns are chosen.
    powers
        The powers of each chosen column; a negative value to a power that is no whole number is missing.
    products
        Whether each pair of chosen columns is multiplied.

    Examples
    --------
    >>> X = pd.DataFrame({"area": [1.0, 2.0, 3.0], "noise": [1.0, -1.0, 1.0]})
    >>> PolynomialTop(top=1).fit_transform(X, pd.Series([1.0, 2.0, 3.0])).columns.tolist()
    ['area', 'noise', 'area__power_2']
    """

    learns = Learns.TARGET_STRUCTURE
    accepts = ("numeric",)
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = ({"top": 3}, {"top": 2, "powers": [2, 3, 0.5], "products": False})

    def __init__(self, columns: Selection = "numeric", *, top: int = 10, powers: Sequence[float] = (2,), products: bool = True) -> None:
        self.columns = columns
        self.top = top
        self.powers = powers
        self.products = products

    def check(self) -> None:
        """Check that something is made."""
        super().check()
        if self.top < 1 or not (self.powers or self.products):
            raise InputError("Step 'polynomial_top' needs a 'top' of at least 1, and 'powers' or 'products: true'.")

    def _learn(self, X: pd.DataFrame, y: pd.Series | None) -> None:
        refuse_too_few(self.selected_, 1, self.name)
        X, y = by_label(X, y)
        assert y is not None
        refuse_one_value(y, self.name)
        values = on_one_scale(X, learn_scales(X, self.name), self.name)
        target = y.to_numpy(dtype=np.float64)
        strength = np.abs(values.T @ (target - target.mean()))
        best = np.argsort(-strength, kind="stable")[: self.top]
        self.chosen_ = [self.selected_[position] for position in sorted(best)]

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        values = {column: as_numbers(X[column], self.name) for column in self.chosen_}
        powers = {f"{column}__power_{power:g}": raised(values[column], float(power)) for column in self.chosen_ for power in self.powers}
        pairs = combinations(self.chosen_, 2) if self.products else ()
        products = {f"{one}__times_{other}": _PAIRS["product"](values[one], values[other]) for one, other in pairs}
        return pd.DataFrame({**powers, **products}, index=X.index)


def _pairwise(combine: Callable[[Numbers, Numbers], Numbers]) -> Callable[[Numbers, Numbers], Numbers]:
    def combined(one: Numbers, other: Numbers) -> Numbers:
        with np.errstate(over="ignore"):
            return bounded(combine(one, other))

    return combined


def _ratio(one: Numbers, other: Numbers) -> Numbers:
    return np.asarray(np.divide(one, other, out=np.full(len(one), np.nan), where=other != 0))


_PAIRS: dict[str, Callable[[Numbers, Numbers], Numbers]] = {
    "product": _pairwise(np.multiply),
    "ratio": _pairwise(_ratio),
    "difference": _pairwise(np.subtract),
    "sum": _pairwise(np.add),
}
_WORDS = {"product": "times", "ratio": "over", "difference": "minus", "sum": "plus"}


def _joined(parts: Sequence[pd.Series]) -> pd.Series:
    joined = parts[0]
    for part in parts[1:]:
        joined = joined + "|" + part
    return joined


def _refuse_too_many(found: int, most: int, step: str) -> None:
    if found > most:
        raise InputError(f"Step {step!r} would make {found} columns; max_columns is {most}. Select fewer columns, or raise max_columns.")
