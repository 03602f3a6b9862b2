"""Seeded clicks as files of the schema of Kaggle's TalkingData competition; no row of the real files is in them.

``catalogue.py`` draws the apps, channels, devices and systems, ``stream.py`` the clicks and installs. Here the stream is cut: the first
three quarters are the training rows, the last quarter the test rows, without the columns that are known only after an install.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import csv

from competitions.app_install.catalogue import catalogue
from competitions.app_install.stream import drawn
from features.errors import InputError

N_TRAIN = 75_000


def write(folder: Path, *, rows: int | None = None, seed: int = 0) -> None:
    """Write ``train.csv``, ``test.csv`` and ``holdout.csv`` (the labels of the test rows) into a folder.

    Parameters
    ----------
    folder : existing folder; files of these names are replaced
    rows : number of training rows; None means 75,000. There is one test row for three of them. One click of 400 is an install: in fewer
        than some thousands of rows there may be none.
    seed : of everything that is drawn

    Raises
    ------
    InputError
        When ``rows`` is below 10.
    """
    n_train = N_TRAIN if rows is None else rows
    if n_train < 10:
        raise InputError(f"The app install sample needs 10 training rows or more; found rows={rows!r}. Ask for more, or leave rows out.")
    # A stream each: the apps and their effects stay the same when more rows are asked for
    of_catalogue, of_rows = (np.random.default_rng([seed, stream]) for stream in range(2))
    clicks = drawn(of_rows, catalogue(of_catalogue), n_train + round(n_train / 3))
    train, test = clicks[:n_train], clicks[n_train:]
    parts = {
        "train": train,
        "test": test.drop(columns=["attributed_time", "is_attributed"]),
        "holdout": test[["click_id", "is_attributed"]],
    }
    for name, part in parts.items():
        _save(folder / f"{name}.csv", part)


def _save(path: Path, table: pd.DataFrame) -> None:
    """Written by Arrow, many times as fast as pandas, above all where there are times."""
    csv.write_csv(pa.Table.from_pandas(table, preserve_index=False), path, csv.WriteOptions(quoting_style="none", quoting_header="none"))
