"""Columns from text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

import pandas as pd

from features.columns import Selection
from features.errors import InputError
from features.expressions import as_text
from features.step import Step


class RegexExtract(Step):
    """Cut a part out of text by a regular expression; no match is missing.

    The result is the column ``into`` when one column is selected, ``<column>__<into>`` when there are several, and
    ``<column>__extract`` without ``into``. The source columns stay.

    Parameters
    ----------
    columns
        The text columns to read.
    pattern
        A Python regular expression with exactly one capture group; its first match anywhere in the text counts. A pattern
        with nested repetition (``(a+)+``) can take very long on a text that does not match: write it without.
    into
        Name of the result.

    Examples
    --------
    >>> X = pd.DataFrame({"Name": ["Braund, Mr. Owen"]})
    >>> RegexExtract("Name", pattern=r" ([A-Za-z]+)\\.", into="Title").fit_transform(X)["Title"].tolist()
    ['Mr']
    """

    accepts = ("categorical", "text")
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"columns": ["Owner"], "pattern": r" ([A-Za-z]+)\.", "into": "Title"},
        {"columns": ["Owner", "Street"], "pattern": r"^(.)"},
    )

    def __init__(self, columns: Selection, *, pattern: str, into: str | None = None) -> None:
        self.columns = columns
        self.pattern = pattern
        self.into = into

    def check(self) -> None:
        """Check that the pattern can be read and has one group."""
        super().check()
        try:
            n_groups = re.compile(self.pattern).groups
        except re.error as error:
            raise InputError(f"Step 'regex_extract' cannot read the pattern {self.pattern!r}: {error}.") from error
        if n_groups != 1:
            raise InputError(
                f"Step 'regex_extract' needs one group in the pattern {self.pattern!r}, found {n_groups}. "
                "Put the part to cut out in brackets; write brackets that only group as (?:...)."
            )

    def _write(self, X: pd.DataFrame) -> pd.DataFrame:
        written = {self._name(column): as_text(X[column]).str.extract(self.pattern, expand=False) for column in self.selected_}
        return pd.DataFrame(written, index=X.index)

    def _name(self, column: str) -> str:
        if self.into is not None and len(self.selected_) == 1:
            return self.into
        return f"{column}__{self.into or 'extract'}"
