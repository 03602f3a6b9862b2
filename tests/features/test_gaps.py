"""Values that mean missing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from features.errors import InputError
from features.gaps import Coalesce, ToMissing

X = pd.DataFrame(
    {
        "age": [30, -1, 999],
        "word": pd.Series(["?", "yes", None], dtype="str"),
        "level": pd.Categorical([1, 2, None], categories=[1, 2]),
        "other": pd.Series(["a", None, "c"], dtype="str"),
        "when": pd.to_datetime(["2010-01-01", None, None]),
        "then": pd.to_datetime(["2011-01-01", "2012-01-01", None]),
    }
)


def test_sentinels() -> None:
    out = ToMissing(["age", "word", "level"], values=[-1, 999, "?", 2]).fit_transform(X)
    np.testing.assert_array_equal(out["age"], [30, np.nan, np.nan])
    assert out["word"].isna().tolist() == [True, False, True]
    assert out["level"].isna().tolist() == [False, True, True]


def test_first_that_is_there() -> None:
    out = Coalesce(["level", "word", "other"], into="all").fit_transform(X)["all"]
    assert out.tolist() == ["1", "2", "c"]
    assert Coalesce(["when", "then"], into="when").fit_transform(X)["when"].tolist()[:2] == [
        pd.Timestamp("2010-01-01"),
        pd.Timestamp("2012-01-01"),
    ]
    assert Coalesce(["age"], into="copy").fit_transform(X)["copy"].tolist() == [30, -1, 999]


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (Coalesce(["age", "word"], into="x"), "'coalesce' needs columns of one kind: 'age' is numeric, 'word' is text"),
        (ToMissing("age", values=[]), "'to_missing' needs at least one value"),
        (ToMissing("when", values=["2010-01-01"]), "'to_missing' works on numeric or categorical or text columns; 'when' is dates"),
    ],
)
def test_refuses(step: Coalesce | ToMissing, message: str) -> None:
    with pytest.raises(InputError, match=message):
        step.fit(X)
