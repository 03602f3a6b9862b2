"""What texts are about, in a few numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from features.errors import InputError
from features.text_topics import TfidfSvd

WORDS = np.random.default_rng(2).choice(["red", "green", "blue", "car", "house", "tree", "old", "new"], (60, 4))
X = pd.DataFrame({"ad": [" ".join(row) for row in WORDS]})


@pytest.mark.parametrize(
    ("terms", "theirs"),
    [("words", {}), ("word_pairs", {"ngram_range": (1, 2)}), ("characters", {"analyzer": "char_wb", "ngram_range": (2, 4)})],
)
def test_agrees_with_scikit_learn(terms: Any, theirs: dict[str, Any]) -> None:
    step = TfidfSvd("ad", components=3, terms=terms, min_rows=2).fit(X)
    weighted = TfidfVectorizer(min_df=2, sublinear_tf=True, **theirs).fit_transform(X["ad"])
    expected = TruncatedSVD(3, random_state=0).fit_transform(weighted)
    np.testing.assert_allclose(np.abs(step.write(X)), np.abs(expected), atol=1e-9)


def test_a_row_without_known_words_is_zero() -> None:
    step = TfidfSvd("ad", components=2).fit(X)
    assert step.write(pd.DataFrame({"ad": [None, "unheard of", ""]})).to_numpy().tolist() == [[0.0, 0.0]] * 3


def test_columns_beyond_the_directions_are_zero() -> None:
    few = pd.DataFrame({"ad": ["a b", "a b", "c", "c"]})
    out = TfidfSvd("ad", components=5).fit(few).write(few)
    assert list(out) == [f"ad__tfidf_{number}" for number in range(5)]
    assert (out.iloc[:, :2].abs().sum() > 0.1).all()
    assert (out.iloc[:, 2:] == 0).all(axis=None)


@pytest.mark.parametrize("texts", [[None, None], ["a", "b"], ["!", "?"]])
def test_no_term_is_refused(texts: list[str | None]) -> None:
    with pytest.raises(InputError, match="'tfidf_svd' finds no term in at least 2 training texts of column 'ad'"):
        TfidfSvd("ad").fit(pd.DataFrame({"ad": texts}, dtype="str"))
