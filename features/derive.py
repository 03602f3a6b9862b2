"""New columns from expressions over the old ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import pandas as pd

from features.errors import InputError, closest, listed
from features.expressions import Expression, parse
from features.step import Step


class Derive(Step):
    """Make columns from expressions, in the order they are declared; a later one may use an earlier one.

    In a declaration the table of expressions stands directly under the step's name. An infinite result (a division by
    zero, say) is missing.

    Parameters
    ----------
    expressions
        From the new column's name to its expression; an existing name replaces that column.

    Examples
    --------
    >>> X = pd.DataFrame({"1stFlrSF": [800], "2ndFlrSF": [400]})
    >>> Derive({"TotalSF": "`1stFlrSF` + `2ndFlrSF`"}).fit_transform(X)["TotalSF"].tolist()
    [1200]
    """

    whole_mapping: ClassVar[str] = "expressions"
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"expressions": {"Age": "YrSold - YearBuilt", "Age2": "Age * Age", "LotArea": "log1p(LotArea)", "IsPaved": "Street == 'Pave'"}},
    )

    def __init__(self, expressions: dict[str, str]) -> None:
        self.expressions = expressions

    def check(self) -> None:
        """Check that there are expressions and that each can be read."""
        super().check()
        if not isinstance(self.expressions, Mapping) or not self.expressions:
            raise InputError(f"Step 'derive' needs a table of expressions, such as {{Total: 'a + b'}}; found {self.expressions!r}.")
        self._parsed()

    def _parsed(self) -> dict[str, Expression]:
        return {name: parse(source) for name, source in self.expressions.items()}

    def _selected(self, X: pd.DataFrame) -> list[str]:
        needed: dict[str, None] = {}
        made: set[str] = set()
        for name, expression in self._parsed().items():
            needed.update(dict.fromkeys(column for column in expression.names if column not in made))
            made.add(name)
        absent = [column for column in needed if column not in X.columns]
        if absent:
            raise InputError(
                f"Step 'derive' needs column {absent[0]!r}, which no earlier expression makes; there are {listed(X.columns)}."
                f"{closest(absent[0], [*X.columns, *made])}"
            )
        return list(needed)

    def resolve(self, X: pd.DataFrame) -> Self:
        """Settle which columns are read, and see that every expression fits their types."""
        super().resolve(X)
        self._write(X[self.reads_].iloc[:0])
        return self

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        made = {str(name): column for name, column in X.items()}
        for name, expression in self._parsed().items():
            made[name] = expression.evaluate_columns(made, X.index)
        return pd.DataFrame({name: made[name] for name in self.expressions}, index=X.index, copy=False)
