"""What texts are about, in a few numbers: weighted words, brought down to few columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd

from features.columns import Selection
from features.design import by_label
from features.errors import InputError
from features.expressions import as_text
from features.reduce import without_noise
from features.step import Learns, Step

_TERMS: dict[str, dict[str, Any]] = {
    "words": {"token_pattern": r"(?u)\b\w+\b"},
    "word_pairs": {"token_pattern": r"(?u)\b\w+\b", "ngram_range": (1, 2)},
    "characters": {"analyzer": "char_wb", "ngram_range": (2, 4)},
}


class TfidfSvd(Step):
    """Bring texts down to a few numbers by TF-IDF weights and a truncated singular value decomposition: ``<column>__tfidf_<n>``.

    A missing text has no words, and neither words nor a text that training lacks count: such a row is 0 throughout. Where
    the training texts span fewer directions than asked for, the last columns are 0. The source columns stay.

    Parameters
    ----------
    columns
        The text columns.
    components
        How many columns are made of each.
    terms
        ``words``, ``word_pairs`` (words and pairs of neighbouring ones), or ``characters`` (runs of 2 to 4 inside words).
    min_rows
        In how many training texts a term must occur.
    max_terms
        How many terms are kept at most, the most frequent ones.
    random_state
        Seed of the decomposition.
    """

    learns = Learns.ROWS
    accepts = ("categorical", "text")
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"columns": ["Owner"], "components": 2, "min_rows": 1},
        {"columns": ["Owner", "Rooms"], "components": 3, "terms": "characters"},
    )

    def __init__(
        self,
        columns: Selection,
        *,
        components: int = 20,
        terms: Literal["words", "word_pairs", "characters"] = "words",
        min_rows: int = 2,
        max_terms: int = 20000,
        random_state: int = 0,
    ) -> None:
        self.columns = columns
        self.components = components
        self.terms = terms
        self.min_rows = min_rows
        self.max_terms = max_terms
        self.random_state = random_state

    def check(self) -> None:
        """Check the numbers."""
        super().check()
        if min(self.components, self.min_rows, self.max_terms) < 1:
            raise InputError("Step 'tfidf_svd' needs components, min_rows and max_terms of at least 1.")

    def _learn(self, X: pd.DataFrame, y: pd.Series | None) -> None:
        X, _ = by_label(X)
        self.vocabularies_: dict[str, np.ndarray] = {}
        self.weights_: dict[str, np.ndarray] = {}
        self.directions_: dict[str, np.ndarray] = {}
        for column in self.selected_:
            self._learn_one(column, _texts(X[column]))

    def _learn_one(self, column: str, texts: list[str]) -> None:
        vectorizer = self._vectorizer(min_df=min(self.min_rows, max(len(texts), 1)), max_features=self.max_terms)
        try:
            weighted = vectorizer.fit_transform(texts)
        except ValueError as error:
            raise InputError(
                f"Step 'tfidf_svd' finds no term in at least {self.min_rows} training texts of column {column!r}. "
                "Lower min_rows, take 'terms: characters', or leave the column out."
            ) from error
        self.vocabularies_[column] = np.array(vectorizer.get_feature_names_out(), dtype=object)
        self.weights_[column] = vectorizer.idf_
        self.directions_[column] = _directions(weighted, self.components, self.random_state)

    def _vectorizer(self, **limits: Any) -> Any:
        from sklearn.feature_extraction.text import TfidfVectorizer

        return TfidfVectorizer(**_TERMS[self.terms], **limits, sublinear_tf=True)

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        written: dict[str, np.ndarray] = {}
        for column in self.selected_:
            for number, values in enumerate(self._projected(column, _texts(X[column])).T):
                written[f"{column}__tfidf_{number}"] = values
        return pd.DataFrame(written, index=X.index)

    def _projected(self, column: str, texts: list[str]) -> np.ndarray:
        if not texts:
            return np.empty((0, self.components))
        vectorizer = self._vectorizer(vocabulary=self.vocabularies_[column].tolist())
        vectorizer.idf_ = self.weights_[column]
        return np.asarray(vectorizer.transform(texts) @ self.directions_[column].T)


def _texts(column: pd.Series) -> list[str]:
    return as_text(column).fillna("").tolist()


def _directions(weighted: Any, components: int, random_state: int) -> np.ndarray:
    """The first right singular vectors, of shape (components, n_terms), zeros where there are no more."""
    from sklearn.decomposition import TruncatedSVD

    found = min(components, *weighted.shape)
    svd = TruncatedSVD(found, random_state=random_state).fit(weighted)
    directions = np.zeros((components, weighted.shape[1]))
    directions[:found] = without_noise(svd.components_, svd.singular_values_)
    return directions
