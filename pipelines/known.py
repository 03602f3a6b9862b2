"""What is known of some rows besides their features, where predictions are judged or combined."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.metrics import Array


@dataclass(frozen=True)
class Known:
    """Target, weights and named columns of some rows.

    ``y`` and ``weights`` have shape (n_rows,); rows to predict have no target, and ``weights`` is None where all rows count
    the same. ``columns`` holds what a metric, a threshold or a rule asks for by name: one column for each column name or
    expression in the declaration. ``may_fit`` is False for the rows that are left out of every fit (``rows.not_in_fit``).
    """

    y: Array
    weights: Array | None = None
    columns: pd.DataFrame = field(default_factory=pd.DataFrame)
    may_fit: NDArray[np.bool_] | None = None

    def take(self, rows: NDArray[np.intp]) -> Known:
        """The same of some of the rows, by position."""
        return Known(
            self.y[rows] if len(self.y) else self.y,
            None if self.weights is None else self.weights[rows],
            self.columns.iloc[rows] if self.columns.shape[1] else self.columns,
            None if self.may_fit is None else self.may_fit[rows],
        )


NOTHING_KNOWN = Known(np.empty(0))
"""Of rows whose target is not known, where nothing else is asked for."""
