"""Seeded payments as the file of the schema of the credit card fraud data; no row of the real file is in it.

``payments.py`` draws the payments. Here they become ``creditcard.csv``: in the order of time, counted from the first payment, and with
payments that occur twice, cell by cell, as in the real file. There is no test file.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.random import Generator
from pyarrow import csv

from competitions.credit_fraud.payments import drawn
from features.errors import InputError

N_ROWS = 30_000
FRAUD_RATE = 0.005
FEWEST_FRAUDS = 10
REPEATED = {0: 0.0037, 1: 0.04}
"""The share of rows of each class that repeat another, as in the real file."""


def write(folder: Path, *, rows: int | None = None, seed: int = 0, fraud_rate: float = FRAUD_RATE) -> None:
    """Write ``creditcard.csv`` into a folder.

    Parameters
    ----------
    folder : existing folder; a file of this name is replaced
    rows : number of rows; None means 30,000. The real file has 284,807.
    seed : of everything that is drawn
    fraud_rate : share of rows that are frauds, above 0 and at most 0.5; there are ten at least. The default is three times the real
        file's 0.00173, so that a small sample has enough of them to score.

    Raises
    ------
    InputError
        When ``rows`` is below 100, or the rate out of range.
    """
    n_rows = N_ROWS if rows is None else rows
    if n_rows < 100:
        raise InputError(f"The credit fraud sample needs 100 rows or more; found rows={rows!r}. Ask for more, or leave rows out.")
    if not 0 < fraud_rate <= 0.5:
        raise InputError(f"The fraud rate is a share above 0 and at most 0.5; found fraud_rate={fraud_rate!r}. The real rate is 0.00173.")
    rng = np.random.default_rng(seed)
    n_frauds = max(FEWEST_FRAUDS, round(n_rows * fraud_rate))
    copies = {
        label: max(1, round(share * count)) for (label, share), count in zip(REPEATED.items(), (n_rows - n_frauds, n_frauds), strict=True)
    }
    payments = drawn(rng, honest=n_rows - n_frauds - copies[0], frauds=n_frauds - copies[1])
    payments = pd.concat([payments, *(_repeated(rng, payments, label, count) for label, count in copies.items())])
    payments = payments.sort_values("Time", kind="stable", ignore_index=True)
    payments["Time"] -= payments["Time"].iloc[0]
    _save(folder / "creditcard.csv", payments)


def _repeated(rng: Generator, payments: pd.DataFrame, label: int, count: int) -> pd.DataFrame:
    """Some payments of a class once more."""
    return payments.loc[rng.choice(payments.index[payments["Class"] == label], count, replace=False)]


def _save(path: Path, payments: pd.DataFrame) -> None:
    """Written by Arrow, ten times as fast as pandas; a decimal keeps whole seconds numbers with a point, as in the real file."""
    table = pa.Table.from_pandas(payments, preserve_index=False)
    table = table.set_column(0, "Time", table["Time"].cast(pa.decimal128(7, 1)))
    csv.write_csv(table, path, csv.WriteOptions(quoting_style="none", quoting_header="none"))
