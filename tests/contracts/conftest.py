"""The table that the steps' ``examples`` are written for: every kind of column, with gaps."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipelines.competition import Competition

# own steps of competitions join the registry before the suite asks it for all steps
for _file in sorted((Path(__file__).parents[2] / "competitions").glob("*/steps.py")):
    Competition(_file.parent.name, _file.parent).load_own_steps()


@functools.cache
def standard_table(n_rows: int = 80, seed: int = 7) -> pd.DataFrame:
    """Houses with numbers, whole numbers, text, declared levels, flags and dates; the index is not 0, 1, 2."""
    rng = np.random.default_rng(seed)

    def with_gaps(values: np.ndarray, share: float = 0.15) -> pd.Series:
        return pd.Series(values).mask(rng.random(n_rows) < share)

    table = pd.DataFrame(
        {
            "LotFrontage": with_gaps(rng.gamma(2.0, 30.0, n_rows)),
            "LotArea": rng.lognormal(9.0, 0.6, n_rows),
            "Slope": with_gaps(rng.normal(0.0, 2.0, n_rows)),
            "MSSubClass": rng.choice([20, 30, 60, 120], n_rows),
            "YearBuilt": rng.integers(1900, 2010, n_rows),
            "YrSold": rng.integers(2006, 2011, n_rows),
            "Neighborhood": with_gaps(rng.choice(["NAmes", "OldTown", "Gilbert", "CollgCr"], n_rows), 0.05).astype("str"),
            "Street": rng.choice(["Pave", "Grvl"], n_rows),
            "PoolQC": with_gaps(rng.choice(["Ex", "Gd", "Fa"], n_rows), 0.4).astype("str"),
            "Condition": pd.Categorical(with_gaps(rng.choice(["Norm", "Feedr"], n_rows)), categories=["Norm", "Feedr", "Artery"]),
            "Quarter": pd.Categorical(with_gaps(rng.integers(1, 5, n_rows)), categories=[1, 2, 3, 4]),
            "Rooms": rng.choice(["4", "5.5", "6", "many"], n_rows),
            "Owner": rng.choice(["Braund, Mr. Owen", "Cumings, Mrs. John", "unknown"], n_rows),
            "HasAir": rng.random(n_rows) < 0.7,
            "Sold": pd.Timestamp("2010-01-01") + pd.to_timedelta(rng.integers(0, 700, n_rows), unit="D"),
            "Listed": rng.choice(["2009-05-01", "2009-12-24", "soon"], n_rows),
            "Remodelled": pd.Timestamp("2009-01-01") + pd.to_timedelta(with_gaps(rng.integers(0, 900, n_rows)), unit="D"),
        }
    )
    return table.set_index(pd.Index(1000 + 3 * np.arange(n_rows)))


@pytest.fixture
def table() -> pd.DataFrame:
    """The standard table."""
    return standard_table().copy(deep=True)


@pytest.fixture
def target(table: pd.DataFrame) -> pd.Series:
    """A target that hangs on the table and on chance."""
    rng = np.random.default_rng(11)
    noise = rng.normal(0.0, 1.0, len(table))
    return pd.Series((table["LotArea"].to_numpy() / 5000 + noise > 1.7).astype(float), index=table.index)
