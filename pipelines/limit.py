"""The best possible score, where a generated sample knows it: how far a result is from what nobody can beat."""

from __future__ import annotations

from pathlib import Path

from features.errors import InputError
from pipelines.store import read_json


def known_limit(folder: Path, file: str | None, metric: str) -> dict[str, float] | None:
    """The best score on the training and on the test rows as they fell.

    Parameters
    ----------
    folder, file
        Where the file of limits would be. Real data has none.
    metric
        The declared metric; the file holds ``{train: {best_<metric>: ...}, test: {...}}``.

    Raises
    ------
    InputError
        When the file has no such limit.
    """
    if file is None or not (folder / file).is_file():
        return None
    limits, name = read_json(folder / file), f"best_{metric}"
    try:
        return {rows: float(limits[rows][name]) for rows in ("train", "test")}
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{folder / file} has no number {name!r} below 'train' and 'test'. Leave 'limit' out of 'data', or use that metric."
        ) from error
