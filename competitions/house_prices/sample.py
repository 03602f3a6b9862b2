"""Seeded houses as files of the schema of Kaggle's House Prices competition; no row of the real files is in them.

``houses.py`` draws the houses from the shares in ``schema.yaml``. Here they become files: the errors and rare levels that
``schema.yaml`` plants are set, and two training houses become far too large for their price (more than 4,000 square feet for less than
300,000 dollars).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.random import Generator
from ruamel.yaml import YAML

from competitions.house_prices.houses import Houses, all_houses
from features.errors import InputError

SCHEMA = Path(__file__).with_name("schema.yaml")
N_TRAIN = 1460


def write(folder: Path, *, rows: int | None = None, seed: int = 0) -> None:
    """Write ``train.csv``, ``test.csv`` and ``sample_submission.csv`` into a folder.

    Parameters
    ----------
    folder : existing folder; files of these names are replaced
    rows : number of training rows; None means 1,460 as on Kaggle. The test file has one row fewer. What is planted shrinks with it, to
        one row at least where a row fits.
    seed : of everything that is drawn

    Raises
    ------
    InputError
        When ``rows`` is below 2.
    """
    n_train = N_TRAIN if rows is None else rows
    if n_train < 2:
        raise InputError(f"The House Prices sample needs 2 training rows or more; found rows={rows!r}. Ask for more, or leave rows out.")
    schema = YAML(typ="safe", pure=True).load(SCHEMA)
    rng = np.random.default_rng(seed)
    houses = all_houses(rng, schema, 2 * n_train - 1)
    _overpriced_space(rng, houses, n_train)
    cells = pd.DataFrame({name: houses[name] for name in schema["columns"].split()}).astype(str)
    train, test = cells[:n_train].copy(), cells[n_train:].drop(columns="SalePrice")
    for part, name in ((train, "train"), (test, "test")):
        _plant(rng, part, schema["planted"][name])
        part.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
    # Kaggle's sample submission is a linear guess from size and bedrooms
    guess = 140_000 + 1.5 * houses["LotArea"][n_train:] + 7_000.0 * houses["BedroomAbvGr"][n_train:]
    pd.DataFrame({"Id": test["Id"], "SalePrice": guess}).to_csv(folder / "sample_submission.csv", index=False, lineterminator="\n")


def _overpriced_space(rng: Generator, houses: Houses, n_train: int) -> None:
    """Turn two training houses of two floors into the outliers that every notebook on this competition meets."""
    fits = (houses["HouseStyle"] == "2Story") & (houses["TotalBsmtSF"] > 0) & (houses["OverallQual"] >= 7)
    candidates = np.flatnonzero(fits[:n_train])
    chosen = rng.choice(candidates, min(2, len(candidates)), replace=False)
    floors = {"1stFlrSF": rng.integers(2600, 3800, len(chosen)), "2ndFlrSF": rng.integers(1500, 1900, len(chosen))}
    for name, area in floors.items():
        houses[name][chosen] = area
    houses["LowQualFinSF"][chosen] = 0
    houses["GrLivArea"][chosen] = floors["1stFlrSF"] + floors["2ndFlrSF"]
    houses["BsmtUnfSF"][chosen] += floors["1stFlrSF"] - houses["TotalBsmtSF"][chosen]
    houses["TotalBsmtSF"][chosen] = floors["1stFlrSF"]
    houses["OverallQual"][chosen] = 10
    houses["SalePrice"][chosen] = 100 * rng.integers(1500, 2000, len(chosen))


def _plant(rng: Generator, cells: pd.DataFrame, planted: Iterable[Mapping[str, Any]]) -> None:
    """Set the cells of ``planted`` in rows that fit, as many as the size of the file asks for and at least one."""
    for plant in planted:
        fits = np.ones(len(cells), bool)
        for name, value in plant.get("where", {}).items():
            fits &= (cells[name] == str(value)).to_numpy()
        n_rows = max(1, round(plant["rows"] * len(cells) / N_TRAIN))
        chosen = rng.permutation(np.flatnonzero(fits))[:n_rows]
        for name, value in plant["set"].items():
            cells.loc[cells.index[chosen], name] = str(value)
