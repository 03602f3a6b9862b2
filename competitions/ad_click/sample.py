"""Seeded impressions as files of the schema of Kaggle's Avazu competition; no row of the real files is in them, and no code of theirs.

``catalogues.py`` draws what there is, ``impressions.py`` what is shown, and ``clicks.py`` states the probability of a click. Because the
probabilities are known, so is the best log loss that any model can reach; it is written beside the files.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv

from competitions.ad_click import clicks, impressions
from competitions.ad_click.catalogues import catalogues
from features.errors import InputError

Values: TypeAlias = NDArray[Any]

N_TRAIN = 60_000
DAYS = 10
TEST_SHARE = 1 / 3
"""Test rows for each training row."""


@dataclass(frozen=True)
class Shown:
    """Rows of a file with their labels and the probabilities these were drawn from, each of shape (n_rows,)."""

    rows: pd.DataFrame
    click: Values
    probability: Values


def draw(*, rows: int | None = None, seed: int = 0, days: int = DAYS) -> tuple[Shown, Shown]:
    """Training and test rows as ``write`` writes them, with the true probabilities; parameters and errors as there."""
    n_train = N_TRAIN if rows is None else rows
    if n_train < 10:
        raise InputError(f"The ad click sample needs 10 training rows or more; found rows={rows!r}. Ask for more, or leave rows out.")
    if not 0 <= days <= 10:
        raise InputError(f"The ad click sample has 1 to 10 training days, or 0 for one single hour; found days={days!r}.")
    n_test = max(1, round(n_train * TEST_SHARE))
    # A stream each: the catalogues and the effects stay the same when more rows are asked for
    of_catalogues, of_effects, of_rows = (np.random.default_rng([seed, stream]) for stream in range(3))
    day = np.concatenate([np.sort(of_rows.integers(0, max(days, 1), n_train)), np.full(n_test, days)])
    shown = impressions.drawn(of_rows, catalogues(of_catalogues, days), day=day, one_hour=days == 0, test_day=days)
    probability = clicks.probabilities(of_effects, shown)
    table = impressions.as_columns(of_rows, shown)
    click = (of_rows.random(len(day)) < probability).astype(int)
    is_train = np.arange(len(day)) < n_train
    train, test = (Shown(table[part].reset_index(drop=True), click[part], probability[part]) for part in (is_train, ~is_train))
    return train, test


def write(folder: Path, *, rows: int | None = None, seed: int = 0, days: int = DAYS) -> None:
    """Write ``train.csv``, ``test.csv``, ``holdout.csv`` (the labels of the test rows) and ``limit.json`` into a folder.

    Parameters
    ----------
    folder : existing folder; files of these names are replaced
    rows : number of training rows; None means 60,000. There is one test row for three of them.
    seed : of everything that is drawn
    days : training days, from 21 October 2014, at most 10 as on Kaggle; the test rows are of the day after. 0 puts all rows, train and
        test, into one hour.

    Raises
    ------
    InputError
        When ``rows`` is below 10, or ``days`` not 0 to 10.
    """
    train, test = draw(rows=rows, seed=seed, days=days)
    labelled = train.rows.copy()
    labelled.insert(1, "click", train.click)
    _save(folder / "train.csv", labelled)
    _save(folder / "test.csv", test.rows)
    _save(folder / "holdout.csv", pd.DataFrame({"id": test.rows["id"], "click": test.click}))
    limits = {"seed": seed, "days": days} | {name: limit(part) for name, part in (("train", train), ("test", test))}
    (folder / "limit.json").write_text(json.dumps(limits, indent=1) + "\n", encoding="utf-8")


def limit(shown: Shown) -> dict[str, float]:
    """How well rows can be predicted, all as log loss.

    ``entropy`` is what one who knows the true probabilities expects, ``best_log_loss`` what he gets on the labels as they fell, and
    ``rate_only`` what the click rate gets in every row.
    """
    rate = float(shown.click.mean())
    return {
        "rows": len(shown.click),
        "click_rate": rate,
        "entropy": clicks.entropy(shown.probability),
        "best_log_loss": clicks.log_loss(shown.click, shown.probability),
        "rate_only": clicks.log_loss(shown.click, np.full(len(shown.click), rate)),
    }


def _save(path: Path, table: pd.DataFrame) -> None:
    """Written by Arrow, many times as fast as pandas; the codes hold nothing that would need quotes."""
    csv.write_csv(pa.Table.from_pandas(table, preserve_index=False), path, csv.WriteOptions(quoting_style="none", quoting_header="none"))
