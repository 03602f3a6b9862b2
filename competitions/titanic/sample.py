"""The embedded passenger list, written as the files of Kaggle's Titanic competition.

``data/titanic.csv`` is the public "titanic3" list: 1,309 passengers, all with their outcome, sorted by class and name. The order is
replaced by a stable one: passengers are ranked by the BLAKE2b hash of ``name|ticket``, the rank is the ``PassengerId``, the first 891
are the training rows and the other 418 the test rows, whose outcomes go to ``holdout.csv``. Names alone repeat twice in the list; name
and ticket together never do. This is not Kaggle's own split: many of Kaggle's test passengers are training rows here.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import TypeAlias

from features.errors import InputError

Passenger: TypeAlias = dict[str, str]

SOURCE = Path(__file__).with_name("data") / "titanic.csv"
N_TRAIN = 891
COLUMNS = ("PassengerId", "Survived", "Pclass", "Name", "Sex", "Age", "SibSp", "Parch", "Ticket", "Fare", "Cabin", "Embarked")
OUTCOME = ("PassengerId", "Survived")


def write(folder: Path, *, rows: int | None = None, seed: int = 0) -> None:
    """Write ``train.csv``, ``test.csv``, ``gender_submission.csv`` and ``holdout.csv`` into a folder.

    Parameters
    ----------
    folder : existing folder; files of these names are replaced
    rows : number of training rows, counted from ``PassengerId`` 1; None means all 891. The test rows are always the same 418.
    seed : accepted because every sample takes one; real passengers in a fixed split leave nothing to draw

    Raises
    ------
    InputError
        When ``rows`` is not between 1 and 891.
    """
    kept = N_TRAIN if rows is None else rows
    if not 1 <= kept <= N_TRAIN:
        raise InputError(f"The Titanic sample has 1 to {N_TRAIN} training rows; found rows={rows!r}. Ask for fewer, or leave rows out.")
    passengers = _passengers()
    train, test = passengers[:kept], passengers[N_TRAIN:]
    by_sex = [{**passenger, "Survived": str(int(passenger["Sex"] == "female"))} for passenger in test]
    _save(folder / "train.csv", train, COLUMNS)
    _save(folder / "test.csv", test, [name for name in COLUMNS if name != "Survived"])
    _save(folder / "gender_submission.csv", by_sex, OUTCOME)
    _save(folder / "holdout.csv", test, OUTCOME)


def _passengers() -> list[Passenger]:
    """All passengers in the order of their ids."""
    with SOURCE.open(encoding="utf-8", newline="") as file:
        listed = sorted(csv.DictReader(file), key=_rank)
    return [_as_kaggle(passenger, number) for number, passenger in enumerate(listed, start=1)]


def _rank(passenger: Passenger) -> bytes:
    return blake2b(f"{passenger['name']}|{passenger['ticket']}".encode(), digest_size=8).digest()


def _as_kaggle(passenger: Passenger, number: int) -> Passenger:
    """One passenger with Kaggle's column names, without ``boat``, ``body`` and ``home.dest``: the first two tell the outcome."""
    cells = {name: "" if value == "?" else value for name, value in passenger.items()}
    # Kaggle rounds the ages of infants to two digits, 0.9167 years to 0.92
    age = f"{float(cells['age']):.2f}".rstrip("0").rstrip(".") if cells["age"] else ""
    return {name: cells.get(name.lower(), "") for name in COLUMNS} | {"PassengerId": str(number), "Age": age}


def _save(path: Path, passengers: Sequence[Passenger], columns: Sequence[str]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(passengers)
