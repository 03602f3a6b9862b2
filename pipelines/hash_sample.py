"""Rows of a file chosen by a hash: the same ones each time, wherever and in whatever parts the file is read."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import InputError, closest, listed
from pipelines.spec import HashSample


def kept(part: pd.DataFrame, sample: HashSample, first: int, file: str) -> NDArray[np.bool_]:
    """Which rows are kept, shape (n_rows,): by their values in some columns, or by their position in the file.

    Parameters
    ----------
    part
        Rows of the file, values as text or as they are: 7 and '7' are the same.
    first
        Position of the first of them in the file.

    Raises
    ------
    InputError
        When a column to sample by is not there.
    """
    for name in sample.keys:
        if name not in part:
            raise InputError(f"data.sample: {file} lacks column {name!r}; it has {listed(part.columns)}.{closest(name, part.columns)}")
    values = part[sample.keys] if sample.keys else pd.DataFrame({"row": np.arange(first, first + len(part))})
    hashes = pd.util.hash_pandas_object(values.astype(str), index=False, hash_key=f"{sample.seed:016d}").to_numpy()
    # 53 bits make a number below 1 without rounding
    return np.asarray((hashes >> np.uint64(11)) * 2.0**-53 < sample.rate)
