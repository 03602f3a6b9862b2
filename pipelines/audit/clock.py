"""When rows happened, for dated data."""

from __future__ import annotations

import pandas as pd

from pipelines.audit.case import Case


def moments(case: Case) -> pd.Series | None:
    """The moment of every row (train, then test) as it is named by ``data.time``; None where nothing is named."""
    name = case.session.spec.data.time
    if name is None:
        return None
    column = case.tables.features[name]
    return column if pd.api.types.is_numeric_dtype(column.dtype) else pd.to_datetime(column, errors="coerce")
