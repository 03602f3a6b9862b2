"""Numbers that describe a text: how long it is and what it is made of."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd

from features.columns import Selection
from features.errors import InputError
from features.expressions import as_text
from features.step import Step

_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")


class TextStatistics(Step):
    """Describe texts by numbers: ``<column>__<statistic>``.

    A missing text has missing numbers; a share of an empty text is 0. The source columns stay.

    Parameters
    ----------
    columns
        The text columns to describe.
    statistics
        ``length`` (characters), ``words`` (parts between blanks), ``distinct_words``, ``mean_word_length``, ``digits``,
        ``numbers`` (runs of digits), ``punctuation`` (characters that are neither letter, digit nor blank), ``upper_share``
        (upper-case letters among all letters).

    Examples
    --------
    >>> X = pd.DataFrame({"ad": ["New IPHONE 12!", None]})
    >>> TextStatistics("ad", statistics=["words", "digits", "upper_share"]).fit(X).write(X).iloc[0].tolist()
    [3.0, 2.0, 0.7777777777777778]
    """

    accepts = ("categorical", "text")
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {},
        {"columns": ["Owner", "PoolQC"], "statistics": ["length", "words", "distinct_words", "mean_word_length", "digits", "numbers"]},
        {"columns": ["Owner", "Quarter"], "statistics": ["punctuation", "upper_share"]},
    )

    def __init__(
        self,
        columns: Selection = "text",
        *,
        statistics: Sequence[
            Literal["length", "words", "distinct_words", "mean_word_length", "digits", "numbers", "punctuation", "upper_share"]
        ] = ("length", "words"),
    ) -> None:
        self.columns = columns
        self.statistics = statistics

    def check(self) -> None:
        """Check that there is a statistic."""
        super().check()
        if not self.statistics:
            raise InputError(f"Step 'text_statistics' needs at least one of 'statistics': {', '.join(STATISTICS)}.")

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        written: dict[str, np.ndarray] = {}
        for column in self.selected_:
            # each distinct text is looked at once
            codes, texts = pd.factorize(as_text(X[column]))
            for statistic in dict.fromkeys(self.statistics):
                numbers = np.array([STATISTICS[statistic](text) for text in texts] + [np.nan], dtype=np.float64)
                written[f"{column}__{statistic}"] = numbers[codes]
        return pd.DataFrame(written, index=X.index)


def _upper_share(text: str) -> float:
    letters = [sign for sign in text if sign.isalpha()]
    return sum(sign.isupper() for sign in letters) / max(len(letters), 1)


STATISTICS: dict[str, Callable[[str], float]] = {
    "length": len,
    "words": lambda text: len(text.split()),
    "distinct_words": lambda text: len(set(text.lower().split())),
    "mean_word_length": lambda text: sum(map(len, text.split())) / max(len(text.split()), 1),
    "digits": lambda text: sum(sign.isdigit() for sign in text),
    "numbers": lambda text: len(_NUMBER.findall(text)),
    "punctuation": lambda text: sum(not sign.isalnum() and not sign.isspace() for sign in text),
    "upper_share": _upper_share,
}
"""From a text to a number."""
