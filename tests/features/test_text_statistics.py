"""Numbers that describe a text."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from features.errors import InputError
from features.text_statistics import STATISTICS, TextStatistics

X = pd.DataFrame({"ad": ["New IPHONE 12,5 - new one!", "", None]})


def test_statistics() -> None:
    out = TextStatistics("ad", statistics=list(STATISTICS)).fit(X).write(X)  # type: ignore[arg-type]
    expected = {"length": 26, "words": 6, "distinct_words": 5, "mean_word_length": 21 / 6, "digits": 3, "numbers": 1, "punctuation": 3}
    for statistic, value in expected.items():
        np.testing.assert_allclose(out[f"ad__{statistic}"], [value, 0, np.nan])
    np.testing.assert_allclose(out["ad__upper_share"], [7 / 15, 0, np.nan])


def test_there_is_a_statistic() -> None:
    with pytest.raises(InputError, match="needs at least one of 'statistics': length, words"):
        TextStatistics("ad", statistics=[]).fit(X)
