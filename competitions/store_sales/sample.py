"""Seeded stores as files of the schema of Kaggle's Rossmann competition; no row of the real files is in them.

``stores.py`` draws the stores, ``days.py`` knows the holidays, and ``sales.py`` states what a store sells on a day. Here they become rows,
the newest first, and the gaps and oddities of the real files are set.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.random import Generator
from pyarrow import csv

from competitions.store_sales import sales, stores
from competitions.store_sales.days import DATES, DAY_OF_WEEK, N_TRAINING, STATES
from features.errors import InputError

N_STORES = 50
FEWEST_STORES = 10
N_UNKNOWN_OPEN = 11
ZERO_SALES_SHARE = 7e-5


def write(folder: Path, *, rows: int | None = None, seed: int = 0) -> None:
    """Write ``train.csv``, ``test.csv``, ``store.csv``, ``store_states.csv`` and ``holdout.csv`` (sales of the test rows) into a folder.

    Parameters
    ----------
    folder : existing folder; files of these names are replaced
    rows : number of training rows; None means 50 stores through all 900 days, 43,528 rows. Otherwise as many stores as the rows need, ten
        at least, and of those the newest rows. The real files have 1,115 stores.
    seed : of everything that is drawn

    Raises
    ------
    InputError
        When ``rows`` is below 20.
    """
    if rows is not None and rows < 20:
        raise InputError(f"The store sales sample needs 20 training rows or more; found rows={rows!r}. Ask for more, or leave rows out.")
    rng = np.random.default_rng(seed)
    n_stores = N_STORES if rows is None else _stores_for(rows)
    known = stores.drawn(rng, n_stores)
    everything = _rows(known, sales.drawn(rng, known))
    is_test = everything["day"] >= N_TRAINING
    train, test = everything[~is_test].head(rows or len(everything)), everything[is_test & known.is_tested[everything["Store"] - 1]]
    test = test.assign(Id=np.arange(1, len(test) + 1))
    parts = {
        "train": _with_zero_sales(rng, train).drop(columns="day"),
        "test": _with_unknown_open(rng, test)[["Id", "Store", "DayOfWeek", "Date", "Open", "Promo", "StateHoliday", "SchoolHoliday"]],
        "holdout": test[["Id", "Sales"]],
    }
    for name, table in parts.items():
        _save(folder / f"{name}.csv", table)
    states = pd.DataFrame({"Store": known.table["Store"], "State": np.array(STATES)[known.state]})
    known.table.to_csv(folder / "store.csv", index=False, lineterminator="\n")
    states.to_csv(folder / "store_states.csv", index=False, lineterminator="\n")


def _stores_for(rows: int) -> int:
    """The smallest number of stores with so many training rows, ten at least."""
    n_stores = max(FEWEST_STORES, rows // N_TRAINING)
    n_rebuilding_days = (sales.REBUILT_TO - sales.REBUILT_FROM).days + 1
    while n_stores * N_TRAINING - stores.n_rebuilt(n_stores) * n_rebuilding_days < rows:
        n_stores += 1
    return n_stores


def _rows(known: stores.Stores, panel: sales.Panel) -> pd.DataFrame:
    """The rows of all stores and days, the newest day first and its stores in order; ``day`` is a position in ``DATES``."""
    day, store = np.nonzero(panel.is_there.T[::-1])
    day = len(DATES) - 1 - day
    return pd.DataFrame(
        {
            "Store": known.table["Store"].to_numpy()[store],
            "DayOfWeek": DAY_OF_WEEK[day],
            "Date": DATES.strftime("%Y-%m-%d").to_numpy()[day],
            "Sales": panel.sales[store, day],
            "Customers": panel.customers[store, day],
            "Open": panel.is_open[store, day].astype(int),
            "Promo": panel.promo[store, day],
            "StateHoliday": panel.state_holiday[store, day],
            "SchoolHoliday": panel.school_holiday[store, day],
            "day": day,
        }
    )


def _with_zero_sales(rng: Generator, train: pd.DataFrame) -> pd.DataFrame:
    """A few open days without a sale: rows that are not scored, and that no logarithm can take."""
    is_open = np.flatnonzero(train["Open"])
    chosen = rng.choice(is_open, max(1, round(ZERO_SALES_SHARE * len(is_open))), replace=False)
    is_zero = np.isin(np.arange(len(train)), chosen)
    return train.assign(Sales=train["Sales"].where(~is_zero, 0), Customers=train["Customers"].where(~is_zero, 0))


def _with_unknown_open(rng: Generator, test: pd.DataFrame) -> pd.DataFrame:
    """One store's last open days do not say that they are open, as in the real file: filled with 0, they would be predicted as closed."""
    n_open = test[test["Open"] == 1].groupby("Store").size()
    store = rng.choice(n_open.index[n_open >= N_UNKNOWN_OPEN])
    is_unknown = (test["Store"] == store) & (test["Open"] == 1)
    is_unknown &= is_unknown.cumsum() <= N_UNKNOWN_OPEN
    return test.assign(Open=test["Open"].astype("Int64").mask(is_unknown))


def _save(path: Path, table: pd.DataFrame) -> None:
    """Written by Arrow, many times as fast as pandas; the columns of the rows hold nothing that would need quotes."""
    csv.write_csv(pa.Table.from_pandas(table, preserve_index=False), path, csv.WriteOptions(quoting_style="none", quoting_header="none"))
